// SPDX-License-Identifier: Apache-2.0
// The edges of a chip's streams, on a real design in Icarus: what no job of a co-simulation does. Prints TAP.
// Plusargs: vocab, ctx of the model. Every expectation is of chip.v's header; what the chip says in one go
// is what it must say in parts.
`timescale 1ns / 1ns
`default_nettype none
`include "geometry.vh"

module edge_tb;
    localparam W = `HW_TOKEN_W;
    localparam MORE = 0, STOP = 1, LIMIT = 2, FULL = 3, TOO_LONG = 4, BAD = 5, ABORTED = 6;
    reg          clk = 1'b0, rst = 1'b1;
    reg          s_valid = 1'b0, s_last, s_first, s_keep, s_abort = 1'b0, m_ready = 1'b1;
    reg  [W-1:0] s_data, stop = 0;
    reg          stop_enable = 1'b0;
    reg  [15:0]  most = 0;
    wire         s_ready, m_valid, m_last, busy;
    wire [W-1:0] m_data;
    wire [2:0]   m_status;
    wire [$clog2(`HW_CTX):0] position;
    integer      vocab, ctx, i, n, got, kept_n, split;
    integer      said [0:4095], whole [0:4095]; // tokens of an answer
    reg          fine;
    integer      status;                        // its last status

    chip_top u_dut (
        .clk(clk), .rst(rst), .s_token_valid(s_valid), .s_token_ready(s_ready),
        .s_token_data(s_data), .s_token_last(s_last), .s_token_first(s_first),
        .s_token_keep(s_keep), .s_abort(s_abort), .cfg_stop_token(stop),
        .cfg_stop_enable(stop_enable), .cfg_max_tokens(most), .m_token_valid(m_valid),
        .m_token_ready(m_ready), .m_token_data(m_data), .m_token_status(m_status),
        .m_token_last(m_last), .busy(busy), .position(position), .s_selftest(1'b0), .selftest_done(), .selftest_crc()
    );
    always #5 clk = !clk;

    task put(input integer token, input last, input first, input keep);
        begin
            s_data = token;
            {s_last, s_first, s_keep, s_valid} = {last, first, keep, 1'b1};
            #4;
            while (s_ready !== 1'b1) begin
                @(negedge clk);
                #4;
            end
            @(negedge clk);
            s_valid = 1'b0;
            {s_data, s_last, s_first, s_keep} = {(W+3){1'bx}};
        end
    endtask

    // Takes an answer to its end: said[0..n-1] and status.
    task answer;
        begin
            n = 0;
            status = MORE;
            while (status == MORE) begin
                #4;
                if (m_valid === 1'b1) begin
                    status = m_status;
                    if (m_last !== (m_status != MORE))
                        fine = 1'b0;
                    if (status <= LIMIT) begin
                        said[n] = m_data;
                        n = n + 1;
                    end
                end
                @(negedge clk);
            end
        end
    endtask

    task prompt(input integer length, input keep); // tokens 3, 4, 5, ...
        for (i = 0; i < length; i = i + 1)
            put(3 + i % (vocab - 3), i == length - 1, i == 0, keep && i == 0);
    endtask

    task verdict(input [8*64-1:0] name, input ok);
        $display("%0sok %0s (status %0d, %0d tokens, position %0d)", ok === 1'b1 && fine ? "" : "not ", name,
                 status, n, position);
    endtask

    function same(input integer from, input integer count); // said against whole
        begin
            same = 1'b1;
            for (i = 0; i < count; i = i + 1)
                if (said[i] != whole[from + i])
                    same = 1'b0;
        end
    endfunction

    task wait_clocks(input integer count);
        repeat (count) @(negedge clk);
    endtask

    task cancel;
        begin
            s_abort = 1'b1;
            @(negedge clk);
            s_abort = 1'b0;
        end
    endtask

    initial begin
        got = $value$plusargs("vocab=%d", vocab);
        got = $value$plusargs("ctx=%d", ctx);
        fine = 1'b1;
        wait_clocks(3);
        rst = 1'b0;

        // the whole text, until the context is full
        prompt(4, 1'b0);
        answer;
        verdict("the context is full", status == FULL && n == ctx - 3);
        kept_n = n;
        for (i = 0; i < n; i = i + 1)
            whole[i] = said[i];

        most = 5;
        prompt(4, 1'b0);
        answer;
        verdict("a limit", status == LIMIT && n == 5 && same(0, 5) && position == 8);
        // a turn that goes on: the last token sent comes first, then the text as before
        most = 3;
        put(said[n-1], 1'b1, 1'b1, 1'b1);
        answer;
        verdict("a turn goes on where the last one ended", status == LIMIT && n == 3 && same(5, 3));
        most = 0;
        put(said[n-1], 1'b1, 1'b1, 1'b1);
        answer;
        verdict("and to the end of the context", status == FULL && n == kept_n - 8 && same(8, n));

        // the stop token
        stop = whole[2];
        stop_enable = 1'b1;
        for (split = 0; whole[split] != whole[2]; split = split + 1) ;
        prompt(4, 1'b0);
        answer;
        verdict("a stop token", status == STOP && n == split + 1 && same(0, n));
        stop_enable = 1'b0;
        most = 6;
        prompt(4, 1'b0);
        stop_enable = 1'b1; // too late for this prompt
        answer;
        verdict("a stop token that is off", status == LIMIT && n == 6 && same(0, 6));
        stop_enable = 1'b0;

        // ids that are none of the vocabulary
        put(vocab, 1'b1, 1'b1, 1'b0);
        answer;
        verdict("a bad token alone", status == BAD && n == 0);
        put(3, 1'b0, 1'b1, 1'b0);
        put((1 << W) - 1, 1'b0, 1'b0, 1'b0);
        put(4, 1'b0, 1'b0, 1'b0);
        put(5, 1'b1, 1'b0, 1'b0);
        answer;
        verdict("a bad token in the middle", status == BAD && n == 0 && position == 1);
        put(vocab - 1, 1'b1, 1'b1, 1'b0);
        answer;
        verdict("the last id is a good one", status == LIMIT && n == 6);

        // prompts that are longer than the context, to the token
        prompt(ctx, 1'b0);
        answer;
        verdict("a prompt as long as the context", status == FULL && n == 1);
        prompt(ctx + 1, 1'b0);
        answer;
        verdict("a prompt of one more", status == TOO_LONG && n == 0);
        prompt(3 * ctx, 1'b0);
        answer;
        verdict("a prompt of three contexts", status == TOO_LONG && n == 0);

        // two senders: half a prompt, then another's
        put(9, 1'b0, 1'b1, 1'b0);
        put(8, 1'b0, 1'b0, 1'b0);
        wait_clocks(2000);
        prompt(4, 1'b0);
        answer;
        verdict("half a prompt is not glued to the next", status == LIMIT && same(0, 6));

        // aborts: in a prompt, in a run, while the sink waits, in idleness
        put(9, 1'b0, 1'b1, 1'b0);
        wait_clocks(3000);
        cancel;
        answer;
        verdict("an abort within a prompt", status == ABORTED && n == 0);
        put(8, 1'b0, 1'b0, 1'b0); // the rest of it
        put(7, 1'b1, 1'b0, 1'b0);
        prompt(4, 1'b0);
        answer;
        verdict("the rest of that prompt is dropped", status == LIMIT && n == 6 && same(0, 6));
        prompt(4, 1'b0);
        wait_clocks(50);
        cancel;
        answer;
        verdict("an abort within a run", status == ABORTED && n == 0);
        m_ready = 1'b0;
        prompt(4, 1'b0);
        while (m_valid !== 1'b1) @(negedge clk);
        cancel;
        wait_clocks(5000);
        verdict("an abort does not take an offer back", m_valid && m_status == MORE && m_data == whole[0]);
        m_ready = 1'b1;
        answer;
        verdict("and is answered after it", status == ABORTED && n == 1 && same(0, 1));
        cancel;
        wait_clocks(100);
        verdict("an abort in idleness is nothing", !m_valid && !busy);
        prompt(4, 1'b0);
        answer;
        verdict("the chip is as it was", status == LIMIT && n == 6 && same(0, 6));
        $finish;
    end

    initial begin
        #200000000;
        $display("not ok the bench hangs");
        $finish;
    end
endmodule

`default_nettype wire
