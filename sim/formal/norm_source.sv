// SPDX-License-Identifier: Apache-2.0
// What norm_source.v promises. With SUB_NORM a norm to X reads the residual and its sum of squares, one to A or H the side
// buffer and its; nothing goes to the activations past a norm. Without, every norm reads the residual, and what attention and
// SwiGLU make goes on as it is. side.v is any unit: its own promises are side.sv's.
`default_nettype none

// stands for side.v: what is read is a number that the residual need not have
module side #(parameter VEC = 8, parameter OUT = 8, parameter RES_W = 20, parameter DEPTH = 8, parameter ADDR_W = 3,
              parameter SS_W = 54, parameter SQUARE = 1, parameter LEVELS = 1) (
    input wire clk, rst, start,
    input wire [19:0] elements,
    input wire attn_valid,
    input wire [19:0] attn_index,
    input wire [OUT*RES_W-1:0] attn,
    input wire h_valid,
    input wire [19:0] h_index,
    input wire [VEC/2*RES_W-1:0] h,
    input wire read,
    input wire [ADDR_W-1:0] read_addr,
    output wire [VEC*RES_W-1:0] read_data,
    output wire wrote,
    output wire [ADDR_W-1:0] wrote_addr,
    output wire [VEC*RES_W-1:0] wrote_data,
    output wire [SS_W-1:0] ss,
    output wire done, busy
);
    (* anyseq *) reg [VEC*RES_W+ADDR_W+SS_W+2:0] any;
    assign read_data = {VEC*RES_W/2{2'b10}};
    assign {wrote, wrote_addr, wrote_data, ss, done, busy} = any;
endmodule

module f_norm_source #(parameter SUB_NORM = 1) (
    input wire clk, rst, norm_start, norm_read, start, attn_valid, h_valid,
    input wire [3:0] norm_target,
    input wire [2:0] norm_addr,
    input wire [7:0] residual_data,
    input wire [4:0] residual_ss,
    input wire [19:0] elements, attn_index, h_index,
    input wire [3:0] attn, h
);
    wire [1:0] norm_region;
    wire [7:0] norm_data, side_data;
    wire [4:0] norm_ss;
    wire residual_read, attn_act, h_act, side_wrote, side_done, side_busy;
    wire [3:0] attn_low, h_low;
    wire [2:0] side_addr;
    norm_source #(
        .SUB_NORM(SUB_NORM), .VEC(2), .OUT(1), .RES_W(4), .ACT_W(4), .MADE_W(4), .NORM_W(3), .SIDE_WORDS(4),
        .SIDE_W(2), .SS_W(5)
    ) dut (
        .clk(clk), .rst(rst), .norm_start(norm_start), .norm_target(norm_target), .norm_region(norm_region),
        .norm_read(norm_read), .norm_addr(norm_addr), .norm_data(norm_data), .norm_ss(norm_ss),
        .residual_read(residual_read), .residual_data(residual_data), .residual_ss(residual_ss),
        .start(start), .elements(elements), .attn_valid(attn_valid), .attn_index(attn_index), .attn(attn),
        .h_valid(h_valid), .h_index(h_index), .h(h), .attn_act(attn_act), .attn_low(attn_low), .h_act(h_act),
        .h_low(h_low), .side_wrote(side_wrote), .side_addr(side_addr), .side_data(side_data),
        .side_done(side_done), .side_busy(side_busy)
    );

    reg started = 1'b0;
    reg [1:0] target;
    always @(posedge clk) begin
        if (norm_start)
            {started, target} <= {1'b1, norm_target[1:0]};
        if (rst)
            started <= 1'b0;
    end
    always @*
        assume (norm_target < 3);
    always @(posedge clk) if (SUB_NORM != 0) begin
        no_short_way: assert (!attn_act && !h_act);
        to_target:    assert (!started || norm_region == target);
        from_x:       assert (!started || target != 0 || (residual_read == norm_read && norm_data == residual_data));
        not_from_x:   assert (!started || target == 0 || !residual_read);
        from_side:    assert (!started || target == 0 || norm_data == 8'b10101010);
        squares:      assert (!norm_start || norm_target[1:0] != 0 || norm_ss == residual_ss);
    end else begin
        as_they_come: assert (attn_act == attn_valid && attn_low == attn && h_act == h_valid && h_low == h);
        residual:     assert (norm_region == 0 && residual_read == norm_read && norm_data == residual_data
                              && norm_ss == residual_ss);
        no_side:      assert (!side_busy && !side_wrote && !side_done);
    end
    always @(posedge clk)
        c_side: cover (started && target == 2 && norm_read && !residual_read);
endmodule

`default_nettype wire
