// SPDX-License-Identifier: Apache-2.0
// Stands for saturate.v where the value does not matter: anything. What feeds it falls away.
`default_nettype none

module saturate #(
    parameter IN_W = 32,
    parameter OUT_W = 8
) (
    input  wire signed [IN_W-1:0]  x,
    output wire signed [OUT_W-1:0] y
);
    (* anyseq *) reg [OUT_W-1:0] anything;
    assign y = anything;
endmodule

`default_nettype wire
