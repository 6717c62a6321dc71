// SPDX-License-Identifier: Apache-2.0
// A stage of a stream whose outputs are registers on both sides: no path from an input to an output, a word a
// clock. The second register takes the word that arrives while the first waits.
`default_nettype none

module skid #(
    parameter W = 8
) (
    input  wire         clk,
    input  wire         rst,
    input  wire         s_valid,
    output reg          s_ready,
    input  wire [W-1:0] s_data,
    output reg          m_valid,
    input  wire         m_ready,
    output reg  [W-1:0] m_data
);
    reg         held; // a word waits in `spare`; s_ready is low then
    reg [W-1:0] spare;
    wire take = s_valid && s_ready;
    wire free = m_ready || !m_valid;

    always @(posedge clk) begin
        if (free) begin
            m_valid <= take || held;
            m_data  <= held ? spare : s_data;
            held    <= 1'b0;
            s_ready <= 1'b1;
        end else if (take) begin
            spare   <= s_data;
            held    <= 1'b1;
            s_ready <= 1'b0;
        end else
            s_ready <= !held;
        if (rst)
            {m_valid, held, s_ready} <= 3'd0;
    end
endmodule

`default_nettype wire
