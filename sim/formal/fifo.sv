// SPDX-License-Identifier: Apache-2.0
// What fifo.v promises: the words that were taken leave once, in order; it takes words until it is full. One word is
// followed, whichever the solver likes; those before it are counted.
`default_nettype none

module f_fifo #(
    parameter W = 2,
    parameter LOG = 2
) (
    input wire clk, rst, s_valid, m_ready, follow,
    input wire [W-1:0] s_data
);
    wire s_ready, m_valid;
    wire [W-1:0] m_data;
    fifo #(.W(W), .LOG(LOG)) dut (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data),
        .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data)
    );

    reg f_past = 1'b0, inside = 1'b0;
    reg [LOG:0] there = 0, before;   // words inside; of them, those before the followed one
    reg [W-1:0] word;
    wire in = s_valid && s_ready, out = m_valid && m_ready;
    always @(posedge clk) begin
        f_past <= 1'b1;
        there  <= there + {{LOG{1'b0}}, in} - {{LOG{1'b0}}, out};
        if (in && follow && !inside) begin
            inside <= 1'b1;
            word   <= s_data;
            before <= there - {{LOG{1'b0}}, out};
        end else if (inside && out) begin
            inside <= before != 0;
            before <= before - 1'b1;
        end
        if (rst)
            {inside, there} <= 0;
    end
    always @*
        if (!f_past)
            assume (rst);
    always @(posedge clk) if (f_past) begin
        takes:    assert (s_ready == (there < (1 << LOG)));
        offers:   assert (m_valid == (there != 0));
        in_order: assert (!(inside && before == 0) || m_data == word);
        counted:  assert (!inside || before < there);
        c_full:   cover (there == (1 << LOG) && inside && before == (1 << LOG) - 1);
        c_round:  cover (inside && before == 0 && there == 1 && in && out);
    end
endmodule

`default_nettype wire
