// SPDX-License-Identifier: Apache-2.0
// What a norm reads, the residual or (SUB_NORM) what attention and SwiGLU made, which waits in side.v;
// and where what they make goes: to the side, or as it is to the activations.
`include "isa.vh"
`default_nettype none

module norm_source #(
    parameter SUB_NORM = 0,
    parameter VEC = 8,
    parameter OUT = 8,         // elements that attention brings
    parameter RES_W = 20,
    parameter ACT_W = 8,
    parameter MADE_W = 8,      // of what attention and SwiGLU make: RES_W with SUB_NORM, else ACT_W
    parameter NORM_W = 3,      // of a word that a norm reads, not less than SIDE_W
    parameter SIDE_WORDS = 8,
    parameter SIDE_W = 3,
    parameter SS_W = 54,
    parameter SQUARE = 1,
    parameter LEVELS = 1
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    norm_start,
    input  wire [3:0]              norm_target, // with it
    output wire [1:0]              norm_region, // of the norm that runs
    input  wire                    norm_read,
    input  wire [NORM_W-1:0]       norm_addr,
    output wire [VEC*RES_W-1:0]    norm_data,   // a clock later
    output wire [SS_W-1:0]         norm_ss,     // with norm_start

    output wire                    residual_read,
    input  wire [VEC*RES_W-1:0]    residual_data,
    input  wire [SS_W-1:0]         residual_ss,

    input  wire                    start,       // of a vector that attention or SwiGLU makes
    input  wire [19:0]             elements,
    input  wire                    attn_valid,
    input  wire [19:0]             attn_index,
    input  wire [OUT*MADE_W-1:0]   attn,
    input  wire                    h_valid,
    input  wire [19:0]             h_index,
    input  wire [VEC/2*MADE_W-1:0] h,

    output wire                    attn_act,    // activations as they come
    output wire [OUT*ACT_W-1:0]    attn_low,
    output wire                    h_act,
    output wire [VEC/2*ACT_W-1:0]  h_low,

    output wire                    side_wrote,  // for observers
    output wire [NORM_W-1:0]       side_addr,
    output wire [VEC*RES_W-1:0]    side_data,
    output wire                    side_done,
    output wire                    side_busy
);
    localparam [3:0] X = `HW_REGION_X;

    generate
        if (SUB_NORM != 0) begin : g_side
            reg  [1:0]           region;
            wire [SIDE_W-1:0]    at;
            wire [SS_W-1:0]      ss;
            wire [VEC*RES_W-1:0] data;
            wire                 from_side = region != X[1:0];
            always @(posedge clk)
                if (norm_start)
                    region <= norm_target[1:0];
            side #(
                .VEC(VEC), .OUT(OUT), .RES_W(RES_W), .DEPTH(SIDE_WORDS), .ADDR_W(SIDE_W),
                .SS_W(SS_W), .SQUARE(SQUARE), .LEVELS(LEVELS)
            ) u_side (
                .clk(clk), .rst(rst), .start(start), .elements(elements), .attn_valid(attn_valid),
                .attn_index(attn_index), .attn(attn), .h_valid(h_valid), .h_index(h_index), .h(h),
                .read(norm_read && from_side), .read_addr(norm_addr[SIDE_W-1:0]), .read_data(data),
                .wrote(side_wrote), .wrote_addr(at), .wrote_data(side_data), .ss(ss),
                .done(side_done), .busy(side_busy)
            );
            assign norm_region   = region;
            assign residual_read = norm_read && !from_side;
            assign norm_data     = from_side ? data : residual_data;
            assign norm_ss       = norm_target[1:0] != X[1:0] ? ss : residual_ss;
            assign side_addr     = {{(NORM_W-SIDE_W){1'b0}}, at};
            assign {attn_act, attn_low, h_act, h_low} = {(2+(OUT+VEC/2)*ACT_W){1'b0}};
            wire unused_target = &{1'b0, norm_target};
        end else begin : g_residual
            assign norm_region   = X[1:0];
            assign residual_read = norm_read;
            assign norm_data     = residual_data;
            assign norm_ss       = residual_ss;
            assign {attn_act, attn_low} = {attn_valid, attn};
            assign {h_act, h_low}       = {h_valid, h};
            assign {side_wrote, side_addr, side_data, side_done, side_busy} = {(NORM_W+VEC*RES_W+3){1'b0}};
            wire unused_side = &{1'b0, clk, rst, norm_start, norm_target, norm_addr, start, elements,
                                 attn_index, h_index, SIDE_WORDS != 0, SQUARE != 0, LEVELS != 0};
        end
    endgenerate
endmodule

`default_nettype wire
