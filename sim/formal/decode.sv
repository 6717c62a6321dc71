// SPDX-License-Identifier: Apache-2.0
// What decode.v promises: an output is its field of the instruction, whatever the widths of the fabric, where the field's
// number fits them; counts from 0 are one less; what is kept is that of the last instruction of its kind.
`include "isa.vh"
`default_nettype none

module f_decode (
    input wire clk, issue_rows, issue_embed,
    input wire [`HW_INSN_W-1:0] insn
);
    wire [3:0] mv_weight;
    wire [3:0] mv_scale;
    wire [2:0] mv_level;
    wire [4:0] mv_last_cols;
    wire [3:0] em_weight;
    wire [3:0] em_scale;
    wire [2:0] em_level;
    wire [2:0] norm_gain;
    wire [2:0] attn_row;
    wire [2:0] attn_step;
    wire [2:0] attn_kv_heads;
    wire [3:0] attn_heads;
    wire [3:0] attn_group_heads;
    wire [2:0] attn_bias;
    wire [2:0] heads_gain;
    wire [`HW_MATVEC_DEST_W-1:0] dest;
    wire [`HW_MATVEC_ROWS_W-1:0] rows;
    wire [`HW_MATVEC_SHIFT_W-1:0] mv_shift;
    wire [`HW_MATVEC_HIDDEN_SHIFT_W-1:0] mv_hidden_shift;
    wire [`HW_RECV_HIDDEN_SHIFT_W-1:0] recv_hidden_shift;
    wire [`HW_EMBED_DIM_W-1:0] em_dim;
    wire [`HW_EMBED_CHUNKS_W-1:0] em_chunks;
    wire [`HW_EMBED_BLOCK_WORDS_W-1:0] em_block_words;
    wire [`HW_NORM_TARGET_W-1:0] norm_target;
    wire [`HW_NORM_EPS_W-1:0] norm_eps;
    wire [`HW_NORM_GAIN_SHIFT_W-1:0] norm_shift;
    wire [`HW_ATTN_SCORE_SHIFT_W-1:0] attn_score_shift;
    wire [`HW_ATTN_ATT_SHIFT_W-1:0] attn_att_shift;
    wire [`HW_ATTN_WINDOW_W-1:0] attn_window;
    wire [`HW_ATTN_BIASED_W-1:0] attn_biased;
    wire [`HW_HEADS_K_SHIFT_W-1:0] heads_k_shift;
    wire [`HW_HEADS_Q_SHIFT_W-1:0] heads_q_shift;
    wire [`HW_HEADS_K_EPS_W-1:0] heads_k_eps;
    wire [`HW_HEADS_Q_EPS_W-1:0] heads_q_eps;
    wire [2:0] mv_last_chunk;
    wire [1:0] mv_source, mv_last_plane, recv_target, em_last_plane, norm_last_word;
    wire [19:0] logit_rows;
    wire [`HW_EMBED_SHIFT_W-1:0] em_shift;
    wire to_hidden;
    decode #(
        .WEIGHT_ADDR_W(4), .SCALE_ADDR_W(4), .LEVEL_ADDR_W(3), .GAIN_ADDR_W(3), .CHUNK_W(3), .COUNT_W(5), .VEC(2),
        .NORM_W(2), .ROW_W(3), .HEAD_W(4)
    ) dut (
        .clk(clk), .insn(insn), .issue_rows(issue_rows), .issue_embed(issue_embed),
        .mv_weight(mv_weight), .mv_scale(mv_scale), .mv_level(mv_level), .mv_last_cols(mv_last_cols),
        .em_weight(em_weight), .em_scale(em_scale), .em_level(em_level), .norm_gain(norm_gain), .attn_row(attn_row),
        .attn_step(attn_step), .attn_kv_heads(attn_kv_heads), .attn_heads(attn_heads),
        .attn_group_heads(attn_group_heads), .attn_bias(attn_bias), .heads_gain(heads_gain), .dest(dest),
        .rows(rows), .mv_shift(mv_shift), .mv_hidden_shift(mv_hidden_shift), .recv_hidden_shift(recv_hidden_shift),
        .em_dim(em_dim), .em_chunks(em_chunks), .em_block_words(em_block_words), .norm_target(norm_target),
        .norm_eps(norm_eps), .norm_shift(norm_shift), .attn_score_shift(attn_score_shift),
        .attn_att_shift(attn_att_shift), .attn_window(attn_window), .attn_biased(attn_biased),
        .heads_k_shift(heads_k_shift), .heads_q_shift(heads_q_shift), .heads_k_eps(heads_k_eps),
        .heads_q_eps(heads_q_eps), .mv_last_chunk(mv_last_chunk), .mv_source(mv_source),
        .mv_last_plane(mv_last_plane), .recv_target(recv_target), .em_last_plane(em_last_plane),
        .norm_last_word(norm_last_word), .logit_rows(logit_rows), .em_shift(em_shift), .to_hidden(to_hidden)
    );

    always @* begin
        f_mv_weight: assert (insn[`HW_MATVEC_WEIGHT] >= 1 << 4 || mv_weight == insn[`HW_MATVEC_WEIGHT]);
        f_mv_scale: assert (insn[`HW_MATVEC_SCALE] >= 1 << 4 || mv_scale == insn[`HW_MATVEC_SCALE]);
        f_mv_level: assert (insn[`HW_MATVEC_LEVEL] >= 1 << 3 || mv_level == insn[`HW_MATVEC_LEVEL]);
        f_mv_last_cols: assert (insn[`HW_MATVEC_LAST_COLS] >= 1 << 5 || mv_last_cols == insn[`HW_MATVEC_LAST_COLS]);
        f_em_weight: assert (insn[`HW_EMBED_WEIGHT] >= 1 << 4 || em_weight == insn[`HW_EMBED_WEIGHT]);
        f_em_scale: assert (insn[`HW_EMBED_SCALE] >= 1 << 4 || em_scale == insn[`HW_EMBED_SCALE]);
        f_em_level: assert (insn[`HW_EMBED_LEVEL] >= 1 << 3 || em_level == insn[`HW_EMBED_LEVEL]);
        f_norm_gain: assert (insn[`HW_NORM_GAIN] >= 1 << 3 || norm_gain == insn[`HW_NORM_GAIN]);
        f_attn_row: assert (insn[`HW_ATTN_KV_ROW] >= 1 << 3 || attn_row == insn[`HW_ATTN_KV_ROW]);
        f_attn_step: assert (insn[`HW_ATTN_KV_STEP] >= 1 << 3 || attn_step == insn[`HW_ATTN_KV_STEP]);
        f_attn_kv_heads: assert (insn[`HW_ATTN_KV_HEADS] >= 1 << 3 || attn_kv_heads == insn[`HW_ATTN_KV_HEADS]);
        f_attn_heads: assert (insn[`HW_ATTN_HEADS] >= 1 << 4 || attn_heads == insn[`HW_ATTN_HEADS]);
        f_attn_group_heads: assert (insn[`HW_ATTN_GROUP_HEADS] >= 1 << 4 || attn_group_heads == insn[`HW_ATTN_GROUP_HEADS]);
        f_attn_bias: assert (insn[`HW_ATTN_BIAS] >= 1 << 3 || attn_bias == insn[`HW_ATTN_BIAS]);
        f_heads_gain: assert (insn[`HW_HEADS_GAIN] >= 1 << 3 || heads_gain == insn[`HW_HEADS_GAIN]);
        f_dest: assert (dest == insn[`HW_MATVEC_DEST]);
        f_rows: assert (rows == insn[`HW_MATVEC_ROWS]);
        f_mv_shift: assert (mv_shift == insn[`HW_MATVEC_SHIFT]);
        f_mv_hidden_shift: assert (mv_hidden_shift == insn[`HW_MATVEC_HIDDEN_SHIFT]);
        f_recv_hidden_shift: assert (recv_hidden_shift == insn[`HW_RECV_HIDDEN_SHIFT]);
        f_em_dim: assert (em_dim == insn[`HW_EMBED_DIM]);
        f_em_chunks: assert (em_chunks == insn[`HW_EMBED_CHUNKS]);
        f_em_block_words: assert (em_block_words == insn[`HW_EMBED_BLOCK_WORDS]);
        f_norm_target: assert (norm_target == insn[`HW_NORM_TARGET]);
        f_norm_eps: assert (norm_eps == insn[`HW_NORM_EPS]);
        f_norm_shift: assert (norm_shift == insn[`HW_NORM_GAIN_SHIFT]);
        f_attn_score_shift: assert (attn_score_shift == insn[`HW_ATTN_SCORE_SHIFT]);
        f_attn_att_shift: assert (attn_att_shift == insn[`HW_ATTN_ATT_SHIFT]);
        f_attn_window: assert (attn_window == insn[`HW_ATTN_WINDOW]);
        f_attn_biased: assert (attn_biased == insn[`HW_ATTN_BIASED]);
        f_heads_k_shift: assert (heads_k_shift == insn[`HW_HEADS_K_SHIFT]);
        f_heads_q_shift: assert (heads_q_shift == insn[`HW_HEADS_Q_SHIFT]);
        f_heads_k_eps: assert (heads_k_eps == insn[`HW_HEADS_K_EPS]);
        f_heads_q_eps: assert (heads_q_eps == insn[`HW_HEADS_Q_EPS]);
        f_mv_source:     assert (insn[`HW_MATVEC_SOURCE] >= 4 || mv_source == insn[`HW_MATVEC_SOURCE]);
        f_recv_target:   assert (insn[`HW_RECV_TARGET] >= 4 || recv_target == insn[`HW_RECV_TARGET]);
        f_last_chunk:    assert (insn[`HW_MATVEC_CHUNKS] == 0 || insn[`HW_MATVEC_CHUNKS] > 8 || mv_last_chunk + 1 == insn[`HW_MATVEC_CHUNKS]);
        f_mv_plane:      assert (insn[`HW_MATVEC_PLANES] == 0 || insn[`HW_MATVEC_PLANES] > 4 || mv_last_plane + 1 == insn[`HW_MATVEC_PLANES]);
        f_em_plane:      assert (insn[`HW_EMBED_PLANES] == 0 || insn[`HW_EMBED_PLANES] > 4 || em_last_plane + 1 == insn[`HW_EMBED_PLANES]);
        f_last_word:     assert (insn[`HW_NORM_ELEMENTS] < 2 || insn[`HW_NORM_ELEMENTS] > 8 || norm_last_word + 1 == insn[`HW_NORM_ELEMENTS] / 2);
        f_hidden:        assert (to_hidden == (insn[`HW_MATVEC_DEST] == `HW_DST_HIDDEN));
        // RECV's fields stand where MATVEC's do
        same_places:     assert (insn[`HW_RECV_DEST] == dest && insn[`HW_RECV_ROWS] == rows);
    end

    reg rows_kept = 1'b0, shift_kept = 1'b0;
    reg [19:0] want_rows;
    reg [`HW_EMBED_SHIFT_W-1:0] want_shift;
    always @(posedge clk) begin
        if (issue_rows && dest == `HW_DST_LOGITS)
            {rows_kept, want_rows} <= {1'b1, rows};
        if (issue_embed)
            {shift_kept, want_shift} <= {1'b1, insn[`HW_EMBED_SHIFT]};
    end
    always @(posedge clk) begin
        keeps_rows:  assert (!rows_kept || logit_rows == want_rows);
        keeps_shift: assert (!shift_kept || em_shift == want_shift);
    end
endmodule

`default_nettype wire
