// SPDX-License-Identifier: Apache-2.0
// Simulation top: the chip (or with HW_SLICE a slice) and what its engine writes, made visible.
// The design itself has no ports for observers; these are hierarchical references. At most one
// event of a kind a clock. Indices count elements; values beyond a tensor's end mean nothing.
`default_nettype none
`include "geometry.vh"

`define HW_PARAMETERS \
    .ROWS(`HW_ROWS), .COLS(`HW_COLS), .CODE_W(`HW_CODE_W), .VEC(`HW_VEC), \
    .ATT_POS(`HW_ATT_POS), .HEAD_DIM(`HW_HEAD_DIM), .ACT_W(`HW_ACT_W), .KV_W(`HW_KV_W), \
    .RES_W(`HW_RES_W), .ACC_W(`HW_ACC_W), .CTX(`HW_CTX), .MAX_DIM(`HW_MAX_DIM), \
    .MAX_Q_DIM(`HW_MAX_Q_DIM), .MAX_HIDDEN(`HW_MAX_HIDDEN), .MAX_KV_DIM(`HW_MAX_KV_DIM), \
    .KV_ROWS(`HW_KV_ROWS), .ROPE_HI_W(`HW_ROPE_HI_W), .ROPE_LO_W(`HW_ROPE_LO_W), \
    .WEIGHT_ADDR_W(`HW_WEIGHT_ADDR_W), .SCALE_ADDR_W(`HW_SCALE_ADDR_W), \
    .GAIN_ADDR_W(`HW_GAIN_ADDR_W), .LEVEL_ADDR_W(`HW_LEVEL_ADDR_W), \
    .PROG_ADDR_W(`HW_PROG_ADDR_W), .TOKEN_W(`HW_TOKEN_W)

module tap_top (
    input  wire                            clk,
    input  wire                            rst,
`ifdef HW_SLICE
    input  wire                            start,
    input  wire [$clog2(`HW_CTX)-1:0]      pos,
    input  wire                            s_vec_valid,
    output wire                            s_vec_ready,
    input  wire [`HW_VEC*24-1:0]           s_vec_data,
`else
    input  wire                            s_token_valid,
    output wire                            s_token_ready,
    input  wire [`HW_TOKEN_W-1:0]          s_token_data,
    input  wire                            s_token_last,
    input  wire [`HW_TOKEN_W-1:0]          cfg_stop_token,
    input  wire [15:0]                     cfg_max_tokens,
    output wire                            m_token_valid,
    input  wire                            m_token_ready,
    output wire [`HW_TOKEN_W-1:0]          m_token_data,
    output wire [1:0]                      m_token_status,
`endif
    output wire                            tap_start,
    output wire [$clog2(`HW_CTX)-1:0]      tap_pos,
    output wire [`HW_TOKEN_W-1:0]          tap_token,
    output wire                            tap_done,
    output wire [`HW_TOKEN_W-1:0]          tap_best,
    output wire                            tap_res_valid,
    output wire [19:0]                     tap_res_index,
    output wire [`HW_VEC*`HW_RES_W-1:0]    tap_res_data,
    output wire                            tap_act_valid,
    output wire [1:0]                      tap_act_region, // 0 X, 1 A, 2 H
    output wire [19:0]                     tap_act_index,
    output wire [7:0]                      tap_act_count,
    output wire [`HW_VEC*`HW_ACT_W-1:0]    tap_act_data,
    output wire                            tap_kv_valid,
    output wire                            tap_kv_is_v,
    output wire [19:0]                     tap_kv_index,
    output wire [`HW_VEC*`HW_KV_W-1:0]     tap_kv_data,
    output wire                            tap_q_valid,
    output wire [19:0]                     tap_q_index,
    output wire [`HW_VEC*12-1:0]           tap_q_data,
    output wire                            tap_score_valid,
    output wire [7:0]                      tap_score_head,
    output wire [19:0]                     tap_score_index, // first position of the group
    output wire [`HW_ATT_POS*20-1:0]       tap_score_data,
    output wire                            tap_logit_valid,
    output wire [19:0]                     tap_logit_index,
    output wire [`HW_VEC*24-1:0]           tap_logit_data
);
`ifdef HW_SLICE
    slice #(`HW_PARAMETERS) u_top (
        .clk(clk), .rst(rst), .start(start), .pos(pos), .done(tap_done), .best(tap_best),
        .s_vec_valid(s_vec_valid), .s_vec_ready(s_vec_ready), .s_vec_data(s_vec_data)
    );
`else
    chip #(`HW_PARAMETERS) u_top (
        .clk(clk), .rst(rst), .s_token_valid(s_token_valid), .s_token_ready(s_token_ready),
        .s_token_data(s_token_data), .s_token_last(s_token_last),
        .cfg_stop_token(cfg_stop_token), .cfg_max_tokens(cfg_max_tokens),
        .m_token_valid(m_token_valid), .m_token_ready(m_token_ready),
        .m_token_data(m_token_data), .m_token_status(m_token_status)
    );
`endif
    localparam [2:0] DST_LOGITS = 3'd6;

    assign tap_start       = u_top.u_engine.start;
    assign tap_pos         = u_top.u_engine.pos;
    assign tap_token       = u_top.u_engine.token;
`ifndef HW_SLICE
    assign tap_done        = u_top.u_engine.done;
    assign tap_best        = u_top.u_engine.next_token;
`endif
    assign tap_res_valid   = u_top.u_engine.wrote;
    assign tap_res_index   = u_top.u_engine.wrote_addr * `HW_VEC;
    assign tap_res_data    = u_top.u_engine.wrote_data;
    assign tap_act_valid   = u_top.u_engine.act_write;
    assign tap_act_region  = u_top.u_engine.act_region;
    assign tap_act_index   = u_top.u_engine.act_index;
    assign tap_act_count   = u_top.u_engine.act_count[7:0];
    assign tap_act_data    = u_top.u_engine.act_data;
    assign tap_kv_valid    = u_top.u_engine.z_valid && u_top.u_engine.z_kind != 2'd1;
    assign tap_kv_is_v     = u_top.u_engine.z_kind == 2'd2;
    assign tap_kv_index    = u_top.u_engine.z_row;
    assign tap_kv_data     = u_top.u_engine.z_kv;
    assign tap_q_valid     = u_top.u_engine.query_write;
    assign tap_q_index     = u_top.u_engine.z_row;
    assign tap_q_data      = u_top.u_engine.z_query;
    assign tap_score_valid = u_top.u_engine.score_valid;
    assign tap_score_head  = u_top.u_engine.score_head;
    assign tap_score_index = u_top.u_engine.score_group * `HW_ATT_POS;
    assign tap_score_data  = u_top.u_engine.score;
    assign tap_logit_valid = u_top.u_engine.y_valid && u_top.u_engine.y_dest == DST_LOGITS;
    assign tap_logit_index = u_top.u_engine.y_row;
    assign tap_logit_data  = u_top.u_engine.y;
endmodule

`default_nettype wire
