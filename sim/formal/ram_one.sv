// SPDX-License-Identifier: Apache-2.0
// ram_one.v is its stand-in ram_one_followed.v: a read gives what that lane of that word was written last, and
// keeps it until the next read. Nobody reads in the clock of a write.
`default_nettype none

module f_ram_one #(
    parameter LANES = 2,
    parameter W = 2,
    parameter DEPTH = 6,
    parameter ADDR_W = 3
) (
    input wire clk,
    input wire [LANES-1:0] we,
    input wire re,
    input wire [ADDR_W-1:0] addr,
    input wire [LANES*W-1:0] wdata
);
    (* anyconst *) reg [ADDR_W-1:0] place;
    (* anyconst *) reg [$clog2(LANES)-1:0] lane;
    wire [LANES*W-1:0] rdata;
    ram_one #(.LANES(LANES), .W(W), .DEPTH(DEPTH), .ADDR_W(ADDR_W)) dut (
        .clk(clk), .we(we), .re(re), .addr(addr), .wdata(wdata), .rdata(rdata)
    );
    reg known = 1'b0, due = 1'b0;
    reg [W-1:0] held, want;
    always @(posedge clk) begin
        if (we[lane] && addr == place)
            {known, held} <= {1'b1, wdata[lane*W +: W]};
        if (re) begin
            due  <= known && addr == place;
            want <= held;
        end
    end
    always @*
        assume (place < DEPTH && addr < DEPTH && !(re && we != {LANES{1'b0}}));
    always @* begin
        reads_back: assert (!due || rdata[lane*W +: W] == want);
        c_stays: cover (due && want != held && known);
    end
endmodule

`default_nettype wire
