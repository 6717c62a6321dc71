// SPDX-License-Identifier: Apache-2.0
// What skid.v promises: the words that were taken leave once, in order, and an offer stays until it is taken.
// probe f_held = dut.held
// probe f_spare = dut.spare
`default_nettype none

module f_skid #(
    parameter W = 2
) (
    input wire clk, rst, s_valid, m_ready,
    input wire [W-1:0] s_data
);
    wire s_ready, m_valid;
    wire [W-1:0] m_data;
    skid #(.W(W)) dut (
        .clk(clk), .rst(rst), .s_valid(s_valid), .s_ready(s_ready), .s_data(s_data),
        .m_valid(m_valid), .m_ready(m_ready), .m_data(m_data)
    );

    wire f_held;
    wire [W-1:0] f_spare;
    reg f_past = 1'b0, offered = 1'b0;
    reg [1:0] there = 2'd0;          // words inside
    reg [W-1:0] oldest, newest, last_data;
    wire in = s_valid && s_ready, out = m_valid && m_ready;
    always @(posedge clk) begin
        f_past    <= 1'b1;
        offered   <= m_valid && !m_ready;
        last_data <= m_data;
        there     <= there + {1'b0, in} - {1'b0, out};
        if (in) begin
            newest <= s_data;
            if (there == {1'b0, out})
                oldest <= s_data;
        end
        if (out && there == 2'd2)
            oldest <= newest;
        if (rst)
            {offered, there} <= 3'd0;
    end
    always @*
        if (!f_past)
            assume (rst);
    always @(posedge clk) if (f_past) begin
        bounded:  assert (there <= 2 && !(there == 2 && s_ready));
        is_there: assert (m_valid == (there != 0));
        in_order: assert (!m_valid || m_data == oldest);
        stays:    assert (!offered || (m_valid && m_data == last_data));
        l_held:   assert (f_held == (there == 2) && (!f_held || f_spare == newest));
        c_full:   cover (there == 2 && oldest != newest);
        c_rate:   cover (in && out && there == 1 && oldest != s_data);
    end
endmodule

`default_nettype wire
