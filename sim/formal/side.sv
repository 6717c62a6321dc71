// SPDX-License-Identifier: Apache-2.0
// What side.v promises: elements that come OUT or VEC / 2 at a time, in order, are written as words of
// VEC, each once, two cycles after its last element, and `done` follows the last of a vector by four and
// the stages of the tree of squares.
// Reading, and the sum of squares, are residual.v's (job residual).
// probe f_length = dut.length
// probe f_full = dut.full
// probe f_last = dut.last
`default_nettype none

module f_side #(
    parameter VEC = 4,
    parameter OUT = 2,
    parameter RES_W = 4,
    parameter DEPTH = 4,
    parameter ADDR_W = 2,
    parameter SS_W = 14
) (
    input wire clk, rst, start,
    input wire [19:0] elements, attn_index, h_index,
    input wire attn_valid, h_valid,
    input wire who, // brings the vector that starts: 1 attention, 0 SwiGLU
    input wire [OUT*RES_W-1:0] attn,
    input wire [VEC/2*RES_W-1:0] h,
    input wire read,
    input wire [ADDR_W-1:0] read_addr
);
    localparam VEC_W = $clog2(VEC);
    wire [VEC*RES_W-1:0] read_data, wrote_data;
    wire wrote, done, busy;
    wire [ADDR_W-1:0] wrote_addr;
    wire [SS_W-1:0] ss;
    wire [19:0] f_length; // probes
    wire f_full, f_last;
    side #(
        .VEC(VEC), .OUT(OUT), .RES_W(RES_W), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .SS_W(SS_W)
    ) dut (
        .clk(clk), .rst(rst), .start(start), .elements(elements), .attn_valid(attn_valid),
        .attn_index(attn_index), .attn(attn), .h_valid(h_valid), .h_index(h_index), .h(h),
        .read(read), .read_addr(read_addr), .read_data(read_data), .wrote(wrote),
        .wrote_addr(wrote_addr), .wrote_data(wrote_data), .ss(ss), .done(done), .busy(busy)
    );

    (* anyconst *) reg [ADDR_W-1:0] place; // any word, any element of it
    (* anyconst *) reg [VEC_W-1:0]  lane;
    wire [19:0] followed = {{(20-ADDR_W-VEC_W){1'b0}}, place, lane};
    reg f_past = 1'b0;
    reg from_attn;              // attention brings this vector
    reg [19:0] at, length;      // elements that came, and that belong to it
    reg known;                  // the followed element has come
    reg signed [RES_W-1:0] held;
    localparam D = 4 + $clog2(2 * VEC);
    reg w1, w2;       // a word was complete so many cycles ago
    reg [D-1:0] l;    // the vector
    reg [ADDR_W-1:0] a1, a2;

    wire take = attn_valid | h_valid;
    wire [19:0] count = attn_valid ? OUT : VEC / 2;
    wire [19:0] next = at + count;
    wire word = take && next[VEC_W-1:0] == 0;
    wire here = take && followed >= at && followed < next;
    wire [19:0] offset = followed - at;
    wire signed [RES_W-1:0] brought = attn_valid ? attn[offset*RES_W +: RES_W] : h[offset*RES_W +: RES_W];

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (start)
            {at, length, known} <= {20'd0, elements, 1'b0};
        else if (take)
            at <= next;
        if (here)
            {known, held} <= {1'b1, brought};
        {w1, w2} <= {word, w1};
        {a1, a2} <= {at[VEC_W +: ADDR_W], a1};
        l <= {l, word && next == length};
        if (start)
            from_attn <= who;
        if (rst)
            {at, length, known, w1, w2, l} <= 0;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        if (rst)
            assume (!start && !take && !read);
        // a vector starts when the one before is through, and is a number of words
        if (start)
            assume (at == length && !w1 && !w2 && l == 0 && !take
                    && elements[VEC_W-1:0] == 0 && elements != 0 && elements <= DEPTH * VEC);
        // elements come in order, from one of the two
        if (attn_valid)
            assume (from_attn && !h_valid && attn_index == at);
        if (h_valid)
            assume (!from_attn && h_index == at);
        if (take)
            assume (at < length && !read);
    end

    always @(posedge clk) if (f_past && !rst) begin
        once:      assert (wrote == w2 && (!wrote || wrote_addr == a2));
        its_value: assert (!(wrote && wrote_addr == place)
                           || (known && wrote_data[lane*RES_W +: RES_W] == held));
        on_time:   assert (done == l[D-1]);
        is_busy:   assert (busy || !(take || w1 || w2 || |l));
    end
    always @(posedge clk) if (f_past && !rst) begin
        c_attn: cover (done && from_attn && at > VEC && known && held == -8);
        c_h:    cover (done && !from_attn && at > VEC && known && held == 7);
        c_two:  cover (start && f_length == DEPTH * VEC);
    end
endmodule

`default_nettype wire
