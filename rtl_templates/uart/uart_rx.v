// SPDX-License-Identifier: Apache-2.0
// A serial line to bytes: 8 bits, no parity, one stop bit, least significant bit first. CLOCKS clocks
// a bit, 4 or more; every bit is sampled in its middle. A byte whose stop bit is low is dropped.
// A byte stays on offer until it is taken; one that arrives behind it meanwhile replaces it.
`default_nettype none

module uart_rx #(
    parameter CLOCKS = 25
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       rx,
    output reg        m_valid,
    input  wire       m_ready,
    output reg  [7:0] m_data
);
    localparam COUNT_W = $clog2(CLOCKS);
    localparam [31:0] LAST = CLOCKS - 1, MIDDLE = CLOCKS / 2 - 1;

    reg [1:0]         line;  // rx, synchronized
    reg               on;    // a byte is being read
    reg [3:0]         bits;  // read so far, the start bit included
    reg [COUNT_W-1:0] count; // clocks until the next sample
    reg [7:0]         shift;

    always @(posedge clk) begin
        line <= {line[0], rx};
        if (m_ready)
            m_valid <= 1'b0;
        if (!on) begin
            on    <= !line[1];
            bits  <= 4'd0;
            count <= MIDDLE[COUNT_W-1:0];
        end else if (count != 0) begin
            count <= count - 1'b1;
        end else begin
            count <= LAST[COUNT_W-1:0];
            bits  <= bits + 4'd1;
            shift <= {line[1], shift[7:1]};
            if (bits == 4'd0 && line[1]) // no start bit: a glitch
                on <= 1'b0;
            if (bits == 4'd9) begin
                on <= 1'b0;
                if (line[1]) begin
                    m_valid <= 1'b1;
                    m_data  <= shift;
                end
            end
        end
        if (rst) begin
            line    <= 2'b11;
            on      <= 1'b0;
            m_valid <= 1'b0;
        end
    end
endmodule

`default_nettype wire
