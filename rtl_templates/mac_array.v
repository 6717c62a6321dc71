// SPDX-License-Identifier: Apache-2.0
// Multiply-accumulate array: the twin of msa_array.v, with the same ports, sums and cycles.
//
// Every lane looks up the level of its ROM code and multiplies:
//     acc[r] += sum over c of level[code[r][c]] * act[c]
// It selects 8 bits before the register where msa_array.v selects ACT_W + 8 after it, and needs
// ROWS x COLS multipliers in place of COLS x 2^CODE_W: the smaller array where rows are few.
`default_nettype none

module mac_array #(
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
    localparam COL_W = $clog2(COLS);
    localparam SUM_W = ACT_W + 8 + COL_W; // a product, and the sum of COLS products

    reg [COLS*ACT_W-1:0] act_q;
    reg valid_q, first_q, last_q, valid_qq, first_qq, last_qq;

    genvar c, r;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : g_row
            for (c = 0; c < COLS; c = c + 1) begin : g_col
                wire [CODE_W-1:0]        mine = code[(r*COLS+c)*CODE_W +: CODE_W];
                wire signed [ACT_W+7:0]  y;
                wire signed [SUM_W-1:0]  total; // of the products of columns 0 to c
                reg signed [7:0]         weight;
                mul #(.A_W(ACT_W), .B_W(8)) u_mul (
                    .a(act_q[c*ACT_W +: ACT_W]), .b(weight), .y(y)
                );
                always @(posedge clk)
                    if (valid)
                        weight <= level[mine*8 +: 8];
                if (c == 0) begin : g_first
                    assign total = {{COL_W{y[ACT_W+7]}}, y};
                end else begin : g_next
                    assign total = g_col[c-1].total + {{COL_W{y[ACT_W+7]}}, y};
                end
            end

            reg signed [SUM_W-1:0] partial;
            reg signed [ACC_W-1:0] acc;
            wire signed [ACC_W-1:0] next = (first_qq ? {ACC_W{1'b0}} : acc)
                                         + {{(ACC_W-SUM_W){partial[SUM_W-1]}}, partial};
            always @(posedge clk) begin
                if (valid_q)
                    partial <= g_col[COLS-1].total;
                if (valid_qq)
                    acc <= next;
                if (valid_qq && last_qq)
                    sum[r*ACC_W +: ACC_W] <= next;
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (valid)
            act_q <= act;
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
