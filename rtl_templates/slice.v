// SPDX-License-Identifier: Apache-2.0
// Part of a model, to be checked alone: an engine whose program takes vectors from a stream (RECV)
// instead of tokens. `start` runs the program once at position `pos`; results are observed where
// the engine writes them.
`default_nettype none

module slice #(
    parameter ROWS = 32,
    parameter COLS = 8,
    parameter CODE_W = 4,
    parameter LANE = 0,
    parameter TILE = ROWS,
    parameter VEC = 8,
    parameter ATT_POS = 16,
    parameter HEAD_DIM = 8,
    parameter ACT_W = 8,
    parameter KV_W = 8,
    parameter RES_W = 20,
    parameter SUB_NORM = 0,
    parameter QKV_BIAS = 0,
    parameter QK_NORM = 0,
    parameter WINDOW = 0,
    parameter SELFTEST = 0,
    parameter ACC_W = 27,
    parameter CTX = 512,
    parameter KV_CTX = 512,
    parameter MAX_DIM = 64,
    parameter MAX_Q_DIM = 64,
    parameter MAX_HIDDEN = 176,
    parameter MAX_KV_DIM = 32,
    parameter KV_ROWS = 20,
    parameter SLOTS_W = 4,
    parameter ROPE_HI_W = 4,
    parameter ROPE_LO_W = 5,
    parameter WEIGHT_ADDR_W = 12,
    parameter SCALE_ADDR_W = 10,
    parameter GAIN_ADDR_W = 7,
    parameter LEVEL_ADDR_W = 6,
    parameter PROG_ADDR_W = 6,
    parameter TOKEN_W = 9
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   start,
    input  wire [$clog2(CTX)-1:0] pos,
    output wire                   done,
    output wire [TOKEN_W-1:0]     best,       // of a slice with logits
    input  wire                   s_vec_valid,
    output wire                   s_vec_ready,
    input  wire [VEC*24-1:0]      s_vec_data
);
    wire [19:0] unused_seq_len;
    wire        unused_refused, unused_testing, unused_tested;
    wire [31:0] unused_crc;
    wire [$clog2(CTX)-1:0] ring_pos;
    wire [19:0] ring;

    engine #(
        .ROWS(ROWS), .COLS(COLS), .CODE_W(CODE_W), .LANE(LANE), .TILE(TILE), .VEC(VEC), .ATT_POS(ATT_POS),
        .HEAD_DIM(HEAD_DIM), .ACT_W(ACT_W), .KV_W(KV_W), .RES_W(RES_W), .SUB_NORM(SUB_NORM),
        .QKV_BIAS(QKV_BIAS), .QK_NORM(QK_NORM), .WINDOW(WINDOW), .SELFTEST(SELFTEST),
        .ACC_W(ACC_W), .CTX(CTX), .KV_CTX(KV_CTX), .MAX_DIM(MAX_DIM), .MAX_Q_DIM(MAX_Q_DIM), .MAX_HIDDEN(MAX_HIDDEN),
        .MAX_KV_DIM(MAX_KV_DIM), .KV_ROWS(KV_ROWS), .SLOTS_W(SLOTS_W), .ROPE_HI_W(ROPE_HI_W),
        .ROPE_LO_W(ROPE_LO_W), .WEIGHT_ADDR_W(WEIGHT_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W),
        .GAIN_ADDR_W(GAIN_ADDR_W), .LEVEL_ADDR_W(LEVEL_ADDR_W), .PROG_ADDR_W(PROG_ADDR_W),
        .TOKEN_W(TOKEN_W)
    ) u_engine (
        .clk(clk), .rst(rst), .start(start), .token({TOKEN_W{1'b0}}), .pos(pos), .ring_pos(ring_pos),
        .sample(1'b1), .done(done), .refused(unused_refused), .next_token(best),
        .seq_len(unused_seq_len), .ring(ring),
        .s_vec_valid(s_vec_valid), .s_vec_ready(s_vec_ready), .s_vec_data(s_vec_data),
        .test(1'b0), .testing(unused_testing), .tested(unused_tested), .test_crc(unused_crc)
    );

    // positions come in order: where the next one lies in the ring of a layer with a window
    generate
        if (WINDOW != 0) begin : g_window
            reg  [$clog2(CTX)-1:0] next;
            wire [19:0] after = {{(20-$clog2(CTX)){1'b0}}, ring_pos} + 20'd1;
            assign ring_pos = pos == {$clog2(CTX){1'b0}} ? pos : next;
            always @(posedge clk)
                if (done)
                    next <= after == ring ? {$clog2(CTX){1'b0}} : after[$clog2(CTX)-1:0];
            wire unused_after = &{1'b0, after};
        end else begin : g_no_window
            assign ring_pos = pos;
            wire unused_ring = &{1'b0, ring};
        end
    endgenerate
endmodule

`default_nettype wire
