// SPDX-License-Identifier: Apache-2.0
// The residual vector, VEC elements a word: x = y or x = sat(x + y), and the sum of squares of what
// is written, ready when RMSNorm asks for it.
//
// Throughput one word a cycle. `done` follows the last word by 3 cycles; ss is final then.
`default_nettype none

module residual #(
    parameter VEC = 8,
    parameter RES_W = 20,
    parameter DEPTH = 8,       // words
    parameter ADDR_W = 3,
    parameter SS_W = 52
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  valid,     // rows for the residual
    input  wire                  add,       // 0: overwrite
    input  wire                  last,
    input  wire [ADDR_W-1:0]     addr,      // word
    input  wire [ADDR_W-1:0]     addr_next, // addr of the next cycle
    input  wire [VEC*24-1:0]     y,

    input  wire                  read,      // RMSNorm reads
    input  wire [ADDR_W-1:0]     read_addr,
    output wire [VEC*RES_W-1:0]  read_data,

    output reg                   wrote,     // for observers: this word was written
    output reg  [ADDR_W-1:0]     wrote_addr,
    output reg  [VEC*RES_W-1:0]  wrote_data,

    output reg  [SS_W-1:0]       ss,
    output reg                   done,
    output wire                  busy
);
    wire [VEC*RES_W-1:0] old = read_data;
    wire [VEC*RES_W-1:0] sum;
    wire [VEC*2*RES_W-1:0] square;
    reg  last_q, last_qq, first_q, first_qq, wrote_q;
    reg  [SS_W-1:0] squares;

    ram #(.LANES(1), .W(VEC * RES_W), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) u_ram (
        .clk(clk), .we(wrote), .waddr(wrote_addr), .wdata(wrote_data),
        .re(1'b1), .raddr(read ? read_addr : addr_next), .rdata(read_data)
    );

    genvar e;
    generate
        for (e = 0; e < VEC; e = e + 1) begin : g_element
            wire signed [RES_W-1:0] x = add ? old[e*RES_W +: RES_W] : {RES_W{1'b0}};
            wire signed [24:0] wide = {{(25-RES_W){x[RES_W-1]}}, x}
                                    + {y[e*24+23], y[e*24 +: 24]};
            saturate #(.IN_W(25), .OUT_W(RES_W)) u_sat (.x(wide), .y(sum[e*RES_W +: RES_W]));
            mul #(.A_W(RES_W), .B_W(RES_W)) u_square (
                .a(wrote_data[e*RES_W +: RES_W]), .b(wrote_data[e*RES_W +: RES_W]),
                .y(square[e*2*RES_W +: 2*RES_W])
            );
        end
    endgenerate

    function [SS_W-1:0] total(input [VEC*2*RES_W-1:0] squares_in);
        integer i;
        begin
            total = {SS_W{1'b0}};
            for (i = 0; i < VEC; i = i + 1)
                total = total + {{(SS_W-2*RES_W){1'b0}}, squares_in[i*2*RES_W +: 2*RES_W]};
        end
    endfunction

    always @(posedge clk) begin
        wrote <= valid;
        if (valid) begin
            wrote_addr <= addr;
            wrote_data <= sum;
        end
        last_q  <= last;
        first_q <= addr == {ADDR_W{1'b0}};

        wrote_q <= wrote;
        if (wrote)
            squares <= total(square);
        last_qq  <= last_q;
        first_qq <= first_q;

        if (wrote_q)
            ss <= (first_qq ? {SS_W{1'b0}} : ss) + squares;
        done <= wrote_q && last_qq;
        if (rst)
            {wrote, wrote_q, done} <= 3'b000;
    end

    assign busy = valid | wrote | wrote_q | done;
endmodule

`default_nettype wire
