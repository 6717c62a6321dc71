// SPDX-License-Identifier: Apache-2.0
// crc32.v for proofs about the way of its operands: the last 32 bits that came, which bits of which state.
`default_nettype none

module crc32 #(
    parameter W = 8
) (
    input  wire [31:0]  crc,
    input  wire [W-1:0] data,
    output wire [31:0]  next
);
    assign next = {data, crc[31:W]};
endmodule

`default_nettype wire
