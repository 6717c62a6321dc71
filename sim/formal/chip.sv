// SPDX-License-Identifier: Apache-2.0
// What chip.v promises around any engine: each prompt token runs once at the next position, each
// token sent is fed back, a sequence ends at its first status that is not 0, and both streams obey
// valid and ready.
// probe f_state = dut.state
// probe f_pos = dut.pos
// probe f_limit = dut.limit
// probe f_count = dut.count
// probe f_sample = dut.sample
// probe f_token = dut.token
// probe start = dut.u_engine.start
// probe run_token = dut.u_engine.token
// probe run_pos = dut.u_engine.pos
// probe run_sample = dut.u_engine.sample
// probe done = dut.u_engine.done
// probe next_token = dut.u_engine.next_token
// probe seq_len = dut.u_engine.seq_len
// probe e_running = dut.u_engine.running
// probe e_ran = dut.u_engine.f_ran
`default_nettype none

// the engine: answers when it likes with what it likes
module engine #(
    parameter ROWS = 1, parameter COLS = 1, parameter CODE_W = 1, parameter LANE = 0,
    parameter VEC = 1, parameter ATT_POS = 1, parameter HEAD_DIM = 1, parameter ACT_W = 1,
    parameter KV_W = 1, parameter RES_W = 1, parameter SUB_NORM = 0, parameter ACC_W = 1, parameter CTX = 4, parameter MAX_DIM = 1,
    parameter MAX_Q_DIM = 1, parameter MAX_HIDDEN = 1, parameter MAX_KV_DIM = 1,
    parameter KV_ROWS = 1, parameter ROPE_HI_W = 1, parameter ROPE_LO_W = 1,
    parameter WEIGHT_ADDR_W = 1, parameter SCALE_ADDR_W = 1, parameter GAIN_ADDR_W = 1,
    parameter LEVEL_ADDR_W = 1, parameter PROG_ADDR_W = 1, parameter TOKEN_W = 3
) (
    input wire clk, rst, start, sample, s_vec_valid,
    input wire [TOKEN_W-1:0] token,
    input wire [$clog2(CTX)-1:0] pos,
    input wire [VEC*24-1:0] s_vec_data,
    output wire s_vec_ready, done,
    output wire [TOKEN_W-1:0] next_token,
    output wire [19:0] seq_len
);
    (* anyseq *) reg f_done;
    (* anyseq *) reg [TOKEN_W-1:0] f_next;
    (* anyconst *) reg [19:0] f_len;
    reg running;
    assign {done, next_token, seq_len, s_vec_ready} = {f_done, f_next, f_len, 1'b0};
    always @(posedge clk)
        running <= !rst && (start || (running && !done));
    always @* begin
        assume (!done || running);
        assume (f_len >= 20'd1 && f_len <= CTX);
    end
    always @(posedge clk) if (!rst) begin
        no_restart: assert (!start || !running);
        in_context: assert (!start || pos < f_len || !f_ran);
    end
    reg f_ran = 1'b0; // the length is known from the first END on
    always @(posedge clk)
        f_ran <= !rst && (f_ran || done);
endmodule

module f_chip #(
    parameter CTX = 4,
    parameter TOKEN_W = 3
) (
    input wire clk, rst, s_token_valid, s_token_last, m_token_ready,
    input wire [TOKEN_W-1:0] s_token_data
);
    localparam POS_W = $clog2(CTX);
    (* anyconst *) reg [TOKEN_W-1:0] stop;
    (* anyconst *) reg [15:0]        most;
    wire s_token_ready, m_token_valid;
    wire [TOKEN_W-1:0] m_token_data;
    wire [1:0] m_token_status;
    chip #(.CTX(CTX), .TOKEN_W(TOKEN_W), .VEC(4)) dut (
        .clk(clk), .rst(rst), .s_token_valid(s_token_valid), .s_token_ready(s_token_ready),
        .s_token_data(s_token_data), .s_token_last(s_token_last), .cfg_stop_token(stop),
        .cfg_max_tokens(most), .m_token_valid(m_token_valid), .m_token_ready(m_token_ready),
        .m_token_data(m_token_data), .m_token_status(m_token_status)
    );
    wire [2:0] f_state;
    wire [POS_W:0] f_pos;
    wire [20:0] f_limit;
    wire [15:0] f_count;
    wire f_sample;
    wire [TOKEN_W-1:0] f_token;
    wire start, run_sample, done;
    wire [TOKEN_W-1:0] run_token, next_token;
    wire [POS_W-1:0] run_pos;
    wire [19:0] seq_len;
    wire e_running, e_ran;

    wire take = s_token_valid && s_token_ready;
    wire sent = m_token_valid && m_token_ready;

    // --- the specification's own state ---------------------------------------------------------
    reg f_past = 1'b0;
    reg [20:0] at, length;       // runs of this sequence; positions there are
    reg        owed, owed_last;  // a run is due now, with this token
    reg [TOKEN_W-1:0] owed_token;
    reg        answering;        // the prompt is complete: what runs gives an answer
    reg        dropping;         // the prompt is longer than the context
    reg        running;
    reg        answer;           // an answer is due
    reg [TOKEN_W-1:0] answer_token;
    reg [1:0]  answer_status;
    reg [15:0] answers;          // of this sequence
    wire       full = at >= length;

    always @(posedge clk) begin
        f_past <= 1'b1;
        owed   <= 1'b0;
        if (start)
            {running, at} <= {1'b1, at + 21'd1};
        if (done) begin
            running <= 1'b0;
            length  <= {1'b0, seq_len};
            if (answering) begin
                answer        <= 1'b1;
                answer_token  <= next_token;
                answers       <= answers + 16'd1;
                answer_status <= next_token == stop ? 2'd1
                               : answers + 16'd1 == most && most != 16'd0 ? 2'd2 : 2'd0;
            end
        end
        if (take) begin
            answers <= 16'd0;
            answering <= s_token_last;
            if (full || dropping) begin
                dropping <= !s_token_last;
                answer   <= s_token_last;
                {answer_token, answer_status} <= {{TOKEN_W{1'b0}}, 2'd3};
            end else
                {owed, owed_token} <= {1'b1, s_token_data};
        end
        if (sent) begin
            answer <= 1'b0;
            if (answer_status != 2'd0)
                {answering, at} <= 22'd0;
            else if (full)
                {answer, answer_token, answer_status} <= {1'b1, {TOKEN_W{1'b0}}, 2'd3};
            else
                {owed, owed_token} <= {1'b1, answer_token};
        end
        if (rst) begin
            {owed, answering, dropping, running, answer, at} <= 26'd0;
            length <= CTX;
        end
    end

    reg f_held;
    reg [TOKEN_W:0] f_in;
    always @(posedge clk)
        {f_held, f_in} <= {s_token_valid && !s_token_ready && !rst, s_token_data, s_token_last};
    always @* begin
        if (!f_past)
            assume (rst);
        if (f_held) // the sender keeps the rule too
            assume (s_token_valid && {s_token_data, s_token_last} == f_in);
    end

    always @(posedge clk) if (f_past && !rst) begin
        // streams
        if ($past(m_token_valid && !m_token_ready && !rst))
            holds: assert (m_token_valid && $stable(m_token_data) && $stable(m_token_status));
        ready_means: assert (s_token_ready == !(owed || running || answer));
        // runs: one for each token, at once, with its token and position, never beyond the context
        one_run:  assert (start == owed);
        the_run:  assert (!start || (run_token == owed_token && run_pos == at && !full));
        wanted:   assert (!start || run_sample == answering);
        // answers
        one_answer: assert (m_token_valid == answer);
        the_answer: assert (!m_token_valid || (m_token_data == answer_token
                                              && m_token_status == answer_status));
        // for induction
        l_run:   assert ((f_state == 3'd2) == running && (f_state == 3'd1) == owed);
        l_send:  assert ((f_state == 3'd3) == answer && (f_state == 3'd4) == dropping);
        l_one:   assert (owed + running + answer + dropping <= 1 && f_state <= 3'd4);
        l_pos:   assert (f_pos + running == at && f_limit == length && at <= length);
        l_len:   assert (length <= CTX && length >= 1);
        l_engine: assert (e_running == running && (e_ran ? length == seq_len : length == CTX));
        l_drop:  assert (!dropping || (m_token_status == 2'd3 && answer_status == 2'd3
                                       && m_token_data == 0 && answer_token == 0 && !answering));
        l_first: assert (e_ran || at == running);
        l_token: assert (!owed || f_token == owed_token);
        l_sample: assert (!(owed || running) || f_sample == answering);
        l_answer: assert (!answer || answering && (f_sample || answer_status == 2'd3));
        l_count: assert (!(owed || running || answer) || answer && answer_status == 2'd3 || !answering
                         || f_count == answers);
        l_zero:  assert (!(owed || running) || answering || answers == 0 && f_count == 0);
        l_room:  assert (!owed || !full);
    end
    reg f_all;
    always @(posedge clk) begin
        if (rst || start && at == 0)
            f_all <= 1'b0;
        if (f_past && !rst) begin
            c_stop:  cover (sent && m_token_status == 1 && answers == 2);
            c_limit: cover (sent && m_token_status == 2 && answers == 2);
            c_full:  cover (sent && m_token_status == 3 && answers == 2);
            c_drop:  cover (sent && m_token_status == 3 && $past(dropping));
            c_more:  cover (sent && at == 2 && $past(m_token_valid && !m_token_ready, 2));
            c_again: cover (start && at == 0 && length == 2);
        end
    end
endmodule

`default_nettype wire
