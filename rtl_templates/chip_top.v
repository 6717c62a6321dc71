// SPDX-License-Identifier: Apache-2.0
// The chip with the generated geometry: the module to synthesize. Ports as in chip.v.
`include "geometry.vh"
`default_nettype none

module chip_top (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   s_token_valid,
    output wire                   s_token_ready,
    input  wire [`HW_TOKEN_W-1:0] s_token_data,
    input  wire                   s_token_last,
    input  wire                   s_token_first,
    input  wire                   s_token_keep,
    input  wire                   s_abort,
    input  wire [`HW_TOKEN_W-1:0] cfg_stop_token,
    input  wire                   cfg_stop_enable,
    input  wire [15:0]            cfg_max_tokens,
    output wire                   m_token_valid,
    input  wire                   m_token_ready,
    output wire [`HW_TOKEN_W-1:0] m_token_data,
    output wire [2:0]             m_token_status,
    output wire                   m_token_last,
    output wire                   busy,
    output wire [$clog2(`HW_CTX):0] position,
    input  wire                   s_selftest,
    output wire                   selftest_done,
    output wire [31:0]            selftest_crc
);
    chip #(`HW_PARAMETERS) u_chip (
        .clk(clk), .rst(rst), .s_token_valid(s_token_valid), .s_token_ready(s_token_ready),
        .s_token_data(s_token_data), .s_token_last(s_token_last), .s_token_first(s_token_first),
        .s_token_keep(s_token_keep), .s_abort(s_abort), .cfg_stop_token(cfg_stop_token),
        .cfg_stop_enable(cfg_stop_enable), .cfg_max_tokens(cfg_max_tokens),
        .m_token_valid(m_token_valid), .m_token_ready(m_token_ready),
        .m_token_data(m_token_data), .m_token_status(m_token_status),
        .m_token_last(m_token_last), .busy(busy), .position(position),
        .s_selftest(s_selftest), .selftest_done(selftest_done), .selftest_crc(selftest_crc)
    );
endmodule

`default_nettype wire
