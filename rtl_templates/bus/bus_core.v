// SPDX-License-Identifier: Apache-2.0
// The chip with registers, counters and an interrupt, for any bus. Tokens come and go in whole bytes; an id
// that has more bits than the chip's ids is answered by BAD, never cut: the sequence it is part of is aborted,
// and its ABORTED is told as BAD. The first token after a last one is marked first. Where tokens come and go by
// registers, queues of DEPTH tokens stand between put, got and the stream; CONTROL.start and CONTROL.keep, as they
// are when a token is put, travel with it.
`include "geometry.vh"
`include "bus.vh"
`default_nettype none

module bus_core #(
    parameter ID_W  = 8,
    parameter BYTES = `HW_TOKEN_BYTES,
    parameter [7:0] DEPTH = 8'd0 // tokens that TOKEN_IN and TOKEN_OUT hold; 0: there are none
) (
    input  wire                        clk,
    input  wire                        rst,

    input  wire                        write,
    input  wire [7:0]                  write_addr,
    input  wire [31:0]                 write_data,
    input  wire [3:0]                  write_strb,
    output wire                        write_ok,
    input  wire                        read,
    input  wire [7:0]                  read_addr,
    output wire [31:0]                 read_data,
    output wire                        read_ok,
    output wire                        irq,

    output wire                        put,      // TOKEN_IN is written
    input  wire                        put_ready,
    output wire [23:0]                 put_id,
    output wire                        put_last,
    output wire                        put_first,
    output wire                        put_keep,
    input  wire                        got_valid, // what TOKEN_OUT holds
    input  wire [23:0]                 got_id,
    input  wire [2:0]                  got_status,
    input  wire                        got_last,
    output wire                        taken,    // TOKEN_OUT is read

    input  wire                        s_valid,
    output wire                        s_ready,
    input  wire [8*BYTES-1:0]          s_data,
    input  wire                        s_last,
    input  wire                        s_first,  // whatever came before
    input  wire                        s_keep,
    input  wire [ID_W-1:0]             s_id,     // of a prompt, at its first token

    output wire                        m_valid,
    input  wire                        m_ready,
    output wire [8*BYTES-1:0]          m_data,
    output wire [2:0]                  m_status,
    output wire                        m_last,
    output wire [ID_W-1:0]             m_id      // of the prompt that is answered
);
    localparam [2:0] BAD = 3'd5, ABORTED = 3'd6, FULL = 3'd3;
    localparam PAD = 8 * BYTES - `HW_TOKEN_W;
    localparam [255:0] HASH = `HW_PERSONALITY;
    localparam [2:0]  TOKEN_BYTES = BYTES;
    localparam [0:0]  QUEUED = DEPTH != 8'd0, SELFTEST = `HW_SELFTEST != 0;
    localparam [19:0] VOCAB = `HW_VOCAB;
    localparam [20:0] POSITIONS = `HW_POSITIONS, DIM = `HW_DIM;
    localparam [15:0] ROWS = `HW_ROWS, COLS = `HW_COLS;
    localparam [10:0] LAYERS = `HW_LAYERS;

    reg             first;  // the next token is a prompt's first
    reg             marked; // the next token that is put is
    reg             wide;   // a token of this sequence has more bits than an id
    reg [ID_W-1:0]  id;
    reg [2:0]       status; // of the last answer
    reg [63:0]      cycles;
    reg [31:0]      cycles_high, tokens_in, tokens_out, stalls;

    wire            stop_enable, keep, start, abort, clear;
    wire [19:0]     stop_id;
    wire [15:0]     most;
    wire            busy, irq_token, irq_done, irq_error, irq_lost, on_token, on_done, on_error, on_lost;
    wire [2:0]      chip_status;
    wire [`HW_TOKEN_W-1:0] chip_data;
    wire [$clog2(`HW_CTX):0] position;
    wire            cycles_taken, test, tested; // a self-test is asked for; has ended
    wire [31:0]     test_crc;
    wire take = s_valid && s_ready;
    wire sent = m_valid && m_ready;
    wire start_now = start && !QUEUED;
    wire is_first  = first || s_first || start_now;
    wire too_wide;

    generate
        if (PAD > 0) begin : g_pad
            assign too_wide = |s_data[8*BYTES-1:`HW_TOKEN_W];
            assign m_data   = {{PAD{1'b0}}, chip_data};
        end else begin : g_no_pad
            assign too_wide = 1'b0;
            assign m_data   = chip_data;
        end
    endgenerate
    assign m_status = wide && chip_status == ABORTED ? BAD : chip_status;
    assign m_id     = id;
    assign put_first = marked || start;
    assign put_keep  = keep;
    assign irq = (irq_token && on_token) || (irq_done && on_done) || (irq_error && on_error)
              || (irq_lost && on_lost);

    chip_top u_chip (
        .clk(clk), .rst(rst), .s_token_valid(s_valid), .s_token_ready(s_ready),
        .s_token_data(s_data[`HW_TOKEN_W-1:0]), .s_token_last(s_last), .s_token_first(is_first),
        .s_token_keep(s_keep || (keep && !QUEUED)), .s_abort(abort || wide),
        .cfg_stop_token(stop_id[`HW_TOKEN_W-1:0]),
        .cfg_stop_enable(stop_enable && stop_id < VOCAB), .cfg_max_tokens(most),
        .m_token_valid(m_valid), .m_token_ready(m_ready), .m_token_data(chip_data),
        .m_token_status(chip_status), .m_token_last(m_last), .busy(busy), .position(position),
        .s_selftest(test), .selftest_done(tested), .selftest_crc(test_crc)
    );

    bus_registers u_registers (
        .clk(clk), .rst(rst), .write(write), .write_addr(write_addr), .write_data(write_data),
        .write_strb(write_strb), .write_ok(write_ok), .read(read), .read_addr(read_addr),
        .read_data(read_data), .read_ok(read_ok),
        .features_token_registers(QUEUED), .features_selftest(SELFTEST), .features_token_bytes(TOKEN_BYTES),
        .features_depth(DEPTH), .vocab_size(VOCAB), .context_positions(POSITIONS),
        .lanes_rows(ROWS), .lanes_cols(COLS), .model_dim(DIM),
        .model_layers(LAYERS),
        .personality_0_hash(HASH[31:0]), .personality_1_hash(HASH[63:32]),
        .personality_2_hash(HASH[95:64]), .personality_3_hash(HASH[127:96]),
        .personality_4_hash(HASH[159:128]), .personality_5_hash(HASH[191:160]),
        .personality_6_hash(HASH[223:192]), .personality_7_hash(HASH[255:224]),
        .control_stop_enable(stop_enable), .control_keep(keep), .control_start(start),
        .control_abort(abort), .control_clear(clear), .stop_token_id(stop_id),
        .max_tokens_count(most), .status_busy(busy), .status_room(put_ready),
        .status_available(got_valid), .status_last(status), .position_next({{(20-$clog2(`HW_CTX)){1'b0}}, position}),
        .token_in_id(put_id), .token_in_last(put_last), .token_in_written(put),
        .token_out_id(got_id & {24{got_valid}}), .token_out_status(got_status & {3{got_valid}}),
        .token_out_last(got_last && got_valid), .token_out_valid(got_valid), .token_out_taken(taken),
        .cycles_low(cycles[31:0]), .cycles_taken(cycles_taken), .cycles_high_high(cycles_high),
        .tokens_in_count(tokens_in), .tokens_out_count(tokens_out), .stalls_count(stalls),
        .interrupt_token_set(sent && (m_status < FULL)), .interrupt_token(irq_token),
        .interrupt_done_set(sent && m_last), .interrupt_done(irq_done),
        .interrupt_error_set(sent && m_status >= FULL), .interrupt_error(irq_error),
        .interrupt_lost_set(put && !put_ready), .interrupt_lost(irq_lost),
        .interrupt_enable_token(on_token), .interrupt_enable_done(on_done),
        .interrupt_enable_error(on_error), .interrupt_enable_lost(on_lost),
        .selftest_start(test), .selftest_done(tested), .selftest_crc_crc(test_crc & {32{tested}})
    );

    always @(posedge clk) begin
        if (take)
            first <= s_last;
        else if (start_now)
            first <= 1'b1;
        if (put && put_ready)
            marked <= 1'b0;
        else if (start)
            marked <= 1'b1;
        if (take && is_first)
            id <= s_id;
        if (sent && m_last)
            wide <= 1'b0;
        if (take && is_first)
            wide <= too_wide;
        else if (take && busy && too_wide)
            wide <= 1'b1;
        if (sent)
            status <= m_status;
        cycles     <= cycles + {63'd0, busy};
        tokens_in  <= tokens_in + {31'd0, take};
        tokens_out <= tokens_out + {31'd0, sent};
        stalls     <= stalls + {31'd0, m_valid && !m_ready};
        if (cycles_taken)
            cycles_high <= cycles[63:32];
        if (rst || clear)
            {cycles, cycles_high, tokens_in, tokens_out, stalls} <= 192'd0;
        if (rst) begin
            first  <= 1'b1;
            marked <= 1'b0;
            wide   <= 1'b0;
            id     <= {ID_W{1'b0}};
            status <= 3'd0;
        end
    end
    wire unused_bits = &{1'b0, stop_id};
endmodule

`default_nettype wire
