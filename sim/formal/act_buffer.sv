// SPDX-License-Identifier: Apache-2.0
// What act_buffer.v promises: an element of a region is read where it was written, whatever came to other
// elements and regions since, and `available` is the end of what was written since the region's clear.
`default_nettype none

module f_act_buffer #(
    parameter COLS = 4,
    parameter VEC = 2,
    parameter ACT_W = 2,
    parameter ACT = 1
) (
    input wire clk,
    input wire [2:0] clear,
    input wire we, half, read,
    input wire [1:0] region, read_region,
    input wire [19:0] index,
    input wire [2:0] read_word,
    input wire [VEC*ACT_W-1:0] data
);
    localparam WORDS = 2; // a region
    wire [COLS*ACT_W-1:0] word;
    wire [5:0] available;
    wire [19:0] count = half ? VEC / 2 : VEC;
    act_buffer #(
        .COLS(COLS), .VEC(VEC), .ACT_W(ACT_W), .X_WORDS(WORDS), .A_WORDS(WORDS), .H_WORDS(WORDS),
        .ADDR_W(3), .COUNT_W(6),
        .ACT(ACT)
    ) dut (
        .clk(clk), .clear(clear), .write(we), .write_region(region), .write_index(index), .write_count(count),
        .write_data(data), .read(read), .read_region(read_region), .read_word(read_word), .word(word),
        .available(available)
    );

    // a write arrives at once, or a clock later
    reg                  we_q = 1'b0;
    reg [1:0]            region_q;
    reg [19:0]           index_q, count_q;
    reg [VEC*ACT_W-1:0]  data_q;
    always @(posedge clk)
        {we_q, region_q, index_q, count_q, data_q} <= {we, region, index, count, data};
    wire                 in       = ACT > 1 ? we_q : we;
    wire [1:0]           in_of    = ACT > 1 ? region_q : region;
    wire [19:0]          in_index = ACT > 1 ? index_q : index, in_count = ACT > 1 ? count_q : count;
    wire [VEC*ACT_W-1:0] in_data  = ACT > 1 ? data_q : data;

    (* anyconst *) reg [1:0] of;        // any region
    (* anyconst *) reg [19:0] place;    // any element of it
    reg [19:0] next [0:2];              // where the region's vector goes on
    reg [2:0]  begun = 3'd0, counted = 3'd0;
    reg [5:0]  there [0:2];
    reg        known = 1'b0, due = 1'b0;
    reg [ACT_W-1:0] held, want;
    wire [7:0] lane = place % VEC;
    integer r;

    always @(posedge clk) begin
        if (we) begin
            next[region]  <= index + count;
            begun[region] <= 1'b1;
        end
        if (in) begin
            there[in_of]   <= in_index + in_count;
            counted[in_of] <= 1'b1;
        end
        for (r = 0; r < 3; r = r + 1)
            if (clear[r])
                {there[r], counted[r]} <= {6'd0, 1'b1};
        if (in && in_of == of && place >= in_index && place < in_index + in_count)
            {known, held} <= {1'b1, in_data[lane*ACT_W +: ACT_W]};
        if (read) begin // a word that was read stays
            due  <= known && read_region == of && read_word == place / COLS;
            want <= held;
        end
    end
    always @* begin
        assume (of < 3 && region < 3 && read_region < 3 && read_word < WORDS && place < COLS * WORDS);
        // a vector from 0 on, in order, in parts of one size
        assume (!we || index == 0 || (begun[region] && index == next[region]));
        assume (index % count == 0 && index + count <= COLS * WORDS);
    end
    always @(posedge clk) begin
        reads_back: assert (!due || word[(place % COLS)*ACT_W +: ACT_W] == want);
        is_there:   assert (!counted[read_region] || available == there[read_region]);
        c_second:   cover (due && place >= COLS && of == 2 && half);
        c_all:      cover (counted == 3'd7 && available == COLS * WORDS);
    end
endmodule

`default_nettype wire
