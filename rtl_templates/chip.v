// SPDX-License-Identifier: Apache-2.0
// Token ids in, token ids out: the generation loop around one engine, in hardware.
//
// A prompt is a run of tokens ending with s_token_last. Then the chip samples (greedy) and feeds
// back until the stop token, the limit, or the end of the context; m_token_status says which:
//     0 more follow   1 this is the stop token   2 limit reached   3 error: context full, no token
// A status other than 0 ends the sequence; the next prompt starts at position 0. A prompt longer
// than the context is taken in whole and answered with status 3.
//
// s_token_data is below the model's vocabulary, cfg_stop_token any number: where a vocabulary fills TOKEN_W
// bits there is none that stops nothing. rst is synchronous and active high, here and everywhere.
`default_nettype none

module chip #(
    parameter ROWS = 32,
    parameter COLS = 8,
    parameter CODE_W = 4,
    parameter LANE = 0,
    parameter VEC = 8,
    parameter ATT_POS = 16,
    parameter HEAD_DIM = 8,
    parameter ACT_W = 8,
    parameter KV_W = 8,
    parameter RES_W = 20,
    parameter SUB_NORM = 0,
    parameter ACC_W = 27,
    parameter CTX = 512,
    parameter MAX_DIM = 64,
    parameter MAX_Q_DIM = 64,
    parameter MAX_HIDDEN = 176,
    parameter MAX_KV_DIM = 32,
    parameter KV_ROWS = 20,
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

    input  wire [TOKEN_W-1:0] cfg_stop_token, // stable while a sequence runs
    input  wire [15:0]        cfg_max_tokens, // 0: no limit

    output wire               m_token_valid,
    input  wire               m_token_ready,
    output reg  [TOKEN_W-1:0] m_token_data,
    output reg  [1:0]         m_token_status
);
    localparam POS_W = $clog2(CTX);
    localparam [2:0] PROMPT = 3'd0, START = 3'd1, RUN = 3'd2, SEND = 3'd3, DROP = 3'd4;
    localparam [1:0] MORE = 2'd0, STOP = 2'd1, LIMIT = 2'd2, FULL = 2'd3;

    reg [2:0]         state;
    reg [TOKEN_W-1:0] token;
    reg               sample;
    reg [POS_W:0]     pos;      // of the next token
    reg [20:0]        limit;    // positions the model has
    reg [15:0]        count;    // tokens sent

    wire               done;
    wire [TOKEN_W-1:0] next_token;
    wire [19:0]        seq_len;
    wire               unused_ready;
    wire               full = {{(20-POS_W){1'b0}}, pos} >= limit;

    assign s_token_ready = state == PROMPT || state == DROP;
    assign m_token_valid = state == SEND;
    wire take = s_token_valid && s_token_ready;
    wire sent = m_token_valid && m_token_ready;

    engine #(
        .ROWS(ROWS), .COLS(COLS), .CODE_W(CODE_W), .LANE(LANE), .VEC(VEC), .ATT_POS(ATT_POS),
        .HEAD_DIM(HEAD_DIM), .ACT_W(ACT_W), .KV_W(KV_W), .RES_W(RES_W), .SUB_NORM(SUB_NORM),
        .ACC_W(ACC_W), .CTX(CTX), .MAX_DIM(MAX_DIM), .MAX_Q_DIM(MAX_Q_DIM), .MAX_HIDDEN(MAX_HIDDEN),
        .MAX_KV_DIM(MAX_KV_DIM), .KV_ROWS(KV_ROWS), .ROPE_HI_W(ROPE_HI_W),
        .ROPE_LO_W(ROPE_LO_W), .WEIGHT_ADDR_W(WEIGHT_ADDR_W), .SCALE_ADDR_W(SCALE_ADDR_W),
        .GAIN_ADDR_W(GAIN_ADDR_W), .LEVEL_ADDR_W(LEVEL_ADDR_W), .PROG_ADDR_W(PROG_ADDR_W),
        .TOKEN_W(TOKEN_W)
    ) u_engine (
        .clk(clk), .rst(rst), .start(state == START), .token(token), .pos(pos[POS_W-1:0]),
        .sample(sample), .done(done), .next_token(next_token), .seq_len(seq_len),
        .s_vec_valid(1'b0), .s_vec_ready(unused_ready), .s_vec_data({VEC*24{1'b0}})
    );


    always @(posedge clk) begin
        case (state)
            PROMPT:
                if (take) begin
                    token  <= s_token_data;
                    sample <= s_token_last;
                    count  <= 16'd0;
                    state  <= START;
                    if (full) begin
                        m_token_data   <= {TOKEN_W{1'b0}};
                        m_token_status <= FULL;
                        state <= s_token_last ? SEND : DROP;
                    end
                end
            START:
                state <= RUN;
            RUN:
                if (done) begin
                    limit <= {1'b0, seq_len};
                    pos   <= pos + 1'b1;
                    count <= count + 16'd1;
                    m_token_data   <= next_token;
                    m_token_status <= next_token == cfg_stop_token ? STOP
                                    : cfg_max_tokens != 16'd0 && count + 16'd1 == cfg_max_tokens
                                    ? LIMIT : MORE;
                    if (sample)
                        state <= SEND;
                    else begin
                        count <= 16'd0;
                        state <= PROMPT;
                    end
                end
            SEND:
                if (sent) begin
                    token <= m_token_data;
                    state <= START;
                    if (m_token_status != MORE) begin
                        pos   <= {(POS_W+1){1'b0}};
                        state <= PROMPT;
                    end else if (full) begin
                        m_token_data   <= {TOKEN_W{1'b0}};
                        m_token_status <= FULL;
                        state <= SEND;
                    end
                end
            default: // DROP
                if (take && s_token_last)
                    state <= SEND;
        endcase
        if (rst) begin
            state <= PROMPT;
            pos   <= {(POS_W+1){1'b0}};
            limit <= CTX[20:0];
        end
    end
endmodule

`default_nettype wire
