// SPDX-License-Identifier: Apache-2.0
// What kv_cache.v promises: after `keys_done` (`values_done`) a read of a position of a head gives
// what was written there last, and no write disturbs any other place. One arbitrary element of one
// arbitrary place is followed.
`default_nettype none

module f_kv_cache #(
    parameter VEC = 2,
    parameter HEAD_DIM = 4,
    parameter ATT_POS = 2,
    parameter KV_W = 1,
    parameter CTX = 4,
    parameter KV_ROWS = 4,
    parameter MAX_KV_DIM = 8,
    parameter ROW_W = 2,
    parameter GROUP_W = 1
) (
    input wire clk, rst, start, valid, is_value,
    input wire [ROW_W-1:0] row_base, heads,
    input wire [$clog2(CTX)-1:0] pos,
    input wire [VEC*KV_W-1:0] data,
    input wire [ROW_W+GROUP_W-1:0] key_addr, value_addr
);
    localparam POS_W = $clog2(CTX);
    localparam BANK_W = $clog2(ATT_POS);
    reg [19:0] keys_in, values_in;
    wire [19:0] element = is_value ? values_in : keys_in;
    wire keys_done, values_done, busy;
    wire [ATT_POS*HEAD_DIM*KV_W-1:0] key, value;
    kv_cache #(
        .VEC(VEC), .HEAD_DIM(HEAD_DIM), .ATT_POS(ATT_POS), .KV_W(KV_W), .CTX(CTX),
        .KV_ROWS(KV_ROWS), .MAX_KV_DIM(MAX_KV_DIM), .ROW_W(ROW_W), .GROUP_W(GROUP_W)
    ) dut (
        .clk(clk), .rst(rst), .start(start), .row_base(row_base), .heads(heads), .pos(pos),
        .valid(valid), .is_value(is_value), .element(element), .data(data),
        .keys_done(keys_done), .values_done(values_done), .key_addr(key_addr), .key(key),
        .value_addr(value_addr), .value(value), .busy(busy)
    );

    // --- the place that is followed ---------------------------------------------------------------
    (* anyconst *) reg             of_value; // of the values, or of the keys
    (* anyconst *) reg [ROW_W-1:0] f_row;
    (* anyconst *) reg [POS_W-1:0] f_pos;
    (* anyconst *) reg [$clog2(HEAD_DIM)-1:0] f_dim;
    reg f_past = 1'b0;
    reg started;                 // this token: between start and the next one
    reg [ROW_W-1:0] base, n;
    reg [POS_W-1:0] at;
    reg known, coming;           // the place holds `held`; it is being written
    reg [KV_W-1:0] held;
    wire [19:0] total = n * HEAD_DIM;
    wire [ROW_W-1:0] head = f_row - base;
    wire [19:0] place = head * HEAD_DIM + f_dim;
    wire mine = f_row >= base && head < n && at == f_pos;
    wire hits = valid && is_value == of_value && mine && element <= place && place < element + VEC;
    wire ready = of_value ? values_done : keys_done;

    always @(posedge clk) begin
        f_past <= 1'b1;
        if (valid && !is_value)
            keys_in <= keys_in + VEC;
        if (valid && is_value)
            values_in <= values_in + VEC;
        if (hits) begin
            held  <= data[(place - element)*KV_W +: KV_W];
            known <= 1'b1;
        end
        if (start) begin
            {keys_in, values_in} <= 40'd0;
            {base, n, at, started} <= {row_base, heads, pos, 1'b1};
        end
        if (rst) begin
            {known, started} <= 2'b00;
            {keys_in, values_in} <= 40'd0;
        end
    end

    // --- assumptions -------------------------------------------------------------------------
    wire all_in = keys_in == total && values_in == total;
    always @* begin
        if (!f_past)
            assume (rst);
        else
            assume (!rst);
        if (rst)
            assume (!start);
        // attention starts when the last one is over, with heads that the cache has
        if (start) begin
            assume (!started || (all_in && values_done && !busy));
            assume (heads >= 1 && heads * HEAD_DIM <= MAX_KV_DIM && row_base + heads <= KV_ROWS);
            assume (heads * HEAD_DIM % VEC == 0 && !valid);
        end
        if (started && !start)
            assume (pos == at);
        // as many elements as the heads have
        if (valid)
            assume (started && element < total);
    end

    // --- reads: the data of a cycle ago's address --------------------------------------------
    wire [ROW_W+GROUP_W-1:0] here = {f_row, f_pos[POS_W-1:BANK_W]};
    reg read_here, known_here, ready_here, mine_here, quiet_here;
    reg [KV_W-1:0] held_here;
    wire [KV_W-1:0] got = of_value
        ? value[(f_pos[BANK_W-1:0]*HEAD_DIM + f_dim)*KV_W +: KV_W]
        : key[(f_pos[BANK_W-1:0]*HEAD_DIM + f_dim)*KV_W +: KV_W];
    always @(posedge clk) begin
        read_here  <= (of_value ? value_addr : key_addr) == here;
        known_here <= known;
        held_here  <= held;
        // this token does not write here, or has done so
        quiet_here <= !started || !mine || ready;
    end
    reg done_before;
    always @(posedge clk) begin
        done_before <= ready && !start && !rst;
        if (f_past && !rst && read_here && known_here && quiet_here && started)
            reads_back: assert (got == held_here);
        if (f_past && !rst) begin
            keys_first:  assert (!values_done || keys_done);
            all_there:   assert (!ready || (of_value ? values_in : keys_in) == total);
            stays_done:  assert (!done_before || ready || rst);
            done_is_idle: assert (!values_done || !busy);
        end
    end

    // nothing hangs: all in, nothing written for a head's time, so it is done
    reg [3:0] waited;
    always @(posedge clk) begin
        waited <= rst || start || !started || !all_in ? 4'd0 : waited == 4'd15 ? waited : waited + 4'd1;
        if (f_past && !rst)
            gets_done: assert (waited < 2 * MAX_KV_DIM / HEAD_DIM + 3 || (values_done && !busy));
    end

    reg [2:0] tokens;
    always @(posedge clk) begin
        if (rst)
            tokens <= 3'd0;
        else if (start)
            tokens <= tokens + 3'd1;
        if (f_past && !rst) begin
            c_read:  cover (read_here && known_here && quiet_here && mine && n == 2 && ready
                            && f_row == base + 1 && of_value);
            c_other: cover (read_here && known_here && quiet_here && !mine && ready
                            && tokens == 2 && at[BANK_W-1:0] != f_pos[BANK_W-1:0]);
        end
    end
endmodule

`default_nettype wire
