// SPDX-License-Identifier: Apache-2.0
// The chip behind a serial line that speaks text: type a prompt, press Enter, read a story.
// CLOCKS: clocks of clk a bit of the line. The module to put on a board.
`include "geometry.vh"
`include "text.vh"
`default_nettype none

module uart_top #(
    parameter CLOCKS = 25
) (
    input  wire clk,
    input  wire rst,
    input  wire rx,
    output wire tx,
    output wire listening, // for a line
    output wire telling,   // a story
    output wire busy,      // the chip
    output wire failed     // the self-test
);
    localparam [31:0] STOP = `HW_TEXT_STOP;

    wire       rx_valid, rx_ready, tx_valid, tx_ready;
    wire [7:0] rx_data, tx_data;
    uart_rx #(.CLOCKS(CLOCKS)) u_rx (
        .clk(clk), .rst(rst), .rx(rx), .m_valid(rx_valid), .m_ready(rx_ready), .m_data(rx_data)
    );
    uart_tx #(.CLOCKS(CLOCKS)) u_tx (
        .clk(clk), .rst(rst), .s_valid(tx_valid), .s_ready(tx_ready), .s_data(tx_data), .tx(tx)
    );

    wire                     said_valid, said_ready, said_last, said_first; // by the console
    wire [`HW_TEXT_ID_W-1:0] said;
    wire                     p_valid, p_ready, p_last, p_first, a_valid, a_ready, a_last, abort;
    wire [`HW_TEXT_ID_W-1:0] p_data;
    wire [`HW_TOKEN_W-1:0]   a_data;
    wire [2:0]               a_status;
    wire [15:0]              max_tokens;
    wire [$clog2(`HW_CTX):0] position;
    wire                     selftest_done;
    wire [31:0]              selftest_crc;
    console u_console (
        .clk(clk), .rst(rst), .rx_valid(rx_valid), .rx_ready(rx_ready), .rx_data(rx_data),
        .tx_valid(tx_valid), .tx_ready(tx_ready), .tx_data(tx_data),
        .m_token_valid(said_valid), .m_token_ready(said_ready), .m_token_data(said),
        .m_token_last(said_last), .m_token_first(said_first), .abort(abort), .max_tokens(max_tokens),
        .s_token_valid(a_valid), .s_token_ready(a_ready), .s_token_data(a_data[`HW_TEXT_ID_W-1:0]),
        .s_token_status(a_status), .listening(listening), .telling(telling), .failed(failed)
    );

    // no path leads through console and chip
    skid #(.W(`HW_TEXT_ID_W + 2)) u_prompt (
        .clk(clk), .rst(rst), .s_valid(said_valid), .s_ready(said_ready), .s_data({said_last, said_first, said}),
        .m_valid(p_valid), .m_ready(p_ready), .m_data({p_last, p_first, p_data})
    );

    // the fabric may have room for a larger vocabulary
    wire [`HW_TOKEN_W+`HW_TEXT_ID_W-1:0] p_wide = {{`HW_TOKEN_W{1'b0}}, p_data};
    chip_top u_chip (
        .clk(clk), .rst(rst),
        .s_token_valid(p_valid), .s_token_ready(p_ready),
        .s_token_data(p_wide[`HW_TOKEN_W-1:0]),
        .s_token_last(p_last), .s_token_first(p_first), .s_token_keep(1'b0), .s_abort(abort),
        .cfg_stop_token(STOP[`HW_TOKEN_W-1:0]), .cfg_stop_enable(1'b1), .cfg_max_tokens(max_tokens),
        .m_token_valid(a_valid), .m_token_ready(a_ready), .m_token_data(a_data),
        .m_token_status(a_status), .m_token_last(a_last), .busy(busy), .position(position),
        .s_selftest(1'b0), .selftest_done(selftest_done), .selftest_crc(selftest_crc)
    );
    wire unused_all = &{1'b0, a_last, position, selftest_done, selftest_crc, a_data, p_wide, STOP};
endmodule

`default_nettype wire
