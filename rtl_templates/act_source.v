// SPDX-License-Identifier: Apache-2.0
// What is written to the activations: words of the norm, elements of attention, of SwiGLU or of RECV,
// of which a program has one at a time.
`include "isa.vh"
`default_nettype none

module act_source #(
    parameter VEC = 8,
    parameter OUT = 8,         // elements that attention brings, divides VEC
    parameter ACT_W = 8,
    parameter NORM_W = 3       // of a word of the norm
) (
    input  wire                   norm_valid,
    input  wire [1:0]             norm_region,
    input  wire [NORM_W-1:0]      norm_word,
    input  wire [VEC*ACT_W-1:0]   norm,

    input  wire                   attn_valid,
    input  wire [19:0]            attn_index,
    input  wire [OUT*ACT_W-1:0]   attn,

    input  wire                   h_valid,
    input  wire [19:0]            h_index,
    input  wire [VEC/2*ACT_W-1:0] h,

    input  wire                   recv_valid,
    input  wire [1:0]             recv_region,
    input  wire [19:0]            recv_row,
    input  wire [VEC*24-1:0]      recv,

    output wire                   write,
    output reg  [1:0]             region,
    output reg  [19:0]            index,
    output reg  [19:0]            count,
    output reg  [VEC*ACT_W-1:0]   data     // in lanes index % VEC and on
);
    localparam VEC_W = $clog2(VEC);
    localparam [19:0] VEC_20 = VEC, HALF_20 = VEC / 2, OUT_20 = OUT;
    localparam [3:0] A = `HW_REGION_A, H = `HW_REGION_H;

    wire [VEC*ACT_W-1:0] low;  // of each received element
    genvar e;
    generate
        for (e = 0; e < VEC; e = e + 1) begin : g_low
            assign low[e*ACT_W +: ACT_W] = recv[e*24 +: ACT_W];
        end
    endgenerate

    assign write = norm_valid | attn_valid | h_valid | recv_valid;

    always @* begin
        {region, index, count, data} = {recv_region, recv_row, VEC_20, low};
        if (h_valid)
            {region, index, count, data} = {H[1:0], h_index, HALF_20, {2{h}}};
        if (attn_valid)
            {region, index, count, data} = {A[1:0], attn_index, OUT_20, {VEC/OUT{attn}}};
        if (norm_valid)
            {region, index, count, data} = {norm_region, {(20-NORM_W-VEC_W){1'b0}}, norm_word, {VEC_W{1'b0}},
                                            VEC_20, norm};
    end
    wire unused_high = &{1'b0, recv};
endmodule

`default_nettype wire
