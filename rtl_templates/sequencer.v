// SPDX-License-Identifier: Apache-2.0
// Runs the program ROM once a token: fetches an instruction, waits until its unit can take it, and
// hands it over. Units run on their own from there, so a matrix may still drain, or attention still
// run, while later instructions start. Order is kept by four rules:
//   ATTN    waits until this token's rotation angles are there (keys and queries come after it), and
//           until the attention before it is done, as does HEADS;
//   NORM    waits until every row on its way to what it reads has arrived: the residual, or (to
//           region A or H, with SUB_NORM) the side buffer;
//   RECV    waits until the array and the drain are empty (it uses the drain's path), and MATVEC
//           until RECV has ended: a matrix reads later than its last word is written;
//   END     waits until every unit is idle;
//   EMBED   of a token that is none of the vocabulary ends the program at once: `refused`.
// Everything finer is a matter of data: a matrix waits for the activations it reads (matvec.v),
// attention for queries, keys and values (attention.v). So ATTN stands before K, Q, V in a program.
//
// The next instruction is fetched while one waits: a ROM read costs a clock only where two leave at once.
//
// ISSUE = 2: units are seen through a register, so that no path leads from one to another by way of an
// instruction. What was started a clock ago is not there yet, and counts as busy. EMBED's vocabulary is compared with
// the token as the instruction comes to hand.
//
// Instruction fields: isa.vh. MATVEC and RECV have `dest` in the same bits.
`include "isa.vh"
`default_nettype none

