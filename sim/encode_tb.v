// SPDX-License-Identifier: Apache-2.0
// Lines to the encoder, tokens to standard output, a line a line, behind "ids". +lines=FILE: bytes,
// a line feed ends a line. Bytes are offered and tokens taken at random clocks.
`include "text.vh"
`timescale 1ns / 1ns

module encode_tb;
    reg        clk = 0, rst = 1, s_valid = 0, m_ready = 0;
    reg  [7:0] s_data = 0;
    reg        s_end = 0;
    wire       s_ready, m_valid, m_first, m_last;
    wire [`HW_TEXT_ID_W-1:0] m_data;
    reg [8*256-1:0] path;
    integer    file, byte, lines = 0, told = 0, seed = 1;

    text_encode dut (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data), .s_end(s_end),
        .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data), .m_first(m_first), .m_last(m_last)
    );
    always #5 clk = !clk;

    initial begin
        if (!$value$plusargs("lines=%s", path)) $finish;
        file = $fopen(path, "rb");
        repeat (3) @(negedge clk);
        rst = 0;
        byte = $fgetc(file);
        while (byte != -1) begin
            @(negedge clk);
            s_valid = $random(seed);
            s_data  = byte;
            s_end   = byte == 10;
            #1 if (s_valid && s_ready) begin
                lines = lines + s_end;
                byte  = $fgetc(file);
            end
        end
        @(negedge clk) s_valid = 0;
        wait (told == lines);
        $finish;
    end

    always @(negedge clk)
        m_ready = $random(seed);
    always @(posedge clk)
        if (!rst && m_valid && m_ready) begin
            if (m_first) $write("ids");
            $write(" %0d", m_data);
            if (m_last) $write("\n");
            told = told + m_last;
        end
    initial begin
        #2000000000 $display("timeout");
        $finish;
    end
endmodule
