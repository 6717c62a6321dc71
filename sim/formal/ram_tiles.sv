// SPDX-License-Identifier: Apache-2.0
// ram_tiles.v is a memory of ram.v or, with ONE_PORT, of ram_one.v: a read gives what that lane of that word was written
// last and keeps it until the next read, whatever rows and columns it is cut to. Nobody reads in the clock of a write to
// the same word; with one port, of any write.
`default_nettype none

module f_ram_tiles #(
    parameter LANES = 2,
    parameter W = 3,
    parameter DEPTH = 6,
    parameter ADDR_W = 3,
    parameter MACRO_WORDS = 2,
    parameter MACRO_BITS = 2,
    parameter ONE_PORT = 0
) (
    input wire clk,
    input wire [LANES-1:0] we,
    input wire re,
    input wire [ADDR_W-1:0] waddr, raddr,
    input wire [LANES*W-1:0] wdata
);
    (* anyconst *) reg [ADDR_W-1:0] place;
    (* anyconst *) reg [$clog2(LANES)-1:0] lane;
    wire [LANES*W-1:0] rdata;
    ram_tiles #(
        .LANES(LANES), .W(W), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .MACRO_WORDS(MACRO_WORDS),
        .MACRO_BITS(MACRO_BITS), .ONE_PORT(ONE_PORT)
    ) dut (
        .clk(clk), .we(we), .waddr(waddr), .wdata(wdata), .re(re), .raddr(raddr), .rdata(rdata)
    );
    reg known = 1'b0, due = 1'b0;
    reg [W-1:0] held, want;
    always @(posedge clk) begin
        if (we[lane] && waddr == place)
            {known, held} <= {1'b1, wdata[lane*W +: W]};
        if (re) begin
            due  <= known && raddr == place;
            want <= held;
        end
    end
    always @* begin
        assume (place < DEPTH && waddr < DEPTH && raddr < DEPTH);
        assume (!re || we == 0 || (ONE_PORT == 0 && waddr != raddr));
        assume (ONE_PORT == 0 || waddr == raddr);
    end
    always @* begin
        reads_back: assert (!due || rdata[lane*W +: W] == want);
        c_old: cover (due && want != held && rdata[lane*W +: W] == want);
    end
endmodule

`default_nettype wire
