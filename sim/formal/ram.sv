// SPDX-License-Identifier: Apache-2.0
// ram.v is its stand-in ram_followed.v: a read gives what that lane of that word was written last,
// the old word in the cycle of a write, and keeps it until the next read.
`default_nettype none

module f_ram #(
    parameter LANES = 2,
    parameter W = 2,
    parameter DEPTH = 6,
    parameter ADDR_W = 3
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
    ram #(.LANES(LANES), .W(W), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) dut (
        .clk(clk), .we(we), .waddr(waddr), .wdata(wdata), .re(re), .raddr(raddr),
        .rdata(rdata)
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
    always @*
        assume (place < DEPTH && waddr < DEPTH && raddr < DEPTH);
    always @* begin
        reads_back: assert (!due || rdata[lane*W +: W] == want);
        c_old: cover (due && want != held && rdata[lane*W +: W] == want);
    end
endmodule

`default_nettype wire