module sequencer #(
    parameter PROG_ADDR_W = 6,
    parameter SUB_NORM = 0,
    parameter TOKEN_W = 9,
    parameter ISSUE = 1
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    start,
    input  wire                    sample,      // the token's logits are wanted
    input  wire [TOKEN_W-1:0]      token,       // stays from start to done
    output reg                     done,
    output reg                     refused,     // with done
    output wire [19:0]             seq_len,     // valid with done
    output wire [19:0]             ring,        // valid with done

    output wire                    prog_read,
    output wire [PROG_ADDR_W-1:0]  prog_addr,
    input  wire [`HW_INSN_W-1:0]   prog_data,

    output wire [`HW_INSN_W-1:0]   insn,        // the instruction being issued
    output wire                    issue_embed,
    output wire                    issue_norm,
    output wire                    issue_attn,
    output wire                    issue_heads,
    output wire                    issue_recv,
    output wire                    matvec_valid,
    input  wire                    matvec_ready,

    input  wire                    residual_done, // the last row of a matrix was added
    input  wire                    side_done,     // the side buffer is complete
    input  wire                    rows_busy,     // matvec, array, embedding or drain
    input  wire                    attn_busy,
    input  wire                    angles_busy,   // of this token's rotation
    input  wire                    recv_busy,
    input  wire                    units_busy     // any unit
);
    reg [PROG_ADDR_W-1:0] fetch;         // address of the instruction after `word`
    reg [`HW_INSN_W-1:0]  word;          // the instruction at hand
    reg                   have, fetched; // word is one; prog_data is that at `fetch`
    reg                   running;
    reg                   residual_pending;

    assign insn      = word;
    assign prog_read = !fetched;
    assign prog_addr = fetch;
    assign seq_len   = insn[`HW_END_POSITIONS];
    assign ring      = insn[`HW_END_RING];

    wire [`HW_OP_W-1:0] op = insn[`HW_OP];
    wire [`HW_MATVEC_DEST_W-1:0] dest = insn[`HW_MATVEC_DEST];
    wire sample_seen; // it stays from start to done
    wire bad_token;   // at EMBED: the token is none of the vocabulary
    wire skip  = insn[`HW_SAMPLE_ONLY] && !sample_seen;
    wire ready = running && have && !skip;
    wire to_residual = dest == `HW_DST_INIT || dest == `HW_DST_ADD;
    wire       side_pending, norm_waits; // for what it reads

    wire   rows_seen, attn_seen, angles_seen, recv_seen, units_seen; // busy

    assign issue_embed  = ready && op == `HW_OP_EMBED && !bad_token;
    assign issue_norm   = ready && op == `HW_OP_NORM && !norm_waits;
    assign issue_attn   = ready && op == `HW_OP_ATTN && !attn_seen && !angles_seen;
    assign issue_heads  = ready && op == `HW_OP_HEADS && !attn_seen;
    assign issue_recv   = ready && op == `HW_OP_RECV && !rows_seen && !recv_seen;
    assign matvec_valid = ready && op == `HW_OP_MATVEC && !recv_seen;
    wire   refuse       = ready && op == `HW_OP_EMBED && bad_token && !units_seen;
    wire   end_now      = refuse || (ready && op == `HW_OP_END && !units_seen);
    wire   issue_matvec = matvec_valid && matvec_ready;
    wire   issued       = issue_embed || issue_norm || issue_attn || issue_heads || issue_recv || issue_matvec;
    wire   advance      = running && have && (skip || issued);

    wire   load = fetched && (!have || advance);

    wire [`HW_EMBED_VOCAB_W-1:0] token_wide = {{(`HW_EMBED_VOCAB_W-TOKEN_W){1'b0}}, token};
    wire   bad_word = token_wide >= word[`HW_EMBED_VOCAB];

    wire [4:0] busy_now = {rows_busy, attn_busy, angles_busy, recv_busy, units_busy};
    generate
        if (ISSUE > 1) begin : g_seen
            reg [4:0] busy_q;
            reg       sample_q, bad_q; // bad_q: of the word at hand, compared as it came
            always @(posedge clk) begin
                busy_q   <= busy_now | {5{start || issued}};
                sample_q <= sample;
                bad_q    <= load ? token_wide >= prog_data[`HW_EMBED_VOCAB] : bad_word;
            end
            assign {sample_seen, bad_token} = {sample_q, bad_q};
            assign {rows_seen, attn_seen, angles_seen, recv_seen, units_seen} = busy_q;
        end else begin : g_now
            assign {sample_seen, bad_token} = {sample, bad_word};
            assign {rows_seen, attn_seen, angles_seen, recv_seen, units_seen} = busy_now;
        end
        if (SUB_NORM != 0) begin : g_side
            reg pending;
            always @(posedge clk) begin
                if (side_done)
                    pending <= 1'b0;
                if (issue_attn || ((issue_matvec || issue_recv) && dest == `HW_DST_HIDDEN))
                    pending <= 1'b1;
                if (rst)
                    pending <= 1'b0;
            end
            assign side_pending = pending;
        end else begin : g_no_side
            wire unused_side = &{1'b0, side_done};
            assign side_pending = 1'b0;
        end
    endgenerate
    wire   of_residual = SUB_NORM == 0 || insn[`HW_NORM_TARGET] == `HW_REGION_X;
    assign norm_waits  = of_residual ? residual_pending && !residual_done : side_pending && !side_done;

    always @(posedge clk) begin
        done    <= end_now;
        refused <= refuse;
        have    <= load || (have && !advance);
        fetched <= !load;
        if (load) begin
            word  <= prog_data;
            fetch <= fetch + 1'b1;
        end
        if (residual_done)
            residual_pending <= 1'b0;
        if (issue_embed || ((issue_matvec || issue_recv) && to_residual))
            residual_pending <= 1'b1;
        if (end_now) begin // the first instruction waits for the next start
            running <= 1'b0;
            {have, fetched} <= 2'b00;
            fetch   <= {PROG_ADDR_W{1'b0}};
        end
        if (start)
            running <= 1'b1;
        if (rst) begin
            {running, have, fetched, done, residual_pending} <= 5'd0;
            fetch <= {PROG_ADDR_W{1'b0}};
        end
    end
endmodule

`default_nettype wire
