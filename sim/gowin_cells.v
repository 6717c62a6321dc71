// SPDX-License-Identifier: Apache-2.0
// Models of the Gowin cells that Yosys knows as black boxes or without contents, as far as synth_gowin uses them: no registers in
// the multiplier, no output register in the memories, one clock, and port B of the one with two ports does not write. From Gowin's
// guides of BSRAM (UG285) and DSP (UG287). A row is nine bits; a wider word is so many rows, and the lowest bits of its address
// enable the bytes that are written.
`default_nettype none

module MULT18X18 (
    input  wire [17:0] A, SIA, B, SIB,
    input  wire        ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
    output wire [35:0] DOUT,
    output wire [17:0] SOA, SOB
);
    wire signed [35:0] a = {{18{ASIGN & A[17]}}, A};
    wire signed [35:0] b = {{18{BSIGN & B[17]}}, B};
    assign DOUT = a * b;
    assign SOA = 0;
    assign SOB = 0;
endmodule

// WRITE_MODE: what a port gives that writes: 0 what it gave, 1 what is written, 2 what was there.
module SPX9 #(
    parameter READ_MODE = 0, WRITE_MODE = 0, BIT_WIDTH = 36, BLK_SEL = 0, RESET_MODE = "SYNC",
    parameter [287:0]
        INIT_RAM_00 = 288'd0, INIT_RAM_01 = 288'd0, INIT_RAM_02 = 288'd0, INIT_RAM_03 = 288'd0,
        INIT_RAM_04 = 288'd0, INIT_RAM_05 = 288'd0, INIT_RAM_06 = 288'd0, INIT_RAM_07 = 288'd0,
        INIT_RAM_08 = 288'd0, INIT_RAM_09 = 288'd0, INIT_RAM_0A = 288'd0, INIT_RAM_0B = 288'd0,
        INIT_RAM_0C = 288'd0, INIT_RAM_0D = 288'd0, INIT_RAM_0E = 288'd0, INIT_RAM_0F = 288'd0,
        INIT_RAM_10 = 288'd0, INIT_RAM_11 = 288'd0, INIT_RAM_12 = 288'd0, INIT_RAM_13 = 288'd0,
        INIT_RAM_14 = 288'd0, INIT_RAM_15 = 288'd0, INIT_RAM_16 = 288'd0, INIT_RAM_17 = 288'd0,
        INIT_RAM_18 = 288'd0, INIT_RAM_19 = 288'd0, INIT_RAM_1A = 288'd0, INIT_RAM_1B = 288'd0,
        INIT_RAM_1C = 288'd0, INIT_RAM_1D = 288'd0, INIT_RAM_1E = 288'd0, INIT_RAM_1F = 288'd0,
        INIT_RAM_20 = 288'd0, INIT_RAM_21 = 288'd0, INIT_RAM_22 = 288'd0, INIT_RAM_23 = 288'd0,
        INIT_RAM_24 = 288'd0, INIT_RAM_25 = 288'd0, INIT_RAM_26 = 288'd0, INIT_RAM_27 = 288'd0,
        INIT_RAM_28 = 288'd0, INIT_RAM_29 = 288'd0, INIT_RAM_2A = 288'd0, INIT_RAM_2B = 288'd0,
        INIT_RAM_2C = 288'd0, INIT_RAM_2D = 288'd0, INIT_RAM_2E = 288'd0, INIT_RAM_2F = 288'd0,
        INIT_RAM_30 = 288'd0, INIT_RAM_31 = 288'd0, INIT_RAM_32 = 288'd0, INIT_RAM_33 = 288'd0,
        INIT_RAM_34 = 288'd0, INIT_RAM_35 = 288'd0, INIT_RAM_36 = 288'd0, INIT_RAM_37 = 288'd0,
        INIT_RAM_38 = 288'd0, INIT_RAM_39 = 288'd0, INIT_RAM_3A = 288'd0, INIT_RAM_3B = 288'd0,
        INIT_RAM_3C = 288'd0, INIT_RAM_3D = 288'd0, INIT_RAM_3E = 288'd0, INIT_RAM_3F = 288'd0
) (
    input  wire [35:0] DI,
    input  wire [2:0]  BLKSEL,
    input  wire [13:0] AD,
    input  wire        WRE, CLK, CE, OCE, RESET,
    output wire [35:0] DO
);
    localparam ROWS = BIT_WIDTH / 9;
    localparam [18431:0] INIT = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
        INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
        INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
        INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
        INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
        INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
    };
    reg [8:0]  mem [0:2047];
    reg [35:0] out;
    wire [10:0] row = AD[13:3] & ~(ROWS - 1);
    integer i;
    initial begin
        out = 0;
        for (i = 0; i < 2048; i = i + 1) mem[i] = INIT[9*i +: 9];
    end
    always @(posedge CLK)
        if (CE && BLKSEL == BLK_SEL)
            for (i = 0; i < ROWS; i = i + 1) begin
                if (WRE && (ROWS == 1 || AD[i])) mem[row + i] <= DI[9*i +: 9];
                if (!WRE || WRITE_MODE == 2) out[9*i +: 9] <= mem[row + i];
                else if (WRITE_MODE == 1) out[9*i +: 9] <= ROWS == 1 || AD[i] ? DI[9*i +: 9] : mem[row + i];
            end
    assign DO = out;
endmodule

module DPX9B #(
    parameter READ_MODE0 = 0, READ_MODE1 = 0, WRITE_MODE0 = 0, WRITE_MODE1 = 0, BIT_WIDTH_0 = 18, BIT_WIDTH_1 = 18,
    parameter BLK_SEL_0 = 0, BLK_SEL_1 = 0, RESET_MODE = "SYNC",
    parameter [287:0]
        INIT_RAM_00 = 288'd0, INIT_RAM_01 = 288'd0, INIT_RAM_02 = 288'd0, INIT_RAM_03 = 288'd0,
        INIT_RAM_04 = 288'd0, INIT_RAM_05 = 288'd0, INIT_RAM_06 = 288'd0, INIT_RAM_07 = 288'd0,
        INIT_RAM_08 = 288'd0, INIT_RAM_09 = 288'd0, INIT_RAM_0A = 288'd0, INIT_RAM_0B = 288'd0,
        INIT_RAM_0C = 288'd0, INIT_RAM_0D = 288'd0, INIT_RAM_0E = 288'd0, INIT_RAM_0F = 288'd0,
        INIT_RAM_10 = 288'd0, INIT_RAM_11 = 288'd0, INIT_RAM_12 = 288'd0, INIT_RAM_13 = 288'd0,
        INIT_RAM_14 = 288'd0, INIT_RAM_15 = 288'd0, INIT_RAM_16 = 288'd0, INIT_RAM_17 = 288'd0,
        INIT_RAM_18 = 288'd0, INIT_RAM_19 = 288'd0, INIT_RAM_1A = 288'd0, INIT_RAM_1B = 288'd0,
        INIT_RAM_1C = 288'd0, INIT_RAM_1D = 288'd0, INIT_RAM_1E = 288'd0, INIT_RAM_1F = 288'd0,
        INIT_RAM_20 = 288'd0, INIT_RAM_21 = 288'd0, INIT_RAM_22 = 288'd0, INIT_RAM_23 = 288'd0,
        INIT_RAM_24 = 288'd0, INIT_RAM_25 = 288'd0, INIT_RAM_26 = 288'd0, INIT_RAM_27 = 288'd0,
        INIT_RAM_28 = 288'd0, INIT_RAM_29 = 288'd0, INIT_RAM_2A = 288'd0, INIT_RAM_2B = 288'd0,
        INIT_RAM_2C = 288'd0, INIT_RAM_2D = 288'd0, INIT_RAM_2E = 288'd0, INIT_RAM_2F = 288'd0,
        INIT_RAM_30 = 288'd0, INIT_RAM_31 = 288'd0, INIT_RAM_32 = 288'd0, INIT_RAM_33 = 288'd0,
        INIT_RAM_34 = 288'd0, INIT_RAM_35 = 288'd0, INIT_RAM_36 = 288'd0, INIT_RAM_37 = 288'd0,
        INIT_RAM_38 = 288'd0, INIT_RAM_39 = 288'd0, INIT_RAM_3A = 288'd0, INIT_RAM_3B = 288'd0,
        INIT_RAM_3C = 288'd0, INIT_RAM_3D = 288'd0, INIT_RAM_3E = 288'd0, INIT_RAM_3F = 288'd0
) (
    input  wire        CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
    input  wire [13:0] ADA, ADB,
    input  wire [17:0] DIA, DIB,
    input  wire [2:0]  BLKSELA, BLKSELB,
    output wire [17:0] DOA, DOB
);
    localparam ROWS_A = BIT_WIDTH_0 / 9, ROWS_B = BIT_WIDTH_1 / 9;
    localparam [18431:0] INIT = {
        INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
        INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
        INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
        INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
        INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
        INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
        INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
        INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
    };
    reg [8:0]  mem [0:2047];
    reg [17:0] out_a, out_b;
    wire [10:0] row_a = ADA[13:3] & ~(ROWS_A - 1);
    wire [10:0] row_b = ADB[13:3] & ~(ROWS_B - 1);
    integer i, j;
    initial begin
        {out_a, out_b} = 0;
        for (i = 0; i < 2048; i = i + 1) mem[i] = INIT[9*i +: 9];
    end
    always @(posedge CLKA)
        if (CEA && BLKSELA == BLK_SEL_0)
            for (i = 0; i < ROWS_A; i = i + 1) begin
                if (WREA && (ROWS_A == 1 || ADA[i])) mem[row_a + i] <= DIA[9*i +: 9];
                if (!WREA || WRITE_MODE0 == 2) out_a[9*i +: 9] <= mem[row_a + i];
                else if (WRITE_MODE0 == 1) out_a[9*i +: 9] <= ROWS_A == 1 || ADA[i] ? DIA[9*i +: 9] : mem[row_a + i];
            end
    always @(posedge CLKB)
        if (CEB && BLKSELB == BLK_SEL_1)
            for (j = 0; j < ROWS_B; j = j + 1) out_b[9*j +: 9] <= mem[row_b + j];
    assign DOA = out_a;
    assign DOB = out_b;
    always @(posedge CLKB) if (WREB) begin
        $display("DPX9B: port B is not modelled to write");
        $finish;
    end
endmodule

`default_nettype wire
