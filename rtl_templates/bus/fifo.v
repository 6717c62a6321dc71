// SPDX-License-Identifier: Apache-2.0
// A queue of 2**LOG words. The oldest word is on m_data from the clock after it came.
`default_nettype none

module fifo #(
    parameter W   = 8,
    parameter LOG = 4
) (
    input  wire         clk,
    input  wire         rst,
    input  wire         s_valid,
    output wire         s_ready,
    input  wire [W-1:0] s_data,
    output wire         m_valid,
    input  wire         m_ready,
    output wire [W-1:0] m_data
);
    reg [W-1:0] words [0:(1<<LOG)-1];
    reg [LOG:0] head, tail; // words taken and words that came, modulo twice the size
    wire [LOG:0] n = tail - head;

    assign s_ready = !n[LOG];
    assign m_valid = n != {(LOG+1){1'b0}};
    assign m_data  = words[head[LOG-1:0]];

    always @(posedge clk) begin
        if (s_valid && s_ready) begin
            words[tail[LOG-1:0]] <= s_data;
            tail <= tail + 1'b1;
        end
        if (m_valid && m_ready)
            head <= head + 1'b1;
        if (rst)
            {head, tail} <= {(2*LOG+2){1'b0}};
    end
endmodule

`default_nettype wire
