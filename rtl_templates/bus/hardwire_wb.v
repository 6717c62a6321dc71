// SPDX-License-Identifier: Apache-2.0
// The chip on Wishbone B4 (classic cycles, 32 bits): registers alone. Tokens of a prompt are written to TOKEN_IN,
// those of its answer read from TOKEN_OUT; each holds 2**LOG_DEPTH. One clock, a synchronous reset.
`include "bus.vh"
`default_nettype none

module hardwire_wb #(
    parameter LOG_DEPTH = 4 // 1 to 7
) (
    input  wire        clk_i,
    input  wire        rst_i,
    input  wire        cyc_i,
    input  wire        stb_i,
    input  wire        we_i,
    input  wire [7:2]  adr_i, // of a word
    input  wire [3:0]  sel_i,
    input  wire [31:0] dat_i,
    output wire [31:0] dat_o,
    output wire        ack_o,
    output wire        err_o,
    output wire        irq_o
);
    localparam BYTES = 3; // of an id in TOKEN_IN and TOKEN_OUT
    wire write, write_ok, read, read_ok;
    wire [7:0] write_addr, read_addr;
    wire [31:0] write_data, read_data;
    wire [3:0] write_strb;
    wire put, put_last, put_first, put_keep, put_ready, taken, got_valid, got_last;
    wire [23:0] put_id, got_id;
    wire [2:0] got_status;
    wire in_valid, in_ready, in_last, in_first, in_keep, out_valid, out_ready, out_last, unused_id;
    wire [23:0] in_data, out_data;
    wire [2:0] out_status;

    wishbone u_wishbone (
        .clk(clk_i), .rst(rst_i), .cyc_i(cyc_i), .stb_i(stb_i), .we_i(we_i), .adr_i(adr_i),
        .sel_i(sel_i), .dat_i(dat_i), .dat_o(dat_o), .ack_o(ack_o), .err_o(err_o), .write(write),
        .write_addr(write_addr), .write_data(write_data), .write_strb(write_strb),
        .write_ok(write_ok), .read(read), .read_addr(read_addr), .read_data(read_data),
        .read_ok(read_ok)
    );
    fifo #(.W(27), .LOG(LOG_DEPTH)) u_in (
        .clk(clk_i), .rst(rst_i), .s_valid(put), .s_ready(put_ready),
        .s_data({put_keep, put_first, put_last, put_id}), .m_valid(in_valid),
        .m_ready(in_ready), .m_data({in_keep, in_first, in_last, in_data})
    );
    fifo #(.W(28), .LOG(LOG_DEPTH)) u_out (
        .clk(clk_i), .rst(rst_i), .s_valid(out_valid), .s_ready(out_ready),
        .s_data({out_last, out_status, out_data}), .m_valid(got_valid), .m_ready(taken),
        .m_data({got_last, got_status, got_id})
    );
    bus_core #(.ID_W(1), .BYTES(BYTES), .DEPTH(8'd1 << LOG_DEPTH)) u_core (
        .clk(clk_i), .rst(rst_i), .write(write), .write_addr(write_addr), .write_data(write_data),
        .write_strb(write_strb), .write_ok(write_ok), .read(read), .read_addr(read_addr),
        .read_data(read_data), .read_ok(read_ok), .irq(irq_o), .put(put), .put_ready(put_ready),
        .put_id(put_id), .put_last(put_last), .put_first(put_first), .put_keep(put_keep),
        .got_valid(got_valid), .got_id(got_id), .got_status(got_status), .got_last(got_last),
        .taken(taken), .s_valid(in_valid), .s_ready(in_ready), .s_data(in_data), .s_last(in_last),
        .s_first(in_first), .s_keep(in_keep), .s_id(1'b0), .m_valid(out_valid), .m_ready(out_ready), .m_data(out_data), .m_status(out_status),
        .m_last(out_last), .m_id(unused_id)
    );
endmodule

`default_nettype wire
