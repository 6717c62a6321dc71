// SPDX-License-Identifier: Apache-2.0
// A slice with the generated geometry. Ports as in slice.v.
`include "geometry.vh"
`default_nettype none

module slice_top (
    input  wire                       clk,
    input  wire                       rst,
    input  wire                       start,
    input  wire [$clog2(`HW_CTX)-1:0] pos,
    output wire                       done,
    output wire [`HW_TOKEN_W-1:0]     best,
    input  wire                       s_vec_valid,
    output wire                       s_vec_ready,
    input  wire [`HW_VEC*24-1:0]      s_vec_data
);
    slice #(`HW_PARAMETERS) u_slice (
        .clk(clk), .rst(rst), .start(start), .pos(pos), .done(done), .best(best),
        .s_vec_valid(s_vec_valid), .s_vec_ready(s_vec_ready), .s_vec_data(s_vec_data)
    );
endmodule

`default_nettype wire
