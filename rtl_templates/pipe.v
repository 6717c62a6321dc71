// SPDX-License-Identifier: Apache-2.0
// The control of a pipeline of STAGES registers: who is in it, and what belongs to each. `move[k]` says
// that stage k takes what is before it in this clock; move[STAGES] is what leaves. With STAGES = 0 the
// input is the output.
`default_nettype none

module pipe #(
    parameter STAGES = 1,      // 0 or more
    parameter TAG_W = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             valid,
    input  wire [TAG_W-1:0] tag,

    output wire [STAGES:0]  move,
    output wire             out_valid,
    output wire [TAG_W-1:0] out_tag,
    output wire             busy       // something is between input and output
);
    generate
        if (STAGES == 0) begin : g_wire
            assign move    = valid;
            assign out_tag = tag;
            assign busy    = 1'b0;
            wire unused_clock = &{1'b0, clk, rst};
        end else begin : g_pipe
            reg  [STAGES-1:0]       full;
            reg  [STAGES*TAG_W-1:0] tags;
            wire [(STAGES+1)*TAG_W-1:0] tags_in = {tags, tag};
            integer k;
            always @(posedge clk) begin
                full <= move[STAGES-1:0];
                for (k = 0; k < STAGES; k = k + 1)
                    if (move[k])
                        tags[k*TAG_W +: TAG_W] <= tags_in[k*TAG_W +: TAG_W];
                if (rst)
                    full <= {STAGES{1'b0}};
            end
            assign move    = {full, valid};
            assign out_tag = tags[(STAGES-1)*TAG_W +: TAG_W];
            assign busy    = |full;
            wire unused_tag = &{1'b0, tags_in[STAGES*TAG_W +: TAG_W]};
        end
    endgenerate

    assign out_valid = move[STAGES];
endmodule

`default_nettype wire
