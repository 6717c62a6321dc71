// SPDX-License-Identifier: Apache-2.0
// AXI4-Lite to the port of bus_registers.v: a write and a read at a time, in any order of address and data.
// Every output is a register. An address without a register answers SLVERR.
`default_nettype none

module axi_lite (
    input  wire        clk,
    input  wire        rst,

    input  wire        s_axi_awvalid,
    output wire        s_axi_awready,
    input  wire [7:0]  s_axi_awaddr,
    input  wire        s_axi_wvalid,
    output wire        s_axi_wready,
    input  wire [31:0] s_axi_wdata,
    input  wire [3:0]  s_axi_wstrb,
    output reg         s_axi_bvalid,
    input  wire        s_axi_bready,
    output reg  [1:0]  s_axi_bresp,
    input  wire        s_axi_arvalid,
    output wire        s_axi_arready,
    input  wire [7:0]  s_axi_araddr,
    output reg         s_axi_rvalid,
    input  wire        s_axi_rready,
    output wire [31:0] s_axi_rdata,
    output reg  [1:0]  s_axi_rresp,

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
    localparam [1:0] OKAY = 2'd0, SLVERR = 2'd2;
    wire aw_valid, w_valid, ar_valid;

    skid #(.W(8)) u_aw (
        .clk(clk), .rst(rst), .s_valid(s_axi_awvalid), .s_ready(s_axi_awready),
        .s_data(s_axi_awaddr), .m_valid(aw_valid), .m_ready(write), .m_data(write_addr)
    );
    skid #(.W(36)) u_w (
        .clk(clk), .rst(rst), .s_valid(s_axi_wvalid), .s_ready(s_axi_wready),
        .s_data({s_axi_wstrb, s_axi_wdata}), .m_valid(w_valid), .m_ready(write),
        .m_data({write_strb, write_data})
    );
    skid #(.W(8)) u_ar (
        .clk(clk), .rst(rst), .s_valid(s_axi_arvalid), .s_ready(s_axi_arready),
        .s_data(s_axi_araddr), .m_valid(ar_valid), .m_ready(read), .m_data(read_addr)
    );

    assign write = aw_valid && w_valid && (!s_axi_bvalid || s_axi_bready);
    assign read  = ar_valid && (!s_axi_rvalid || s_axi_rready);
    assign s_axi_rdata = read_data;

    always @(posedge clk) begin
        if (!s_axi_bvalid || s_axi_bready)
            s_axi_bvalid <= write;
        if (!s_axi_rvalid || s_axi_rready)
            s_axi_rvalid <= read;
        if (write)
            s_axi_bresp <= write_ok ? OKAY : SLVERR;
        if (read)
            s_axi_rresp <= read_ok ? OKAY : SLVERR;
        if (rst)
            {s_axi_bvalid, s_axi_rvalid} <= 2'd0;
    end
endmodule

`default_nettype wire
