// SPDX-License-Identifier: Apache-2.0
// Stands for the table of 1/sqrt: an entry that names its address.
`default_nettype none

module rsqrt_rom (
    input  wire        clk,
    input  wire        re,
    input  wire [6:0]  addr,
    output reg  [27:0] data
);
    always @(posedge clk)
        if (re)
            data <= {5'd0, addr, 9'd0, addr};
endmodule

`default_nettype wire
