// SPDX-License-Identifier: Apache-2.0
// The self-test of a chip in Icarus, and nothing else: prints its result and its clocks. Then a prompt of one
// token, a self-test asked for in its middle, and the token that the chip says: the test must wait, and change
// nothing. +once=1 leaves that out, +plain=1 the tests.
`timescale 1ns / 1ns
`default_nettype none
`include "geometry.vh"

module selftest_tb;
    reg          clk = 1'b0, rst = 1'b1, asks = 1'b0, s_valid = 1'b0;
    wire         s_ready, m_valid, m_last, busy, done;
    wire [`HW_TOKEN_W-1:0] m_data;
    wire [2:0]   m_status;
    wire [31:0]  crc;
    wire [$clog2(`HW_CTX):0] position;
    integer      clocks, got, once, plain;
    reg          early; // a token was taken, or a result shown, before its time

    chip_top u_dut (
        .clk(clk), .rst(rst), .s_token_valid(s_valid), .s_token_ready(s_ready),
        .s_token_data({{(`HW_TOKEN_W-2){1'b0}}, 2'd3}), .s_token_last(1'b1), .s_token_first(1'b1),
        .s_token_keep(1'b0), .s_abort(1'b0), .cfg_stop_token({`HW_TOKEN_W{1'b0}}),
        .cfg_stop_enable(1'b0), .cfg_max_tokens(16'd2), .m_token_valid(m_valid),
        .m_token_ready(1'b1), .m_token_data(m_data), .m_token_status(m_status),
        .m_token_last(m_last), .busy(busy), .position(position), .s_selftest(asks),
        .selftest_done(done), .selftest_crc(crc)
    );
    always #5 clk = !clk;

    task ask;
        begin
            asks = 1'b1;
            @(negedge clk);
            asks = 1'b0;
            clocks = 1;
        end
    endtask

    task await;
        while (done !== 1'b1) begin
            early = early || (s_ready !== 1'b0 && !busy) || (busy && done !== 1'b0);
            @(negedge clk);
            clocks = clocks + 1;
        end
    endtask

    initial begin
        {once, plain} = {32'd0, 32'd0};
        early = 1'b0;
        got = $value$plusargs("once=%d", once);
        got = $value$plusargs("plain=%d", plain);
        repeat (3) @(negedge clk);
        rst = 1'b0;
        if (plain == 0) begin
            ask;
            await;
            $display("%h %0d", crc, clocks);
        end
        if (once == 0) begin
            s_valid = 1'b1;
            while (s_ready !== 1'b1) @(negedge clk);
            @(negedge clk);
            s_valid = 1'b0;
            repeat (20) @(negedge clk);
            if (plain == 0)
                ask;
            while (!(m_valid === 1'b1 && m_last === 1'b1)) begin
                early = early || done !== 1'b0 || busy !== 1'b1;
                if (m_valid === 1'b1)
                    $display("token %0d", m_data);
                @(negedge clk);
            end
            $display("token %0d", m_data);
            @(negedge clk);
            if (plain == 0) begin
                await;
                $display("%h %0s", crc, early ? "early" : "in time");
            end
        end
        $finish;
    end

    initial #100000000 begin
        $display("hangs");
        $finish;
    end
endmodule

`default_nettype wire
