// SPDX-License-Identifier: Apache-2.0
// What wishbone.v promises to a master that keeps its cycle until the answer: one answer, in the next clock, ack where
// the register exists and err where not; and the register port sees each cycle once.
`default_nettype none

module f_wishbone (
    input wire clk, rst, cyc, stb, we,
    input wire [7:2] adr,
    input wire [31:0] dat, read_data,
    input wire write_ok, read_ok
);
    wire ack, err, write, read;
    wire [7:0] write_addr, read_addr;
    wire [31:0] write_data, dat_o;
    wire [3:0] write_strb;
    wishbone dut (
        .clk(clk), .rst(rst), .cyc_i(cyc), .stb_i(stb), .we_i(we), .adr_i(adr), .sel_i(4'd15), .dat_i(dat),
        .dat_o(dat_o), .ack_o(ack), .err_o(err), .write(write), .write_addr(write_addr),
        .write_data(write_data), .write_strb(write_strb), .write_ok(write_ok), .read(read),
        .read_addr(read_addr), .read_data(read_data), .read_ok(read_ok)
    );

    reg f_past = 1'b0, was_rst, was_open, was_we, was_read, was_write, was_ok, answered;
    reg [7:2] was_adr;
    reg [31:0] was_dat;
    wire open = cyc && stb;
    always @(posedge clk) begin
        f_past    <= 1'b1;
        was_rst   <= rst;
        was_open  <= open && !ack && !err && !rst; // waits
        was_we    <= we;
        was_adr   <= adr;
        was_dat   <= dat;
        was_read  <= read;
        was_write <= write;
        was_ok    <= we ? write_ok : read_ok;
        answered  <= ack || err;
    end
    always @* begin
        if (!f_past)
            assume (rst);
        if (f_past && was_open) // the master's part: it waits for the answer
            assume (open && we == was_we && adr == was_adr && dat == was_dat);
    end
    always @(posedge clk) if (f_past) begin
        one:    assert (!(ack && err) && !((ack || err) && answered));
        next:   assert (was_rst ? !(ack || err) : (ack || err) == was_open);
        right:  assert (!(ack || err) || ack == was_ok);
        once:   assert (!(write && read) && !((write || read) && (ack || err)));
        seen:   assert (!(ack || err) || (was_read != was_write && was_write == was_we));
        kind:   assert ((write || read) == (open && !ack && !err) && (!write || write_data == dat));
        where:  assert (write_addr == {adr, 2'd0} && read_addr == write_addr && dat_o == read_data);
        c_both: cover (ack && was_we && answered == 1'b0);
        c_err:  cover (err && !was_we);
    end
endmodule

`default_nettype wire
