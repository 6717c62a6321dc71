// SPDX-License-Identifier: Apache-2.0
// What chip.v promises around any engine: each prompt token runs once at the next position, each
// token sent is fed back, a sequence ends at its first status that is not 0, prompts are never glued,
// an abort is answered, and both streams obey valid and ready.
// probe f_state = dut.state
// probe f_begun = dut.begun
// probe f_aborting = dut.aborting
// probe f_cut = dut.cut
// probe f_pos = dut.pos
// probe f_kept = dut.kept
// probe f_full = dut.full
// probe f_kept_full = dut.kept_full
// probe f_count = dut.count
// probe f_sample = dut.sample
// probe f_token = dut.token
// probe f_stop = dut.stop_token
// probe f_stops = dut.stop_enable
// probe f_most = dut.max_tokens
// probe start = dut.u_engine.start
// probe run_token = dut.u_engine.token
// probe run_pos = dut.u_engine.pos
// probe run_sample = dut.u_engine.sample
// probe done = dut.u_engine.done
// probe refused = dut.u_engine.refused
// probe next_token = dut.u_engine.next_token
// probe seq_len = dut.u_engine.seq_len
// probe f_due = dut.due
// probe test = dut.u_engine.test
// probe testing = dut.u_engine.testing
// probe tested = dut.u_engine.tested
// probe e_running = dut.u_engine.running
// probe e_ran = dut.u_engine.f_ran
`default_nettype none

// the engine: answers when it likes with what it likes
module engine #(
    parameter ROWS = 1, parameter COLS = 1, parameter CODE_W = 1, parameter LANE = 0, parameter TILE = 1,
    parameter VEC = 1, parameter ATT_POS = 1, parameter HEAD_DIM = 1, parameter ACT_W = 1,
    parameter KV_W = 1, parameter RES_W = 1, parameter SUB_NORM = 0,
    parameter QKV_BIAS = 0, parameter QK_NORM = 0, parameter WINDOW = 0, parameter SELFTEST = 0, parameter KV_CTX = 4,
    parameter ACC_W = 1, parameter CTX = 4, parameter MAX_DIM = 1,
    parameter MAX_Q_DIM = 1, parameter MAX_HIDDEN = 1, parameter MAX_KV_DIM = 1,
    parameter KV_ROWS = 1, parameter SLOTS_W = 2, parameter ROPE_HI_W = 1, parameter ROPE_LO_W = 1,
    parameter WEIGHT_ADDR_W = 1, parameter SCALE_ADDR_W = 1, parameter GAIN_ADDR_W = 1,
    parameter LEVEL_ADDR_W = 1, parameter PROG_ADDR_W = 1, parameter TOKEN_W = 3
) (
    input wire clk, rst, start, sample, s_vec_valid,
    input wire [TOKEN_W-1:0] token,
    input wire [$clog2(CTX)-1:0] pos, ring_pos,
    input wire [VEC*24-1:0] s_vec_data,
    output wire s_vec_ready, done, refused,
    output wire [TOKEN_W-1:0] next_token,
    output wire [19:0] seq_len, ring,
    input wire test,
    output reg testing, tested,
    output wire [31:0] test_crc
);
    (* anyseq *) reg f_tested;
    assign test_crc = 32'd0;
    always @(posedge clk) begin
        testing <= !rst && (test || (testing && !f_tested));
        tested  <= !rst && !test && (tested || (testing && f_tested));
    end
    (* anyseq *) reg f_done, f_refused;
    (* anyseq *) reg [TOKEN_W-1:0] f_next;
    (* anyconst *) reg [19:0] f_len, f_ring;
    reg running;
    assign {done, refused, next_token, seq_len, s_vec_ready} = {f_done, f_refused, f_next, f_len, 1'b0};
    assign ring = f_ring;
    always @(posedge clk)
        running <= !rst && (start || (running && !done));
    always @* begin
        assume (!done || running);
        assume (f_len >= 20'd1 && f_len <= CTX);
        assume (f_ring >= 20'd1 && f_ring <= CTX);
    end
    always @(posedge clk) if (!rst) begin
        no_restart: assert (!start || !running);
        test_alone: assert (!test || !(testing || running || start));
        run_alone:  assert (!start || !testing);
        in_context: assert (!start || pos < f_len || !f_ran);
        in_ring:    assert (!start || ring_pos == (WINDOW != 0 ? pos % f_ring[$clog2(CTX):0] : pos));
    end
    reg f_ran = 1'b0; // the length is known from the first END on
    always @(posedge clk)
        f_ran <= !rst && (f_ran || (done && !refused));
endmodule

module f_chip #(
    parameter CTX = 4,
    parameter TOKEN_W = 3,
    parameter WINDOW = 0,
    parameter SELFTEST = 0
) (
    input wire clk, rst, s_token_valid, s_token_last, s_token_first, s_token_keep, s_abort, s_selftest,
    input wire m_token_ready, cfg_stop_enable,
    input wire [TOKEN_W-1:0] s_token_data, cfg_stop_token,
    input wire [15:0] cfg_max_tokens
);
    localparam POS_W = $clog2(CTX);
    localparam [2:0] MORE = 3'd0, STOP = 3'd1, LIMIT = 3'd2, FULL = 3'd3, TOO_LONG = 3'd4,
                     BAD = 3'd5, ABORTED = 3'd6;
    wire s_token_ready, m_token_valid, m_token_last, busy;
    wire [TOKEN_W-1:0] m_token_data;
    wire [2:0] m_token_status;
    wire [POS_W:0] position;
    wire selftest_done, test, testing, tested, f_due;
    wire [31:0] selftest_crc;
    chip #(.CTX(CTX), .TOKEN_W(TOKEN_W), .VEC(4), .WINDOW(WINDOW), .SELFTEST(SELFTEST)) dut (
        .clk(clk), .rst(rst), .s_token_valid(s_token_valid), .s_token_ready(s_token_ready),
        .s_token_data(s_token_data), .s_token_last(s_token_last), .s_token_first(s_token_first),
        .s_token_keep(s_token_keep), .s_abort(s_abort), .cfg_stop_token(cfg_stop_token),
        .cfg_stop_enable(cfg_stop_enable), .cfg_max_tokens(cfg_max_tokens),
        .m_token_valid(m_token_valid), .m_token_ready(m_token_ready),
        .m_token_data(m_token_data), .m_token_status(m_token_status),
        .m_token_last(m_token_last), .busy(busy), .position(position), .s_selftest(s_selftest), .selftest_done(selftest_done),
        .selftest_crc(selftest_crc)
    );
    wire [2:0] f_state;
    wire [POS_W:0] f_pos, f_kept;
    wire f_full, f_kept_full;
    wire [15:0] f_count, f_most;
    wire f_sample, f_begun, f_aborting, f_cut, f_stops;
    wire [TOKEN_W-1:0] f_token, f_stop;
    wire start, run_sample, done, refused;
    wire [TOKEN_W-1:0] run_token, next_token;
    wire [POS_W-1:0] run_pos;
    wire [19:0] seq_len;
    wire e_running, e_ran;

    wire take = s_token_valid && s_token_ready;
    wire sent = m_token_valid && m_token_ready;

    // --- the specification's own state ---------------------------------------------------------
    reg f_past = 1'b0;
    reg [20:0] at, ended_at, length; // the next position, where a sequence ended; positions there are
    reg        begun;       // a sequence has begun and not ended
    reg        owed;        // a run is due now, with this token
    reg [TOKEN_W-1:0] owed_token;
    reg        answering;   // the prompt is complete: what runs gives an answer
    reg        dropping;    // the rest of the prompt is dropped, and answered with this status
    reg [2:0]  drop_status;
    reg        skipping;    // the rest of an aborted prompt is dropped
    reg        running;
    reg        stopping;    // an abort has come
    reg        answer;      // an answer is due
    reg [TOKEN_W-1:0] answer_token;
    reg [2:0]  answer_status;
    reg        unfinished;  // the prompt that is answered has tokens to come
    reg [15:0] answers, most; // tokens of this sequence
    reg [TOKEN_W-1:0] stop;
    reg        stops;
    wire       full = at >= length;
    wire       stop_now = s_abort || stopping;
    // a token begins a prompt where it says so, or where none is under way
    wire       first = s_token_first || (!begun && !skipping);
    wire [20:0] from = first ? (s_token_keep ? ended_at : 21'd0) : at;
    wire       idle = !(owed || running || answer);

    always @(posedge clk) begin
        f_past <= 1'b1;
        owed   <= 1'b0;
        if (s_abort && begun)
            stopping <= 1'b1;
        if (start)
            running <= 1'b1;
        if (done) begin
            running <= 1'b0;
            if (!refused)
                {length, at} <= {1'b0, seq_len, at + 21'd1};
            if (stop_now)
                {answer, answer_token, answer_status, unfinished}
                    <= {1'b1, {TOKEN_W{1'b0}}, ABORTED, !answering};
            else if (refused && answering)
                {answer, answer_token, answer_status} <= {1'b1, {TOKEN_W{1'b0}}, BAD};
            else if (refused)
                {dropping, drop_status} <= {1'b1, BAD};
            else if (answering) begin
                answers <= answers + 16'd1;
                {answer, answer_token} <= {1'b1, next_token};
                answer_status <= stops && next_token == stop ? STOP
                               : answers + 16'd1 == most && most != 16'd0 ? LIMIT : MORE;
            end
        end
        if (take && (first || !(dropping || skipping))) begin
            begun     <= 1'b1;
            answers   <= 16'd0;
            answering <= s_token_last;
            at        <= from;
            {dropping, skipping, unfinished} <= 3'd0;
            if (first) begin
                stopping <= 1'b0;
                {stop, stops, most} <= {cfg_stop_token, cfg_stop_enable, cfg_max_tokens};
            end
            if (from >= length) begin
                {dropping, drop_status} <= {!s_token_last, TOO_LONG};
                {answer, answer_token, answer_status} <= {s_token_last, {TOKEN_W{1'b0}}, TOO_LONG};
            end else
                {owed, owed_token} <= {1'b1, s_token_data};
        end else if (take && s_token_last) begin
            if (dropping)
                {answer, answer_token, answer_status} <= {1'b1, {TOKEN_W{1'b0}}, drop_status};
            {dropping, skipping} <= 2'd0;
        end else if (idle && begun && stop_now) begin
            {answer, answer_token, answer_status, unfinished}
                <= {1'b1, {TOKEN_W{1'b0}}, ABORTED, 1'b1};
            dropping <= 1'b0;
        end
        if (sent) begin
            answer <= 1'b0;
            if (answer_status != MORE) begin
                {begun, stopping, answering} <= 3'd0;
                ended_at <= at;
                skipping <= unfinished;
            end else if (stop_now || full)
                {answer, answer_token, answer_status}
                    <= {1'b1, {TOKEN_W{1'b0}}, stop_now ? ABORTED : FULL};
            else
                {owed, owed_token} <= {1'b1, answer_token};
        end
        if (rst) begin
            {owed, answering, dropping, skipping, running, stopping, answer, begun, unfinished} <= 9'd0;
            {at, ended_at} <= 42'd0;
            length <= CTX;
        end
    end

    reg asked; // for a self-test
    always @(posedge clk)
        asked <= SELFTEST != 0 && !rst && (s_selftest || (asked && !test));
    wire hold = testing || (asked && !begun);

    reg f_held;
    reg [TOKEN_W+2:0] f_in;
    wire [TOKEN_W+2:0] in = {s_token_data, s_token_last, s_token_first, s_token_keep};
    always @(posedge clk)
        {f_held, f_in} <= {s_token_valid && !s_token_ready && !rst, in};
    always @* begin
        if (!f_past)
            assume (rst);
        if (f_held) // the sender keeps the rule too
            assume (s_token_valid && in == f_in);
    end

    // Whose prompt a token is of: a sender begins with a marked token, and is the only one whose
    // tokens come until another marks one.
    (* anyseq *) reg whose;
    reg sender, owner; // of the token taken last, of the first one of what runs
    always @(posedge clk)
        if (take) begin
            sender <= whose;
            if (first)
                owner <= whose;
        end
    always @*
        if (take && !s_token_first)
            assume (whose == sender);
    reg owed_whose;
    always @(posedge clk)
        owed_whose <= whose;

    always @(posedge clk) if (f_past && !rst) begin
        // streams
        if ($past(m_token_valid && !m_token_ready && !rst))
            holds: assert (m_token_valid && $stable(m_token_data) && $stable(m_token_status));
        ready_means: assert (s_token_ready == (idle && !hold));
        tests:       assert (test == (asked && !begun && !testing));
        has_tested:  assert (selftest_done == (tested && !asked));
        last_means:  assert (m_token_last == (m_token_status != MORE));
        is_busy:     assert (busy == begun && position == at);
        // runs: one for each token, at once, with its token and position, never beyond the context
        one_run:  assert (start == owed);
        the_run:  assert (!start || (run_token == owed_token && run_pos == at && !full));
        wanted:   assert (!start || run_sample == answering);
        not_glued: assert (!(start && !answering) || owed_whose == owner);
        // answers
        one_answer: assert (m_token_valid == answer);
        the_answer: assert (!m_token_valid || (m_token_data == answer_token
                                              && m_token_status == answer_status));
        aborts:     assert (!$past(s_abort && busy && s_token_ready && !s_token_valid && !rst)
                            || (m_token_valid && m_token_status == ABORTED));
        // for induction
        l_run:   assert ((f_state == 3'd2) == running && (f_state == 3'd1) == owed);
        l_send:  assert ((f_state == 3'd3) == answer && (f_state == 3'd4) == dropping
                         && (f_state == 3'd5) == skipping);
        l_one:   assert (owed + running + answer + dropping + skipping <= 1 && f_state <= 3'd5);
        l_begun: assert (f_begun == begun && f_aborting == stopping && (!stopping || begun));
        l_began: assert (begun || !(owed || running || answer || dropping || answering));
        l_due:   assert (f_due == asked);
        l_test:  assert (!testing || !begun);
        l_known: assert (!testing || !tested);
        l_skip:  assert (!skipping || !begun);
        l_wait:  assert (!stopping || !idle || dropping);
        l_cut:   assert (!answer || f_cut == unfinished);
        l_uncut: assert (!(owed || running || dropping || (answer && answer_status == MORE)
                           || (begun && idle)) || (!f_cut && !unfinished));
        l_pos:   assert (f_pos == at && f_kept == ended_at && at <= length && ended_at <= length);
        l_full:  assert (f_full == (at >= length) && f_kept_full == (ended_at >= length));
        l_len:   assert (length <= CTX && length >= 1);
        l_engine: assert (e_running == running && (e_ran ? length == seq_len : length == CTX));
        l_fresh: assert (e_ran || (at == 0 && ended_at == 0));
        l_drop:  assert (!dropping || (m_token_status == drop_status && m_token_data == 0
                                       && (drop_status == BAD || drop_status == TOO_LONG)
                                       && !answering));
        l_token: assert (!owed || f_token == owed_token);
        l_sample: assert (!(owed || running) || f_sample == answering);
        l_config: assert (!begun || (f_stop == stop && f_stops == stops && f_most == most));
        l_more:  assert (!(answer && answer_status == MORE) || (answering && f_sample));
        l_count: assert (!begun || f_count == answers);
        l_room:  assert (!(owed || running) || !full);
        l_owner: assert (!begun || answering || (sender == owner));
        l_asked: assert (!(begun && idle) || !answering);
    end
    always @(posedge clk) begin
        if (f_past && !rst) begin
            c_stop:  cover (sent && m_token_status == STOP && answers == 2);
            c_limit: cover (sent && m_token_status == LIMIT && answers == 2);
            c_full:  cover (sent && m_token_status == FULL && answers == 2);
            c_long:  cover (sent && m_token_status == TOO_LONG && $past(dropping));
            c_bad:   cover (sent && m_token_status == BAD && $past(dropping));
            c_abort: cover (sent && m_token_status == ABORTED && answers == 2 && !unfinished);
            c_cut:   cover (start && run_pos == 0 && $past(skipping) && $past(s_token_first));
            c_more:  cover (sent && at == 2 && $past(m_token_valid && !m_token_ready, 2));
            c_keep:  cover (start && at == 2 && $past(take && s_token_first && s_token_keep));
            c_glue:  cover (start && at == 0 && owner && $past(take && s_token_first && !owner && begun));
        end
    end
endmodule

`default_nettype wire
