// SPDX-License-Identifier: Apache-2.0
// The self-test: reads every word of every ROM, one ROM after the other in the order of their addresses, and
// folds it into a CRC-32, VEC bits a clock from bit 0 up:
//     weight, scale, level, gain, rope_hi, rope_lo, program
// All 2^n addresses of a ROM are read; a word is zero where none is written, and ends with zeros where VEC does
// not divide it. gen/chip/selftest.c computes the same from the words.
//
// A word takes ROM clocks until it is there and one for each VEC bits of it. The result is there, and `done` high,
// from two clocks after the last on, until the next start. embed.v has the choice of one lane's part of a
// weight word; it picks here, too.
`default_nettype none

module selftest #(
    parameter ROWS = 32,
    parameter COLS = 8,
    parameter VEC = 8,
    parameter CODE_W = 4,
    parameter WEIGHT_ADDR_W = 12,
    parameter SCALE_ADDR_W = 10,
    parameter LEVEL_ADDR_W = 6,
    parameter GAIN_ADDR_W = 7,
    parameter HI_ADDR_W = 6,
    parameter LO_ADDR_W = 7,
    parameter PROG_ADDR_W = 6,
    parameter PROG_W = 160,
    parameter ROM = 1            // clocks from an address to its word, of the weight ROM
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     start,   // while not busy
    output wire                     busy,    // owns every ROM
    output reg                      done,
    output wire [31:0]              crc,     // with done

    output wire [6:0]               read,    // of each ROM, the weight ROM's the lowest
    output wire [WEIGHT_ADDR_W-1:0] weight_addr,
    output wire [SCALE_ADDR_W-1:0]  scale_addr,
    output wire [LEVEL_ADDR_W-1:0]  level_addr,
    output wire [GAIN_ADDR_W-1:0]   gain_addr,
    output wire [HI_ADDR_W-1:0]     hi_addr,
    output wire [LO_ADDR_W-1:0]     lo_addr,
    output wire [PROG_ADDR_W-1:0]   prog_addr,
    input  wire [VEC*12-1:0]        scale,
    input  wire [(8<<CODE_W)-1:0]   level,
    input  wire [VEC*16-1:0]        gain,
    input  wire [31:0]              hi,
    input  wire [31:0]              lo,
    input  wire [PROG_W-1:0]        prog,

    output wire                     pick,    // embed.v: this part of the weight word
    output wire [$clog2(ROWS)-1:0]  pick_lane,
    output wire [(COLS / VEC > 1 ? $clog2(COLS / VEC) : 1)-1:0] pick_group,
    input  wire [VEC*CODE_W-1:0]    part     // a clock later, until the next pick
);
    // pieces of VEC bits of a word, and the first of each ROM's among all but the weight ROM's
    localparam LEVELS = ((8 << CODE_W) + VEC - 1) / VEC;
    localparam HALVES = (32 + VEC - 1) / VEC;
    localparam INSNS  = (PROG_W + VEC - 1) / VEC;
    localparam LEVEL_0 = 12, GAIN_0 = LEVEL_0 + LEVELS, HI_0 = GAIN_0 + 16, LO_0 = HI_0 + HALVES;
    localparam PROG_0 = LO_0 + HALVES, PIECES = PROG_0 + INSNS;
    localparam COUNT = ROWS > PIECES ? ROWS : PIECES;
    localparam AT_W = $clog2(COUNT);
    localparam LANE_W  = $clog2(ROWS);
    localparam GROUPS  = COLS / VEC;
    localparam GROUP_W = GROUPS > 1 ? $clog2(GROUPS) : 1;

    // the widest address
    localparam A1 = WEIGHT_ADDR_W > SCALE_ADDR_W ? WEIGHT_ADDR_W : SCALE_ADDR_W;
    localparam A2 = LEVEL_ADDR_W > GAIN_ADDR_W ? LEVEL_ADDR_W : GAIN_ADDR_W;
    localparam A3 = HI_ADDR_W > LO_ADDR_W ? HI_ADDR_W : LO_ADDR_W;
    localparam A4 = A1 > A2 ? A1 : A2;
    localparam A5 = A3 > PROG_ADDR_W ? A3 : PROG_ADDR_W;
    localparam ADDR_W = A4 > A5 ? A4 : A5;

    localparam [2:0] WEIGHT = 3'd0, SCALE = 3'd1, LEVEL = 3'd2, GAIN = 3'd3, HI = 3'd4, LO = 3'd5, PROG = 3'd6;
    localparam [31:0] WAIT = ROM, LAST_LANE = ROWS - 1, LAST_GROUP = GROUPS - 1, LAST_SUB = CODE_W - 1;

    reg               walking;
    reg [2:0]         rom;
    reg [ADDR_W-1:0]  addr;
    reg [2:0]         left;  // clocks until the word is there
    reg [AT_W-1:0]    at;    // piece; of the weight ROM: lane
    reg [GROUP_W-1:0] group; // of the lane
    reg [1:0]         sub;   // VEC bits of the group
    reg [AT_W-1:0]    first, last; // piece of this ROM
    reg               ends;  // the ROM, after this word

    // every word of the others in pieces, padded with zeros
    wire [VEC-1:0] piece [0:PIECES-1];
    wire [VEC*13-1:0]           scale_wide = {{VEC{1'b0}}, scale};
    wire [(8<<CODE_W)+VEC-1:0]  level_wide = {{VEC{1'b0}}, level};
    wire [VEC*17-1:0]           gain_wide  = {{VEC{1'b0}}, gain};
    wire [VEC+31:0]             hi_wide    = {{VEC{1'b0}}, hi};
    wire [VEC+31:0]             lo_wide    = {{VEC{1'b0}}, lo};
    wire [PROG_W+VEC-1:0]       prog_wide  = {{VEC{1'b0}}, prog};
    genvar i, k;
    generate
        for (i = 0; i < 12; i = i + 1) begin : g_scale
            assign piece[i] = scale_wide[i*VEC +: VEC];
        end
        for (i = 0; i < LEVELS; i = i + 1) begin : g_level
            assign piece[LEVEL_0+i] = level_wide[i*VEC +: VEC];
        end
        for (i = 0; i < 16; i = i + 1) begin : g_gain
            assign piece[GAIN_0+i] = gain_wide[i*VEC +: VEC];
        end
        for (i = 0; i < HALVES; i = i + 1) begin : g_half
            assign piece[HI_0+i] = hi_wide[i*VEC +: VEC];
            assign piece[LO_0+i] = lo_wide[i*VEC +: VEC];
        end
        for (i = 0; i < INSNS; i = i + 1) begin : g_insn
            assign piece[PROG_0+i] = prog_wide[i*VEC +: VEC];
        end
    endgenerate

    // One bit a piece, that of `at` where it is not the weight ROM's: 880 LUT4 in all at the default shape, where a
    // choice by number takes 1,400 (ECP5).
    reg  [PIECES-1:0] hot;
    wire [PIECES-1:0] begins; // of the first piece of the next word
    wire [VEC-1:0]    choice; // the piece at hand
    wire [2:0]        rom_next = rom + {2'd0, ends};
    generate
        for (i = 0; i < PIECES; i = i + 1) begin : g_begins
            assign begins[i] = i == 0 ? rom_next == SCALE : i == LEVEL_0 ? rom_next == LEVEL
                             : i == GAIN_0 ? rom_next == GAIN : i == HI_0 ? rom_next == HI
                             : i == LO_0 ? rom_next == LO : i == PROG_0 ? rom_next == PROG : 1'b0;
        end
        for (i = 0; i < VEC; i = i + 1) begin : g_choice
            wire [PIECES-1:0] mine; // this bit of the piece at hand, zero of the others
            for (k = 0; k < PIECES; k = k + 1) begin : g_piece
                assign mine[k] = piece[k][i] & hot[k];
            end
            assign choice[i] = |mine;
        end
    endgenerate

    always @*
        case (rom)
            WEIGHT: {first, last, ends} = {{AT_W{1'b0}}, LAST_LANE[AT_W-1:0], &addr[WEIGHT_ADDR_W-1:0]};
            SCALE:  {first, last, ends} = {{AT_W{1'b0}}, LEVEL_0[AT_W-1:0] - 1'b1, &addr[SCALE_ADDR_W-1:0]};
            LEVEL:  {first, last, ends} = {LEVEL_0[AT_W-1:0], GAIN_0[AT_W-1:0] - 1'b1, &addr[LEVEL_ADDR_W-1:0]};
            GAIN:   {first, last, ends} = {GAIN_0[AT_W-1:0], HI_0[AT_W-1:0] - 1'b1, &addr[GAIN_ADDR_W-1:0]};
            HI:     {first, last, ends} = {HI_0[AT_W-1:0], LO_0[AT_W-1:0] - 1'b1, &addr[HI_ADDR_W-1:0]};
            LO:     {first, last, ends} = {LO_0[AT_W-1:0], PROG_0[AT_W-1:0] - 1'b1, &addr[LO_ADDR_W-1:0]};
            default:
                {first, last, ends} = {PROG_0[AT_W-1:0], PROG_0[AT_W-1:0] + INSNS[AT_W-1:0] - 1'b1,
                                       &addr[PROG_ADDR_W-1:0]};
        endcase
    wire of_weight = rom == WEIGHT;
    // of the ROM that follows: its pieces come after those of this one
    wire [AT_W-1:0] first_next = of_weight ? {AT_W{1'b0}} : at + 1'b1;

    wire there     = walking && left == 3'd0;
    wire part_end  = !of_weight || sub == LAST_SUB[1:0];
    wire line_end  = part_end && (!of_weight || group == LAST_GROUP[GROUP_W-1:0]);
    wire word_end  = line_end && at == last;

    assign read = {6'd0, walking && left == WAIT[2:0]} << rom;
    assign {weight_addr, scale_addr} = {addr[WEIGHT_ADDR_W-1:0], addr[SCALE_ADDR_W-1:0]};
    assign {level_addr, gain_addr} = {addr[LEVEL_ADDR_W-1:0], addr[GAIN_ADDR_W-1:0]};
    assign {hi_addr, lo_addr} = {addr[HI_ADDR_W-1:0], addr[LO_ADDR_W-1:0]};
    assign prog_addr  = addr[PROG_ADDR_W-1:0];
    assign pick       = there && of_weight && sub == 2'd0;
    assign pick_lane  = at[LANE_W-1:0];
    assign pick_group = group;

    always @(posedge clk) begin
        if (walking && left != 3'd0)
            left <= left - 3'd1;
        if (there) begin
            hot <= word_end ? begins : hot << 1;
            sub <= part_end ? 2'd0 : sub + 2'd1;
            if (part_end)
                group <= line_end ? {GROUP_W{1'b0}} : group + 1'b1;
            if (line_end)
                at <= at + 1'b1;
            if (word_end) begin
                left <= WAIT[2:0];
                addr <= ends ? {ADDR_W{1'b0}} : addr + 1'b1;
                at   <= ends ? first_next : first;
                rom  <= rom_next;
                if (ends && rom == PROG)
                    walking <= 1'b0;
            end
        end
        if (start) begin
            walking <= 1'b1;
            rom     <= WEIGHT;
            left    <= WAIT[2:0];
            addr    <= {ADDR_W{1'b0}};
            at      <= {AT_W{1'b0}};
            group   <= {GROUP_W{1'b0}};
            sub     <= 2'd0;
        end
        if (rst)
            walking <= 1'b0;
    end

    // what was chosen is folded a clock later
    reg            fold, fold_weight;
    reg [1:0]      fold_sub;
    reg [VEC-1:0]  chosen;
    reg [31:0]     state;
    wire [31:0]    state_next;
    wire [VEC-1:0] subs [0:3];
    generate
        for (i = 0; i < 4; i = i + 1) begin : g_sub
            if (i < CODE_W) begin : g_bits
                assign subs[i] = part[i*VEC +: VEC];
            end else begin : g_none
                assign subs[i] = {VEC{1'b0}};
            end
        end
    endgenerate
    crc32 #(.W(VEC)) u_crc (
        .crc(state), .data(fold_weight ? subs[fold_sub] : chosen), .next(state_next)
    );
    assign crc  = ~state;
    assign busy = walking | fold;

    always @(posedge clk) begin
        fold        <= there;
        fold_weight <= of_weight;
        fold_sub    <= sub;
        if (there && !of_weight)
            chosen <= choice;
        if (fold) begin
            state <= state_next;
            done  <= !walking;
        end
        if (start) begin
            state <= 32'hffffffff;
            done  <= 1'b0;
        end
        if (rst)
            {fold, done} <= 2'd0;
    end

    wire unused_bits = &{1'b0, scale_wide, level_wide, gain_wide, hi_wide, lo_wide, prog_wide};
endmodule

`default_nettype wire
