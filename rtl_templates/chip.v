// SPDX-License-Identifier: Apache-2.0
// Token ids in, token ids out: the generation loop around one engine, in hardware.
//
// A prompt is a run of tokens ending with s_token_last. Then the chip samples (greedy) and feeds
// back until a status other than MORE, which ends the sequence (m_token_last):
//     0 MORE      others follow
//     1 STOP      this is cfg_stop_token, and cfg_stop_enable is 1
//     2 LIMIT     this is the last of cfg_max_tokens (0: no limit)
//     3 FULL      no token: the context is full
//     4 TOO_LONG  no token: the prompt does not fit the context; it was taken in whole
//     5 BAD       no token: one of the prompt is none of the vocabulary; the rest was taken in
//     6 ABORTED   no token: s_abort came
// The three settings are those at a prompt's first token.
//
// s_token_first marks a prompt's first token. In the middle of a prompt it drops what came before, so
// that two prompts are never glued; after a sequence has ended the next token is the first, marked or
// not. With s_token_keep the prompt goes on where the last sequence ended, its history still in the KV
// cache; otherwise it begins at position 0. The last token sent has not been fed back: where it
// belongs to the text, the next prompt begins with it.
//
// s_abort, for a clock or longer, ends a sequence that has begun: at once between tokens, else when
// the engine is done. An answer that is offered already stays until it is taken. What follows of a
// prompt that was cut is dropped, up to its last token or a marked first one.
//
// With SELFTEST, s_selftest for a clock or longer asks for a self-test: it begins when no sequence is under
// way, and takes no token until it has ended. Its result, selftest_crc, is there while selftest_done is 1.
`default_nettype none

module chip #(
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
    parameter SLOTS_W = 4,
    parameter ROPE_HI_W = 4,
    parameter ROPE_LO_W = 5,
    parameter WEIGHT_ADDR_W = 12,
    parameter SCALE_ADDR_W = 10,
    parameter GAIN_ADDR_W = 7,
    parameter LEVEL_ADDR_W = 6,
    parameter PROG_ADDR_W = 6,
    parameter TOKEN_W = 9
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               s_token_valid,
    output wire               s_token_ready,
    input  wire [TOKEN_W-1:0] s_token_data,
    input  wire               s_token_last,
    input  wire               s_token_first,
    input  wire               s_token_keep,    // with a first token

    input  wire               s_abort,
    input  wire [TOKEN_W-1:0] cfg_stop_token,
    input  wire               cfg_stop_enable,
    input  wire [15:0]        cfg_max_tokens,

    output wire               m_token_valid,
    input  wire               m_token_ready,
    output reg  [TOKEN_W-1:0] m_token_data,
    output reg  [2:0]         m_token_status,
    output wire               m_token_last,

    output wire               busy,            // a sequence has begun and not ended
    output wire [$clog2(CTX):0] position,      // of the next token

    input  wire               s_selftest,
    output wire               selftest_done,
    output wire [31:0]        selftest_crc
);
    localparam POS_W = $clog2(CTX);
    localparam [2:0] PROMPT = 3'd0, START = 3'd1, RUN = 3'd2, SEND = 3'd3,
                     DROP = 3'd4, // the rest of a prompt that is answered by TOO_LONG or BAD
                     SKIP = 3'd5; // the rest of a prompt that was aborted
    localparam [2:0] MORE = 3'd0, STOP = 3'd1, LIMIT = 3'd2, FULL = 3'd3, TOO_LONG = 3'd4,
                     BAD = 3'd5, ABORTED = 3'd6;

    reg [2:0]         state;
    reg               begun;    // a sequence
    reg               aborting; // it ends when the engine, or the answer on offer, is done
    reg               cut;      // its prompt was aborted before the last token
    reg [TOKEN_W-1:0] token;
    reg               sample;
    reg [POS_W:0]     pos;      // of the next token
    reg [POS_W:0]     kept;     // where the last sequence ended
    reg               full, kept_full; // the model has no such position; at first it has all, and one at least
    reg [15:0]        count;    // tokens sent
    reg [TOKEN_W-1:0] stop_token;
    reg               stop_enable;
    reg [15:0]        max_tokens;

    wire               done, refused; // refused: with done, the token is none of the vocabulary
    wire [TOKEN_W-1:0] next_token;
    wire [19:0]        seq_len, ring;
    wire [POS_W-1:0]   ring_pos; // of the next token, in the ring of a layer with a window
    wire               unused_ready;
    wire               test, hold; // a self-test begins; it is due, or runs: no token is taken
    wire               testing, tested;

    assign s_token_ready = (state == PROMPT || state == DROP || state == SKIP) && !hold;
    assign m_token_valid = state == SEND;
    assign m_token_last  = m_token_status != MORE;
    assign busy          = begun;
    assign position      = pos;
    wire take  = s_token_valid && s_token_ready;
    wire sent  = m_token_valid && m_token_ready;
    wire first = s_token_first || (state == PROMPT && !begun);
    wire [POS_W:0] take_pos = !first ? pos : s_token_keep ? kept : {(POS_W+1){1'b0}};
    wire no_room = first ? s_token_keep && kept_full : full; // at take_pos
    wire [20:0] pos_next = {{(20-POS_W){1'b0}}, pos} + 21'd1;
    wire stopping = s_abort || aborting;
    wire [15:0] count_next = count + 16'd1;

    engine #(
        .ROWS(ROWS), .COLS(COLS), .CODE_W(CODE_W), .LANE(LANE), .TILE(TILE), .VEC(VEC), .ATT_POS(ATT_POS),
        .HEAD_DIM(HEAD_DIM), .ACT_W(ACT_W), .KV_W(KV_W), .RES_W(RES_W), .SUB_NORM(SUB_NORM),
        .QKV_BIAS(QKV_BIAS), .QK_NORM(QK_NORM), .WINDOW(WINDOW), .SELFTEST(SELFTEST),
        .ACC_W(ACC_W), .CTX(CTX), .KV_CTX(KV_CTX), .MAX_DIM(MAX_DIM), .MAX_Q_DIM(MAX_Q_DIM), .MAX_HIDDEN(MAX_HIDDEN),
        .MAX_KV_DIM(MAX_KV_DIM), .KV_ROWS(KV_ROWS), .SLOTS_W(SLOTS_W), .ROPE_HI_W(ROPE_HI_W),
        .ROPE_LO_W(ROPE_LO_W), .WEIGHT_ADDR_W(WEIGHT_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W),
        .GAIN_ADDR_W(GAIN_ADDR_W), .LEVEL_ADDR_W(LEVEL_ADDR_W), .PROG_ADDR_W(PROG_ADDR_W),
        .TOKEN_W(TOKEN_W)
    ) u_engine (
        .clk(clk), .rst(rst), .start(state == START), .token(token), .pos(pos[POS_W-1:0]),
        .ring_pos(ring_pos), .sample(sample), .done(done), .refused(refused), .next_token(next_token),
        .seq_len(seq_len), .ring(ring),
        .s_vec_valid(1'b0), .s_vec_ready(unused_ready), .s_vec_data({VEC*24{1'b0}}),
        .test(test), .testing(testing), .tested(tested), .test_crc(selftest_crc)
    );

    wire due; // a self-test is asked for
    generate
        if (SELFTEST != 0) begin : g_selftest
            reg asked;
            assign due  = asked;
            assign hold = testing || (due && !begun);
            assign test = due && !begun && !testing;
            assign selftest_done = tested && !due;
            always @(posedge clk) begin
                asked <= s_selftest || (due && !test);
                if (rst)
                    asked <= 1'b0;
            end
        end else begin : g_no_selftest
            assign {due, hold, test, selftest_done} = 4'd0;
            wire unused_test = &{1'b0, due, s_selftest, testing, tested};
        end
    endgenerate

    // pos modulo `ring`, kept beside pos
    generate
        if (WINDOW != 0) begin : g_window
            reg [POS_W-1:0] at, at_kept;
            wire [19:0] after = {{(20-POS_W){1'b0}}, at} + 20'd1;
            assign ring_pos = at;
            always @(posedge clk) begin
                if (state == RUN && done && !refused)
                    at <= after == ring ? {POS_W{1'b0}} : after[POS_W-1:0];
                if (sent && m_token_last)
                    at_kept <= at;
                if (take && first)
                    at <= s_token_keep ? at_kept : {POS_W{1'b0}};
                if (rst)
                    {at, at_kept} <= {(2*POS_W){1'b0}};
            end
            wire unused_after = &{1'b0, after};
        end else begin : g_no_window
            assign ring_pos = pos[POS_W-1:0];
            wire unused_ring = &{1'b0, ring};
        end
    endgenerate

    always @(posedge clk) begin
        if (s_abort && begun)
            aborting <= 1'b1;
        case (state)
            START:
                state <= RUN;
            RUN:
                if (done) begin
                    m_token_data <= {TOKEN_W{1'b0}};
                    state        <= SEND;
                    if (!refused) begin
                        pos   <= pos_next[POS_W:0];
                        full  <= pos_next >= {1'b0, seq_len};
                    end
                    if (stopping) begin
                        m_token_status <= ABORTED;
                        cut            <= !sample;
                    end else if (refused) begin
                        m_token_status <= BAD;
                        if (!sample)
                            state <= DROP;
                    end else if (!sample)
                        state <= PROMPT;
                    else begin
                        m_token_data   <= next_token;
                        m_token_status <= stop_enable && next_token == stop_token ? STOP
                                        : max_tokens != 16'd0 && count_next == max_tokens ? LIMIT
                                        : MORE;
                        count          <= count_next;
                    end
                end
            SEND:
                if (sent) begin
                    token <= m_token_data;
                    if (m_token_last) begin
                        kept      <= pos;
                        kept_full <= full;
                        begun     <= 1'b0;
                        aborting  <= 1'b0;
                        state     <= cut ? SKIP : PROMPT;
                    end else if (stopping || full) begin
                        m_token_data   <= {TOKEN_W{1'b0}};
                        m_token_status <= stopping ? ABORTED : FULL;
                    end else
                        state <= START;
                end
            default: // PROMPT, DROP, SKIP
                if (take && (state == PROMPT || first)) begin
                    begun  <= 1'b1;
                    token  <= s_token_data;
                    sample <= s_token_last;
                    pos    <= take_pos;
                    full   <= no_room;
                    count  <= 16'd0;
                    cut    <= 1'b0;
                    state  <= START;
                    if (first) begin
                        aborting    <= 1'b0;
                        stop_token  <= cfg_stop_token;
                        stop_enable <= cfg_stop_enable;
                        max_tokens  <= cfg_max_tokens;
                    end
                    if (no_room) begin
                        m_token_data   <= {TOKEN_W{1'b0}};
                        m_token_status <= TOO_LONG;
                        state <= s_token_last ? SEND : DROP;
                    end
                end else if (take && s_token_last)
                    state <= state == DROP ? SEND : PROMPT;
                else if (stopping && begun) begin
                    m_token_data   <= {TOKEN_W{1'b0}};
                    m_token_status <= ABORTED;
                    cut            <= 1'b1;
                    state          <= SEND;
                end
        endcase
        if (rst) begin
            state <= PROMPT;
            {begun, aborting, cut, full, kept_full} <= 5'd0;
            pos   <= {(POS_W+1){1'b0}};
            kept  <= {(POS_W+1){1'b0}};
        end
    end
endmodule

`default_nettype wire
