// SPDX-License-Identifier: Apache-2.0
// Rounds a number of halves, ties towards +infinity, and clamps it to fewer bits:
//     y = sat(floor((x + 1) / 2))          what saturate.v makes of round_shift.v, x of shift_half.v
// One is added to the OUT_W bits that count alone: whether x fits is seen before. Combinational. OUT_W < IN_W.
`default_nettype none

module round_saturate #(
    parameter IN_W = 32,       // bits of x above the point
    parameter OUT_W = 8
) (
    input  wire signed [IN_W:0]    x,      // in halves
    output wire signed [OUT_W-1:0] y
);
    wire                sign = x[IN_W];
    wire [IN_W-OUT_W:0] top  = x[IN_W:OUT_W];            // all alike when floor(x / 2) fits
    wire                fits = &top | ~|top;
    wire [OUT_W-1:0]    up   = x[OUT_W:1] + {{(OUT_W-1){1'b0}}, x[0]};
    wire                over = !sign && up[OUT_W-1];     // the largest one is rounded up
    assign y = fits && !over ? up : {sign, {(OUT_W - 1){~sign}}};
endmodule

`default_nettype wire
