// SPDX-License-Identifier: Apache-2.0
// ROMs are read when a word of theirs is wanted, and at no other clock: a real design in Icarus. Counts the
// clocks in which a ROM's enable is high, in a token with logits and in idleness. Prints TAP.
// Plusargs: words, of the weight ROM; embed, reads of it for a token's row; scales, of the scale ROM.
`timescale 1ns / 1ns
`default_nettype none
`include "geometry.vh"

module rest_tb;
    reg          clk = 1'b0, rst = 1'b1, s_valid = 1'b0;
    wire         s_ready, m_valid, m_last, busy;
    wire [`HW_TOKEN_W-1:0] m_data;
    wire [2:0]   m_status;
    wire [$clog2(`HW_CTX):0] position;
    integer      words, embed, got, weight, level, scale, others, clocks;

    chip_top u_dut (
        .clk(clk), .rst(rst), .s_token_valid(s_valid), .s_token_ready(s_ready),
        .s_token_data({{(`HW_TOKEN_W-2){1'b0}}, 2'd3}), .s_token_last(1'b1), .s_token_first(1'b1),
        .s_token_keep(1'b0), .s_abort(1'b0), .cfg_stop_token({`HW_TOKEN_W{1'b0}}),
        .cfg_stop_enable(1'b0), .cfg_max_tokens(16'd1), .m_token_valid(m_valid),
        .m_token_ready(1'b1), .m_token_data(m_data), .m_token_status(m_status),
        .m_token_last(m_last), .busy(busy), .position(position), .s_selftest(1'b0), .selftest_done(), .selftest_crc()
    );
    always #5 clk = !clk;

`define ENGINE u_dut.u_chip.u_engine
    // a table of each kind; the others of the kind have the same enable
    wire table_reads = `ENGINE.u_attention.u_weigh.g_weight[0].u_exp2_rom.re | `ENGINE.u_attention.u_divide.u_recip_rom.re
                     | `ENGINE.u_rmsnorm.u_rsqrt.u_rsqrt_rom.re | `ENGINE.u_swiglu.g_pair[0].u_sigmoid_rom.re;
    wire other_reads = `ENGINE.u_gain_rom.re | `ENGINE.u_rope_hi_rom.re | `ENGINE.u_rope_lo_rom.re
                     | `ENGINE.u_program_rom.re | table_reads;
    always @(posedge clk) begin
        weight <= weight + (`ENGINE.u_weight_rom.re === 1'b0 ? 0 : 1);
        level  <= level + (`ENGINE.u_level_rom.re === 1'b0 ? 0 : 1);
        scale  <= scale + (`ENGINE.u_scale_rom.re === 1'b0 ? 0 : 1);
        others <= others + (other_reads === 1'b0 ? 0 : 1);
        clocks <= clocks + 1;
    end

    task zero;
        {weight, level, scale, others, clocks} = {160'd0};
    endtask
    task idle;
        begin
            repeat (20) @(negedge clk); // the first instruction is fetched ahead
            zero;
            repeat (1000) @(negedge clk);
            $display("%0sok no ROM is read in 1,000 idle clocks (%0d, %0d, %0d, %0d reads)",
                     weight + level + scale + others == 0 ? "" : "not ", weight, level, scale, others);
        end
    endtask

    initial begin
        got = $value$plusargs("words=%d", words);
        got = $value$plusargs("embed=%d", embed);
        repeat (3) @(negedge clk);
        rst = 1'b0;
        idle;
        zero;
        s_valid = 1'b1;
        #4;
        while (s_ready !== 1'b1) begin
            @(negedge clk);
            #4;
        end
        @(negedge clk);
        s_valid = 1'b0;
        while (!m_valid) @(negedge clk);
        $display("%0sok a token reads each word of the weight ROM once, and its own row: %0d reads in %0d clocks, expected %0d",
                 weight == words + embed && level == weight ? "" : "not ", weight, clocks, words + embed);
        idle;
        $finish;
    end
endmodule

`default_nettype wire
