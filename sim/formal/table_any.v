// SPDX-License-Identifier: Apache-2.0
// Stand for the tables of 2^x and 1/x where only the control of attention.v is proven.
`default_nettype none

module exp2_rom (input wire clk, input wire re, input wire [5:0] addr, output reg [27:0] data);
    always @(posedge clk)
        if (re)
            data <= {22'd0, addr};
endmodule

module recip_rom (input wire clk, input wire re, input wire [5:0] addr, output reg [27:0] data);
    always @(posedge clk)
        if (re)
            data <= {22'd0, addr};
endmodule

`default_nettype wire
