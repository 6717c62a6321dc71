// SPDX-License-Identifier: Apache-2.0
// Simulation top: the chip (or with HW_SLICE a slice) and what its engine writes, made visible.
// The design itself has no ports for observers; these are hierarchical references. At most one
// event of a kind a clock. Indices count elements; values beyond a tensor's end mean nothing.
`default_nettype none
`include "geometry.vh"
`include "isa.vh"

`ifdef HW_SLICE
`define ENGINE u_top.u_slice.u_engine
`else
`define ENGINE u_top.u_chip.u_engine
`endif

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
    input  wire                            s_token_first,
    input  wire                            s_token_keep,
    input  wire                            s_abort,
    input  wire [`HW_TOKEN_W-1:0]          cfg_stop_token,
    input  wire                            cfg_stop_enable,
    input  wire [15:0]                     cfg_max_tokens,
    output wire                            m_token_valid,
    input  wire                            m_token_ready,
    output wire [`HW_TOKEN_W-1:0]          m_token_data,
    output wire [2:0]                      m_token_status,
    output wire                            m_token_last,
    output wire                            busy,
    output wire [$clog2(`HW_CTX):0]        position,
    input  wire                            s_selftest,
    output wire                            selftest_done,
    output wire [31:0]                     selftest_crc,
`endif
    output wire                            tap_start,
    output wire [$clog2(`HW_CTX)-1:0]      tap_pos,
    output wire [`HW_TOKEN_W-1:0]          tap_token,
    output wire                            tap_done,
    output wire [`HW_TOKEN_W-1:0]          tap_best,
    output wire                            tap_res_valid,
    output wire [19:0]                     tap_res_index,
    output wire [`HW_VEC*`HW_RES_W-1:0]    tap_res_data,
    output wire                            tap_side_valid, // with SUB_NORM
    output wire [19:0]                     tap_side_index,
    output wire [`HW_VEC*`HW_RES_W-1:0]    tap_side_data,
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
    slice_top u_top (
        .clk(clk), .rst(rst), .start(start), .pos(pos), .done(tap_done), .best(tap_best),
        .s_vec_valid(s_vec_valid), .s_vec_ready(s_vec_ready), .s_vec_data(s_vec_data)
    );
`else
    chip_top u_top (
        .clk(clk), .rst(rst), .s_token_valid(s_token_valid), .s_token_ready(s_token_ready),
        .s_token_data(s_token_data), .s_token_last(s_token_last), .s_token_first(s_token_first),
        .s_token_keep(s_token_keep), .s_abort(s_abort), .cfg_stop_token(cfg_stop_token),
        .cfg_stop_enable(cfg_stop_enable), .cfg_max_tokens(cfg_max_tokens),
        .m_token_valid(m_token_valid), .m_token_ready(m_token_ready),
        .m_token_data(m_token_data), .m_token_status(m_token_status),
        .m_token_last(m_token_last), .busy(busy), .position(position),
        .s_selftest(s_selftest), .selftest_done(selftest_done), .selftest_crc(selftest_crc)
    );
`endif
    assign tap_start       = `ENGINE.start;
    assign tap_pos         = `ENGINE.pos;
    assign tap_token       = `ENGINE.token;
`ifndef HW_SLICE
    assign tap_done        = `ENGINE.done;
    assign tap_best        = `ENGINE.next_token;
`endif
    assign tap_res_valid   = `ENGINE.wrote;
    assign tap_res_index   = `ENGINE.wrote_addr * `HW_VEC;
    assign tap_res_data    = `ENGINE.wrote_data;
    assign tap_side_valid  = `ENGINE.side_wrote;
    assign tap_side_index  = `ENGINE.side_addr * `HW_VEC;
    assign tap_side_data   = `ENGINE.side_wrote_data;
    assign tap_act_valid   = `ENGINE.act_write;
    assign tap_act_region  = `ENGINE.act_region;
    assign tap_act_index   = `ENGINE.act_index;
    assign tap_act_count   = `ENGINE.act_count[7:0];
    assign tap_act_data    = `ENGINE.act_data;
    assign tap_kv_valid    = `ENGINE.z_valid && `ENGINE.z_kind != 2'd1;
    assign tap_kv_is_v     = `ENGINE.z_kind == 2'd2;
    assign tap_kv_index    = `ENGINE.z_row;
    assign tap_kv_data     = `ENGINE.z_kv;
    assign tap_q_valid     = `ENGINE.query_write;
    assign tap_q_index     = `ENGINE.z_row;
    assign tap_q_data      = `ENGINE.z_query;
    assign tap_score_valid = `ENGINE.score_valid;
    assign tap_score_head  = `ENGINE.score_head;
    assign tap_score_index = `ENGINE.score_group * `HW_ATT_POS;
    assign tap_score_data  = `ENGINE.score;
    assign tap_logit_valid = `ENGINE.y_valid && `ENGINE.y_dest == `HW_DST_LOGITS;
    assign tap_logit_index = `ENGINE.y_row;
    assign tap_logit_data  = `ENGINE.y;
endmodule

`default_nettype wire
