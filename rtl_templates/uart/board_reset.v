// SPDX-License-Identifier: Apache-2.0
// The reset of a board: high until the clock has been steady (`locked`) for 255 clocks. A button that bounces
// starts it again. `button` and `locked` belong to no clock. A board whose clock is there when the FPGA is loaded
// has `locked` high for ever: registers begin as they are said to here.
`default_nettype none

module board_reset (
    input  wire clk,
    input  wire locked,
    input  wire button,
    output reg  rst
);
    reg [7:0] settled = 8'd0;
    reg [1:0] pressed = 2'd0;
    initial rst = 1'b1;
    always @(posedge clk or negedge locked)
        if (!locked)
            settled <= 8'd0;
        else if (pressed[1])
            settled <= 8'd0;
        else if (settled != 8'hff)
            settled <= settled + 8'd1;
    always @(posedge clk) begin
        pressed <= {pressed[0], button};
        rst     <= settled != 8'hff;
    end
endmodule

`default_nettype wire
