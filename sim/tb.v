// SPDX-License-Identifier: Apache-2.0
// Bench for Icarus Verilog: plays a file of inputs into tap_top and prints what happens, a line an
// event: E kind sub index count value status cycle bits. dut_icarus.c reads the lines.
`timescale 1ns / 1ns
`default_nettype none
`include "geometry.vh"

module tb;
    localparam RESET = 0, START = 1, DONE = 2, TOKEN = 3, RES = 4, ACT = 5, KV = 6, Q = 7,
               SCORE = 8, LOGIT = 9, SIDE = 10, AGAIN = 11, SELFTEST = 12;

    reg          clk = 1'b0;
    reg          rst = 1'b1;
    reg [8191:0] inputs;
    integer      file, steps, stop, max, stalls, reset_at, again, taps, hang_after, selftest, seed;
    integer      cycle = 0, quiet = 0, now, got, last;

    wire                         tap_start, tap_done, tap_res_valid, tap_act_valid;
    wire                         tap_kv_valid, tap_kv_is_v, tap_q_valid, tap_score_valid;
    wire                         tap_logit_valid, tap_side_valid;
    wire [$clog2(`HW_CTX)-1:0]   tap_pos;
    wire [`HW_TOKEN_W-1:0]       tap_token, tap_best;
    wire [19:0]                  tap_res_index, tap_act_index, tap_kv_index, tap_q_index;
    wire [19:0]                  tap_score_index, tap_logit_index, tap_side_index;
    wire [1:0]                   tap_act_region;
    wire [7:0]                   tap_act_count, tap_score_head;
    wire [`HW_VEC*`HW_RES_W-1:0] tap_res_data, tap_side_data;
    wire [`HW_VEC*`HW_ACT_W-1:0] tap_act_data;
    wire [`HW_VEC*`HW_KV_W-1:0]  tap_kv_data;
    wire [`HW_VEC*12-1:0]        tap_q_data;
    wire [`HW_ATT_POS*20-1:0]    tap_score_data;
    wire [`HW_VEC*24-1:0]        tap_logit_data;

    always #5 clk = !clk;

    // A number for the line of an event; -1 where any bit is unknown.
    function integer known(input [31:0] x);
        known = ^x === 1'bx ? -1 : x;
    endfunction

    // True where a stream should pause this clock.
    function pause(input unused);
        pause = stalls != 0 && $random(seed) % 4 == 0 && !unused;
    endfunction

    task observe;
        begin
            if (tap_start !== 1'b0)
                $display("E %0d 0 %0d 0 %0d 0 %0d 0", START, known(tap_pos), known(tap_token), cycle);
            if (taps != 0) begin
                if (tap_res_valid !== 1'b0)
                    $display("E %0d 0 %0d %0d 0 0 %0d %h", RES, tap_res_index, `HW_VEC, cycle,
                             tap_res_data);
                if (tap_side_valid !== 1'b0)
                    $display("E %0d 0 %0d %0d 0 0 %0d %h", SIDE, tap_side_index, `HW_VEC, cycle,
                             tap_side_data);
                if (tap_act_valid !== 1'b0)
                    $display("E %0d %0d %0d %0d 0 0 %0d %h", ACT, tap_act_region, tap_act_index,
                             tap_act_count, cycle, tap_act_data);
                if (tap_kv_valid !== 1'b0)
                    $display("E %0d %0d %0d %0d 0 0 %0d %h", KV, tap_kv_is_v, tap_kv_index,
                             `HW_VEC, cycle, tap_kv_data);
                if (tap_q_valid !== 1'b0)
                    $display("E %0d 0 %0d %0d 0 0 %0d %h", Q, tap_q_index, `HW_VEC, cycle,
                             tap_q_data);
                if (tap_score_valid !== 1'b0)
                    $display("E %0d %0d %0d 0 0 0 %0d %h", SCORE, tap_score_head, tap_score_index,
                             cycle, tap_score_data);
                if (tap_logit_valid !== 1'b0)
                    $display("E %0d 0 %0d %0d 0 0 %0d %h", LOGIT, tap_logit_index, `HW_VEC, cycle,
                             tap_logit_data);
            end
            if (tap_done !== 1'b0) begin
                // before the first logits nobody knows the best
                $display("E %0d 0 0 0 %0d 0 %0d 0", DONE, known(tap_best), cycle);
                quiet = 0;
            end
        end
    endtask

    task do_reset;
        begin
            rst = 1'b1;
            repeat (3) @(negedge clk);
            rst = 1'b0;
            cycle = 0;
            quiet = 0;
        end
    endtask

    task rewind_inputs;
        begin
            $fclose(file);
            file = $fopen(inputs, "r");
        end
    endtask

    initial begin
        got = $value$plusargs("inputs=%s", inputs);
        got = $value$plusargs("steps=%d", steps);
        got = $value$plusargs("stop=%d", stop);
        got = $value$plusargs("max=%d", max);
        got = $value$plusargs("stalls=%d", stalls);
        got = $value$plusargs("reset_at=%d", reset_at);
        got = $value$plusargs("again=%d", again);
        got = $value$plusargs("taps=%d", taps);
        got = $value$plusargs("hang_after=%d", hang_after);
        got = $value$plusargs("selftest=%d", selftest);
        seed = stalls;
        now = 0;
        file = $fopen(inputs, "r");
        play;
        $display("FINISHED");
        $finish;
    end

    always @(posedge clk)
        if (quiet > hang_after) begin
            $display("HUNG");
            $finish;
        end

    // Inputs change on the falling edge; what the design then shows is looked at just before the
    // rising edge that takes it.
`ifdef HW_SLICE
    reg                       start = 1'b0;
    reg [$clog2(`HW_CTX)-1:0] pos;
    reg                       s_vec_valid = 1'b0;
    wire                      s_vec_ready;
    reg [`HW_VEC*24-1:0]      s_vec_data;
    reg                       finished, taken;
    integer                   step, word, n_words, position;

    tap_top u_dut (
        .clk(clk), .rst(rst), .start(start), .pos(pos), .s_vec_valid(s_vec_valid),
        .s_vec_ready(s_vec_ready), .s_vec_data(s_vec_data),
`else
    reg                    s_token_valid = 1'b0;
    wire                   s_token_ready;
    reg [`HW_TOKEN_W-1:0]  s_token_data;
    reg                    s_token_last, s_token_first, m_token_ready;
    wire                   m_token_valid;
    wire [`HW_TOKEN_W-1:0] m_token_data;
    wire [2:0]             m_token_status;
    wire                   m_token_last, busy;
    wire [$clog2(`HW_CTX):0] position;
    reg                    finished, taken, asks, tests; // for a self-test; it runs
    integer                sent, token;
    wire                   selftest_done;
    wire [31:0]            selftest_crc;

    tap_top u_dut (
        .clk(clk), .rst(rst), .s_token_valid(s_token_valid), .s_token_ready(s_token_ready),
        .s_token_data(s_token_data), .s_token_last(s_token_last), .s_token_first(s_token_first),
        .s_token_keep(1'b0), .s_abort(1'b0), .cfg_stop_token(stop[`HW_TOKEN_W-1:0]),
        .cfg_stop_enable(stop >= 0), .cfg_max_tokens(max[15:0]), .m_token_last(m_token_last),
        .busy(busy), .position(position), .s_selftest(asks), .selftest_done(selftest_done),
        .selftest_crc(selftest_crc),
        .m_token_valid(m_token_valid), .m_token_ready(m_token_ready),
        .m_token_data(m_token_data), .m_token_status(m_token_status),
`endif
        .tap_start(tap_start), .tap_pos(tap_pos), .tap_token(tap_token), .tap_done(tap_done),
        .tap_best(tap_best), .tap_res_valid(tap_res_valid), .tap_res_index(tap_res_index),
        .tap_res_data(tap_res_data), .tap_side_valid(tap_side_valid),
        .tap_side_index(tap_side_index), .tap_side_data(tap_side_data), .tap_act_valid(tap_act_valid),
        .tap_act_region(tap_act_region), .tap_act_index(tap_act_index),
        .tap_act_count(tap_act_count), .tap_act_data(tap_act_data), .tap_kv_valid(tap_kv_valid),
        .tap_kv_is_v(tap_kv_is_v), .tap_kv_index(tap_kv_index), .tap_kv_data(tap_kv_data),
        .tap_q_valid(tap_q_valid), .tap_q_index(tap_q_index), .tap_q_data(tap_q_data),
        .tap_score_valid(tap_score_valid), .tap_score_head(tap_score_head),
        .tap_score_index(tap_score_index), .tap_score_data(tap_score_data),
        .tap_logit_valid(tap_logit_valid), .tap_logit_index(tap_logit_index),
        .tap_logit_data(tap_logit_data)
    );

`ifdef HW_SLICE
    task play;
        begin
            do_reset;
            for (step = 0; step < steps; step = step + 1) begin
                got = $fscanf(file, "%d %d", position, n_words);
                pos = position;
                start = 1'b1;
                word = 0;
                finished = 1'b0;
                while (!finished) begin
                    if (!s_vec_valid && word < n_words && !pause(1'b0)) begin
                        got = $fscanf(file, "%h", s_vec_data);
                        s_vec_valid = 1'b1;
                    end
                    #4 observe;
                    finished = tap_done;
                    taken = s_vec_valid && s_vec_ready;
                    @(negedge clk);
                    start = 1'b0;
                    cycle = cycle + 1;
                    quiet = quiet + 1;
                    now = now + 1;
                    if (taken) begin
                        s_vec_valid = 1'b0;
                        word = word + 1;
                    end
                    if (reset_at != 0 && now == reset_at) begin
                        $display("E %0d 0 0 0 0 0 0 0", RESET);
                        s_vec_valid = 1'b0;
                        rewind_inputs;
                        do_reset;
                        step = -1;
                        finished = 1'b1;
                    end
                end
            end
        end
    endtask
`else
    task play;
        begin
            sent = 0;
            finished = 1'b0;
            {asks, tests} = 2'b00;
            do_reset;
            asks = selftest != 0;
            while (!finished) begin
                if (!s_token_valid && sent < steps && !asks && !pause(1'b0)) begin
                    got = $fscanf(file, "%d %d", token, last);
                    s_token_data = token;
                    s_token_last = last;
                    s_token_first = sent == 0 && stalls % 2 == 0; // it may be left out
                    s_token_valid = 1'b1;
                end else if (!s_token_valid) begin
                    s_token_data = {`HW_TOKEN_W{1'bx}}; // means nothing now
                    {s_token_last, s_token_first} = 2'bx;
                end
                m_token_ready = !pause(1'b0);
                #4 observe;
                if (tests && selftest_done !== 1'b0) begin
                    $display("E %0d 0 0 %0d %0d 0 %0d 0", SELFTEST, cycle, known(selftest_crc), cycle);
                    tests = 1'b0;
                end
                tests = tests || asks;
                taken = s_token_valid && s_token_ready;
                if (m_token_valid && m_token_ready) begin
                    finished = m_token_last;
                    $display("E %0d 0 0 %0d %0d %0d %0d 0", TOKEN, sent, known(m_token_data),
                             known(m_token_status), cycle);
                end
                @(negedge clk);
                asks = 1'b0;
                cycle = cycle + 1;
                quiet = quiet + 1;
                now = now + 1;
                if (taken) begin
                    s_token_valid = 1'b0;
                    sent = sent + 1;
                end
                if (reset_at != 0 && now == reset_at) begin
                    $display("E %0d 0 0 0 0 0 0 0", RESET);
                    s_token_valid = 1'b0;
                    sent = 0;
                    finished = 1'b0;
                    rewind_inputs;
                    tests = 1'b0;
                    do_reset;
                    asks = selftest != 0;
                end
                if (finished && again > 0) begin
                    $display("E %0d 0 0 0 0 0 0 0", AGAIN);
                    again = again - 1;
                    sent = 0;
                    finished = 1'b0;
                    rewind_inputs;
                end
            end
        end
    endtask
`endif
endmodule

`default_nettype wire
