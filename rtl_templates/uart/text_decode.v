// SPDX-License-Identifier: Apache-2.0
// Token ids to bytes. Behind the vocabulary come the console's messages, as if they were tokens.
// s_strip: what goes before it was BOS, so that a leading space is left out, as
// hw_tokenizer_piece() does. A line feed leaves as carriage return and line feed, as terminals want.
//
// Tables: text_piece_rom, by id: {length, address of its first byte}; text_pool_rom, the bytes.
`include "text.vh"
`default_nettype none

module text_decode (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        s_valid,
    output wire                        s_ready,
    input  wire [`HW_TEXT_PIECE_ADDR_W-1:0] s_data,
    input  wire                        s_strip,
    output wire                        m_valid,
    input  wire                        m_ready,
    output wire [7:0]                  m_data
);
    localparam POOL_W = `HW_TEXT_POOL_ADDR_W, LEN_W = `HW_TEXT_LEN_W;
    localparam [2:0] IDLE = 3'd0, LOOK = 3'd1, HAVE = 3'd2, READ = 3'd3, TAKE = 3'd4, OUT = 3'd5;

    reg [2:0]        state;
    reg [`HW_TEXT_PIECE_ADDR_W-1:0] id;
    reg              strip;
    reg [LEN_W-1:0]  left; // bytes
    reg [POOL_W-1:0] at;
    reg              returned; // the carriage return before this line feed has been sent
    wire [LEN_W+POOL_W-1:0] piece;
    wire [7:0]       data;
    reg  [7:0]       character;

    text_piece_rom u_pieces (.clk(clk), .re(state == LOOK), .addr(id), .data(piece));
    text_pool_rom u_pool (.clk(clk), .re(state == READ), .addr(at), .data(data));

    wire feed = character == 8'd10 && !returned;
    wire skip = strip && character == 8'd32;
    assign s_ready = state == IDLE;
    assign m_valid = state == OUT && !skip;
    assign m_data  = feed ? 8'd13 : character;

    always @(posedge clk) begin
        case (state)
            IDLE:
                if (s_valid) begin
                    id    <= s_data;
                    strip <= s_strip;
                    state <= LOOK;
                end
            LOOK: // the table is being read
                state <= HAVE;
            HAVE: begin
                {left, at} <= piece;
                returned   <= 1'b0;
                state      <= READ;
            end
            READ:
                state <= left == 0 ? IDLE : TAKE;
            TAKE: begin // a byte of the pool comes late in its clock
                character <= data;
                state     <= OUT;
            end
            default: // OUT
                if (m_ready || skip) begin
                    strip    <= 1'b0;
                    returned <= feed;
                    if (!feed) begin
                        at    <= at + 1'b1;
                        left  <= left - 1'b1;
                        state <= READ;
                    end
                end
        endcase
        if (rst)
            state <= IDLE;
    end
endmodule

`default_nettype wire
