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
            reg [STAGES-1:0] full;
            always @(posedge clk) begin
                full <= move[STAGES-1:0];
                if (rst)
                    full <= {STAGES{1'b0}};
            end
            stage #(.N(STAGES), .W(TAG_W)) u_tag (
                .clk(clk), .en(move[STAGES-1:0]), .d(tag), .q(out_tag)
            );
            assign move    = {full, valid};
            assign busy    = |full;
        end
    endgenerate

    assign out_valid = move[STAGES];
endmodule

`default_nettype wire
