// SPDX-License-Identifier: Apache-2.0
// Multiply-select-add array: ROWS x COLS weights a cycle.
//
// For each of COLS activations the 2^CODE_W products with the plane's levels are formed once; each
// of ROWS lanes selects one product a column with its ROM code and adds:
//     acc[r] += sum over c of level[code[r][c]] * act[c]
// The levels are free integers, so a codebook per plane costs nothing. mac_array.v is the same array
// of lanes that multiply; the geometry says which of the two a fabric has.
//
// Latency: `done` and `sum` follow the word marked `last` by 3 cycles; one word a cycle. `sum` keeps
// its value until the next `done`: the next row block accumulates while it is drained.
`default_nettype none

module msa_array #(
    parameter ROWS = 32,
    parameter COLS = 8,
    parameter CODE_W = 4,
    parameter ACT_W = 8,
    parameter ACC_W = 32
) (
    input  wire                        clk,
    input  wire                        rst,

    input  wire                        valid,
    input  wire                        first, // of a row block: start from zero
    input  wire                        last,  // of a row block
    input  wire [COLS*ACT_W-1:0]       act,   // signed
    input  wire [(8<<CODE_W)-1:0]      level, // signed, 8 bits each
    input  wire [ROWS*COLS*CODE_W-1:0] code,  // row major

    output wire                        busy,  // a word is on its way
    output reg                         done,
    output reg  [ROWS*ACC_W-1:0]       sum    // signed
);
    localparam LEVELS = 1 << CODE_W;
    localparam COL_W  = $clog2(COLS);
    // Products and their sums stand in whole words of a simulator, which then neither masks nor
    // extends them. The copies of a sign are one flip-flop after synthesis.
    localparam WORD = ACC_W > 32 ? 64 : 32;

    reg [ROWS*COLS*CODE_W-1:0] code_q;
    reg valid_q, first_q, last_q, valid_qq, first_qq, last_qq;
    wire [WORD-1:0] product [0:COLS*LEVELS-1];

    genvar c, k, r;
    generate
        for (c = 0; c < COLS; c = c + 1) begin : g_col
            for (k = 0; k < LEVELS; k = k + 1) begin : g_level
                wire [WORD-1:0] y;
                reg  [WORD-1:0] y_q;
                mul #(.A_W(ACT_W), .B_W(8), .Y_W(WORD)) u_mul (
                    .a(act[c*ACT_W +: ACT_W]), .b(level[k*8 +: 8]), .y(y)
                );
                always @(posedge clk)
                    if (valid)
                        y_q <= y;
                assign product[c*LEVELS+k] = y_q;
            end
        end

        for (r = 0; r < ROWS; r = r + 1) begin : g_row
            // sum over the columns of the selected products
            function [WORD-1:0] select_add(input [COLS*CODE_W-1:0] codes);
                integer i;
                begin
                    select_add = {WORD{1'b0}};
                    for (i = 0; i < COLS; i = i + 1)
                        select_add = select_add
                                   + product[{i[COL_W-1:0], codes[i*CODE_W +: CODE_W]}];
                end
            endfunction

            reg  [WORD-1:0]  partial;
            reg  [ACC_W-1:0] acc;
            wire [ACC_W-1:0] so_far = first_qq ? {ACC_W{1'b0}} : acc;
            always @(posedge clk) begin
                if (valid_q)
                    partial <= select_add(code_q[r*COLS*CODE_W +: COLS*CODE_W]);
                if (valid_qq && last_qq)
                    sum[r*ACC_W +: ACC_W] <= so_far + partial[ACC_W-1:0];
                if (valid_qq)
                    acc <= so_far + partial[ACC_W-1:0];
            end

            wire unused_sign = &{1'b0, partial};
        end
    endgenerate

    always @(posedge clk) begin
        if (valid)
            code_q <= code;
        {first_q, last_q}   <= {first, last};
        {first_qq, last_qq} <= {first_q, last_q};
        valid_q  <= valid;
        valid_qq <= valid_q;
        done     <= valid_qq && last_qq;
        if (rst)
            {valid_q, valid_qq, done} <= 3'b000;
    end

    assign busy = valid | valid_q | valid_qq | done;
endmodule

`default_nettype wire
