// SPDX-License-Identifier: Apache-2.0
// What qkv.v promises with QKV_BIAS: rows leave a cycle later, with their kind and number, and the n-th
// word since the start meets the word of biases at bias + n, if there are biases. The gain ROM is a
// stand-in that answers with its address.
`default_nettype none

module f_qkv #(
    parameter VEC = 2,
    parameter GAIN_ADDR_W = 4
) (
    input wire clk, rst, start, biased, valid, gain_mine,
    input wire [GAIN_ADDR_W-1:0] bias, other,
    input wire [1:0] kind,
    input wire [19:0] row,
    input wire [VEC*24-1:0] y
);
    wire gain_read;
    wire [GAIN_ADDR_W-1:0] gain_addr;
    reg  [GAIN_ADDR_W-1:0] asked;
    wire z_valid, busy;
    wire [1:0] z_kind;
    wire [19:0] z_row;
    wire [VEC*24-1:0] z;
    qkv #(.VEC(VEC), .HEAD_DIM(4), .QKV_BIAS(1), .GAIN_ADDR_W(GAIN_ADDR_W)) dut (
        .clk(clk), .rst(rst), .start(start), .biased(biased), .bias(bias), .set_norms(1'b0),
        .k_shift(6'd0), .q_shift(6'd0), .k_eps(32'd0), .q_eps(32'd0), .gain({GAIN_ADDR_W{1'b0}}),
        .valid(valid), .kind(kind), .row(row), .y(y), .gain_mine(gain_mine),
        .gain_read(gain_read), .gain_addr(gain_addr),
        .gain_data({VEC{{(16-GAIN_ADDR_W){1'b0}}, asked}}), .z_valid(z_valid), .z_kind(z_kind),
        .z_row(z_row), .z(z), .busy(busy)
    );

    reg f_past = 1'b0;
    reg [1:0] begun;             // started, the ROM was this unit's since, it was lost again
    reg on;
    reg [GAIN_ADDR_W-1:0] next;  // of the word that the next rows meet
    reg was, was_on;
    reg [1:0] was_kind;
    reg [19:0] was_row;
    reg [23:0] was_y;
    reg [GAIN_ADDR_W-1:0] was_bias;
    always @(posedge clk) begin
        f_past <= 1'b1;
        if (gain_read)
            asked <= gain_addr;
        else if (!gain_mine)
            asked <= other; // a norm reads
        begun  <= start ? 2'd1 : begun == 2'd1 && gain_mine ? 2'd2 : begun == 2'd2 && !gain_mine ? 2'd3 : begun;
        {was, was_on, was_kind, was_row, was_y, was_bias} <= {valid, on, kind, row, y[23:0], next};
        if (valid)
            next <= next + 1'b1;
        if (start)
            {next, on} <= {bias, biased};
        if (rst)
            {begun, was} <= 3'd0;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        else
            assume (!rst);
        assume (!valid || (begun == 2'd2 && gain_mine && !start)); // rows come later than the ROM answers
        assume (!y[23] && y[22:0] < 23'h7fff00);      // no saturation: leaf.sv's matter
    end
    always @(posedge clk) if (f_past && !rst) begin
        a_cycle: assert (z_valid == was && busy == was);
        // the ROM is asked for the first word, and with each row for the next; without biases for none
        at_rest: assert (!gain_read || (gain_mine && on && (valid || begun == 2'd1)));
        if (z_valid) begin
            same:     assert (z_kind == was_kind && z_row == was_row);
            its_bias: assert (z[23:0] == was_y + (was_on ? was_bias : 0));
        end
    end
    always @(posedge clk)
        three: cover (f_past && z_valid && was_on && next == bias + 3);
endmodule

`default_nettype wire
