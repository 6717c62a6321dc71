// SPDX-License-Identifier: Apache-2.0
// What selftest.v promises: from a start on it reads every word of every ROM once, one ROM after the other by
// the address, and folds every VEC bits of each once, in order, from bit 0 up; the result is what the folding made
// of them (crc_shifted.v), and `done` comes with it. A width that VEC does not divide, rows that are no power of two.
// probe d_walking = dut.walking
// probe d_rom = dut.rom
// probe d_addr = dut.addr
// probe d_left = dut.left
// probe d_at = dut.at
// probe d_hot = dut.hot
// probe d_first = dut.first
// probe d_group = dut.group
// probe d_sub = dut.sub
// probe d_fold = dut.fold
// probe d_fold_weight = dut.fold_weight
// probe d_fold_sub = dut.fold_sub
// probe d_chosen = dut.chosen
// probe d_state = dut.state
`default_nettype none

module f_selftest #(
    parameter ROWS = 3,
    parameter COLS = 4,
    parameter VEC = 2,
    parameter CODE_W = 2,
    parameter PROG_W = 5,
    parameter ROM = 2
) (
    input wire clk, rst, start,
    // the word at hand of each ROM
    input wire [ROWS*COLS*CODE_W-1:0] weight,
    input wire [VEC*12-1:0] scale,
    input wire [(8<<CODE_W)-1:0] level,
    input wire [VEC*16-1:0] gain,
    input wire [31:0] hi, lo,
    input wire [PROG_W-1:0] prog
);
    localparam GROUPS = COLS / VEC;
    wire        busy, done, pick;
    wire [31:0] crc;
    wire [6:0]  read;
    wire [2:0]  weight_addr;
    wire [1:0]  scale_addr, level_addr, lo_addr, prog_addr;
    wire [0:0]  gain_addr, hi_addr;
    wire [$clog2(ROWS)-1:0] pick_lane;
    wire [0:0]  pick_group;
    reg  [VEC*CODE_W-1:0] part;
    selftest #(
        .ROWS(ROWS), .COLS(COLS), .VEC(VEC), .CODE_W(CODE_W), .WEIGHT_ADDR_W(3), .SCALE_ADDR_W(2),
        .LEVEL_ADDR_W(2), .GAIN_ADDR_W(1), .HI_ADDR_W(1), .LO_ADDR_W(2), .PROG_ADDR_W(2),
        .PROG_W(PROG_W), .ROM(ROM)
    ) dut (
        .clk(clk), .rst(rst), .start(start), .busy(busy), .done(done), .crc(crc), .read(read),
        .weight_addr(weight_addr), .scale_addr(scale_addr), .level_addr(level_addr),
        .gain_addr(gain_addr), .hi_addr(hi_addr), .lo_addr(lo_addr), .prog_addr(prog_addr),
        .scale(scale), .level(level), .gain(gain), .hi(hi), .lo(lo), .prog(prog), .pick(pick),
        .pick_lane(pick_lane), .pick_group(pick_group), .part(part)
    );
    wire d_walking, d_fold, d_fold_weight;
    wire [2:0] d_rom, d_left;
    wire [2:0] d_addr;
    wire [6:0] d_at, d_first;
    wire [78:0] d_hot;
    wire [0:0] d_group;
    wire [1:0] d_sub, d_fold_sub;
    wire [VEC-1:0] d_chosen;
    wire [31:0] d_state;

    // --- the specification's own state: ROM, word, clocks to wait, VEC bits of the word -----------
    reg f_past = 1'b0;
    reg [2:0] rom, word, waits;
    reg [5:0] unit;
    reg       on, folds, ended;
    reg [VEC-1:0] bits;
    reg [31:0] sum;
    reg [5:0] units;
    reg [2:0] last_word;
    reg [63:0] held; // the word at hand, zeros behind it
    always @* begin
        case (rom)
            3'd0: {units, last_word, held} = {6'd12, 3'd7, {{(64-ROWS*COLS*CODE_W){1'b0}}, weight}};
            3'd1: {units, last_word, held} = {6'd12, 3'd3, {{(64-VEC*12){1'b0}}, scale}};
            3'd2: {units, last_word, held} = {6'd16, 3'd3, {{(64-(8<<CODE_W)){1'b0}}, level}};
            3'd3: {units, last_word, held} = {6'd16, 3'd1, {{(64-VEC*16){1'b0}}, gain}};
            3'd4: {units, last_word, held} = {6'd16, 3'd1, {32'd0, hi}};
            3'd5: {units, last_word, held} = {6'd16, 3'd3, {32'd0, lo}};
            default: {units, last_word, held} = {6'd3, 3'd3, {{(64-PROG_W){1'b0}}, prog}};
        endcase
    end
    wire take = on && waits == 0;
    wire word_end = take && unit + 6'd1 == units;

    always @(posedge clk) begin
        f_past <= 1'b1;
        folds  <= take;
        bits   <= held >> unit * VEC;
        if (folds) begin
            sum   <= {bits, sum[31:VEC]};
            ended <= !on;
        end
        if (on && waits != 0)
            waits <= waits - 3'd1;
        if (take)
            unit <= unit + 6'd1;
        if (word_end) begin
            unit  <= 6'd0;
            waits <= ROM;
            word  <= word == last_word ? 3'd0 : word + 3'd1;
            if (word == last_word) begin
                rom <= rom + 3'd1;
                on  <= rom != 3'd6;
            end
        end
        if (start) begin
            {on, ended, rom, word, unit} <= {1'b1, 1'b0, 3'd0, 3'd0, 6'd0};
            waits <= ROM;
            sum   <= 32'hffffffff;
        end
        if (rst)
            {on, folds, ended} <= 3'd0;
    end

    // embed.v
    always @(posedge clk)
        if (pick)
            part <= weight >> (pick_lane * GROUPS + pick_group) * VEC * CODE_W;

    // a word stays until another is read
    always @* begin
        if (!f_past)
            assume (rst);
        if (busy)
            assume (!start);
    end
    always @(posedge clk)
        if (f_past && on && !(waits == ROM)) begin
            assume ($stable(weight) && $stable(scale) && $stable(level) && $stable(gain));
            assume ($stable(hi) && $stable(lo) && $stable(prog));
        end

    wire [7:0] one_hot = 8'd1 << rom;
    wire [2:0] addr_now = rom == 0 ? weight_addr : rom == 1 ? scale_addr : rom == 2 ? level_addr
                        : rom == 3 ? gain_addr : rom == 4 ? hi_addr : rom == 5 ? lo_addr : prog_addr;
    always @(posedge clk) if (f_past && !rst) begin
        reads:   assert (read == (on && waits == ROM ? one_hot[6:0] : 7'd0));
        at_word: assert (!on || addr_now == word);
        is_busy: assert (busy == (on || folds));
        is_done: assert (done == ended);
        result:  assert (!(busy || done) || crc == ~sum); // all that has come so far is in it
        // for induction
        l_on:    assert (d_walking == on && (!on || (d_rom == rom && d_left == waits && rom <= 6)));
        l_word:  assert (!on || (d_addr == word && word <= last_word && unit < units && waits <= ROM));
        l_start: assert (!on || waits == 0 || unit == 0);
        l_unit:  assert (!on || (rom == 0 ? unit == (d_at * GROUPS + d_group) * CODE_W + d_sub && d_sub < CODE_W
                                 : (unit == d_at - d_first && d_at >= d_first && d_group == 0 && d_sub == 0)));
        l_hot:   assert (!on || rom == 0 || d_hot == 79'd1 << d_at);
        l_at:    assert (!on || rom != 0 || d_at < ROWS);
        l_fold:  assert (d_fold == folds && (!folds || d_fold_sub < CODE_W)
                         && (!folds || bits == (d_fold_weight ? part[d_fold_sub*VEC +: VEC] : d_chosen)));
        l_state: assert (d_state == sum || !(on || folds || ended));
        l_end:   assert (!ended || !(on || folds));
        l_part:  assert (!(on && rom == 0 && d_sub != 0)
                         || part == ((weight >> (d_at * GROUPS + d_group) * VEC * CODE_W) & 15));
    end
    always @(posedge clk)
        if (f_past && !rst)
            c_word: cover (read[0] && weight_addr == 3'd1 && $past(start, 15));
endmodule

`default_nettype wire
