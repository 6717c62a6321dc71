// SPDX-License-Identifier: Apache-2.0
// One engine: a vector machine that runs the program ROM for one token at one position.
//
//                    weight, level ROM          scale ROM
//                          |                       |
//   X A H activations -> the array -> drain (requantize) -+-> residual -> rmsnorm -> X
//                          ^   |        ^                 +-> qkv -> rope -> q, kv_cache -> attention -> A
//                       matvec |      embed, recv         +-> swiglu -> H
//                              +--------------------------+-> argmax -> next token
//
// The dimensions of the model are in the program; the parameters here are capacities. With SUB_NORM
// what attention and SwiGLU make goes to `side`, and through rmsnorm to A and H.
//
// VEC and CTX are powers of two from 2, ATT_POS from 1, HEAD_DIM from 4; ROWS, COLS multiples of VEC; ATT_POS < CTX;
// ACC_W >= 24 and ACT_W + 8 + log2(COLS); LEVEL_ADDR_W >= 2. A RECV to HIDDEN does not clear what a
// MATVEC counts in H: END follows it. RECV to ACT keeps the low ACT_W bits of each element.
// The clocks of every path are numbers of latency.vh. Here stand units, the ROMs and what joins them.
`include "isa.vh"
`include "latency.vh"
`default_nettype none

module engine #(
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
    parameter SLOTS_W = 4,     // heads whose scores wait (attention.v), log2
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
    input  wire [TOKEN_W-1:0]     token,
    input  wire [$clog2(CTX)-1:0] pos,        // stable from start to done
    input  wire [$clog2(CTX)-1:0] ring_pos,   // the same, modulo the window of layers that have one
    input  wire                   sample,
    output wire                   done,
    output wire                   refused,    // with done: the token is none of the vocabulary
    output wire [TOKEN_W-1:0]     next_token, // valid with done, if sample and not refused
    output wire [19:0]            seq_len,    // valid with done, if not refused
    output wire [19:0]            ring,       // valid with done, if not refused

    input  wire                   s_vec_valid, // RECV: VEC elements of 24 bits a word
    output wire                   s_vec_ready,
    input  wire [VEC*24-1:0]      s_vec_data,

    input  wire                   test,       // with SELFTEST: between done and start, and not testing
    output wire                   testing,
    output wire                   tested,     // the result is there, until the next test
    output wire [31:0]            test_crc
);
    // --- sizes ------------------------------------------------------------------------------------
    localparam HI_ADDR_W = ROPE_HI_W + $clog2(HEAD_DIM / 2);
    localparam LO_ADDR_W = ROPE_LO_W + $clog2(HEAD_DIM / 2);
    localparam PICK_W = COLS / VEC > 1 ? $clog2(COLS / VEC) : 1;
    // activations: regions X, A, H of one memory, COLS elements a word
    localparam X_CHUNKS = (MAX_DIM + COLS - 1) / COLS;
    localparam A_CHUNKS = (MAX_Q_DIM + COLS - 1) / COLS;
    localparam H_CHUNKS = (MAX_HIDDEN + COLS - 1) / COLS;
    localparam CHUNK_W  = $clog2(X_CHUNKS + A_CHUNKS + H_CHUNKS);
    localparam COUNT_W  = CHUNK_W + $clog2(COLS) + 1;
    localparam [3:0] X = `HW_REGION_X;
    // what travels with a row block: of its instruction, and for the drain
    localparam TAG_W   = `HW_MATVEC_HIDDEN_SHIFT_W + `HW_MATVEC_SHIFT_W + `HW_MATVEC_DEST_W;
    localparam FACTS_W = TAG_W + SCALE_ADDR_W + 40;
    // ROM of 3 and more: the address has a register of its own, for it goes to every macro
    localparam AHEAD = `HW_LAT_ROM > 2 ? 1 : 0;
    localparam RECV_W = `HW_RECV_DEST_W + 2 + `HW_RECV_HIDDEN_SHIFT_W;
    // words of the residual, and of what a norm reads
    localparam WORDS  = MAX_DIM > VEC ? MAX_DIM / VEC : 2;
    localparam WORD_W = $clog2(WORDS);
    localparam VEC_W  = $clog2(VEC);
    localparam SS_W   = 2 * RES_W + 14;
    localparam SIDE_MAX   = MAX_Q_DIM > MAX_HIDDEN ? MAX_Q_DIM : MAX_HIDDEN;
    localparam SIDE_WORDS = SIDE_MAX > VEC ? SIDE_MAX / VEC : 2;
    localparam SIDE_W     = $clog2(SIDE_WORDS);
    localparam NORM_W = SUB_NORM != 0 && SIDE_W > WORD_W ? SIDE_W : WORD_W;
    localparam MADE_W = SUB_NORM != 0 ? RES_W : ACT_W; // what attention and SwiGLU make
    // attention
    localparam HALF    = HEAD_DIM / 2;
    localparam HALF_W  = $clog2(HALF);
    localparam POS_W   = $clog2(CTX);
    localparam GROUP_W = POS_W - $clog2(ATT_POS);
    localparam ROW_GROUP_W = $clog2(KV_CTX) - $clog2(ATT_POS);
    localparam ROW_W   = $clog2(KV_ROWS);
    localparam HEAD_W  = 8;
    localparam OUT     = VEC < HEAD_DIM ? VEC : HEAD_DIM;

    // the self-test's side of the ROMs
    wire [6:0]               test_read;
    wire [WEIGHT_ADDR_W-1:0] test_weight;
    wire [SCALE_ADDR_W-1:0]  test_scale;
    wire [LEVEL_ADDR_W-1:0]  test_level;
    wire [GAIN_ADDR_W-1:0]   test_gain;
    wire [HI_ADDR_W-1:0]     test_hi;
    wire [LO_ADDR_W-1:0]     test_lo;
    wire [PROG_ADDR_W-1:0]   test_prog;
    wire                     pick;       // a part of the weight word (embed.v)
    wire [$clog2(ROWS)-1:0]  pick_lane;
    wire [PICK_W-1:0]        pick_group;
    wire [VEC*CODE_W-1:0]    part;

    // --- parameters that no chip can have stop every tool here: there is no such module -------------
    generate
        if (VEC < 2 || (VEC & (VEC - 1)) != 0 || ROWS < VEC || ROWS % VEC != 0 || COLS < VEC
            || COLS % VEC != 0) begin : g_check_shape
            vec_must_be_a_power_of_two_from_2_and_rows_and_cols_multiples_of_it u_error ();
        end
        if (HEAD_DIM < 4 || (HEAD_DIM & (HEAD_DIM - 1)) != 0 || ATT_POS < 1
            || (ATT_POS & (ATT_POS - 1)) != 0 || CTX <= ATT_POS || (CTX & (CTX - 1)) != 0) begin : g_check_attention
            head_dim_must_be_a_power_of_two_from_4_att_pos_from_1_and_ctx_above_it u_error ();
        end
        if (ACC_W < 24 || ACC_W < ACT_W + 8 + $clog2(COLS) || LEVEL_ADDR_W < 2) begin : g_check_width
            acc_w_must_hold_a_sum_of_cols_and_24_bits_and_level_addr_w_be_2 u_error ();
        end
    endgenerate

    // --- instruction ----------------------------------------------------------------------------
    wire [`HW_INSN_W-1:0]  insn;
    wire                   issue_embed, issue_norm, issue_attn, issue_heads, issue_recv, matvec_valid, matvec_ready;
    wire                   residual_done, side_done, rows_busy, recv_busy, attn_busy, angles_busy, units_busy;
    wire                   prog_read;
    wire [PROG_ADDR_W-1:0] prog_addr;
    wire [`HW_INSN_W-1:0]  prog_data;
    wire                   issue_matvec = matvec_valid && matvec_ready;

    sequencer #(.PROG_ADDR_W(PROG_ADDR_W), .SUB_NORM(SUB_NORM), .TOKEN_W(TOKEN_W), .ISSUE(`HW_LAT_ISSUE)) u_sequencer (
        .clk(clk), .rst(rst || testing), .start(start), .sample(sample), .token(token), .done(done),
        .refused(refused), .seq_len(seq_len), .ring(ring),
        .prog_read(prog_read), .prog_addr(prog_addr), .prog_data(prog_data), .insn(insn),
        .issue_embed(issue_embed), .issue_norm(issue_norm), .issue_attn(issue_attn),
        .issue_heads(issue_heads), .issue_recv(issue_recv), .matvec_valid(matvec_valid), .matvec_ready(matvec_ready),
        .residual_done(residual_done), .side_done(side_done), .rows_busy(rows_busy),
        .attn_busy(attn_busy),
        .angles_busy(angles_busy), .recv_busy(recv_busy), .units_busy(units_busy)
    );
    program_rom u_program_rom (
        .clk(clk), .re(testing ? test_read[6] : prog_read), .addr(testing ? test_prog : prog_addr),
        .data(prog_data)
    );

    wire [`HW_MATVEC_DEST_W-1:0] rows_dest;
    wire                     to_hidden, attn_biased;
    wire [19:0]              rows_count, logit_rows, em_dim, attn_window;
    wire [1:0]               mv_source, mv_last_plane, recv_target, em_last_plane;
    wire [WEIGHT_ADDR_W-1:0] mv_weight, em_weight;
    wire [SCALE_ADDR_W-1:0]  mv_scale, em_scale;
    wire [LEVEL_ADDR_W-1:0]  mv_level, em_level;
    wire [CHUNK_W-1:0]       mv_last_chunk;
    wire [COUNT_W-1:0]       mv_last_cols;
    wire [`HW_MATVEC_SHIFT_W-1:0]        mv_shift;
    wire [`HW_MATVEC_HIDDEN_SHIFT_W-1:0] mv_hidden_shift, recv_hidden_shift;
    wire [11:0]              em_chunks;
    wire [13:0]              em_block_words;
    wire [`HW_EMBED_SHIFT_W-1:0] em_shift;
    wire [3:0]               norm_target;
    wire [GAIN_ADDR_W-1:0]   norm_gain, attn_bias, heads_gain;
    wire [NORM_W-1:0]        norm_last_word;
    wire [31:0]              norm_eps, heads_k_eps, heads_q_eps;
    wire [5:0]               norm_shift, attn_score_shift, heads_k_shift, heads_q_shift;
    wire [2:0]               attn_att_shift;
    wire [ROW_W-1:0]         attn_row, attn_step, attn_kv_heads;
    wire [HEAD_W-1:0]        attn_heads, attn_group_heads;

    decode #(
        .WEIGHT_ADDR_W(WEIGHT_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W), .LEVEL_ADDR_W(LEVEL_ADDR_W),
        .GAIN_ADDR_W(GAIN_ADDR_W), .CHUNK_W(CHUNK_W), .COUNT_W(COUNT_W), .VEC(VEC), .NORM_W(NORM_W),
        .ROW_W(ROW_W), .HEAD_W(HEAD_W)
    ) u_decode (
        .clk(clk), .insn(insn), .issue_rows(issue_matvec || issue_recv), .issue_embed(issue_embed),
        .dest(rows_dest), .rows(rows_count), .to_hidden(to_hidden), .logit_rows(logit_rows),
        .mv_source(mv_source), .mv_weight(mv_weight), .mv_scale(mv_scale), .mv_level(mv_level),
        .mv_last_chunk(mv_last_chunk), .mv_last_cols(mv_last_cols), .mv_last_plane(mv_last_plane),
        .mv_shift(mv_shift), .mv_hidden_shift(mv_hidden_shift), .recv_target(recv_target),
        .recv_hidden_shift(recv_hidden_shift), .em_weight(em_weight),
        .em_scale(em_scale), .em_level(em_level), .em_dim(em_dim), .em_chunks(em_chunks),
        .em_block_words(em_block_words), .em_last_plane(em_last_plane), .em_shift(em_shift),
        .norm_target(norm_target), .norm_gain(norm_gain), .norm_last_word(norm_last_word),
        .norm_eps(norm_eps), .norm_shift(norm_shift), .attn_row(attn_row), .attn_step(attn_step),
        .attn_kv_heads(attn_kv_heads), .attn_heads(attn_heads), .attn_group_heads(attn_group_heads),
        .attn_score_shift(attn_score_shift), .attn_att_shift(attn_att_shift), .attn_window(attn_window),
        .attn_biased(attn_biased), .attn_bias(attn_bias), .heads_gain(heads_gain),
        .heads_k_shift(heads_k_shift), .heads_q_shift(heads_q_shift), .heads_k_eps(heads_k_eps),
        .heads_q_eps(heads_q_eps)
    );

    // --- activations -----------------------------------------------------------------------------
    wire                   act_write;
    wire [1:0]             act_region;
    wire [19:0]            act_index;   // element in the region
    wire [19:0]            act_count;   // elements written
    wire [VEC*ACT_W-1:0]   act_data;
    wire                   mv_read;     // a word is issued to the array
    wire [CHUNK_W-1:0]     act_chunk;
    wire [COLS*ACT_W-1:0]  act_raw;
    wire [COUNT_W-1:0]     act_there;   // elements of the region that is read
    wire [1:0]             matvec_region;

    act_buffer #(
        .COLS(COLS), .VEC(VEC), .ACT_W(ACT_W), .X_WORDS(X_CHUNKS), .A_WORDS(A_CHUNKS),
        .H_WORDS(H_CHUNKS), .ADDR_W(CHUNK_W), .COUNT_W(COUNT_W),
        .ACT(`HW_LAT_ACT)
    ) u_act (
        .clk(clk),
        .clear({issue_matvec && to_hidden, issue_attn,
                issue_norm && (SUB_NORM == 0 || norm_target == X)}),
        .write(act_write), .write_region(act_region), .write_index(act_index), .write_count(act_count),
        .write_data(act_data),
        .read(mv_read), .read_region(matvec_region), .read_word(act_chunk), .word(act_raw),
        .available(act_there)
    );

    // --- matrix-vector products -------------------------------------------------------------------
    wire [WEIGHT_ADDR_W-1:0]    mv_weight_addr, embed_weight_addr;
    wire [LEVEL_ADDR_W-1:0]     mv_level_addr, embed_level_addr;
    wire [ROWS*COLS*CODE_W-1:0] code;
    wire [(8<<CODE_W)-1:0]      level;
    wire [ROWS*COLS*CODE_W-1:0] code_read;
    wire [(8<<CODE_W)-1:0]      level_read;
    wire                        s1_valid, s1_first, s1_last, matvec_busy, array_busy, array_next, array_done;
    wire [FACTS_W-1:0]          s1_facts, facts_next;
    wire [COUNT_W-1:0]          s1_cols;
    wire [VEC*ACC_W-1:0]        array_early;
    wire [ROWS*ACC_W-1:0]       array_sum;
    wire [`HW_LAT_ROM:0]        embed_move;
    wire [TAG_W-1:0]            block_tag;
    wire [SCALE_ADDR_W-1:0]     block_scale, scale_addr;
    wire [19:0]                 block_row, block_rows;
    wire                        embed_busy;
    wire [VEC*12-1:0]           scale_data;

    matvec #(
        .ROWS(ROWS), .COLS(COLS), .VEC(VEC), .WEIGHT_ADDR_W(WEIGHT_ADDR_W),
        .LEVEL_ADDR_W(LEVEL_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W), .CHUNK_W(CHUNK_W),
        .COUNT_W(COUNT_W), .TAG_W(TAG_W), .ISSUE(`HW_LAT_ISSUE)
    ) u_matvec (
        .clk(clk), .rst(rst), .insn_valid(matvec_valid), .insn_ready(matvec_ready),
        .insn_weight(mv_weight), .insn_level(mv_level), .insn_scale(mv_scale), .insn_rows(rows_count),
        .insn_last_chunk(mv_last_chunk), .insn_last_cols(mv_last_cols),
        .insn_last_plane(mv_last_plane), .insn_tag({mv_hidden_shift, mv_shift, rows_dest}),
        .region(matvec_region), .insn_region(mv_source), .available(act_there),
        .read(mv_read), .weight_addr(mv_weight_addr), .level_addr(mv_level_addr), .act_chunk(act_chunk),
        .s1_valid(s1_valid), .s1_first(s1_first), .s1_last(s1_last), .s1_cols(s1_cols),
        .s1_tag(s1_facts[FACTS_W-1 -: TAG_W]), .s1_scale(s1_facts[40 +: SCALE_ADDR_W]),
        .s1_row(s1_facts[39:20]), .s1_rows(s1_facts[19:0]), .busy(matvec_busy)
    );

    localparam WORD_ADDR_W = WEIGHT_ADDR_W + LEVEL_ADDR_W;
    wire       word_read = mv_read | embed_move[0];
    wire [1:0] word_re   = {2{word_read}} | {test_read[2], test_read[0]};
    wire [1:0] rom_re;                  // of the level ROM, of the weight ROM
    wire [WEIGHT_ADDR_W-1:0] weight_addr;
    wire [LEVEL_ADDR_W-1:0]  level_addr;
    stage #(.N(AHEAD), .W(2)) u_word_re (.clk(clk), .en(1'b1), .d(word_re), .q(rom_re));
    stage #(.N(AHEAD), .W(WORD_ADDR_W)) u_word_addr (
        .clk(clk), .en(|word_re), .q({weight_addr, level_addr}),
        .d(testing ? {test_weight, test_level} : embed_busy ? {embed_weight_addr, embed_level_addr}
                                               : {mv_weight_addr, mv_level_addr})
    );
    weight_rom u_weight_rom (.clk(clk), .re(rom_re[0]), .addr(weight_addr), .data(code_read));
    level_rom u_level_rom (.clk(clk), .re(rom_re[1]), .addr(level_addr), .data(level_read));

    wire                  way_busy, word_valid, word_first, word_last;
    wire [FACTS_W-1:0]    word_facts;
    wire [COLS*ACT_W-1:0] act;
    word_way #(
        .COLS(COLS), .ACT_W(ACT_W), .CODES_W(ROWS * COLS * CODE_W), .LEVELS_W(8 << CODE_W),
        .COUNT_W(COUNT_W), .TAG_W(FACTS_W + 2), .STAGES(`HW_LAT_ROM - 1), .AHEAD(AHEAD)
    ) u_word_way (
        .clk(clk), .rst(rst), .valid(s1_valid), .tag({s1_first, s1_last, s1_facts}), .cols(s1_cols),
        .act_in(act_raw), .code_in(code_read), .level_in(level_read),
        .other(embed_move[`HW_LAT_ROM:1]), .all(testing), .out_valid(word_valid),
        .out_tag({word_first, word_last, word_facts}), .act(act), .code(code), .level(level),
        .busy(way_busy)
    );

    array #(
        .ROWS(ROWS), .TILE(TILE), .COLS(COLS), .CODE_W(CODE_W), .LANE(LANE), .ACT_W(ACT_W),
        .ACC_W(ACC_W), .TAG_W(FACTS_W), .PICK(`HW_LAT_ARRAY - 1), .LEVELS(`HW_LAT_TREE), .EARLY(VEC)
    ) u_array (
        .clk(clk), .rst(rst), .valid(word_valid), .first(word_first), .last(word_last),
        .tag(word_facts), .act(act), .level(level), .code(code), .busy(array_busy),
        .done_next(array_next), .done_tag_next(facts_next), .done(array_done),
        .done_tag({block_tag, block_scale, block_row, block_rows}), .early(array_early), .sum(array_sum)
    );

    // --- embedding, vector input, drain -------------------------------------------------------------
    wire                    embed_next, embed_valid, embed_last;
    wire [19:0]             embed_row;
    wire [VEC*ACC_W-1:0]    embed_sum;
    wire [SCALE_ADDR_W-1:0] embed_scale;
    wire [$clog2(VEC)-1:0]  embed_lane;

    embed #(
        .ROWS(ROWS), .COLS(COLS), .VEC(VEC), .CODE_W(CODE_W), .ACC_W(ACC_W), .TOKEN_W(TOKEN_W),
        .WEIGHT_ADDR_W(WEIGHT_ADDR_W), .LEVEL_ADDR_W(LEVEL_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W),
        .ROM(`HW_LAT_ROM), .ISSUE(`HW_LAT_ISSUE)
    ) u_embed (
        .clk(clk), .rst(rst), .start(issue_embed), .token(token),
        .weight_base(em_weight), .level_base(em_level), .scale_base(em_scale), .dim(em_dim),
        .chunks(em_chunks), .block_words(em_block_words), .last_plane(em_last_plane),
        .weight_addr(embed_weight_addr), .level_addr(embed_level_addr), .move(embed_move),
        .code(code), .level(level), .sum_next(embed_next), .sum_valid(embed_valid),
        .sum_last(embed_last), .sum_row(embed_row),
        .sum(embed_sum), .scale_addr(embed_scale), .scale_lane(embed_lane), .busy(embed_busy),
        .pick(pick), .pick_lane(pick_lane), .pick_group(pick_group), .part(part)
    );

    wire                       recv_take, recv_last;
    wire [19:0]                recv_row;
    wire [`HW_RECV_DEST_W-1:0] recv_dest;
    wire [1:0]                 recv_region;
    wire [`HW_RECV_HIDDEN_SHIFT_W-1:0] recv_shift2;

    recv #(.VEC(VEC), .FACTS_W(RECV_W)) u_recv (
        .clk(clk), .rst(rst), .start(issue_recv), .rows(rows_count),
        .facts({rows_dest, recv_target, recv_hidden_shift}), .s_valid(s_vec_valid),
        .s_ready(s_vec_ready), .take(recv_take), .last(recv_last), .row(recv_row),
        .kept({recv_dest, recv_region, recv_shift2}), .busy(recv_busy)
    );

    wire                 y_valid, y_residual, y_qkv, y_hidden, y_logits, y_act;
    wire                 y_last, add_soon, scale_read, drain_busy;
    wire [`HW_MATVEC_DEST_W-1:0] y_dest;
    wire [`HW_MATVEC_HIDDEN_SHIFT_W-1:0] y_shift2;
    wire [19:0]          y_row, add_row;
    wire [VEC*24-1:0]    y;

    drain #(
        .ROWS(ROWS), .VEC(VEC), .ACC_W(ACC_W), .SCALE_ADDR_W(SCALE_ADDR_W), .CLOCKS(`HW_LAT_DRAIN)
    ) u_drain (
        .clk(clk), .rst(rst), .block_next(array_next), .block_scale_next(facts_next[40 +: SCALE_ADDR_W]),
        .block_row_next(facts_next[39:20]), .block_rows_next(facts_next[19:0]),
        .block_done(array_done), .block_early(array_early), .block_sum(array_sum),
        .block_tag(block_tag), .block_row(block_row),
        .block_rows(block_rows), .embed_next(embed_next), .embed_valid(embed_valid), .embed_last(embed_last),
        .embed_sum(embed_sum), .embed_row(embed_row), .embed_shift(em_shift),
        .embed_scale(embed_scale), .embed_lane(embed_lane), .recv_valid(recv_take),
        .recv_last(recv_last), .recv_data(s_vec_data), .recv_row(recv_row),
        .recv_dest(recv_dest), .recv_shift2(recv_shift2),
        .scale_read(scale_read), .scale_addr(scale_addr), .scale_data(scale_data),
        .y_valid(y_valid), .y_residual(y_residual), .y_qkv(y_qkv), .y_hidden(y_hidden),
        .y_logits(y_logits), .y_act(y_act), .y_last(y_last), .y_dest(y_dest),
        .y_shift2(y_shift2), .y_row(y_row), .y(y), .add_soon(add_soon),
        .add_row(add_row), .busy(drain_busy)
    );
    scale_rom u_scale_rom (
        .clk(clk), .re(scale_read | test_read[1]), .addr(testing ? test_scale : scale_addr),
        .data(scale_data)
    );
    assign rows_busy = matvec_busy | way_busy | array_busy | drain_busy | embed_busy;

    // --- residual and norm ----------------------------------------------------------------------
    wire                   norm_read, norm_valid, norm_busy, residual_busy;
    wire [NORM_W-1:0]      norm_addr, norm_word;
    wire [1:0]             norm_region; // where the norm's output goes
    wire                   residual_read, side_busy, side_wrote;
    wire [NORM_W-1:0]      side_addr;
    wire [VEC*RES_W-1:0]   side_wrote_data, norm_data;
    wire [SS_W-1:0]        norm_ss;
    wire                   gain_read, rows_gain_read;
    wire [GAIN_ADDR_W-1:0] gain_addr, rows_gain_addr;
    wire [VEC*16-1:0]      gain_data;
    wire [VEC*RES_W-1:0]   residual_data;
    wire [SS_W-1:0]        ss;
    wire [VEC*ACT_W-1:0]   norm_y;
    wire                   wrote;
    wire [WORD_W-1:0]      wrote_addr;
    wire [VEC*RES_W-1:0]   wrote_data;

    residual #(
        .VEC(VEC), .RES_W(RES_W), .DEPTH(WORDS), .ADDR_W(WORD_W), .SS_W(SS_W),
        .SQUARE(`HW_LAT_SQUARE), .LEVELS(`HW_LAT_TREE)
    ) u_residual (
        .clk(clk), .rst(rst), .valid(y_residual), .last(y_last), .addr(y_row[VEC_W +: WORD_W]),
        .soon(add_soon), .addr_soon(add_row[VEC_W +: WORD_W]),
        .y(y), .read(residual_read),
        .read_addr(norm_addr[WORD_W-1:0]),
        .read_data(residual_data), .wrote(wrote), .wrote_addr(wrote_addr),
        .wrote_data(wrote_data), .ss(ss), .done(residual_done), .busy(residual_busy)
    );
    rmsnorm #(
        .VEC(VEC), .RES_W(RES_W), .ACT_W(ACT_W), .SS_W(SS_W), .ADDR_W(NORM_W),
        .GAIN_ADDR_W(GAIN_ADDR_W), .SCALAR(`HW_LAT_NORM_SCALAR), .VECTOR(`HW_LAT_NORM_VECTOR),
        .TABLE(`HW_LAT_TABLE)
    ) u_rmsnorm (
        .clk(clk), .rst(rst), .start(issue_norm), .eps(norm_eps), .shift(norm_shift),
        .last_word(norm_last_word), .gain_base(norm_gain), .ss(norm_ss),
        .read(norm_read), .read_addr(norm_addr), .read_data(norm_data),
        .gain_read(gain_read), .gain_addr(gain_addr), .gain_data(gain_data),
        .y_valid(norm_valid), .y_word(norm_word),
        .y(norm_y), .busy(norm_busy)
    );
    // no rows of K, Q, V while a norm runs: they wait for what it makes
    gain_rom u_gain_rom (
        .clk(clk), .re(gain_read | rows_gain_read | test_read[3]),
        .addr(testing ? test_gain : rows_gain_read ? rows_gain_addr : gain_addr),
        .data(gain_data)
    );

    // --- rotation, queries, KV cache, attention ---------------------------------------------------
    wire [ROPE_HI_W+HALF_W-1:0] hi_addr;
    wire [ROPE_LO_W+HALF_W-1:0] lo_addr;
    wire [31:0]                 hi_data, lo_data;
    wire [HALF*32-1:0]          angles;
    wire                        angles_read, rope_busy, z_valid;
    wire [1:0]                  z_kind;
    wire [19:0]                 z_row;
    wire [VEC*12-1:0]           z_query;
    wire [VEC*KV_W-1:0]         z_kv;
    wire [1:0] y_kind = y_dest == `HW_DST_K ? 2'd0 : y_dest == `HW_DST_Q ? 2'd1 : 2'd2;
    wire [ROPE_HI_W+ROPE_LO_W-1:0] rope_pos;
    wire [ROPE_HI_W+ROPE_LO_W+POS_W-1:0] pos_wide = {{(ROPE_HI_W+ROPE_LO_W){1'b0}}, pos};
    assign rope_pos = pos_wide[ROPE_HI_W+ROPE_LO_W-1:0];

    rope_angles #(
        .HALF(HALF), .HALF_W(HALF_W), .HI_W(ROPE_HI_W), .LO_W(ROPE_LO_W), .CLOCKS(`HW_LAT_ANGLES)
    ) u_rope_angles (
        .clk(clk), .rst(rst), .start(start), .pos(rope_pos), .read(angles_read), .hi_addr(hi_addr),
        .lo_addr(lo_addr), .hi_data(hi_data), .lo_data(lo_data), .angles(angles),
        .busy(angles_busy)
    );
    rope_hi_rom u_rope_hi_rom (
        .clk(clk), .re(angles_read | test_read[4]), .addr(testing ? test_hi : hi_addr), .data(hi_data)
    );
    rope_lo_rom u_rope_lo_rom (
        .clk(clk), .re(angles_read | test_read[5]), .addr(testing ? test_lo : lo_addr), .data(lo_data)
    );

    wire                        qkv_valid, qkv_busy;
    wire [1:0]                  qkv_kind;
    wire [19:0]                 qkv_row;
    wire [VEC*24-1:0]           qkv_y;

    qkv #(
        .VEC(VEC), .HEAD_DIM(HEAD_DIM), .QKV_BIAS(QKV_BIAS), .QK_NORM(QK_NORM),
        .GAIN_ADDR_W(GAIN_ADDR_W), .LEVELS(`HW_LAT_TREE), .SCALAR(`HW_LAT_NORM_SCALAR),
        .VECTOR(`HW_LAT_NORM_VECTOR), .TABLE(`HW_LAT_TABLE)
    ) u_qkv (
        .clk(clk), .rst(rst), .start(issue_attn), .biased(attn_biased), .bias(attn_bias),
        .set_norms(issue_heads), .k_shift(heads_k_shift), .q_shift(heads_q_shift),
        .k_eps(heads_k_eps), .q_eps(heads_q_eps), .gain(heads_gain),
        .valid(y_qkv),
        .kind(y_kind), .row(y_row), .y(y), .gain_mine(!norm_busy), .gain_read(rows_gain_read),
        .gain_addr(rows_gain_addr), .gain_data(gain_data),
        .z_valid(qkv_valid), .z_kind(qkv_kind), .z_row(qkv_row), .z(qkv_y), .busy(qkv_busy)
    );

    rope #(.VEC(VEC), .HEAD_DIM(HEAD_DIM), .KV_W(KV_W), .CLOCKS(`HW_LAT_ROPE)) u_rope (
        .clk(clk), .rst(rst), .valid(qkv_valid), .kind(qkv_kind), .row(qkv_row), .y(qkv_y),
        .angles(angles), .z_valid(z_valid), .z_kind(z_kind),
        .z_row(z_row), .z_query(z_query), .z_kv(z_kv), .busy(rope_busy)
    );

    wire [19:0]             queries_in;
    wire                    key_read; // of attention, and with it the query
    wire [HEAD_W-1:0]       query_head;
    wire [HEAD_DIM*12-1:0]  query;
    wire                    query_write = z_valid && z_kind == 2'd1;

    queries #(.VEC(VEC), .HEAD_DIM(HEAD_DIM), .MAX_DIM(MAX_Q_DIM), .HEAD_W(HEAD_W)) u_queries (
        .clk(clk), .rst(rst), .start(issue_attn), .write(query_write), .row(z_row), .data(z_query),
        .there(queries_in), .read(key_read), .head(query_head), .query(query)
    );

    wire keys_done, values_done, kv_busy;
    wire                     value_read;
    wire [ROW_W+ROW_GROUP_W-1:0] key_addr, value_addr;
    wire [ATT_POS*HEAD_DIM*KV_W-1:0] key, value;
    wire                     attn_valid, score_valid;
    wire [19:0]              attn_index;
    wire [OUT*MADE_W-1:0]    attn_out;
    wire [HEAD_W-1:0]        score_head;
    wire [GROUP_W:0]         score_group;
    wire [ATT_POS*20-1:0]    score;
    wire                     attn_engine_busy;

    wire [POS_W-1:0] kv_pos, last_pos;
    kv_ring #(.WINDOW(WINDOW), .POS_W(POS_W)) u_kv_ring (
        .clk(clk), .start(issue_attn), .window(attn_window), .pos(pos), .ring_pos(ring_pos),
        .write(kv_pos), .last(last_pos)
    );

    kv_cache #(
        .VEC(VEC), .HEAD_DIM(HEAD_DIM), .ATT_POS(ATT_POS), .KV_W(KV_W), .CTX(CTX),
        .KV_ROWS(KV_ROWS), .MAX_KV_DIM(MAX_KV_DIM), .ROW_W(ROW_W), .GROUP_W(ROW_GROUP_W)
    ) u_kv_cache (
        .clk(clk), .rst(rst), .start(issue_attn), .row_base(attn_row),
        .heads(attn_kv_heads), .row_step(attn_step), .pos(kv_pos), .valid(z_valid && z_kind != 2'd1),
        .is_value(z_kind == 2'd2), .element(z_row), .data(z_kv), .keys_done(keys_done),
        .values_done(values_done), .key_read(key_read), .key_addr(key_addr), .key(key),
        .value_read(value_read), .value_addr(value_addr), .value(value), .busy(kv_busy)
    );

    attention #(
        .HEAD_DIM(HEAD_DIM), .ATT_POS(ATT_POS), .OUT(OUT), .KV_W(KV_W), .ACT_W(MADE_W), .CTX(CTX),
        .ROW_W(ROW_W), .GROUP_W(GROUP_W), .ROW_GROUP_W(ROW_GROUP_W), .HEAD_W(HEAD_W),
        .SLOTS_W(SLOTS_W), .LEVELS(`HW_LAT_TREE), .ROUNDS(`HW_LAT_COMPARE),
        .SCORE(`HW_LAT_SCORE), .WEIGH(`HW_LAT_WEIGH), .RECIP(`HW_LAT_RECIP),
        .DIVIDE(`HW_LAT_DIVIDE), .TABLE(`HW_LAT_TABLE)
    ) u_attention (
        .clk(clk), .rst(rst), .start(issue_attn), .heads(attn_heads),
        .group_heads(attn_group_heads), .row_base(attn_row), .row_step(attn_step),
        .score_shift(attn_score_shift), .att_shift(attn_att_shift), .pos(last_pos), .queries_in(queries_in),
        .keys_done(keys_done), .values_done(values_done), .query_head(query_head),
        .query(query), .key_read(key_read),
        .key_addr(key_addr), .key(key), .value_read(value_read), .value_addr(value_addr),
        .value(value), .out_valid(attn_valid), .out_index(attn_index), .out(attn_out),
        .score_valid(score_valid), .score_head(score_head), .score_group(score_group),
        .score(score), .busy(attn_engine_busy)
    );
    assign attn_busy = attn_engine_busy | kv_busy;

    // --- FFN, argmax ------------------------------------------------------------------------------
    wire                   h_valid, swiglu_busy, argmax_done, argmax_busy;
    wire [19:0]            h_index;
    wire [VEC/2*MADE_W-1:0] h;

    swiglu #(
        .VEC(VEC), .ACT_W(MADE_W), .CLOCKS(`HW_LAT_SWIGLU), .TABLE(`HW_LAT_TABLE)
    ) u_swiglu (
        .clk(clk), .rst(rst), .valid(y_hidden), .row(y_row),
        .shift(y_shift2), .y(y), .h_valid(h_valid), .h_index(h_index), .h(h), .busy(swiglu_busy)
    );
    argmax #(.VEC(VEC), .TOKEN_W(TOKEN_W), .LEVELS(`HW_LAT_COMPARE)) u_argmax (
        .clk(clk), .rst(rst), .valid(y_logits), .last(y_last),
        .row(y_row), .rows(logit_rows), .y(y), .done(argmax_done), .best(next_token),
        .busy(argmax_busy)
    );

    // --- what a norm reads; what is written to the activations ---------------------------------------
    wire                   attn_act, h_act;
    wire [OUT*ACT_W-1:0]   attn_low;
    wire [VEC/2*ACT_W-1:0] h_low;

    norm_source #(
        .SUB_NORM(SUB_NORM), .VEC(VEC), .OUT(OUT), .RES_W(RES_W), .ACT_W(ACT_W), .MADE_W(MADE_W),
        .NORM_W(NORM_W), .SIDE_WORDS(SIDE_WORDS), .SIDE_W(SIDE_W), .SS_W(SS_W), .SQUARE(`HW_LAT_SQUARE),
        .LEVELS(`HW_LAT_TREE)
    ) u_norm_source (
        .clk(clk), .rst(rst), .norm_start(issue_norm), .norm_target(norm_target),
        .norm_region(norm_region), .norm_read(norm_read), .norm_addr(norm_addr),
        .norm_data(norm_data), .norm_ss(norm_ss), .residual_read(residual_read),
        .residual_data(residual_data), .residual_ss(ss),
        .start(issue_attn || ((issue_matvec || issue_recv) && to_hidden)),
        .elements(issue_attn ? {{(20-HEAD_W){1'b0}}, attn_heads} * HEAD_DIM[19:0] : rows_count >> 1),
        .attn_valid(attn_valid), .attn_index(attn_index), .attn(attn_out), .h_valid(h_valid),
        .h_index(h_index), .h(h), .attn_act(attn_act), .attn_low(attn_low), .h_act(h_act),
        .h_low(h_low), .side_wrote(side_wrote), .side_addr(side_addr), .side_data(side_wrote_data),
        .side_done(side_done), .side_busy(side_busy)
    );
    act_source #(.VEC(VEC), .OUT(OUT), .ACT_W(ACT_W), .NORM_W(NORM_W)) u_act_source (
        .norm_valid(norm_valid), .norm_region(norm_region), .norm_word(norm_word), .norm(norm_y),
        .attn_valid(attn_act), .attn_index(attn_index), .attn(attn_low), .h_valid(h_act),
        .h_index(h_index), .h(h_low), .recv_valid(y_act), .recv_region(recv_region),
        .recv_row(y_row), .recv(y), .write(act_write), .region(act_region), .index(act_index),
        .count(act_count), .data(act_data)
    );

    // --- self-test: owns every ROM while it runs; the sequencer fetches anew after it -------------------
    generate
        if (SELFTEST != 0) begin : g_selftest
            selftest #(
                .ROWS(ROWS), .COLS(COLS), .VEC(VEC), .CODE_W(CODE_W), .WEIGHT_ADDR_W(WEIGHT_ADDR_W),
                .SCALE_ADDR_W(SCALE_ADDR_W), .LEVEL_ADDR_W(LEVEL_ADDR_W), .GAIN_ADDR_W(GAIN_ADDR_W),
                .HI_ADDR_W(HI_ADDR_W), .LO_ADDR_W(LO_ADDR_W), .PROG_ADDR_W(PROG_ADDR_W),
                .PROG_W(`HW_INSN_W), .ROM(`HW_LAT_ROM)
            ) u_selftest (
                .clk(clk), .rst(rst), .start(test), .busy(testing), .done(tested), .crc(test_crc),
                .read(test_read), .weight_addr(test_weight), .scale_addr(test_scale),
                .level_addr(test_level), .gain_addr(test_gain), .hi_addr(test_hi), .lo_addr(test_lo),
                .prog_addr(test_prog), .scale(scale_data), .level(level_read), .gain(gain_data),
                .hi(hi_data), .lo(lo_data), .prog(prog_data), .pick(pick), .pick_lane(pick_lane),
                .pick_group(pick_group), .part(part)
            );
        end else begin : g_no_selftest
            assign {testing, tested, test_crc, test_read, pick} = 42'd0;
            assign {test_weight, test_scale} = {(WEIGHT_ADDR_W+SCALE_ADDR_W){1'b0}};
            assign {test_level, test_gain} = {(LEVEL_ADDR_W+GAIN_ADDR_W){1'b0}};
            assign {test_hi, test_lo, test_prog} = {(HI_ADDR_W+LO_ADDR_W+PROG_ADDR_W){1'b0}};
            assign {pick_lane, pick_group} = {($clog2(ROWS)+PICK_W){1'b0}};
            wire unused_test = &{1'b0, test, part};
        end
    endgenerate

    assign units_busy = rows_busy | recv_busy | residual_busy | norm_busy | angles_busy | qkv_busy | rope_busy
                      | attn_busy | swiglu_busy | argmax_busy | side_busy;

    wire unused_bits = &{1'b0, facts_next, block_scale, embed_move, pos_wide, argmax_done, y_valid, add_row,
                         wrote, wrote_addr, wrote_data, score_valid, score_head, score_group, score,
                         side_wrote, side_addr, side_wrote_data};
endmodule

`default_nettype wire
