// SPDX-License-Identifier: Apache-2.0
// The chip on AXI: prompts and answers as AXI4-Stream packets, registers as AXI4-Lite. A packet in is a prompt
// (TUSER: it goes on where the last sequence ended, taken at its first beat); a packet out is its answer, with
// the prompt's TID, and TUSER the status of chip.v. Ids are whole bytes, the low one first. One clock; every
// output but irq is a register.
`include "bus.vh"
`default_nettype none

module hardwire_axi #(
    parameter ID_W = 8
) (
    input  wire                        aclk,
    input  wire                        aresetn, // synchronous

    input  wire                        s_axi_awvalid,
    output wire                        s_axi_awready,
    input  wire [7:0]                  s_axi_awaddr,
    input  wire [2:0]                  s_axi_awprot,
    input  wire                        s_axi_wvalid,
    output wire                        s_axi_wready,
    input  wire [31:0]                 s_axi_wdata,
    input  wire [3:0]                  s_axi_wstrb,
    output wire                        s_axi_bvalid,
    input  wire                        s_axi_bready,
    output wire [1:0]                  s_axi_bresp,
    input  wire                        s_axi_arvalid,
    output wire                        s_axi_arready,
    input  wire [7:0]                  s_axi_araddr,
    input  wire [2:0]                  s_axi_arprot,
    output wire                        s_axi_rvalid,
    input  wire                        s_axi_rready,
    output wire [31:0]                 s_axi_rdata,
    output wire [1:0]                  s_axi_rresp,
    output wire                        irq,

    input  wire                        s_axis_tvalid,
    output wire                        s_axis_tready,
    input  wire [8*`HW_TOKEN_BYTES-1:0] s_axis_tdata,
    input  wire                        s_axis_tlast,
    input  wire [ID_W-1:0]             s_axis_tid,
    input  wire                        s_axis_tuser,

    output wire                        m_axis_tvalid,
    input  wire                        m_axis_tready,
    output wire [8*`HW_TOKEN_BYTES-1:0] m_axis_tdata,
    output wire                        m_axis_tlast,
    output wire [ID_W-1:0]             m_axis_tid,
    output wire [2:0]                  m_axis_tuser
);
    localparam W = 8 * `HW_TOKEN_BYTES;
    reg rst;
    wire write, write_ok, read, read_ok;
    wire [7:0] write_addr, read_addr;
    wire [31:0] write_data, read_data;
    wire [3:0] write_strb;
    wire in_valid, in_ready, in_last, in_keep, out_valid, out_ready, out_last;
    wire [W-1:0] in_data, out_data;
    wire [ID_W-1:0] in_id, out_id;
    wire [2:0] out_status;
    wire reset = rst || !aresetn;
    // tokens come and go by the streams
    wire unused_put, unused_put_last, unused_put_first, unused_put_keep, unused_taken;
    wire [23:0] unused_put_id;

    always @(posedge aclk)
        rst <= !aresetn;

    axi_lite u_axi_lite (
        .clk(aclk), .rst(reset), .s_axi_awvalid(s_axi_awvalid), .s_axi_awready(s_axi_awready),
        .s_axi_awaddr(s_axi_awaddr), .s_axi_wvalid(s_axi_wvalid), .s_axi_wready(s_axi_wready),
        .s_axi_wdata(s_axi_wdata), .s_axi_wstrb(s_axi_wstrb), .s_axi_bvalid(s_axi_bvalid),
        .s_axi_bready(s_axi_bready), .s_axi_bresp(s_axi_bresp), .s_axi_arvalid(s_axi_arvalid),
        .s_axi_arready(s_axi_arready), .s_axi_araddr(s_axi_araddr), .s_axi_rvalid(s_axi_rvalid),
        .s_axi_rready(s_axi_rready), .s_axi_rdata(s_axi_rdata), .s_axi_rresp(s_axi_rresp),
        .write(write), .write_addr(write_addr), .write_data(write_data), .write_strb(write_strb),
        .write_ok(write_ok), .read(read), .read_addr(read_addr), .read_data(read_data),
        .read_ok(read_ok)
    );
    skid #(.W(W + ID_W + 2)) u_in (
        .clk(aclk), .rst(reset), .s_valid(s_axis_tvalid), .s_ready(s_axis_tready),
        .s_data({s_axis_tuser, s_axis_tid, s_axis_tlast, s_axis_tdata}),
        .m_valid(in_valid), .m_ready(in_ready), .m_data({in_keep, in_id, in_last, in_data})
    );
    skid #(.W(W + ID_W + 4)) u_out (
        .clk(aclk), .rst(reset), .s_valid(out_valid), .s_ready(out_ready),
        .s_data({out_status, out_id, out_last, out_data}), .m_valid(m_axis_tvalid),
        .m_ready(m_axis_tready), .m_data({m_axis_tuser, m_axis_tid, m_axis_tlast, m_axis_tdata})
    );
    bus_core #(.ID_W(ID_W)) u_core (
        .clk(aclk), .rst(reset), .write(write), .write_addr(write_addr), .write_data(write_data),
        .write_strb(write_strb), .write_ok(write_ok), .read(read), .read_addr(read_addr),
        .read_data(read_data), .read_ok(read_ok), .irq(irq),
        .put(unused_put), .put_ready(1'b0), .put_id(unused_put_id), .put_last(unused_put_last),
        .put_first(unused_put_first), .put_keep(unused_put_keep), .got_valid(1'b0),
        .got_id(24'd0), .got_status(3'd0), .got_last(1'b0), .taken(unused_taken),
        .s_valid(in_valid), .s_ready(in_ready), .s_data(in_data), .s_last(in_last), .s_first(1'b0),
        .s_keep(in_keep), .s_id(in_id),
        .m_valid(out_valid), .m_ready(out_ready), .m_data(out_data), .m_status(out_status),
        .m_last(out_last), .m_id(out_id)
    );
    wire unused_prot = &{1'b0, s_axi_awprot, s_axi_arprot};
endmodule

`default_nettype wire
