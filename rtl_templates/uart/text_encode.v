// SPDX-License-Identifier: Apache-2.0
// A line of text to tokens, as hw_tokenizer_encode() of gen/text/encode.c makes them: BOS, then the
// line behind a space, each character the piece that it is or its bytes' tokens, then merges: of
// all pairs of neighbours that are a piece the one with the best score, the leftmost of equals.
//
// Bytes come in by s_*; s_end, with valid and no byte, ends the line. Tokens go out by m_*.
//
// A merge costs a walk over the line: per pair a binary search in the table of merges, three clocks a
// step, so that what a table says is compared with what is sought from register to register. 64
// characters take about 150,000 clocks, little beside the time of typing them.
//
// Tables: text_byte_rom, by a byte: {is a piece, the piece, has a byte token, the byte token};
// text_char_rom, the characters of many bytes: {token, bytes, the first one lowest}, unused bytes 0;
// text_merge_rom, in the order of {left, right}: {left, right, rank, piece}, padded by ones.
`include "text.vh"
`default_nettype none

module text_encode #(
    parameter LINE_W = 8 // a line has at most 2^LINE_W - 2 bytes
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    s_valid,
    output wire                    s_ready,
    input  wire [7:0]              s_data,
    input  wire                    s_end,
    output wire                    m_valid,
    input  wire                    m_ready,
    output wire [`HW_TEXT_ID_W-1:0] m_data,
    output wire                    m_first,
    output wire                    m_last
);
    localparam W = `HW_TEXT_ID_W, RANK_W = `HW_TEXT_RANK_W;
    localparam MERGE_W = `HW_TEXT_MERGE_ADDR_W, CHAR_W = `HW_TEXT_CHAR_ADDR_W;
    localparam [31:0] TOP_BIT = 1 << (MERGE_W - 1), CHARS = `HW_TEXT_CHARS, BOS = `HW_TEXT_BOS;
    localparam [3:0] TAKE = 4'd0,     // a byte
                     CHAR = 4'd1,     // the character that is complete: look in the tables
                     FIND = 4'd2,     // among those of many bytes
                     BYTES = 4'd3,    // byte by byte: look in the table
                     PUT_BYTE = 4'd4,
                     WALK = 4'd5,     // the next pair of neighbours
                     PAIR = 4'd6,
                     PROBE = 4'd7,    // a step of the search: the word is read
                     JUDGE = 4'd8,    // what was compared
                     CLOSE = 4'd9,    // the rest of the line moves up: the symbol is read
                     MOVE = 4'd10,
                     SEND = 4'd11,    // BOS, then symbols
                     LOAD = 4'd12,
                     WAIT = 4'd13,
                     MATCH = 4'd14,   // text_char_rom has answered
                     COMPARE = 4'd15; // text_merge_rom has answered

    reg [3:0] state;

    // the character at hand, its first byte lowest
    reg [31:0] char;
    reg [2:0]  n_char;    // bytes of it; 0: none
    reg        any;       // a byte of this line has been taken
    reg [1:0]  part;      // which byte of it
    reg [CHAR_W:0] entry; // of text_char_rom
    wire       goes_on = !s_end && s_data[7:6] == 2'b10 && n_char != 3'd0 && n_char != 3'd4;
    wire       take    = s_valid && s_ready;
    wire       prefix = `HW_TEXT_PREFIX && !any && !s_end; // the space before the line
    assign s_ready = state == TAKE && !prefix && (n_char == 3'd0 || goes_on);

    wire [2*W+1:0]  of_byte;
    wire [W+31:0]   of_char;
    wire [7:0]      the_byte = char[8*part +: 8];
    reg             is_char;   // of_char is the character
    reg  [W-1:0]    char_token;
    text_byte_rom u_bytes (
        .clk(clk), .re(state == WAIT || state == BYTES), .addr(the_byte), .data(of_byte)
    );
    text_char_rom u_chars (
        .clk(clk), .re(state == CHAR || state == FIND), .addr(entry[CHAR_W-1:0]), .data(of_char)
    );

    // symbols: {a raw byte, which never merges; the token}
    reg [W:0]        symbol [0:(1<<LINE_W)-1];
    reg [W:0]        symbol_q;
    reg [LINE_W-1:0] read_at, write_at;
    reg              write;
    reg [W:0]        write_data;
    reg [LINE_W:0]   n;  // symbols
    reg [LINE_W:0]   at; // of the walk
    always @(posedge clk) begin
        if (write)
            symbol[write_at] <= write_data;
        symbol_q <= symbol[read_at];
    end

    // the search
    reg [W:0]           left;
    reg                 have_left;
    reg [MERGE_W-1:0]   low, step;
    wire [MERGE_W-1:0]  probe = low | step;
    wire [2*W+RANK_W+W-1:0] of_pair;
    text_merge_rom u_merges (.clk(clk), .re(state == PROBE), .addr(probe), .data(of_pair));
    wire [2*W-1:0]    key   = of_pair[W+RANK_W +: 2*W];
    reg  [2*W-1:0]    sought;
    reg               is_sought, is_below; // key is what is sought; or before it
    reg  [RANK_W-1:0] rank;
    reg  [W-1:0]      piece;

    // the best pair of this walk
    reg [RANK_W-1:0] best;
    reg [W-1:0]      best_piece;
    reg [LINE_W:0]   best_at;
    localparam [RANK_W-1:0] NONE = {RANK_W{1'b1}};
    localparam [LINE_W:0] TWO = 2;

    assign m_valid = state == SEND;
    assign m_first = at == 0;
    assign m_last  = at == n;
    assign m_data  = m_first ? BOS[W-1:0] : symbol_q[W-1:0];

    always @* begin
        write      = 1'b0;
        write_at   = n[LINE_W-1:0];
        write_data = {1'b0, of_byte[W+1 +: W]};
        read_at    = at[LINE_W-1:0];
        case (state)
            CHAR:
                write = n_char == 3'd1 && of_byte[2*W+1];
            FIND: begin
                write      = is_char;
                write_data = {1'b0, char_token};
            end
            PUT_BYTE: begin
                write      = of_byte[W];
                write_data = {1'b1, of_byte[W-1:0]};
            end
            LOAD, SEND:
                read_at = at[LINE_W-1:0] - 1'b1;
            MOVE: begin
                write      = 1'b1;
                write_at   = at[LINE_W-1:0] - 1'b1;
                write_data = symbol_q;
                if (at == best_at)
                    write_data = {1'b0, best_piece};
            end
            default: ;
        endcase
        if (state == MOVE && at == best_at)
            write_at = best_at[LINE_W-1:0];
    end

    always @(posedge clk) begin
        if (write && state != MOVE)
            n <= n + 1'b1;
        case (state)
            TAKE:
                if (s_valid && prefix) begin
                    any       <= 1'b1;
                    char[7:0] <= 8'd32;
                    n_char    <= 3'd1;
                end else if (take && !s_end) begin
                    any                  <= 1'b1;
                    char[8*n_char[1:0] +: 8] <= s_data;
                    n_char               <= n_char + 3'd1;
                end else if (take && n_char == 3'd0) begin
                    at    <= 0;
                    best  <= NONE;
                    have_left <= 1'b0;
                    state <= WALK;
                end else if (s_valid && n_char != 3'd0 && !goes_on) begin
                    part  <= 2'd0;
                    entry <= 0;
                    state <= WAIT;
                end
            WAIT:
                state <= CHAR;
            CHAR: // text_byte_rom has answered
                if (n_char == 3'd1 && of_byte[2*W+1]) begin
                    n_char <= 3'd0;
                    char   <= 32'd0;
                    state  <= TAKE;
                end else if (n_char == 3'd1)
                    state <= BYTES;
                else
                    state <= MATCH;
            MATCH: begin
                is_char    <= of_char[31:0] == char;
                char_token <= of_char[W+31:32];
                entry      <= entry + 1'b1;
                state      <= FIND;
            end
            FIND: // whether entry - 1 is it; entry is being read
                if (is_char) begin
                    n_char <= 3'd0;
                    char   <= 32'd0;
                    state  <= TAKE;
                end else if ({{(31-CHAR_W){1'b0}}, entry} == CHARS)
                    state <= BYTES;
                else
                    state <= MATCH;
            BYTES:
                state <= PUT_BYTE;
            PUT_BYTE: begin
                part  <= part + 2'd1;
                state <= BYTES;
                if ({1'b0, part} + 3'd1 == n_char) begin
                    n_char <= 3'd0;
                    char   <= 32'd0;
                    state  <= TAKE;
                end
            end
            WALK: // symbol `at` is being read
                if (at == n) begin
                    at    <= best == NONE ? 0 : best_at;
                    state <= best == NONE ? SEND : MOVE;
                end else
                    state <= PAIR;
            PAIR: begin
                left      <= symbol_q;
                have_left <= 1'b1;
                sought    <= {left[W-1:0], symbol_q[W-1:0]};
                low       <= 0;
                step      <= TOP_BIT[MERGE_W-1:0];
                at        <= at + 1'b1;
                state     <= have_left && !left[W] && !symbol_q[W] ? PROBE : WALK;
            end
            PROBE:
                state <= COMPARE;
            COMPARE: begin
                is_sought <= key == sought;
                is_below  <= key < sought;
                rank      <= of_pair[W +: RANK_W];
                piece     <= of_pair[W-1:0];
                state     <= JUDGE;
            end
            JUDGE: begin
                state <= PROBE;
                step  <= step >> 1;
                if (is_below)
                    low <= probe;
                if (step == 0 || is_sought) begin
                    state <= WALK;
                    if (is_sought && rank < best) begin
                        best       <= rank;
                        best_piece <= piece;
                        best_at    <= at - TWO;
                    end
                end
            end
            MOVE: begin // the joint piece first, then what follows its right half
                at    <= at == best_at ? at + TWO : at + 1'b1;
                state <= CLOSE;
            end
            CLOSE:
                if (at == n) begin
                    n         <= n - 1'b1;
                    at        <= 0;
                    best      <= NONE;
                    have_left <= 1'b0;
                    state     <= WALK;
                end else
                    state <= MOVE;
            LOAD:
                state <= SEND;
            default: // SEND
                if (m_ready) begin
                    at    <= at + 1'b1;
                    state <= LOAD;
                    if (m_last) begin
                        n      <= 0;
                        any    <= 1'b0;
                        state  <= TAKE;
                    end
                end
        endcase
        if (rst) begin
            state  <= TAKE;
            n      <= 0;
            n_char <= 3'd0;
            char   <= 32'd0;
            any    <= 1'b0;
        end
    end
endmodule

`default_nettype wire
