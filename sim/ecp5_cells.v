// SPDX-License-Identifier: Apache-2.0
// Models of the two ECP5 cells that Yosys knows as black boxes only, as far as synth_ecp5 and sim/board/absorb.py use them:
// of the multiplier's registers those of its operands, with CLK0 and no reset; no output register in the memory, which port B
// does not write. From Lattice's sysDSP and sysMEM guides. What the memory guide leaves open, a read
// of what is being written, is X here.
`default_nettype none

module MULT18X18D (
    input wire
        A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17, B0, B1, B2,
        B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17, C0, C1, C2, C3, C4, C5,
        C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
    input wire SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, CE1, CE2, CE3, RST0,
    output wire
        P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18, P19,
        P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);
    parameter REG_INPUTA_CLK = "NONE";
    parameter REG_INPUTA_CE  = "CE0";
    parameter REG_INPUTA_RST = "RST0";
    parameter REG_INPUTB_CLK = "NONE";
    parameter REG_INPUTB_CE  = "CE0";
    parameter REG_INPUTB_RST = "RST0";
    initial
        if (REG_INPUTA_CLK != REG_INPUTB_CLK || REG_INPUTA_CLK != "NONE" && REG_INPUTA_CLK != "CLK0") begin
            $display("%m: a use of MULT18X18D that this model does not know");
            $finish;
        end
    wire [17:0] a_in = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire [17:0] b_in = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    reg  [17:0] a_q = 18'd0, b_q = 18'd0;
    wire enable_a = REG_INPUTA_CE == "CE0" ? CE0 : REG_INPUTA_CE == "CE1" ? CE1 : REG_INPUTA_CE == "CE2" ? CE2 : CE3;
    wire enable_b = REG_INPUTB_CE == "CE0" ? CE0 : REG_INPUTB_CE == "CE1" ? CE1 : REG_INPUTB_CE == "CE2" ? CE2 : CE3;
    always @(posedge CLK0) begin
        if (enable_a)
            a_q <= a_in;
        if (enable_b)
            b_q <= b_in;
    end
    wire [17:0] a = REG_INPUTA_CLK == "NONE" ? a_in : a_q;
    wire [17:0] b = REG_INPUTB_CLK == "NONE" ? b_in : b_q;
    wire signed [35:0] wide_a = {{18{SIGNEDA && a[17]}}, a};
    wire signed [35:0] wide_b = {{18{SIGNEDB && b[17]}}, b};
    wire [35:0] p = wide_a * wide_b;
    wire unused_reset = RST0;
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
        P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = p;
endmodule

module DP16KD (
    input wire CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2,
    input wire CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
    input wire
        ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
        ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
        DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13,
        DIA14, DIA15, DIA16, DIA17, DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9,
        DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
    output wire
        DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13,
        DOA14, DOA15, DOA16, DOA17, DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9,
        DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17
);
    parameter DATA_WIDTH_A = 18;
    parameter DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG";
    parameter REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC";
    parameter ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000";
    parameter CSDECODE_B = "0b000";
    parameter CLKAMUX = "CLKA";
    parameter CLKBMUX = "CLKB";
    parameter WRITEMODE_A = "NORMAL";
    parameter WRITEMODE_B = "NORMAL";
    parameter GSR = "AUTO";
    parameter [319:0]
        INITVAL_00 = 320'd0, INITVAL_01 = 320'd0, INITVAL_02 = 320'd0, INITVAL_03 = 320'd0,
        INITVAL_04 = 320'd0, INITVAL_05 = 320'd0, INITVAL_06 = 320'd0, INITVAL_07 = 320'd0,
        INITVAL_08 = 320'd0, INITVAL_09 = 320'd0, INITVAL_0A = 320'd0, INITVAL_0B = 320'd0,
        INITVAL_0C = 320'd0, INITVAL_0D = 320'd0, INITVAL_0E = 320'd0, INITVAL_0F = 320'd0,
        INITVAL_10 = 320'd0, INITVAL_11 = 320'd0, INITVAL_12 = 320'd0, INITVAL_13 = 320'd0,
        INITVAL_14 = 320'd0, INITVAL_15 = 320'd0, INITVAL_16 = 320'd0, INITVAL_17 = 320'd0,
        INITVAL_18 = 320'd0, INITVAL_19 = 320'd0, INITVAL_1A = 320'd0, INITVAL_1B = 320'd0,
        INITVAL_1C = 320'd0, INITVAL_1D = 320'd0, INITVAL_1E = 320'd0, INITVAL_1F = 320'd0,
        INITVAL_20 = 320'd0, INITVAL_21 = 320'd0, INITVAL_22 = 320'd0, INITVAL_23 = 320'd0,
        INITVAL_24 = 320'd0, INITVAL_25 = 320'd0, INITVAL_26 = 320'd0, INITVAL_27 = 320'd0,
        INITVAL_28 = 320'd0, INITVAL_29 = 320'd0, INITVAL_2A = 320'd0, INITVAL_2B = 320'd0,
        INITVAL_2C = 320'd0, INITVAL_2D = 320'd0, INITVAL_2E = 320'd0, INITVAL_2F = 320'd0,
        INITVAL_30 = 320'd0, INITVAL_31 = 320'd0, INITVAL_32 = 320'd0, INITVAL_33 = 320'd0,
        INITVAL_34 = 320'd0, INITVAL_35 = 320'd0, INITVAL_36 = 320'd0, INITVAL_37 = 320'd0,
        INITVAL_38 = 320'd0, INITVAL_39 = 320'd0, INITVAL_3A = 320'd0, INITVAL_3B = 320'd0,
        INITVAL_3C = 320'd0, INITVAL_3D = 320'd0, INITVAL_3E = 320'd0, INITVAL_3F = 320'd0;
    wire [64*320-1:0] init = {INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
        INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32,
        INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B,
        INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
        INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
        INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
        INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F,
        INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
        INITVAL_00};
    wire [13:0] ad_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] ad_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [17:0] di_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0};
    wire [17:0] di_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
        DIB3, DIB2, DIB1, DIB0};

    // Bytes of 9 bits. Port A writes, also 36 bits (then with the data of both ports), or reads; port B reads, 36
    // bits with the outputs of both ports.
    reg [8:0]  mem [0:2047];
    reg [17:0] q_a;
    reg [35:0] q_b;
    wire       write = CEA && WEA;
    wire [3:0] enable = DATA_WIDTH_A == 36 ? ad_a[3:0] : DATA_WIDTH_A == 18 ? {2'b00, ad_a[1:0]} : 4'd1;
    wire [10:0] to   = DATA_WIDTH_A == 36 ? {ad_a[13:5], 2'd0}
                     : DATA_WIDTH_A == 18 ? {ad_a[13:4], 1'b0} : ad_a[13:3];
    wire [10:0] from = DATA_WIDTH_B == 36 ? {ad_b[13:5], 2'd0}
                     : DATA_WIDTH_B == 18 ? {ad_b[13:4], 1'b0} : ad_b[13:3];
    wire [35:0] data = {di_b, di_a};
    integer i, k;

    initial begin
`ifdef VERILATOR
        if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin
