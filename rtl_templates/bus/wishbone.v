// SPDX-License-Identifier: Apache-2.0
// Wishbone B4, classic cycles, to the port of bus_registers.v: an answer in the clock after the strobe. An
// address without a register ends with err_o.
`default_nettype none

module wishbone (
    input  wire        clk,
    input  wire        rst,

    input  wire        cyc_i,
    input  wire        stb_i,
    input  wire        we_i,
    input  wire [7:2]  adr_i,
    input  wire [3:0]  sel_i,
    input  wire [31:0] dat_i,
    output wire [31:0] dat_o,
    output reg         ack_o,
    output reg         err_o,

    output wire        write,
    output wire [7:0]  write_addr,
    output wire [31:0] write_data,
    output wire [3:0]  write_strb,
    input  wire        write_ok,
    output wire        read,
    output wire [7:0]  read_addr,
    input  wire [31:0] read_data,  // from the next clock on
    input  wire        read_ok
);
    wire ask = cyc_i && stb_i && !ack_o && !err_o;
    wire ok  = we_i ? write_ok : read_ok;

    assign write      = ask && we_i;
    assign read       = ask && !we_i;
    assign write_addr = {adr_i, 2'd0};
    assign read_addr  = {adr_i, 2'd0};
    assign write_data = dat_i;
    assign write_strb = sel_i;
    assign dat_o      = read_data;

    always @(posedge clk) begin
        ack_o <= ask && ok;
        err_o <= ask && !ok;
        if (rst)
            {ack_o, err_o} <= 2'd0;
    end
endmodule

`default_nettype wire
