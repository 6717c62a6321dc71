// SPDX-License-Identifier: Apache-2.0
// Bytes to a serial line: 8 bits, no parity, one stop bit, least significant bit first, CLOCKS clocks
// a bit. Takes the next byte when the stop bit of the last has ended. Bits are held inverted:
// registers that start as zeros leave the line at rest.
`default_nettype none

module uart_tx #(
    parameter CLOCKS = 25
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       s_valid,
    output wire       s_ready,
    input  wire [7:0] s_data,
    output wire       tx
);
    localparam COUNT_W = $clog2(CLOCKS);
    localparam [31:0] LAST = CLOCKS - 1;

    reg [8:0]         shift; // what follows, inverted; the lowest bit is on the line
    reg [3:0]         bits;  // still to be sent; 0: idle
    reg [COUNT_W-1:0] count; // clocks that this bit stays

    assign s_ready = bits == 4'd0;
    assign tx      = !shift[0];

    always @(posedge clk) begin
        if (s_ready) begin
            if (s_valid) begin
                shift <= {~s_data, 1'b1};
                bits  <= 4'd10;
                count <= LAST[COUNT_W-1:0];
            end
        end else if (count != 0) begin
            count <= count - 1'b1;
        end else begin
            shift <= {1'b0, shift[8:1]};
            bits  <= bits - 4'd1;
            count <= LAST[COUNT_W-1:0];
        end
        if (rst) begin
            shift <= 9'd0;
            bits  <= 4'd0;
        end
    end
endmodule

`default_nettype wire
