// Stands for rsqrt.v where only the way of r and k is proven: they name their operand, at the same clocks
// (rsqrt.sv shows those of rsqrt.v).
`default_nettype none

module rsqrt #(
    parameter W = 34,          // 32 to 48
    parameter TAG_W = 1,
    parameter SCALAR = 3,
    parameter TABLE = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             valid,
    input  wire [W-1:0]     total,
    input  wire [TAG_W-1:0] tag,
    output wire             r_soon,
    output wire             r_comes,
    output wire [15:0]      r,
    output wire [4:0]       k,
    output wire [TAG_W-1:0] r_tag,
    output wire             busy
);
    localparam LATE = SCALAR + TABLE;
    wire [LATE:0] move;
    wire          there;
    wire [15:0]   folded = total[15:0] ^ total[31:16] ^ {{(48-W){1'b0}}, total[W-1:32]};
    pipe #(.STAGES(LATE), .TAG_W(21 + TAG_W)) u_pipe (
        .clk(clk), .rst(rst), .valid(valid), .tag({folded, total[4:0], tag}), .move(move),
        .out_valid(there), .out_tag({r, k, r_tag}), .busy(busy)
    );
    assign r_soon  = move[LATE-2];
    assign r_comes = move[LATE-1];
endmodule

`default_nettype wire
