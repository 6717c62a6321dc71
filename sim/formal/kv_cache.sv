// SPDX-License-Identifier: Apache-2.0
// What kv_cache.v promises: after `keys_done` (`values_done`) a read of a position of a head gives
// what was written there last, and no write disturbs any other place. One arbitrary element of one
// arbitrary place is followed; the RAMs keep the words it passes (ram_followed.v).
// probe k_at = dut.u_key.followed
// probe v_at = dut.u_value.followed
// probe s_at = dut.u_stage.followed
// probe x_head = dut.head
// probe x_head_row = dut.head_row
// probe x_out_end = dut.out_end
// probe x_step = dut.step_q
// probe x_copy_value = dut.copy_value
// probe x_running = dut.running
// probe x_keys_in = dut.keys_in
// probe x_values_in = dut.values_in
// probe x_heads_q = dut.heads_q
// probe x_base_q = dut.base_q
// probe x_write_key = dut.write_key
// probe x_write_value = dut.write_value
// probe x_row = dut.row
// probe x_out_lane = dut.out_lane
// probe x_keys_copied = dut.keys_copied
// probe x_values_copied = dut.values_copied
// probe x_keys_visible = dut.keys_visible
// probe x_values_visible = dut.values_visible
// probe k_word = dut.u_key.word
// probe v_word = dut.u_value.word
// probe s_word = dut.u_stage.word
// probe s_q = dut.u_stage.q
// probe s_hit = dut.u_stage.hit
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
    input wire clk, rst, start, valid, is_value, key_read, value_read,
    input wire [ROW_W-1:0] row_base, heads,
    input wire [$clog2(CTX)-1:0] pos,
    input wire [VEC*KV_W-1:0] data,
    input wire [ROW_W+GROUP_W-1:0] key_addr, value_addr
);
    localparam POS_W = $clog2(CTX);
    localparam BANK_W = $clog2(ATT_POS);
    localparam LANES = VEC > HEAD_DIM ? VEC : HEAD_DIM;
    localparam WORDS = MAX_KV_DIM > LANES ? (MAX_KV_DIM + LANES - 1) / LANES : 2;
    localparam SIZE_W = $clog2(WORDS);
    reg [19:0] keys_in, values_in;
    wire [19:0] element = is_value ? values_in : keys_in;
    wire keys_done, values_done, busy;
    wire [ATT_POS*HEAD_DIM*KV_W-1:0] key, value;
    kv_cache #(
        .VEC(VEC), .HEAD_DIM(HEAD_DIM), .ATT_POS(ATT_POS), .KV_W(KV_W), .CTX(CTX),
        .KV_ROWS(KV_ROWS), .MAX_KV_DIM(MAX_KV_DIM), .ROW_W(ROW_W), .GROUP_W(GROUP_W)
    ) dut (
        .clk(clk), .rst(rst), .start(start), .row_base(row_base), .heads(heads), .row_step({{(ROW_W-1){1'b0}}, 1'b1}), .pos(pos),
        .valid(valid), .is_value(is_value), .element(element), .data(data),
        .keys_done(keys_done), .values_done(values_done), .key_read(key_read), .key_addr(key_addr),
        .key(key), .value_read(value_read), .value_addr(value_addr), .value(value), .busy(busy)
    );

    // --- the place that is followed ---------------------------------------------------------------
    (* anyconst *) reg             of_value; // of the values, or of the keys
    (* anyconst *) reg [ROW_W-1:0] f_row;
    (* anyconst *) reg [POS_W-1:0] f_pos;
    (* anyconst *) reg [$clog2(HEAD_DIM)-1:0] f_dim;
    (* anyconst *) reg [ROW_W-1:0] f_head; // of a layer: rows of layers do not overlap
    wire [ROW_W+GROUP_W-1:0] k_at, v_at;
    wire [SIZE_W:0] s_at;
    wire [19:0] f_place = f_head * HEAD_DIM + f_dim;
    wire [19:0] f_word  = f_place / LANES;
    always @* begin
        assume (k_at == here && v_at == here && s_at == {of_value, f_word[SIZE_W-1:0]});
        if (started && f_row >= base && head < n)
            assume (head == f_head);
    end
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
        // attention reads what is there (attention.sv, a_there and w_there)
        assume ((!key_read || keys_done) && (!value_read || values_done));
        // as many elements as the heads have
        if (valid)
            assume (started && element < total);
    end

    // --- reads: the data of a cycle ago's read --------------------------------------------
    wire [ROW_W+GROUP_W-1:0] here = {f_row, f_pos[POS_W-1:BANK_W]};
    reg read_here, known_here, ready_here, mine_here, quiet_here;
    reg [KV_W-1:0] held_here;
    wire [KV_W-1:0] got = of_value
        ? value[(f_pos[BANK_W-1:0]*HEAD_DIM + f_dim)*KV_W +: KV_W]
        : key[(f_pos[BANK_W-1:0]*HEAD_DIM + f_dim)*KV_W +: KV_W];
    always @(posedge clk) begin
        read_here  <= of_value ? value_read && value_addr == here : key_read && key_addr == here;
        known_here <= known && !rst;
        held_here  <= held;
        // this token does not write here, or has done so
        quiet_here <= !started || !mine || ready;
    end
    reg done_before;
    wire x_write_key, x_write_value;
    always @(posedge clk) begin
        done_before <= ready && !start && !rst;
        if (f_past && !rst && read_here && known_here && quiet_here && started)
            reads_back: assert (got == held_here);
        if (f_past && !rst) begin
            keys_first:  assert (!values_done || keys_done);
            // a bank has one port
            one_port:    assert (!(key_read && x_write_key) && !(value_read && x_write_value));
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


    // --- for induction: where the followed element is on its way ----------------------------
    wire [ROW_W-1:0] x_head, x_head_row, x_step, x_heads_q, x_base_q, x_row;
    wire [19:0] x_keys_in, x_values_in, x_out_lane, x_out_end;
    wire x_copy_value, x_running, x_keys_copied, x_values_copied,
         x_keys_visible, x_values_visible, s_hit;
    wire [ATT_POS*HEAD_DIM*KV_W-1:0] k_word, v_word;
    wire [LANES*KV_W-1:0] s_word, s_q;
    wire [7:0] keys_out   = x_keys_copied ? n : x_head;   // heads copied, or in flight
    wire [7:0] values_out = x_values_copied ? n : x_copy_value ? x_head : 8'd0;
    wire [7:0] heads_out  = of_value ? values_out : keys_out;
    wire write  = of_value ? x_write_value : x_write_key;
    wire staged = (of_value ? values_in : keys_in) > place;
    wire banked = !started || !mine || !staged || head < heads_out - write;
    wire [KV_W-1:0] bank = of_value
        ? v_word[(f_pos[BANK_W-1:0]*HEAD_DIM + f_dim)*KV_W +: KV_W]
        : k_word[(f_pos[BANK_W-1:0]*HEAD_DIM + f_dim)*KV_W +: KV_W];
    wire [19:0] lane = place % LANES;
    wire [19:0] head_lane = head * HEAD_DIM % LANES;
    wire [7:0] to_go = n - keys_out + (n - values_out);
    always @(posedge clk) if (f_past && !rst) begin
        l_idle: assert (started || !(x_running || x_write_key || x_write_value || x_keys_copied
                                     || x_values_copied || known || x_keys_visible
                                     || x_values_visible));
        if (started) begin
            l_size:  assert (n >= 1 && total <= MAX_KV_DIM && total % VEC == 0 && base + n <= KV_ROWS
                             && keys_in <= total && values_in <= total && keys_in % VEC == 0
                             && values_in % VEC == 0);
            l_same:  assert (x_head_row == x_head && x_step == 1 && x_keys_in == keys_in && x_values_in == values_in && x_heads_q == n
                             && x_base_q == base && x_running == !x_values_copied
                             && x_copy_value == x_keys_copied);
            l_out:   assert (x_out_end == (x_head + 1) * HEAD_DIM);
            l_order: assert (x_head < n && (!x_values_copied || (x_keys_copied && x_head == 0)));
            l_count: assert (keys_out * HEAD_DIM <= keys_in && values_out * HEAD_DIM <= values_in);
            l_shown: assert ((!x_keys_visible || (x_keys_copied && !x_write_key))
                             && (!x_values_visible || (x_values_copied && !x_write_value
                                                       && x_keys_visible)));
            l_late:  assert ((x_keys_visible || !x_keys_copied || x_write_key)
                             && (x_values_visible || !x_values_copied || x_write_value));
            l_write: assert ((!x_write_key || (keys_out != 0 && x_row == base + keys_out - 1))
                             && (!x_write_value || (values_out != 0 && x_keys_copied
                                                    && x_row == base + values_out - 1)));
            l_stage: assert (!(mine && staged) || (known && s_word[lane*KV_W +: KV_W] == held));
            l_fly:   assert (!(write && mine && x_row == f_row)
                             || (s_hit && s_q[lane*KV_W +: KV_W] == held && staged
                                 && x_out_lane == head_lane));
            l_goes:  assert (waited == 0 || (all_in && waited + to_go <= 2 * n
                                             || to_go == 0 && (x_values_visible || waited <= 2 * n + 1)));
        end
        l_bank: assert (!(known && banked) || bank == held);
    end
    reg was_quiet;
    always @(posedge clk) begin
        was_quiet <= banked;
        if (f_past && !rst && read_here && known_here && was_quiet)
            l_read: assert (got == held_here);
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
