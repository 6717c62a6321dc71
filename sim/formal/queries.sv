// SPDX-License-Identifier: Apache-2.0
// What queries.v promises: a head that is read gives its elements as they were written last, and `there` is the end of what
// was written since the start.
// probe f_at = dut.u_ram.followed
`default_nettype none

module f_queries #(
    parameter VEC = 2,
    parameter HEAD_DIM = 4
) (
    input wire clk, rst, start, write, read,
    input wire [2:0] word, head,
    input wire [VEC*12-1:0] data
);
    localparam HEADS = 8 / HEAD_DIM; // of eight elements
    wire [19:0] row = word * VEC, there;
    wire [HEAD_DIM*12-1:0] query;
    queries #(.VEC(VEC), .HEAD_DIM(HEAD_DIM), .MAX_DIM(8), .HEAD_W(3)) dut (
        .clk(clk), .rst(rst), .start(start), .write(write), .row(row), .data(data), .there(there),
        .read(read), .head(head), .query(query)
    );

    (* anyconst *) reg [2:0] place;   // any element
    wire [2:0] lane = place % HEAD_DIM;
    localparam LANES = VEC > HEAD_DIM ? VEC : HEAD_DIM;
    wire [$clog2(8 / LANES > 1 ? 8 / LANES : 2)-1:0] f_at; // the word of ram_followed.v
    reg f_past = 1'b0, known = 1'b0, due = 1'b0, counted = 1'b0;
    reg [11:0] held, want;
    reg [19:0] end_row;
    always @(posedge clk) begin
        f_past <= 1'b1;
        if (write && place / VEC == word)
            {known, held} <= {1'b1, data[(place % VEC)*12 +: 12]};
        if (read) begin
            due  <= known && head == place / HEAD_DIM;
            want <= held;
        end
        if (write)
            end_row <= row + VEC;
        if (start || rst)
            {counted, end_row} <= {1'b1, 20'd0};
    end
    always @* begin
        assume (rst == !f_past);
        assume (f_at == place / LANES);
        assume (word < 8 / VEC && head < HEADS);
        assume (!read || !write);   // ram.v's contract: never in one clock at one word
    end
    always @(posedge clk) if (f_past && !rst) begin
        as_written: assert (!due || query[lane*12 +: 12] == want);
        counts:     assert (!counted || there == end_row);
    end
    always @(posedge clk)
        c_both: cover (f_past && due && there == 8);
endmodule

`default_nettype wire
