// SPDX-License-Identifier: Apache-2.0
// Activations on their way to the array: three regions of one memory, COLS elements a word. A vector
// comes in order, from element 0 on, `count` elements at a time, which divide VEC; what is written
// lies in lanes index % VEC of `write_data`. VEC divides COLS, so that no write reaches two words.
//
// `available` is how many elements of the region that is read are there; `clear` makes it 0. ACT = 2: what is
// written waits a clock in a register, so that the way to the memory is not part of its unit's.
`default_nettype none

module act_buffer #(
    parameter COLS = 8,
    parameter VEC = 8,
    parameter ACT_W = 8,
    parameter X_WORDS = 8,
    parameter A_WORDS = 8,
    parameter H_WORDS = 22,
    parameter ADDR_W = 6,   // of X_WORDS + A_WORDS + H_WORDS
    parameter COUNT_W = 10, // elements of a region
    parameter ACT = 1
) (
    input  wire                  clk,

    input  wire [2:0]            clear,
    input  wire                  write,
    input  wire [1:0]            write_region, // 0 X, 1 A, 2 H
    input  wire [19:0]           write_index,
    input  wire [19:0]           write_count,
    input  wire [VEC*ACT_W-1:0]  write_data,

    input  wire                  read,
    input  wire [1:0]            read_region,
    input  wire [ADDR_W-1:0]     read_word, // of the region
    output wire [COLS*ACT_W-1:0] word,      // a cycle later
    output wire [COUNT_W-1:0]    available
);
    localparam LANE_W = $clog2(COLS);

    wire                 we;
    wire [1:0]           region;
    wire [19:0]          index, count;
    wire [VEC*ACT_W-1:0] data;
    stage #(.N(ACT - 1), .W(1)) u_we (.clk(clk), .en(1'b1), .d(write), .q(we));
    stage #(.N(ACT - 1), .W(42 + VEC * ACT_W)) u_write (
        .clk(clk), .en(write), .d({write_region, write_index, write_count, write_data}),
        .q({region, index, count, data})
    );

    function [ADDR_W-1:0] base(input [1:0] of);
        case (of)
            2'd0:    base = {ADDR_W{1'b0}};
            2'd1:    base = X_WORDS[ADDR_W-1:0];
            default: base = X_WORDS[ADDR_W-1:0] + A_WORDS[ADDR_W-1:0];
        endcase
    endfunction

    // the word and the lane of `index`
    wire [ADDR_W-1:0] at_word;
    wire [LANE_W-1:0] at_lane;
    generate
        if ((COLS & (COLS - 1)) == 0) begin : g_power
            wire [ADDR_W+LANE_W+19:0] wide = {{(ADDR_W+LANE_W){1'b0}}, index};
            assign {at_word, at_lane} = wide[ADDR_W+LANE_W-1:0];
            wire unused = &{1'b0, wide};
        end else begin : g_any
            reg  [ADDR_W-1:0] next_word [0:2];
            reg  [LANE_W-1:0] next_lane [0:2];
            wire              begins = index == 20'd0;
            wire [LANE_W:0]   end_lane = {1'b0, at_lane} + count[LANE_W:0];
            wire              full     = end_lane == COLS[LANE_W:0];
            assign at_word = begins ? {ADDR_W{1'b0}} : next_word[region];
            assign at_lane = begins ? {LANE_W{1'b0}} : next_lane[region];
            always @(posedge clk)
                if (we) begin
                    next_word[region] <= full ? at_word + 1'b1 : at_word;
                    next_lane[region] <= full ? {LANE_W{1'b0}} : end_lane[LANE_W-1:0];
                end
        end
    endgenerate

    wire [COLS-1:0] mask = ~({COLS{1'b1}} << count) << at_lane;
    ram #(.LANES(COLS), .W(ACT_W), .DEPTH(X_WORDS + A_WORDS + H_WORDS), .ADDR_W(ADDR_W)) u_ram (
        .clk(clk), .we(we ? mask : {COLS{1'b0}}), .waddr(base(region) + at_word),
        .wdata({COLS/VEC{data}}), .re(read), .raddr(base(read_region) + read_word), .rdata(word)
    );

    reg  [COUNT_W-1:0] there [0:2]; // elements, by region
    wire [19:0]        end_index = index + count;
    always @(posedge clk) begin
        if (we)
            there[region] <= end_index[COUNT_W-1:0];
        if (clear[0])
            there[0] <= {COUNT_W{1'b0}};
        if (clear[1])
            there[1] <= {COUNT_W{1'b0}};
        if (clear[2])
            there[2] <= {COUNT_W{1'b0}};
    end
    assign available = there[read_region];

    wire unused_bits = &{1'b0, end_index};
endmodule

`default_nettype wire
