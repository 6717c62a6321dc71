// SPDX-License-Identifier: Apache-2.0
// The fields of an instruction, by isa.vh, cut to the widths of this fabric: a program that was checked
// (hw_program_check) has none that is wider. Combinational but for what a unit needs after the next
// instruction is there: that is kept from its issue on.
`include "isa.vh"
`default_nettype none

module decode #(
    parameter WEIGHT_ADDR_W = 12,
    parameter SCALE_ADDR_W = 10,
    parameter LEVEL_ADDR_W = 6,
    parameter GAIN_ADDR_W = 7,
    parameter CHUNK_W = 6,
    parameter COUNT_W = 10,
    parameter VEC = 8,
    parameter NORM_W = 3,      // of a word that a norm reads
    parameter ROW_W = 5,       // of a row of the KV cache
    parameter HEAD_W = 8
) (
    input  wire                     clk,
    input  wire [`HW_INSN_W-1:0]    insn,
    input  wire                     issue_rows,     // of MATVEC or RECV
    input  wire                     issue_embed,

    // MATVEC and RECV: where their rows go
    output wire [`HW_MATVEC_DEST_W-1:0] dest,
    output wire [19:0]              rows,
    output wire                     to_hidden,
    output reg  [19:0]              logit_rows,     // of the last that went to the logits

    output wire [1:0]               mv_source,
    output wire [WEIGHT_ADDR_W-1:0] mv_weight,
    output wire [SCALE_ADDR_W-1:0]  mv_scale,
    output wire [LEVEL_ADDR_W-1:0]  mv_level,
    output wire [CHUNK_W-1:0]       mv_last_chunk,
    output wire [COUNT_W-1:0]       mv_last_cols,
    output wire [1:0]               mv_last_plane,
    output wire [`HW_MATVEC_SHIFT_W-1:0]        mv_shift,
    output wire [`HW_MATVEC_HIDDEN_SHIFT_W-1:0] mv_hidden_shift,

    output wire [1:0]               recv_target,
    output wire [`HW_RECV_HIDDEN_SHIFT_W-1:0]   recv_hidden_shift,

    output wire [WEIGHT_ADDR_W-1:0] em_weight,
    output wire [SCALE_ADDR_W-1:0]  em_scale,
    output wire [LEVEL_ADDR_W-1:0]  em_level,
    output wire [19:0]              em_dim,
    output wire [11:0]              em_chunks,
    output wire [13:0]              em_block_words,
    output wire [1:0]               em_last_plane,
    output reg  [`HW_EMBED_SHIFT_W-1:0] em_shift,   // of the last EMBED

    output wire [3:0]               norm_target,
    output wire [GAIN_ADDR_W-1:0]   norm_gain,
    output wire [NORM_W-1:0]        norm_last_word,
    output wire [31:0]              norm_eps,
    output wire [5:0]               norm_shift,

    output wire [ROW_W-1:0]         attn_row,
    output wire [ROW_W-1:0]         attn_step,
    output wire [ROW_W-1:0]         attn_kv_heads,
    output wire [HEAD_W-1:0]        attn_heads,
    output wire [HEAD_W-1:0]        attn_group_heads,
    output wire [5:0]               attn_score_shift,
    output wire [2:0]               attn_att_shift,
    output wire [19:0]              attn_window,
    output wire                     attn_biased,
    output wire [GAIN_ADDR_W-1:0]   attn_bias,

    output wire [GAIN_ADDR_W-1:0]   heads_gain,
    output wire [5:0]               heads_k_shift,
    output wire [5:0]               heads_q_shift,
    output wire [31:0]              heads_k_eps,
    output wire [31:0]              heads_q_eps
);
    // a width may be more than the field's: what is cut is wider than any
    wire [31:0] weight = {{(32-`HW_MATVEC_WEIGHT_W){1'b0}}, insn[`HW_MATVEC_WEIGHT]};
    wire [31:0] scale  = {{(32-`HW_MATVEC_SCALE_W){1'b0}}, insn[`HW_MATVEC_SCALE]};
    wire [31:0] level  = {{(32-`HW_MATVEC_LEVEL_W){1'b0}}, insn[`HW_MATVEC_LEVEL]};
    wire [31:0] chunks = {{(32-`HW_MATVEC_CHUNKS_W){1'b0}}, insn[`HW_MATVEC_CHUNKS]} - 32'd1;
    wire [31:0] cols   = {{(32-`HW_MATVEC_LAST_COLS_W){1'b0}}, insn[`HW_MATVEC_LAST_COLS]};
    wire [2:0]  plane  = insn[`HW_MATVEC_PLANES] - 3'd1; // planes are counted from 0
    wire [3:0]  source = insn[`HW_MATVEC_SOURCE];
    wire [3:0]  target = insn[`HW_RECV_TARGET];

    assign dest            = insn[`HW_MATVEC_DEST];      // RECV's has the same bits
    assign rows            = insn[`HW_MATVEC_ROWS];
    assign to_hidden       = dest == `HW_DST_HIDDEN;
    assign mv_source       = source[1:0];
    assign mv_weight       = weight[WEIGHT_ADDR_W-1:0];
    assign mv_scale        = scale[SCALE_ADDR_W-1:0];
    assign mv_level        = level[LEVEL_ADDR_W-1:0];
    assign mv_last_chunk   = chunks[CHUNK_W-1:0];
    assign mv_last_cols    = cols[COUNT_W-1:0];
    assign mv_last_plane   = plane[1:0];
    assign mv_shift        = insn[`HW_MATVEC_SHIFT];
    assign mv_hidden_shift = insn[`HW_MATVEC_HIDDEN_SHIFT];

    assign recv_target       = target[1:0];
    assign recv_hidden_shift = insn[`HW_RECV_HIDDEN_SHIFT];

    wire [31:0] em_weight_32 = {{(32-`HW_EMBED_WEIGHT_W){1'b0}}, insn[`HW_EMBED_WEIGHT]};
    wire [31:0] em_scale_32  = {{(32-`HW_EMBED_SCALE_W){1'b0}}, insn[`HW_EMBED_SCALE]};
    wire [31:0] em_level_32  = {{(32-`HW_EMBED_LEVEL_W){1'b0}}, insn[`HW_EMBED_LEVEL]};
    wire [2:0]  em_plane     = insn[`HW_EMBED_PLANES] - 3'd1;
    assign em_weight      = em_weight_32[WEIGHT_ADDR_W-1:0];
    assign em_scale       = em_scale_32[SCALE_ADDR_W-1:0];
    assign em_level       = em_level_32[LEVEL_ADDR_W-1:0];
    assign em_dim         = insn[`HW_EMBED_DIM];
    assign em_chunks      = insn[`HW_EMBED_CHUNKS];
    assign em_block_words = insn[`HW_EMBED_BLOCK_WORDS];
    assign em_last_plane  = em_plane[1:0];

    wire [31:0] gain       = {{(32-`HW_NORM_GAIN_W){1'b0}}, insn[`HW_NORM_GAIN]};
    wire [19:0] norm_words = insn[`HW_NORM_ELEMENTS] / VEC - 20'd1;
    assign norm_target    = insn[`HW_NORM_TARGET];
    assign norm_gain      = gain[GAIN_ADDR_W-1:0];
    assign norm_last_word = norm_words[NORM_W-1:0];
    assign norm_eps       = insn[`HW_NORM_EPS];
    assign norm_shift     = insn[`HW_NORM_GAIN_SHIFT];

    wire [31:0] kv_row      = {{(32-`HW_ATTN_KV_ROW_W){1'b0}}, insn[`HW_ATTN_KV_ROW]};
    wire [31:0] kv_step     = {{(32-`HW_ATTN_KV_STEP_W){1'b0}}, insn[`HW_ATTN_KV_STEP]};
    wire [31:0] kv_heads    = {{(32-`HW_ATTN_KV_HEADS_W){1'b0}}, insn[`HW_ATTN_KV_HEADS]};
    wire [31:0] heads       = {{(32-`HW_ATTN_HEADS_W){1'b0}}, insn[`HW_ATTN_HEADS]};
    wire [31:0] group_heads = {{(32-`HW_ATTN_GROUP_HEADS_W){1'b0}}, insn[`HW_ATTN_GROUP_HEADS]};
    wire [31:0] bias        = {{(32-`HW_ATTN_BIAS_W){1'b0}}, insn[`HW_ATTN_BIAS]};
    assign attn_row         = kv_row[ROW_W-1:0];
    assign attn_step        = kv_step[ROW_W-1:0];
    assign attn_kv_heads    = kv_heads[ROW_W-1:0];
    assign attn_heads       = heads[HEAD_W-1:0];
    assign attn_group_heads = group_heads[HEAD_W-1:0];
    assign attn_score_shift = insn[`HW_ATTN_SCORE_SHIFT];
    assign attn_att_shift   = insn[`HW_ATTN_ATT_SHIFT];
    assign attn_window      = insn[`HW_ATTN_WINDOW];
    assign attn_biased      = insn[`HW_ATTN_BIASED];
    assign attn_bias        = bias[GAIN_ADDR_W-1:0];

    wire [31:0] head_gain = {{(32-`HW_HEADS_GAIN_W){1'b0}}, insn[`HW_HEADS_GAIN]};
    assign heads_gain    = head_gain[GAIN_ADDR_W-1:0];
    assign heads_k_shift = insn[`HW_HEADS_K_SHIFT];
    assign heads_q_shift = insn[`HW_HEADS_Q_SHIFT];
    assign heads_k_eps   = insn[`HW_HEADS_K_EPS];
    assign heads_q_eps   = insn[`HW_HEADS_Q_EPS];

    always @(posedge clk) begin
        if (issue_rows && dest == `HW_DST_LOGITS)
            logit_rows <= rows;
        if (issue_embed)
            em_shift <= insn[`HW_EMBED_SHIFT];
    end

    wire unused_bits = &{1'b0, insn, weight, scale, level, chunks, cols, plane, source, target, em_weight_32,
                         em_scale_32, em_level_32, em_plane, gain, norm_words, kv_row, kv_step, kv_heads,
                         heads, group_heads, bias, head_gain};
endmodule

`default_nettype wire
