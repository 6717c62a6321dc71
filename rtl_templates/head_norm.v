// SPDX-License-Identifier: Apache-2.0
// A norm over each head of K and Q, as hw_rmsnorm over HEAD_DIM elements of 16 bits:
//     ss + eps  of the head's squares, VEC a clock (add_tree.v)
//     r, k      of ss + eps (rsqrt.v)
//     z         of x, r, k, gain and shift (norm_elements.v)
// Rows are kept until their head is whole, and then read again, while the next head comes in: heads
// may follow each other without a gap, and nothing waits. Rows of V take as long, so that the order stays, and
// pass unchanged: with r = 1, k = 17, gain 1 and shift 0, t and z are x.
//
// The first rows of a head leave TREE + SCALAR + TABLE + VECTOR clocks after its last ones have come, one fewer
// where x has a register of its own (norm_elements.v). VEC <= HEAD_DIM.
`default_nettype none

module head_norm #(
    parameter VEC = 8,
    parameter HEAD_DIM = 8,
    parameter GAIN_ADDR_W = 6,
    parameter LEVELS = 1,      // levels a register, in add_tree
    parameter SCALAR = 3,
    parameter VECTOR = 5,
    parameter TABLE = 1
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    set,       // takes what follows; no head is on its way
    input  wire [5:0]              k_shift,
    input  wire [5:0]              q_shift,
    input  wire [31:0]             k_eps,
    input  wire [31:0]             q_eps,
    input  wire [GAIN_ADDR_W-1:0]  gain,      // address of K's gains; Q's come behind them

    input  wire                    valid,     // whole heads, rows in order
    input  wire [1:0]              kind,      // 0 key, 1 query, 2 value
    input  wire [19:0]             row,
    input  wire [VEC*24-1:0]       y,

    output wire                    gain_read,
    output wire [GAIN_ADDR_W-1:0]  gain_addr,
    input  wire [VEC*16-1:0]       gain_data,

    output wire                    z_valid,
    output wire [1:0]              z_kind,
    output wire [19:0]             z_row,
    output wire [VEC*16-1:0]       z,
    output wire                    busy
);
    localparam WORDS  = HEAD_DIM / VEC;         // of a head
    localparam WORD_W = WORDS > 1 ? $clog2(WORDS) : 1;
    localparam VEC_W  = $clog2(VEC);
    localparam DIM_W  = $clog2(HEAD_DIM);
    localparam TREE   = ($clog2(VEC) + LEVELS - 1) / LEVELS;
    // a head's first word is read TREE + SCALAR + TABLE clocks after its last one has come, at the latest
    localparam KEPT_W = $clog2(WORDS + TREE + SCALAR + TABLE);
    localparam SS_W   = 32 + DIM_W;
    localparam HEAD_W = 20 - DIM_W;             // number of a head
    localparam [1:0] QUERY = 2'd1, VALUE = 2'd2;
    localparam [31:0]       LAST_32 = WORDS - 1;
    localparam [WORD_W-1:0] LAST = LAST_32[WORD_W-1:0];

    reg [5:0]             k_shift_q, q_shift_q;
    reg [31:0]            k_eps_q, q_eps_q;
    reg [GAIN_ADDR_W-1:0] k_gain, q_gain;

    always @(posedge clk)
        if (set) begin
            {k_shift_q, q_shift_q, k_eps_q, q_eps_q} <= {k_shift, q_shift, k_eps, q_eps};
            k_gain <= gain;
            q_gain <= gain + WORDS[GAIN_ADDR_W-1:0];
        end

    // --- rows in: kept; squares | add_tree | sum -------------------------------------------------
    wire [VEC*16-1:0] x, kept;
    reg  [VEC*32-1:0] square;
    reg  [KEPT_W-1:0] put, get;
    reg  [WORD_W-1:0] word;     // of the head that comes in
    wire              again;    // a word is read again

    genvar i;
    generate
        for (i = 0; i < VEC; i = i + 1) begin : g_in
            wire signed [15:0] limited;
            wire signed [31:0] product;
            saturate #(.IN_W(24), .OUT_W(16)) u_sat (.x(y[i*24 +: 24]), .y(limited));
            mul #(.A_W(16), .B_W(16)) u_square (.a(limited), .b(limited), .y(product));
            assign x[i*16 +: 16] = limited;
            always @(posedge clk)
                if (valid)
                    square[i*32 +: 32] <= product;
        end
    endgenerate

    ram #(.LANES(1), .W(VEC * 16), .DEPTH(1 << KEPT_W), .ADDR_W(KEPT_W)) u_kept (
        .clk(clk), .we(valid), .waddr(put), .wdata(x), .re(again), .raddr(get), .rdata(kept)
    );

    wire [TREE+1:0]   move;
    wire              part_valid, part_end, squares_busy;
    wire [1:0]        part_kind;
    wire [HEAD_W-1:0] part_head;
    wire [SS_W-1:0]   part;     // of a word
    reg  [SS_W-1:0]   sum;      // of the head's words so far, and eps
    reg               fresh;    // none of them yet
    wire [31:0]       eps   = part_kind == QUERY ? q_eps_q : k_eps_q;
    wire [SS_W-1:0]   total = (fresh ? {{(SS_W-32){1'b0}}, eps} : sum) + part;

    pipe #(.STAGES(TREE + 1), .TAG_W(3 + HEAD_W)) u_squares (
        .clk(clk), .rst(rst), .valid(valid), .tag({word == LAST, kind, row[19:DIM_W]}),
        .move(move), .out_valid(part_valid), .out_tag({part_end, part_kind, part_head}),
        .busy(squares_busy)
    );
    add_tree #(.N(VEC), .W(32), .OUT_W(SS_W), .LEVELS(LEVELS), .STAGES(TREE)) u_tree (
        .clk(clk), .move(move[1 +: TREE]), .x(square), .sum(part)
    );

    always @(posedge clk) begin
        if (valid) begin
            put  <= put + 1'b1;
            word <= word == LAST ? {WORD_W{1'b0}} : word + 1'b1;
        end
        if (again)
            get <= get + 1'b1;
        if (part_valid) begin
            sum   <= total;
            fresh <= part_end;
        end
        if (rst) begin
            word  <= {WORD_W{1'b0}};
            put   <= {KEPT_W{1'b0}};
            get   <= {KEPT_W{1'b0}};
            fresh <= 1'b1;
        end
    end

    // --- r and k of a head, and its rows again -----------------------------------------------------
    wire              r_soon, r_comes, r_busy;
    wire [15:0]       r;
    wire [4:0]        k;
    wire [1:0]        r_kind;
    wire [HEAD_W-1:0] r_head;
    wire              passes = r_kind == VALUE;

    rsqrt #(.W(SS_W), .TAG_W(2 + HEAD_W), .SCALAR(SCALAR), .TABLE(TABLE)) u_rsqrt (
        .clk(clk), .rst(rst), .valid(part_valid && part_end), .total(total),
        .tag({part_kind, part_head}), .r_soon(r_soon), .r_comes(r_comes), .r(r), .k(k),
        .r_tag({r_kind, r_head}), .busy(r_busy)
    );

    wire                   gain_asked, z_busy;
    wire [WORD_W-1:0]      again_word, gain_word, z_word;
    wire [1:0]             gain_kind;
    wire [HEAD_W-1:0]      gain_head, z_head;
    reg                    gain_one;
    reg  [5:0]             shift;
    wire [GAIN_ADDR_W-1:0] gain_base = gain_kind == QUERY ? q_gain : k_gain;

    norm_elements #(
        .VEC(VEC), .X_W(16), .Y_W(16), .WORD_W(WORD_W), .TAG_W(2 + HEAD_W), .VECTOR(VECTOR)
    ) u_elements (
        .clk(clk), .rst(rst), .r_soon(r_soon), .r_comes(r_comes), .r(passes ? 16'd32768 : r),
        .k(passes ? 5'd17 : k), .tag({r_kind, r_head}), .last_word(LAST), .read(again),
        .read_word(again_word), .x(kept), .gain_read(gain_asked), .gain_word(gain_word),
        .gain_tag({gain_kind, gain_head}), .gain(gain_one ? {VEC{16'd1}} : gain_data),
        .shift(shift), .y_valid(z_valid), .y_word(z_word), .y_tag({z_kind, z_head}), .y(z),
        .busy(z_busy)
    );
    assign gain_read = gain_asked && gain_kind != VALUE;
    assign gain_addr = gain_base + {{(GAIN_ADDR_W-WORD_W){1'b0}}, gain_word};
    assign z_row     = {z_head, {DIM_W{1'b0}}} | {{(20-WORD_W){1'b0}}, z_word} << VEC_W;

    always @(posedge clk)
        if (gain_asked) begin
            gain_one <= gain_kind == VALUE;
            shift    <= gain_kind == VALUE ? 6'd0 : gain_kind == QUERY ? q_shift_q : k_shift_q;
        end

    assign busy = squares_busy | r_busy | z_busy;

    wire unused_bits = &{1'b0, row[DIM_W-1:0], again_word, gain_head, move[TREE+1]};
endmodule

`default_nettype wire
