// SPDX-License-Identifier: Apache-2.0
// What sequencer.v promises: the program is issued in order, every word once, to the unit its
// opcode names, and never before that unit may take it. With ISSUE = 2 the sequencer sees units a clock late: what
// is promised is the same, since a unit gets busy only where something was started.
// probe f_running = dut.running
// probe f_have = dut.have
// probe f_fetched = dut.fetched
// probe f_pending = dut.residual_pending
// probe f_side = dut.side_pending
`include "isa.vh"
`default_nettype none

module f_sequencer #(
    parameter PROG_ADDR_W = 3,
    parameter SUB_NORM = 0,
    parameter TOKEN_W = 2,
    parameter ISSUE = 1
) (
    input wire clk, rst,
    input wire start, sample,
    input wire [TOKEN_W-1:0] token,
    input wire matvec_ready, residual_done, side_done, rows_busy, attn_busy, angles_busy, recv_busy,
    input wire units_busy,
    input wire [`HW_INSN_W-1:0] prog_data // the ROM's, assumed below
);
    wire                   done, refused, issue_embed, issue_norm, issue_attn, issue_heads, issue_recv, matvec_valid;
    wire [19:0]            seq_len, ring;
    wire [PROG_ADDR_W-1:0] prog_addr;
    wire [`HW_INSN_W-1:0]  insn;

    // any program, in a ROM of one clock: the word at one arbitrary address is known, the others
    // are free, and a word stays while its address does
    (* anyconst *) reg [PROG_ADDR_W-1:0] place;
    (* anyconst *) reg [`HW_INSN_W-1:0] word;
    reg [PROG_ADDR_W-1:0] addr_before;
    reg [`HW_INSN_W-1:0]  data_before;
    always @(posedge clk) begin
        addr_before <= prog_addr;
        data_before <= prog_data;
    end
    reg [PROG_ADDR_W-1:0] addr_before2;
    always @(posedge clk)
        addr_before2 <= addr_before;
    always @* begin
        if (addr_before == place)
            assume (prog_data == word);
        if (addr_before == addr_before2)
            assume (prog_data == data_before);
    end

    sequencer #(.PROG_ADDR_W(PROG_ADDR_W), .SUB_NORM(SUB_NORM), .TOKEN_W(TOKEN_W), .ISSUE(ISSUE)) dut (
        .clk(clk), .rst(rst), .start(start), .sample(sample), .token(token), .done(done),
        .refused(refused), .seq_len(seq_len), .ring(ring),
        .prog_addr(prog_addr), .prog_data(prog_data), .insn(insn), .issue_embed(issue_embed),
        .issue_norm(issue_norm), .issue_attn(issue_attn), .issue_heads(issue_heads), .issue_recv(issue_recv),
        .matvec_valid(matvec_valid), .matvec_ready(matvec_ready), .residual_done(residual_done),
        .side_done(side_done), .rows_busy(rows_busy), .attn_busy(attn_busy), .angles_busy(angles_busy), .recv_busy(recv_busy),
        .units_busy(units_busy)
    );
    wire f_running, f_have, f_fetched, f_pending, f_side; // probes

    // --- the specification's own state ----------------------------------------------------------
    reg f_past = 1'b0;
    reg busy;                    // between start and END
    reg [PROG_ADDR_W-1:0] step;  // words issued or skipped since start
    reg [1:0] on_way;            // operations whose rows have not all reached the residual
    reg [1:0] side_way;          // vectors not yet complete in the side buffer
    reg [1:0] waited;            // cycles at this word
    reg [TOKEN_W:0] wanted;      // sample and token, as of the start
    wire [`HW_OP_W-1:0] op = insn[`HW_OP];
    wire skip = insn[`HW_SAMPLE_ONLY] && !sample;
    wire bad_token = token >= insn[`HW_EMBED_VOCAB];
    wire issue_matvec = matvec_valid && matvec_ready;
    wire any = issue_embed || issue_norm || issue_attn || issue_heads || issue_recv || issue_matvec;
    wire to_residual = issue_embed || ((issue_matvec && insn[`HW_MATVEC_DEST] <= `HW_DST_ADD)
                                       || (issue_recv && insn[`HW_RECV_DEST] <= `HW_DST_ADD));
    wire to_side = SUB_NORM != 0 && (issue_attn || (issue_matvec && insn[`HW_MATVEC_DEST] == `HW_DST_HIDDEN)
                                    || (issue_recv && insn[`HW_RECV_DEST] == `HW_DST_HIDDEN));
    wire from_side = SUB_NORM != 0 && insn[`HW_NORM_TARGET] != `HW_REGION_X; // a NORM of the side buffer
    // still on the way: what arrives in this clock is there
    wire [1:0] norm_way = from_side ? side_way - side_done : on_way - residual_done;
    wire [PROG_ADDR_W-1:0] at = f_running ? step : {PROG_ADDR_W{1'b0}}; // the word at hand
    wire move = any || (f_running && f_have && skip);

    always @(posedge clk) begin
        f_past <= 1'b1;
        waited <= move || start || !busy ? 2'd0 : waited == 2'd3 ? 2'd3 : waited + 2'd1;
        if (move)
            step <= step + 1'b1;
        on_way <= on_way + to_residual - residual_done;
        side_way <= side_way + to_side - side_done;
        if (done)
            busy <= 1'b0;
        if (start) begin
            busy <= 1'b1;
            step <= 0;
            wanted <= {sample, token};
        end
        if (rst) begin
            busy <= 1'b0;
            on_way <= 2'd0;
            side_way <= 2'd0;
            waited <= 2'd0;
            step <= 0;
        end
    end

    // --- assumptions: what the engine around it does -------------------------------------------
    always @* begin
        if (!f_past)
            assume (rst);
        if (busy || rst)
            assume (!start);
        if (busy && !start)
            assume ({sample, token} == wanted);
        // rows arrive only if some are on their way, and a program has one writer of the residual
        // between two NORMs
        if (on_way == 2'd0)
            assume (!residual_done);
        if (on_way != 2'd0)
            assume (!to_residual || residual_done);
        // and one writer of the side buffer before each NORM that reads it
        if (side_way == 2'd0)
            assume (!side_done);
        if (side_way != 2'd0)
            assume (!to_side || side_done);
    end
    reg recv_before = 1'b0;
    always @(posedge clk)
        recv_before <= issue_recv || (recv_busy && !rst);
    always @*
        if (recv_busy) // RECV ends by itself, and starts by being issued
            assume (recv_before);

    // units as they were in the two clocks before; a late sequencer may wait for that
    wire [4:0] busy_now = {rows_busy, attn_busy, angles_busy, recv_busy, units_busy};
    reg  [4:0] busy_before, busy_before2;
    reg        started_before = 1'b0;
    always @(posedge clk) begin
        busy_before    <= rst ? 5'd0 : busy_now;
        busy_before2   <= rst ? 5'd0 : busy_before;
        started_before <= !rst && (any || start);
    end
    always @*
        if (ISSUE > 1 && f_past && !rst)
            assume (started_before || (busy_now & ~busy_before) == 5'd0);
    wire rows_reason, attn_reason, angles_reason, recv_reason, units_reason;
    assign {rows_reason, attn_reason, angles_reason, recv_reason, units_reason} =
        busy_now | (ISSUE > 1 ? busy_before : 5'd0);
    wire units_earlier = ISSUE > 1 && busy_before2[0];

    // --- assertions ---------------------------------------------------------------------------
    always @(posedge clk) if (f_past && !rst) begin
        // a word goes to one unit, the one its opcode names, unchanged
        one_unit:  assert (issue_embed + issue_norm + issue_attn + issue_heads + issue_recv + matvec_valid <= 1);
        the_word:  assert (!any || (busy && (step != place || insn == word)));
        embed_op:  assert (!issue_embed || (op == `HW_OP_EMBED && !bad_token));
        norm_op:   assert (!issue_norm || op == `HW_OP_NORM);
        matvec_op: assert (!matvec_valid || op == `HW_OP_MATVEC);
        attn_op:   assert (!issue_attn || op == `HW_OP_ATTN);
        heads_op:  assert (!issue_heads || op == `HW_OP_HEADS);
        recv_op:   assert (!issue_recv || op == `HW_OP_RECV);
        // words for sampled tokens only
        skipped:   assert (!any || !skip);
        // the rules of order, and the unit's own state
        norm_waits: assert (!issue_norm || norm_way == 2'd0);
        recv_waits: assert (!issue_recv || (!rows_busy && !recv_busy));
        matvec_waits: assert (!matvec_valid || !recv_busy);
        attn_waits: assert (!issue_attn || (!attn_busy && !angles_busy));
        heads_waits: assert (!issue_heads || !attn_busy);
        // END: only at END, or at EMBED with a bad token, which alone is refused; only when all is idle,
        // once, with the length of END's word
        end_op:    assert (!done || (busy && !$past(units_busy)
                                     && (refused ? op == `HW_OP_EMBED && $past(bad_token)
                                                 : op == `HW_OP_END)));
        end_len:   assert (!done || refused || seq_len == insn[`HW_END_POSITIONS]);
        end_ring:  assert (!done || refused || ring == insn[`HW_END_RING]);
        end_once:  assert (!done || !$past(done));
        silent:    assert (busy || !(any || matvec_valid || done));
        // an offered matrix stays offered, with the same word, until it is taken
        if ($past(matvec_valid && !matvec_ready && !rst))
            offer_stays: assert (matvec_valid && insn == $past(insn));
        // nothing waits without a reason
        if (waited == 2'd2 && busy && !done && !skip) begin
            embed_goes:  assert (op != `HW_OP_EMBED || issue_embed || bad_token);
            norm_goes:   assert (op != `HW_OP_NORM || issue_norm || norm_way != 2'd0);
            matvec_goes: assert (op != `HW_OP_MATVEC || matvec_valid || recv_reason);
            attn_goes:   assert (op != `HW_OP_ATTN || issue_attn || attn_reason || angles_reason);
            heads_goes:  assert (op != `HW_OP_HEADS || issue_heads || attn_reason);
            recv_goes:   assert (op != `HW_OP_RECV || issue_recv || recv_reason || rows_reason);
        end
        skip_goes:   assert (!(waited == 2'd2 && busy && !done && skip) || move);
        end_goes:    assert (!(waited == 2'd3 && busy && op == `HW_OP_END && !skip && !done)
                             || units_busy || busy_before[0] || units_earlier);
        bad_goes:    assert (!(waited == 2'd3 && busy && op == `HW_OP_EMBED && bad_token && $past(bad_token)
                               && !skip && !done) || units_busy || busy_before[0] || units_earlier);
        // links to the inside, for induction
        l_running: assert (f_running == (busy && !done));
        l_pending: assert (f_pending == (on_way != 2'd0) && on_way <= 2'd1);
        l_side:    assert (SUB_NORM == 0 || (f_side == (side_way != 2'd0) && side_way <= 2'd1));
        l_step:    assert (prog_addr == at + f_have);
        l_word:    assert (!f_have || at != place || insn == word);
        l_fetched: assert (!f_fetched || addr_before == prog_addr);
        l_waits:   assert (!(f_running && !f_have) || (f_fetched && waited == 2'd0));
    end

    // --- covers ---------------------------------------------------------------------------------
    reg [4:0] seen;
    always @(posedge clk) begin
        seen <= rst ? 5'd0 : seen | {issue_embed, issue_norm, issue_matvec, issue_attn, issue_recv};
        if (f_past && !rst) begin
            c_all:  cover (done && &seen);
            c_bad:  cover (done && refused);
            c_skip: cover (done && step == 2 && seen == 5'b10000);
            c_norm: cover (issue_norm && residual_done);
            c_wait: cover (issue_matvec && $past(matvec_valid && !matvec_ready, 2));
        end
    end
endmodule

`default_nettype wire
