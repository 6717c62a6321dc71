// SPDX-License-Identifier: Apache-2.0
// The residual vector, VEC elements a word: x = y or x = sat(x + y), and the sum of squares of what
// is written, ready when RMSNorm asks for it. A square is that of a high half and a low half,
//     x^2 = {hi^2, lo^2} + 2 * hi * lo * 2^HALF
// so that no product is wider than a multiplier block.
//
// Throughput one word a cycle. A word is written a clock after its rows. The old word that they are added to
// is read two clocks before they come, and registered; where they overwrite, that register is 0. `done` follows the last word's
// writing by 1 + SQUARE and the stages of add_tree over 2 VEC numbers; ss is final then.
`default_nettype none

module residual #(
    parameter VEC = 8,
    parameter RES_W = 20,
    parameter DEPTH = 8,       // words
    parameter ADDR_W = 3,
    parameter SS_W = 52,
    parameter SQUARE = 1,      // clocks from a new word to its squares
    parameter LEVELS = 1       // levels a register, in add_tree
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  valid,     // rows for the residual
    input  wire                  last,
    input  wire [ADDR_W-1:0]     addr,      // word
    input  wire                  soon,      // what comes in two cycles is added; other rows overwrite
    input  wire [ADDR_W-1:0]     addr_soon, // and their word
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
    localparam TREE = ($clog2(2 * VEC) + LEVELS - 1) / LEVELS;
    localparam LO_W = RES_W / 2, HI_W = RES_W - LO_W;

    wire [VEC*RES_W-1:0] sum;
    reg  [VEC*RES_W-1:0] old;
    reg                  fetched;
    always @(posedge clk) begin
        fetched <= soon && !rst;
        old     <= fetched ? read_data : {(VEC*RES_W){1'b0}};
    end

    ram #(.LANES(1), .W(VEC * RES_W), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) u_ram (
        .clk(clk), .we(wrote), .waddr(wrote_addr), .wdata(wrote_data),
        .re(read || soon), .raddr(read ? read_addr : addr_soon), .rdata(read_data)
    );

    genvar e;
    generate
        for (e = 0; e < VEC; e = e + 1) begin : g_element
            wire signed [RES_W-1:0] x = old[e*RES_W +: RES_W];
            wire signed [24:0] wide = {{(25-RES_W){x[RES_W-1]}}, x}
                                    + {y[e*24+23], y[e*24 +: 24]};
            saturate #(.IN_W(25), .OUT_W(RES_W)) u_sat (.x(wide), .y(sum[e*RES_W +: RES_W]));
        end
    endgenerate

    // --- squares: (the word again) | products of halves | add_tree | ss ----------------------------------------------
    wire [VEC*2*(2*RES_W+1)-1:0] terms;  // two of each square, signed
    reg                  last_q, first_q;
    wire                 tree_valid, tree_first, tree_last, tree_busy;
    wire [TREE+SQUARE:0] move;
    wire [VEC*RES_W-1:0] word;           // that is squared
    wire [SS_W-1:0]      squares;
    pipe #(.STAGES(TREE + SQUARE), .TAG_W(2)) u_squares (
        .clk(clk), .rst(rst), .valid(wrote), .tag({first_q, last_q}), .move(move),
        .out_valid(tree_valid), .out_tag({tree_first, tree_last}), .busy(tree_busy)
    );
    stage #(.N(SQUARE - 1), .W(VEC * RES_W)) u_word (
        .clk(clk), .en(1'b1), .d(wrote_data), .q(word)
    );
    generate
        for (e = 0; e < VEC; e = e + 1) begin : g_square
            wire [LO_W:0]          lo = {1'b0, word[e*RES_W +: LO_W]};
            wire signed [HI_W-1:0] hi = word[e*RES_W+LO_W +: HI_W];
            wire [2*HI_W-1:0]      hh;
            wire [2*LO_W+1:0]      ll;
            wire signed [HI_W+LO_W:0] hl;
            reg  [2*RES_W-1:0]     both;
            reg  signed [RES_W:0]  mixed;
            mul #(.A_W(HI_W), .B_W(HI_W)) u_hh (.a(hi), .b(hi), .y(hh));
            mul #(.A_W(LO_W + 1), .B_W(LO_W + 1)) u_ll (.a(lo), .b(lo), .y(ll));
            mul #(.A_W(HI_W), .B_W(LO_W + 1)) u_hl (.a(hi), .b(lo), .y(hl));
            always @(posedge clk)
                if (move[SQUARE-1]) begin
                    both  <= {hh, ll[2*LO_W-1:0]};
                    mixed <= hl;
                end
            assign terms[(2*e)*(2*RES_W+1) +: 2*RES_W+1] = {1'b0, both};
            assign terms[(2*e+1)*(2*RES_W+1) +: 2*RES_W+1] =
                {{(RES_W-LO_W-1){mixed[RES_W]}}, mixed, {(LO_W+1){1'b0}}};
            wire unused_top = &{1'b0, ll[2*LO_W+1:2*LO_W]};
        end
    endgenerate
    add_tree #(
        .N(2 * VEC), .W(2 * RES_W + 1), .OUT_W(SS_W), .LEVELS(LEVELS), .STAGES(TREE)
    ) u_tree (.clk(clk), .move(move[SQUARE +: TREE]), .x(terms), .sum(squares));

    always @(posedge clk) begin
        wrote <= valid;
        if (valid) begin
            wrote_addr <= addr;
            wrote_data <= sum;
        end
        last_q  <= last;
        first_q <= addr == {ADDR_W{1'b0}};

        if (tree_valid)
            ss <= (tree_first ? {SS_W{1'b0}} : ss) + squares;
        done <= tree_valid && tree_last;
        if (rst)
            {wrote, done} <= 2'b00;
    end

    assign busy = valid | wrote | tree_busy | done;

    wire unused_move = &{1'b0, move[TREE+SQUARE]};
endmodule

`default_nettype wire
