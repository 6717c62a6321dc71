// SPDX-License-Identifier: Apache-2.0
// KV cache in SRAM. ATT_POS banks hold consecutive positions, so that a read delivers ATT_POS
// positions of one KV head: bank = pos % ATT_POS. A row holds ATT_POS << GROUP_W positions; a KV head
// of a layer has `row_step` rows of its own, from row_base + head * row_step on, and the positions follow
// each other through them. `pos` is the position in the sequence, or in the ring of a layer with a window.
//
// New keys and values arrive VEC rows at a time in the order of the drain, and HEAD_DIM may be
// smaller or larger than VEC: they are staged, and copied a head a cycle. `keys_done` and
// `values_done` say that all heads of this token are in the banks; keys are read after the one, values after
// the other, so that a bank has one port: it is never written and read in one clock. `heads` is 1 to
// 2^ROW_W, of which the last arrives as 0.
`default_nettype none

module kv_cache #(
    parameter VEC = 8,
    parameter HEAD_DIM = 8,
    parameter ATT_POS = 16,
    parameter KV_W = 8,
    parameter CTX = 512,
    parameter KV_ROWS = 20,
    parameter MAX_KV_DIM = 32,
    parameter ROW_W = 5,       // 2^ROW_W >= KV_ROWS
    parameter GROUP_W = 5      // log2(positions of a row / ATT_POS)
) (
    input  wire                             clk,
    input  wire                             rst,

    input  wire                             start,     // of a layer's attention
    input  wire [ROW_W-1:0]                 row_base,
    input  wire [ROW_W-1:0]                 heads,     // KV heads of a layer
    input  wire [ROW_W-1:0]                 row_step,  // rows of a KV head
    input  wire [$clog2(CTX)-1:0]           pos,

    input  wire                             valid,     // VEC elements
    input  wire                             is_value,
    input  wire [19:0]                      element,   // of the first one
    input  wire [VEC*KV_W-1:0]              data,

    output wire                             keys_done,
    output wire                             values_done,

    input  wire                             key_read,
    input  wire [ROW_W+GROUP_W-1:0]         key_addr,
    output wire [ATT_POS*HEAD_DIM*KV_W-1:0] key,
    input  wire                             value_read,
    input  wire [ROW_W+GROUP_W-1:0]         value_addr,
    output wire [ATT_POS*HEAD_DIM*KV_W-1:0] value,
    output wire                             busy
);
    localparam BANK_W  = $clog2(ATT_POS);
    localparam LANES   = VEC > HEAD_DIM ? VEC : HEAD_DIM; // elements of a staging word
    localparam WORDS   = MAX_KV_DIM > LANES ? (MAX_KV_DIM + LANES - 1) / LANES : 2;
    localparam WORD_W  = $clog2(WORDS);
    localparam DEPTH_W = ROW_W + GROUP_W;
    localparam DEPTH   = KV_ROWS << GROUP_W;

    // --- staging: keys in the lower half, values in the upper ------------------------------------
    wire [19:0]      in_word = element / LANES;
    wire [19:0]      in_lane = element % LANES;
    wire [LANES-1:0] in_mask = {{(LANES-VEC){1'b0}}, {VEC{1'b1}}} << in_lane;

    reg  [19:0]      keys_in, values_in; // elements staged
    reg              copy_value;         // copying values, after the keys
    reg  [ROW_W-1:0] head, heads_q, base_q, step_q;
    reg  [ROW_W-1:0] head_row;           // of the head, from its layer's first
    reg              running;
    // A product, where a counter would do: so Yosys sees that out_lane is a multiple of the head's length.
    wire [19:0]      out_element = {{(20-ROW_W){1'b0}}, head} * HEAD_DIM; // the head's first
    reg  [19:0]      out_end;            // of the head's elements
    wire [19:0]      out_word    = out_element / LANES;
    wire [LANES*KV_W-1:0] staged;
    wire        keys_there = keys_in >= out_end, values_there = values_in >= out_end; // compared before one is chosen
    wire        copy = running && (copy_value ? values_there : keys_there);

    ram #(.LANES(LANES), .W(KV_W), .DEPTH(2 << WORD_W), .ADDR_W(WORD_W + 1)) u_stage (
        .clk(clk), .we(valid ? in_mask : {LANES{1'b0}}),
        .waddr({is_value, in_word[WORD_W-1:0]}), .wdata({(LANES/VEC){data}}),
        .re(copy), .raddr({copy_value, out_word[WORD_W-1:0]}), .rdata(staged)
    );

    // --- copy --------------------------------------------------------------------------------
    reg         write_key, write_value;
    reg         keys_copied, values_copied, keys_visible, values_visible;
    reg  [19:0] out_lane;
    reg  [ROW_W-1:0] row;
    wire [ATT_POS-1:0] bank = {{(ATT_POS-1){1'b0}}, 1'b1} << pos % ATT_POS[$clog2(CTX)-1:0];
    wire [ROW_W+$clog2(CTX)-1:0] pos_wide = {{ROW_W{1'b0}}, pos};
    wire [ROW_W-1:0]   pos_row = pos_wide[GROUP_W+BANK_W +: ROW_W];
    wire [DEPTH_W-1:0] addr = {row, pos[BANK_W +: GROUP_W]};
    wire [HEAD_DIM*KV_W-1:0] entry = staged[out_lane*KV_W +: HEAD_DIM*KV_W];

    always @(posedge clk) begin
        if (valid && !is_value)
            keys_in <= element + VEC[19:0];
        if (valid && is_value)
            values_in <= element + VEC[19:0];

        write_key   <= copy && !copy_value;
        write_value <= copy && copy_value;
        out_lane    <= out_element % LANES;
        row         <= base_q + head_row + pos_row;
        if (copy) begin
            head        <= head + 1'b1;
            head_row    <= head_row + step_q;
            out_end     <= out_end + HEAD_DIM[19:0];
            if (head == heads_q - 1'b1) begin
                head        <= {ROW_W{1'b0}};
                head_row    <= {ROW_W{1'b0}};
                out_end     <= HEAD_DIM[19:0];
                copy_value  <= 1'b1;
                if (copy_value) begin
                    running       <= 1'b0;
                    values_copied <= 1'b1;
                end else
                    keys_copied <= 1'b1;
            end
        end
        keys_visible   <= keys_copied;
        values_visible <= values_copied;
        if (start) begin
            {keys_in, values_in} <= 40'd0;
            head        <= {ROW_W{1'b0}};
            head_row    <= {ROW_W{1'b0}};
            out_end     <= HEAD_DIM[19:0];
            heads_q     <= heads;
            step_q      <= row_step;
            base_q      <= row_base;
            running     <= 1'b1;
            copy_value  <= 1'b0;
            {keys_copied, values_copied, keys_visible, values_visible} <= 4'd0;
        end
        if (rst) begin
            {write_key, write_value, running} <= 3'd0;
            {keys_copied, values_copied, keys_visible, values_visible} <= 4'd0;
        end
    end

    assign keys_done   = keys_visible;
    assign values_done = values_visible;
    assign busy        = running | write_key | write_value;

    // --- banks -------------------------------------------------------------------------------
    ram_one #(.LANES(ATT_POS), .W(HEAD_DIM * KV_W), .DEPTH(DEPTH), .ADDR_W(DEPTH_W)) u_key (
        .clk(clk), .we(write_key ? bank : {ATT_POS{1'b0}}), .re(key_read),
        .addr(write_key ? addr : key_addr), .wdata({ATT_POS{entry}}), .rdata(key)
    );
    ram_one #(.LANES(ATT_POS), .W(HEAD_DIM * KV_W), .DEPTH(DEPTH), .ADDR_W(DEPTH_W)) u_value (
        .clk(clk), .we(write_value ? bank : {ATT_POS{1'b0}}), .re(value_read),
        .addr(write_value ? addr : value_addr), .wdata({ATT_POS{entry}}), .rdata(value)
    );

    wire unused_bits = &{1'b0, in_word, out_word, pos_wide};
endmodule

`default_nettype wire
