// SPDX-License-Identifier: Apache-2.0
// Stands for round_saturate.v where values are only stored and compared: any of eight, -4 to 3, so that every
// bit is 0 and 1. What feeds it falls away.
`default_nettype none

module round_saturate #(
    parameter IN_W = 32,
    parameter OUT_W = 8
) (
    input  wire signed [IN_W:0]    x,
    output wire signed [OUT_W-1:0] y
);
    (* anyseq *) reg signed [2:0] few;
    wire signed [OUT_W+2:0] wide = {{OUT_W{few[2]}}, few};
    assign y = wide[OUT_W-1:0];
endmodule

`default_nettype wire
