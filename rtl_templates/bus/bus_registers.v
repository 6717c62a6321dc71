// SPDX-License-Identifier: Apache-2.0
// Made from rtl_templates/bus/hardwire.rdl by gen/bus/make_registers.py; change the table, not this.
//
// The registers of a chip on a bus. A write takes one clock, with a strobe a byte. A read is asked for in
// one clock; its word is there from the next on, until another read. *_ok says whether a register has that
// address, in the clock of the request. *_taken and *_written are high in the clock of the request too.
`default_nettype none

module bus_registers (
    input  wire         clk,
    input  wire         rst,

    input  wire         write,
    input  wire [7:0]   write_addr, // of a byte; the word that holds it
    input  wire [31:0]  write_data,
    input  wire [3:0]   write_strb,
    output wire         write_ok,

    input  wire         read,
    input  wire [7:0]   read_addr,
    output reg  [31:0]  read_data,
    output wire         read_ok,

    input  wire         features_token_registers,
    input  wire         features_selftest,
    input  wire [2:0]   features_token_bytes,
    input  wire [7:0]   features_depth,
    input  wire [19:0]  vocab_size,
    input  wire [20:0]  context_positions,
    input  wire [15:0]  lanes_rows,
    input  wire [15:0]  lanes_cols,
    input  wire [20:0]  model_dim,
    input  wire [10:0]  model_layers,
    input  wire [31:0]  personality_0_hash,
    input  wire [31:0]  personality_1_hash,
    input  wire [31:0]  personality_2_hash,
    input  wire [31:0]  personality_3_hash,
    input  wire [31:0]  personality_4_hash,
    input  wire [31:0]  personality_5_hash,
    input  wire [31:0]  personality_6_hash,
    input  wire [31:0]  personality_7_hash,
    output reg          control_stop_enable,
    output reg          control_keep,
    output reg          control_start,
    output reg          control_abort,
    output reg          control_clear,
    output reg  [19:0]  stop_token_id,
    output reg  [15:0]  max_tokens_count,
    input  wire         status_busy,
    input  wire         status_room,
    input  wire         status_available,
    input  wire [2:0]   status_last,
    input  wire [20:0]  position_next,
    output wire [23:0]  token_in_id,
    output wire         token_in_last,
    output wire         token_in_written,
    input  wire [23:0]  token_out_id,
    input  wire [2:0]   token_out_status,
    input  wire         token_out_last,
    input  wire         token_out_valid,
    output wire         token_out_taken,
    input  wire [31:0]  cycles_low,
    output wire         cycles_taken,
    input  wire [31:0]  cycles_high_high,
    input  wire [31:0]  tokens_in_count,
    input  wire [31:0]  tokens_out_count,
    input  wire [31:0]  stalls_count,
    input  wire         interrupt_token_set,
    output reg          interrupt_token,
    input  wire         interrupt_done_set,
    output reg          interrupt_done,
    input  wire         interrupt_error_set,
    output reg          interrupt_error,
    input  wire         interrupt_lost_set,
    output reg          interrupt_lost,
    output reg          interrupt_enable_token,
    output reg          interrupt_enable_done,
    output reg          interrupt_enable_error,
    output reg          interrupt_enable_lost,
    input  wire         selftest_done,
    output reg          selftest_start,
    input  wire [31:0]  selftest_crc_crc
);
    localparam [5:0] ID               = 6'h00;
    localparam [5:0] VERSION          = 6'h01;
    localparam [5:0] FEATURES         = 6'h02;
    localparam [5:0] VOCAB            = 6'h03;
    localparam [5:0] CONTEXT          = 6'h04;
    localparam [5:0] LANES            = 6'h05;
    localparam [5:0] MODEL            = 6'h06;
    localparam [5:0] PERSONALITY_0    = 6'h08;
    localparam [5:0] PERSONALITY_1    = 6'h09;
    localparam [5:0] PERSONALITY_2    = 6'h0a;
    localparam [5:0] PERSONALITY_3    = 6'h0b;
    localparam [5:0] PERSONALITY_4    = 6'h0c;
    localparam [5:0] PERSONALITY_5    = 6'h0d;
    localparam [5:0] PERSONALITY_6    = 6'h0e;
    localparam [5:0] PERSONALITY_7    = 6'h0f;
    localparam [5:0] CONTROL          = 6'h10;
    localparam [5:0] STOP_TOKEN       = 6'h11;
    localparam [5:0] MAX_TOKENS       = 6'h12;
    localparam [5:0] STATUS           = 6'h13;
    localparam [5:0] POSITION         = 6'h14;
    localparam [5:0] TOKEN_IN         = 6'h15;
    localparam [5:0] TOKEN_OUT        = 6'h16;
    localparam [5:0] CYCLES           = 6'h18;
    localparam [5:0] CYCLES_HIGH      = 6'h19;
    localparam [5:0] TOKENS_IN        = 6'h1a;
    localparam [5:0] TOKENS_OUT       = 6'h1b;
    localparam [5:0] STALLS           = 6'h1c;
    localparam [5:0] INTERRUPT        = 6'h20;
    localparam [5:0] INTERRUPT_ENABLE = 6'h21;
    localparam [5:0] SELFTEST         = 6'h24;
    localparam [5:0] SELFTEST_CRC     = 6'h25;

    function known(input [5:0] word);
        case (word)
            ID, VERSION, FEATURES, VOCAB, CONTEXT, LANES,
            MODEL, PERSONALITY_0, PERSONALITY_1, PERSONALITY_2, PERSONALITY_3, PERSONALITY_4,
            PERSONALITY_5, PERSONALITY_6, PERSONALITY_7, CONTROL, STOP_TOKEN, MAX_TOKENS,
            STATUS, POSITION, TOKEN_IN, TOKEN_OUT, CYCLES, CYCLES_HIGH,
            TOKENS_IN, TOKENS_OUT, STALLS, INTERRUPT, INTERRUPT_ENABLE, SELFTEST,
            SELFTEST_CRC:
                known = 1'b1;
            default:
                known = 1'b0;
        endcase
    endfunction

    wire [5:0] write_word = write_addr[7:2];
    wire [5:0] read_word  = read_addr[7:2];
    assign write_ok = known(write_word);
    assign read_ok  = known(read_word);

    assign token_in_id = write_data[23:0];
    assign token_in_last = write_data[31];
    assign token_in_written = write && write_word == TOKEN_IN && &write_strb;
    assign token_out_taken = read && read_word == TOKEN_OUT;
    assign cycles_taken = read && read_word == CYCLES;

    always @(posedge clk)
        if (read)
            case (read_word)
                ID:
                    read_data <= 32'h52495748;
                VERSION:
                    read_data <= {16'd0, 8'h1, 8'h1};
                FEATURES:
                    read_data <= {8'd0, features_depth, 5'd0, features_token_bytes, 6'd0, features_selftest, features_token_registers};
                VOCAB:
                    read_data <= {12'd0, vocab_size};
                CONTEXT:
                    read_data <= {11'd0, context_positions};
                LANES:
                    read_data <= {lanes_cols, lanes_rows};
                MODEL:
                    read_data <= {model_layers, model_dim};
                PERSONALITY_0:
                    read_data <= personality_0_hash;
                PERSONALITY_1:
                    read_data <= personality_1_hash;
                PERSONALITY_2:
                    read_data <= personality_2_hash;
                PERSONALITY_3:
                    read_data <= personality_3_hash;
                PERSONALITY_4:
                    read_data <= personality_4_hash;
                PERSONALITY_5:
                    read_data <= personality_5_hash;
                PERSONALITY_6:
                    read_data <= personality_6_hash;
                PERSONALITY_7:
                    read_data <= personality_7_hash;
                CONTROL:
                    read_data <= {21'd0, 1'd0, 1'd0, 1'd0, 6'd0, control_keep, control_stop_enable};
                STOP_TOKEN:
                    read_data <= {12'd0, stop_token_id};
                MAX_TOKENS:
                    read_data <= {16'd0, max_tokens_count};
                STATUS:
                    read_data <= {25'd0, status_last, 1'd0, status_available, status_room, status_busy};
                POSITION:
                    read_data <= {11'd0, position_next};
                TOKEN_OUT:
                    read_data <= {token_out_valid, token_out_last, 3'd0, token_out_status, token_out_id};
                CYCLES:
                    read_data <= cycles_low;
                CYCLES_HIGH:
                    read_data <= cycles_high_high;
                TOKENS_IN:
                    read_data <= tokens_in_count;
                TOKENS_OUT:
                    read_data <= tokens_out_count;
                STALLS:
                    read_data <= stalls_count;
                INTERRUPT:
                    read_data <= {28'd0, interrupt_lost, interrupt_error, interrupt_done, interrupt_token};
                INTERRUPT_ENABLE:
                    read_data <= {28'd0, interrupt_enable_lost, interrupt_enable_error, interrupt_enable_done, interrupt_enable_token};
                SELFTEST:
                    read_data <= {23'd0, 1'd0, 7'd0, selftest_done};
                SELFTEST_CRC:
                    read_data <= selftest_crc_crc;
                default:
                    read_data <= 32'd0;
            endcase

    always @(posedge clk) begin
        control_start <= 1'b0;
        control_abort <= 1'b0;
        control_clear <= 1'b0;
        selftest_start <= 1'b0;
        if (write && write_word == CONTROL) begin
            if (write_strb[0])
                control_stop_enable <= write_data[0];
            if (write_strb[0])
                control_keep <= write_data[1];
            if (write_strb[1])
                control_start <= write_data[8];
            if (write_strb[1])
                control_abort <= write_data[9];
            if (write_strb[1])
                control_clear <= write_data[10];
        end
        if (write && write_word == STOP_TOKEN) begin
            if (write_strb[0] && write_strb[1] && write_strb[2])
                stop_token_id <= write_data[19:0];
        end
        if (write && write_word == MAX_TOKENS) begin
            if (write_strb[0] && write_strb[1])
                max_tokens_count <= write_data[15:0];
        end
        if (write && write_word == INTERRUPT) begin
            if (write_strb[0] && write_data[0])
                interrupt_token <= 1'b0;
            if (write_strb[0] && write_data[1])
                interrupt_done <= 1'b0;
            if (write_strb[0] && write_data[2])
                interrupt_error <= 1'b0;
            if (write_strb[0] && write_data[3])
                interrupt_lost <= 1'b0;
        end
        if (write && write_word == INTERRUPT_ENABLE) begin
            if (write_strb[0])
                interrupt_enable_token <= write_data[0];
            if (write_strb[0])
                interrupt_enable_done <= write_data[1];
            if (write_strb[0])
                interrupt_enable_error <= write_data[2];
            if (write_strb[0])
                interrupt_enable_lost <= write_data[3];
        end
        if (write && write_word == SELFTEST) begin
            if (write_strb[1])
                selftest_start <= write_data[8];
        end
        if (interrupt_token_set) // comes before a 1 that is written in this clock
            interrupt_token <= 1'b1;
        if (interrupt_done_set) // comes before a 1 that is written in this clock
            interrupt_done <= 1'b1;
        if (interrupt_error_set) // comes before a 1 that is written in this clock
            interrupt_error <= 1'b1;
        if (interrupt_lost_set) // comes before a 1 that is written in this clock
            interrupt_lost <= 1'b1;
        if (rst) begin
            control_stop_enable <= 1'd0;
            control_keep <= 1'd0;
            control_start <= 1'd0;
            control_abort <= 1'd0;
            control_clear <= 1'd0;
            stop_token_id <= 20'd0;
            max_tokens_count <= 16'd0;
            interrupt_token <= 1'd0;
            interrupt_done <= 1'd0;
            interrupt_error <= 1'd0;
            interrupt_lost <= 1'd0;
            interrupt_enable_token <= 1'd0;
            interrupt_enable_done <= 1'd0;
            interrupt_enable_error <= 1'd0;
            interrupt_enable_lost <= 1'd0;
            selftest_start <= 1'd0;
        end
    end

    wire unused_addr = &{1'b0, write_addr[1:0], read_addr[1:0]};
    wire unused_data = &{1'b0, write_data[24], write_data[25], write_data[26], write_data[27], write_data[28], write_data[29], write_data[30]};
endmodule

`default_nettype wire
