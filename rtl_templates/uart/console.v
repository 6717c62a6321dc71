// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal sees: a prompt, a line that is echoed while it is typed, and, after
// Enter, the story that the chip makes of it. Bytes on one side, tokens on the other.
//
// After reset the chip tells HW_TEXT_KNOWN tokens after BOS, and their signature (a 32-bit shift
// register with feedback that each answer's token and status are added to) must be the one the C
// reference came to. That stands in the tables, behind the messages, so that it comes with the
// personality: eight bytes, four bits each. Where it differs, `failed` stays 1, a message says so,
// and no line is taken any more.
//
// Keys: Enter ends the line (a line feed behind it is dropped); Backspace takes a character away;
// Ctrl-C, while a story is told, ends it. Other control characters, and bytes typed while a story is
// told, are dropped. A line that is full answers with the bell.
`include "text.vh"
`default_nettype none

module console #(
    parameter LINE_W = 8 // a line has at most 2^LINE_W - 2 bytes
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire                     rx_valid,
    output wire                     rx_ready,
    input  wire [7:0]               rx_data,
    output wire                     tx_valid,
    input  wire                     tx_ready,
    output wire [7:0]               tx_data,

    output wire                     m_token_valid, // to the chip
    input  wire                     m_token_ready,
    output wire [`HW_TEXT_ID_W-1:0] m_token_data,
    output wire                     m_token_last,
    output wire                     m_token_first,
    output wire                     abort,
    output wire [15:0]              max_tokens,

    input  wire                     s_token_valid, // from the chip
    output wire                     s_token_ready,
    input  wire [`HW_TEXT_ID_W-1:0] s_token_data,
    input  wire [2:0]               s_token_status,

    output wire                     listening,     // for a line
    output wire                     telling,       // a story
    output wire                     failed         // the self-test
);
    localparam W = `HW_TEXT_ID_W, PIECE_W = `HW_TEXT_PIECE_ADDR_W;
    localparam [31:0] MESSAGES = `HW_TEXT_VOCAB, BOS = `HW_TEXT_BOS, KNOWN = `HW_TEXT_KNOWN,
                      END = `HW_TEXT_END;
    localparam [31:0] POLYNOMIAL = 32'h04c11db7;
    localparam [3:0] SAY_PROMPT = 4'd7, SAY_FAILED = 4'd8, SAY_PASSED = 4'd9, // before: statuses
                     EXPECTED = 4'd10;
    localparam [2:0] MORE = 3'd0, ABORTED = 3'd6;
    localparam [31:0] MOST = (1 << LINE_W) - 2;

    localparam [3:0] TEST = 4'd0,   // BOS goes to the chip
                     CHECK = 4'd1,  // its answers are added up
                     SAY = 4'd2,    // a message goes out
                     DONE = 4'd3,   // until it has
                     LISTEN = 4'd4,
                     ECHO = 4'd5,   // what answers a key: 1 to 3 bytes
                     PASS = 4'd6,   // the line goes to the encoder
                     TELL = 4'd7,
                     DEAD = 4'd8,
                     RUB = 4'd9,    // the last byte of the line is being read
                     RUBBED = 4'd10,
                     EXPECT = 4'd11, // the signature that is right is asked for
                     JUDGE = 4'd12;  // and read

    reg [3:0]  state;
    reg [3:0]  message;
    reg        passed;
    reg [31:0] signature, expected;

    // the line
    reg [7:0]        line [0:(1<<LINE_W)-1];
    reg [7:0]        line_q;
    reg [LINE_W-1:0] n, at;
    reg              loaded; // line_q is byte `at`
    reg              after_return;
    reg [23:0]       answer;
    reg [1:0]        n_answer;
    wire take      = rx_valid && rx_ready;
    wire rubout    = rx_data == 8'd8 || rx_data == 8'd127;
    wire enter     = rx_data == 8'd13 || (rx_data == 8'd10 && !after_return);
    wire printable = rx_data >= 8'd32 && rx_data != 8'd127;
    wire room      = {{(32-LINE_W){1'b0}}, n} < MOST;
    always @(posedge clk) begin
        if (state == LISTEN && take && printable && room)
            line[n] <= rx_data;
        line_q <= line[at];
    end

    // line to tokens
    wire         e_ready, e_valid, e_last, e_first;
    wire [W-1:0] e_data;
    wire         line_done = at == n;
    wire         e_offer = state == PASS && (line_done || loaded);
    wire         byte_valid, byte_ready, byte_end; // in registers, not in the clock of the line's memory
    wire [7:0]   byte_data;
    skid #(.W(9)) u_line (
        .clk(clk), .rst(rst), .s_valid(e_offer), .s_ready(e_ready), .s_data({line_done, line_q}),
        .m_valid(byte_valid), .m_ready(byte_ready), .m_data({byte_end, byte_data})
    );
    text_encode #(.LINE_W(LINE_W)) u_encode (
        .clk(clk), .rst(rst), .s_valid(byte_valid), .s_ready(byte_ready), .s_data(byte_data), .s_end(byte_end),
        .m_valid(e_valid), .m_ready(m_token_ready), .m_data(e_data), .m_first(e_first), .m_last(e_last)
    );
    assign m_token_valid = state == TEST || e_valid;
    assign m_token_data  = state == TEST ? BOS[W-1:0] : e_data;
    assign m_token_last  = state == TEST || e_last;
    assign m_token_first = state == TEST || e_first;
    assign max_tokens    = state == TEST || state == CHECK ? KNOWN[15:0] : 16'd0;

    // tokens and messages to bytes
    reg          only_bos; // so far: a leading space is left out
    reg          ending;   // the model has said another token that ends a text
    reg          stop;     // Ctrl-C
    wire         d_ready, d_valid;
    wire [7:0]   d_data;
    wire         more = s_token_status == MORE;
    wire         ends = more && s_token_data == END[W-1:0] && `HW_TEXT_HAS_END;
    wire         tell = state == TELL && s_token_valid && more && !ends && !ending;
    wire [31:0]  message_id = MESSAGES + {28'd0, message};
    wire [31:0]  token_id   = {{(32-W){1'b0}}, s_token_data};
    wire         ask        = state == SAY || state == EXPECT;
    wire [PIECE_W-1:0] d_id = ask ? message_id[PIECE_W-1:0] : token_id[PIECE_W-1:0];
    text_decode u_decode (
        .clk(clk), .rst(rst), .s_valid(ask || tell), .s_ready(d_ready), .s_data(d_id),
        .s_strip(state == TELL && only_bos), .m_valid(d_valid), .m_ready(tx_ready || state == JUDGE),
        .m_data(d_data)
    );
    assign s_token_ready = state == CHECK || (state == TELL && (d_ready || !tell));
    assign abort = state == TELL && (ending || stop);

    assign rx_ready  = state == LISTEN || state == TELL || state == DEAD || state == PASS;
    assign tx_valid  = state == ECHO || (d_valid && state != JUDGE);
    assign tx_data   = state == ECHO ? answer[7:0] : d_data;
    assign listening = state == LISTEN;
    assign telling   = state == TELL;
    assign failed    = state == DEAD || message == SAY_FAILED;

    wire unused_ids = &{1'b0, message_id, token_id};

    wire [31:0] fed = {{(29-W){1'b0}}, s_token_status, s_token_data};
    wire [31:0] signature_next = {signature[30:0], 1'b0} ^ (signature[31] ? POLYNOMIAL : 32'd0) ^ fed;

    always @(posedge clk) begin
        if (take)
            after_return <= rx_data == 8'd13;
        case (state)
            TEST:
                if (m_token_ready)
                    state <= CHECK;
            CHECK:
                if (s_token_valid) begin
                    signature <= signature_next;
                    message   <= EXPECTED;
                    if (!more)
                        state <= EXPECT;
                end
            EXPECT:
                state <= JUDGE; // the decoder is idle
            JUDGE:
                if (d_valid)
                    expected <= {expected[27:0], d_data[3:0]};
                else if (d_ready) begin
                    passed  <= expected == signature;
                    message <= expected == signature ? SAY_PASSED : SAY_FAILED;
                    state   <= SAY;
                end
            SAY:
                if (d_ready)
                    state <= DONE;
            DONE: // the decoder is ready again when its last byte has gone
                if (d_ready) begin
                    message <= SAY_PROMPT;
                    state   <= message == SAY_PROMPT ? LISTEN : SAY;
                    if (!passed) begin
                        message <= message;
                        state   <= DEAD;
                    end
                end
            LISTEN:
                if (take) begin
                    answer   <= {16'd0, printable && room ? rx_data : 8'd7};
                    n_answer <= 2'd1;
                    if (printable) begin
                        n     <= room ? n + 1'b1 : n;
                        state <= ECHO;
                    end else if (enter) begin
                        at       <= 0;
                        loaded   <= 1'b0;
                        only_bos <= n == 0;
                        ending   <= 1'b0;
                        stop     <= 1'b0;
                        state    <= PASS;
                    end else if (rubout && n != 0) begin
                        at    <= n - 1'b1;
                        state <= RUB;
                    end
                end
            RUB:
                state <= RUBBED;
            RUBBED: begin // all bytes of the character
                n        <= at;
                at       <= at - 1'b1;
                answer   <= {8'd8, 8'd32, 8'd8};
                n_answer <= 2'd3;
                state    <= line_q[7:6] == 2'b10 && at != 0 ? RUB : ECHO;
            end
            ECHO:
                if (tx_ready) begin
                    answer   <= answer >> 8;
                    n_answer <= n_answer - 2'd1;
                    if (n_answer == 2'd1)
                        state <= LISTEN;
                end
            PASS: begin
                loaded <= 1'b1;
                if (e_offer && e_ready) begin
                    at     <= at + 1'b1;
                    loaded <= 1'b0;
                    if (line_done) begin
                        n     <= 0;
                        state <= TELL;
                    end
                end
            end
            TELL: begin
                if (take && rx_data == 8'd3)
                    stop <= 1'b1;
                if (s_token_valid && s_token_ready) begin
                    only_bos <= 1'b0;
                    ending   <= ending || ends;
                    if (!more) begin
                        // told to end because the text ended: as if the chip had stopped by itself
                        message <= {1'b0, ending && s_token_status == ABORTED ? 3'd1 : s_token_status};
                        state   <= SAY;
                    end
                end
            end
            default: ; // DEAD
        endcase
        if (rst) begin
            state        <= TEST;
            message      <= 4'd0;
            passed       <= 1'b0;
            signature    <= 32'd0;
            expected     <= 32'd0;
            n            <= 0;
            after_return <= 1'b0;
        end
    end
endmodule

`default_nettype wire
