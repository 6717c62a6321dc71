// SPDX-License-Identifier: Apache-2.0
// What word_way.v promises: a word, its activations and its tag come to the array together, on time, once, in order;
// columns beyond `cols` are zero; a word that embed.v or the self-test asked for comes on time, too, and stays until the next
// one comes. The memories answer a clock after the address; with AHEAD the ROMs' address itself takes the first of the registers.
`default_nettype none

module f_word_way #(
    parameter STAGES = 2,
    parameter AHEAD = 0,
    parameter COLS = 2
) (
    input wire clk, rst, valid, embed, all,
    input wire [1:0] tag, cols,
    input wire [COLS*2-1:0] act_in,
    input wire [2:0] code_in, level_in
);
    wire out_valid, busy;
    wire [1:0] out_tag;
    wire [COLS*2-1:0] act;
    wire [2:0] code, level;
    reg  [STAGES:0] moved;           // of embed: now, and k clocks ago
    wire [STAGES:0] other = {moved[STAGES-1:0], embed};
    word_way #(
        .COLS(COLS), .ACT_W(2), .CODES_W(3), .LEVELS_W(3), .COUNT_W(2), .TAG_W(2), .STAGES(STAGES), .AHEAD(AHEAD)
    ) dut (
        .clk(clk), .rst(rst), .valid(valid), .tag(tag), .cols(cols), .act_in(act_in), .code_in(code_in),
        .level_in(level_in), .other(other), .all(all), .out_valid(out_valid), .out_tag(out_tag),
        .act(act), .code(code), .level(level), .busy(busy)
    );

    // what came k clocks ago
    reg f_past = 1'b0;
    reg [STAGES:0] came, asked, taken; // k + 1 clocks ago
    reg [1:0] tags [0:STAGES], counts [0:STAGES];
    reg [COLS*2-1:0] acts [0:STAGES];
    reg [5:0] words [0:STAGES];      // {code, level} as the ROMs gave them
    integer i, k;
    always @(posedge clk) begin
        f_past <= 1'b1;
        moved  <= rst ? 0 : other;
        came   <= rst ? 0 : {came[STAGES-1:0], valid};
        asked  <= rst ? 0 : {asked[STAGES-1:0], valid || embed};
        taken  <= rst ? 0 : {taken[STAGES-1:0], all};
        tags[1] <= tag; counts[1] <= cols; acts[1] <= act_in; words[1] <= {code_in, level_in};
        for (i = 2; i <= STAGES; i = i + 1) begin
            tags[i] <= tags[i-1]; counts[i] <= counts[i-1]; acts[i] <= acts[i-1]; words[i] <= words[i-1];
        end
    end
    always @* begin
        assume (rst == !f_past);
        assume (cols <= COLS);
        assume (!(valid && embed) && !(all && (valid || busy)));
    end
    reg [COLS*2-1:0] cut;
    always @*
        for (k = 0; k < COLS; k = k + 1)
            cut[k*2 +: 2] = k < counts[STAGES] ? acts[STAGES][k*2 +: 2] : 2'd0;
    always @(posedge clk) if (f_past && !rst) begin
        on_time: assert (out_valid == came[STAGES-1]);
        its_tag: assert (!out_valid || out_tag == tags[STAGES]);
        is_busy: assert (busy == |came[STAGES-1:0]);
        its_act: assert (!out_valid || act == cut);
        its_word: assert (!(asked[STAGES-1] || &taken[STAGES-1:0]) || {code, level} == words[STAGES - AHEAD]);
        stays: assert ($past(asked[STAGES-2] || all || rst) || {code, level} == $past({code, level}));
    end
    always @(posedge clk)
        c_cut: cover (f_past && out_valid && counts[STAGES] == 1 && act == 2'd3);
endmodule

`default_nettype wire