`else
        if (WEB !== 1'b0 && WEB !== 1'bz || CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin
`endif
            $display("%m: a use of DP16KD that this model does not know");
            $finish;
        end
        for (i = 0; i < 1024; i = i + 1)
            {mem[2*i+1], mem[2*i]} = init[i*20 +: 18];
    end

    always @(posedge CLKA)
        if (write)
            for (i = 0; i < 4; i = i + 1)
                if (enable[i] && DATA_WIDTH_A >= 9)
                    mem[to + i] <= data[i*9 +: 9];
                else if (enable[i])
                    for (k = 0; k < DATA_WIDTH_A; k = k + 1)
                        mem[to][(ad_a[2:0] & ~(DATA_WIDTH_A - 1)) + k] <= data[k];

    function hit(input [10:0] byte_at);
        hit = write && (byte_at == to && enable[0] || byte_at == to + 11'd1 && enable[1]
                        || byte_at == to + 11'd2 && enable[2] || byte_at == to + 11'd3 && enable[3]);
    endfunction

    // byte `at` of what a port of this width reads
    function [8:0] byte_of(input [13:0] ad, input integer width, input integer at);
        byte_of = width == 36 ? mem[{ad[13:5], 2'd0} + at] : width == 18 ? mem[{ad[13:4], 1'b0} + at]
                : width == 9 ? mem[ad[13:3]] : mem[ad[13:3]] >> (ad[2:0] & ~(width - 1));
    endfunction

    integer j;
    always @(posedge CLKB)
        if (RSTB)
            q_b <= 36'd0;
        else if (CEB)
            for (j = 0; j < 4; j = j + 1)
                if (j == 0 || 9 * j < DATA_WIDTH_B)
                    q_b[j*9 +: 9] <= hit(from + j) ? 9'bx : byte_of(ad_b, DATA_WIDTH_B, j);

    integer n;
    always @(posedge CLKA)
        if (RSTA)
            q_a <= 18'd0;
        else if (CEA && !WEA)
            for (n = 0; n < 2; n = n + 1)
                if (n == 0 || 9 * n < DATA_WIDTH_A)
                    q_a[n*9 +: 9] <= byte_of(ad_a, DATA_WIDTH_A, n);

    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
        DOA3, DOA2, DOA1, DOA0}
        = DATA_WIDTH_B == 36 ? q_b[17:0] : q_a;
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
        DOB3, DOB2, DOB1, DOB0}
        = DATA_WIDTH_B == 36 ? q_b[35:18] : q_b[17:0];
endmodule

`default_nettype wire
