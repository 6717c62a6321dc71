// SPDX-License-Identifier: Apache-2.0
// The design compiled by Verilator. With HW_SLICE the top is a slice, otherwise the chip.
#include <memory>

#include "Vtap_top.h"
#include "sim/dut.h"
#include "verilated.h"

#ifndef HW_RESET_CLOCKS
#define HW_RESET_CLOCKS 3
#endif

const char *const dut_simulator = "Verilator";

namespace {

struct bench {
    const dut_job *job;
    dut_event_fn *fn;
    void *user;
    Vtap_top top;
    long cycle = 0;
    long quiet = 0; // clocks since anything finished
    bool go_on = true;
    uint32_t random;

    bench(const dut_job *j, dut_event_fn *f, void *u) : job(j), fn(f), user(u)
    {
        random = j->stall_seed;
    }

    // True where a stream should pause this clock.
    bool pause()
    {
        if (random == 0)
            return false;
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        return (random & 0x300) == 0;
    }

    void send(dut_kind kind, int sub, int index, int count, int value, int status,
              const void *bits)
    {
        dut_event e = {kind, sub, index, count, value, status, cycle,
                       static_cast<const uint8_t *>(bits), nullptr};
        go_on = fn(user, &e) && go_on;
    }

    void observe()
    {
        if (top.tap_start)
            send(DUT_START, 0, top.tap_pos, 0, top.tap_token, 0, nullptr);
        if (job->taps) {
            if (top.tap_res_valid)
                send(DUT_RES, 0, top.tap_res_index, job->vec, 0, 0, &top.tap_res_data);
            if (top.tap_side_valid)
                send(DUT_SIDE, 0, top.tap_side_index, job->vec, 0, 0, &top.tap_side_data);
            if (top.tap_act_valid)
                send(DUT_ACT, top.tap_act_region, top.tap_act_index, top.tap_act_count, 0, 0,
                     &top.tap_act_data);
            if (top.tap_kv_valid)
                send(DUT_KV, top.tap_kv_is_v, top.tap_kv_index, job->vec, 0, 0, &top.tap_kv_data);
            if (top.tap_q_valid)
                send(DUT_Q, 0, top.tap_q_index, job->vec, 0, 0, &top.tap_q_data);
            if (top.tap_score_valid)
                send(DUT_SCORE, top.tap_score_head, top.tap_score_index, 0, 0, 0,
                     &top.tap_score_data);
            if (top.tap_logit_valid)
                send(DUT_LOGIT, 0, top.tap_logit_index, job->vec, 0, 0, &top.tap_logit_data);
        }
        if (top.tap_done) {
            quiet = 0;
            send(DUT_DONE, 0, 0, 0, top.tap_best, 0, nullptr);
        }
    }

    // First half of a clock: inputs settle.
    void settle()
    {
        top.clk = 0;
        top.eval();
    }

    void edge()
    {
        top.clk = 1;
        top.eval();
        cycle++;
        quiet++;
    }

    void reset()
    {
        top.rst = 1;
        for (int i = 0; i < HW_RESET_CLOCKS; i++) {
            settle();
            edge();
        }
        top.rst = 0;
        cycle = 0;
        quiet = 0;
    }

    bool reset_now(long now)
    {
        if (job->reset_at == 0 || now != job->reset_at)
            return false;
        send(DUT_RESET, 0, 0, 0, 0, 0, nullptr);
        reset();
        return true;
    }

    dut_result end() const
    {
        return !go_on ? DUT_STOPPED : quiet >= job->hang_after ? DUT_HUNG : DUT_FINISHED;
    }

#ifdef HW_SLICE
    void put_word(const int32_t *value)
    {
        auto *to = reinterpret_cast<uint8_t *>(&top.s_vec_data);
        for (int i = 0; i < 3 * job->vec; i++)
            to[i] = static_cast<uint8_t>(value[i / 3] >> (i % 3 * 8));
    }

    dut_result run()
    {
        long now = 0;
        reset();
        for (int at = 0; at < job->n_steps && go_on && quiet < job->hang_after; at++) {
            const dut_step &step = job->step[at];
            bool started = false, finished = false;
            top.s_vec_valid = 0;
            for (int word = 0; !finished && go_on && quiet < job->hang_after; now++) {
                top.pos = step.pos;
                top.start = !started;
                if (!top.s_vec_valid && word < step.n_words && !pause()) {
                    put_word(step.value + static_cast<long>(word) * job->vec);
                    top.s_vec_valid = 1;
                }
                settle();
                observe();
                bool taken = top.s_vec_valid && top.s_vec_ready;
                finished = top.tap_done;
                started = true;
                edge();
                if (taken) {
                    top.s_vec_valid = 0;
                    word++;
                }
                if (reset_now(now)) {
                    at = -1;
                    now++; // once: the next clock is another one
                    break;
                }
            }
        }
        return end();
    }
#else
    dut_result run()
    {
        int sent = 0, again = job->again;
        bool finished = false;
        top.cfg_stop_token = job->stop_token;
        top.cfg_stop_enable = job->stop_token >= 0;
        top.s_token_keep = 0;
        top.s_abort = 0;
        top.cfg_max_tokens = job->max_tokens;
        top.s_token_valid = 0;
        top.s_selftest = 0;
        reset();
        bool asks = job->selftest, tests = false; // for a self-test; it runs
        for (long now = 0; !finished && go_on && quiet < job->hang_after; now++) {
            top.s_selftest = asks;
            if (!top.s_token_valid && sent < job->n_tokens && !asks && !pause()) {
                top.s_token_data = job->token[sent];
                top.s_token_last = sent + 1 == job->n_tokens;
                top.s_token_first = sent == 0 && job->stall_seed % 2 == 0; // it may be left out
                top.s_token_valid = 1;
            } else if (!top.s_token_valid) { // means nothing now
                top.s_token_data = job->token[0] ^ 1;
                top.s_token_last = 1;
                top.s_token_first = 1;
            }
            top.m_token_ready = !pause();
            settle();
            observe();
            if (tests && top.selftest_done) {
                send(DUT_SELFTEST, 0, 0, static_cast<int>(cycle), static_cast<int>(top.selftest_crc), 0, nullptr);
                tests = false;
            }
            tests = tests || asks;
            asks = false;
            bool taken = top.s_token_valid && top.s_token_ready;
            if (top.m_token_valid && top.m_token_ready) {
                finished = top.m_token_last;
                send(DUT_TOKEN, 0, 0, sent, top.m_token_data, top.m_token_status, nullptr);
            }
            edge();
            if (taken) {
                top.s_token_valid = 0;
                sent++;
            }
            if (reset_now(now)) {
                top.s_token_valid = 0;
                sent = 0;
                finished = false;
                asks = job->selftest;
                tests = false;
            }
            if (finished && again-- > 0) {
                send(DUT_AGAIN, 0, 0, 0, 0, 0, nullptr);
                sent = 0;
                finished = false;
            }
        }
        return end();
    }
#endif
};

} // namespace

enum dut_result dut_run(const char *, const struct dut_job *job, dut_event_fn *fn, void *user)
{
    auto b = std::make_unique<bench>(job, fn, user);
    return b->run();
}
