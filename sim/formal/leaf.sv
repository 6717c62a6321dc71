// SPDX-License-Identifier: Apache-2.0
// The arithmetic leaves against expressions written another way: at the width of `W` bits, for every
// input. Combinational, so one step of BMC is the whole proof.
`default_nettype none

// rs(x, s) = floor((x + 2^(s-1)) / 2^s) in more bits than needed
module f_round_shift #(parameter W = 32, parameter S_W = 6) (
    input wire signed [W-1:0] x, input wire [S_W-1:0] s
);
    localparam BIG = W + (1 << S_W);
    wire signed [W-1:0]   y;
    wire signed [BIG-1:0] wide = x;
    wire signed [BIG-1:0] half = s == 0 ? {BIG{1'b0}} : {{(BIG-1){1'b0}}, 1'b1} << (s - 1'b1);
    wire signed [BIG-1:0] want = (wide + half) >>> s;
    round_shift #(.W(W), .S_W(S_W)) dut (.x(x), .s(s), .y(y));
    always @* begin
        rounds: assert (y == want);
        c_tie:  cover (s == 2 && x == -6 && y == -1);
    end
endmodule

module f_saturate #(parameter W = 32, parameter OUT_W = 8) (input wire signed [W-1:0] x);
    localparam signed [W-1:0] MAX = {{(W-OUT_W+1){1'b0}}, {(OUT_W-1){1'b1}}};
    wire signed [OUT_W-1:0] y;
    wire signed [W-1:0]     back = y;
    saturate #(.IN_W(W), .OUT_W(OUT_W)) dut (.x(x), .y(y));
    always @* begin
        above:  assert (!(x > MAX) || back == MAX);
        below:  assert (!(x < -MAX - 1) || back == -MAX - 1);
        inside: assert (!(x <= MAX && x >= -MAX - 1) || back == x);
    end
endmodule

// x in halves: (x + 1) / 2 in one bit more, then the clamp
module f_round_saturate #(parameter W = 32, parameter OUT_W = 8) (input wire signed [W:0] x);
    localparam signed [W:0] MAX = {{(W-OUT_W+2){1'b0}}, {(OUT_W-1){1'b1}}};
    wire signed [OUT_W-1:0] y;
    wire signed [W:0]       back = y;
    wire signed [W+1:0]     wide = x;
    wire signed [W+1:0]     next = wide + 1;
    wire signed [W:0]       up = next >>> 1;
    round_saturate #(.IN_W(W), .OUT_W(OUT_W)) dut (.x(x), .y(y));
    always @* begin
        above:  assert (!(up > MAX) || back == MAX);
        below:  assert (!(up < -MAX - 1) || back == -MAX - 1);
        inside: assert (!(up <= MAX && up >= -MAX - 1) || back == up);
        c_over: cover (x[0] && x[W:1] == MAX);
        c_low:  cover (x[0] && up == -MAX - 1);
    end
endmodule

// 2^index <= x < 2^(index+1)
module f_msb #(parameter W = 64) (input wire [W-1:0] x);
    wire [5:0] index;
    msb #(.W(W), .I_W(6)) dut (.clk(1'b0), .en(1'b0), .x(x), .index(index));
    always @* begin
        zero:    assert (x != 0 || index == 0);
        highest: assert (x == 0 || (x >> index) == 1);
    end
endmodule

// y = base + floor((step * frac + 2^(F-1)) / 2^F), modulo 2^16; the product bit by bit
module f_lerp #(parameter W = 9) (input wire [27:0] entry, input wire [W-1:0] frac);
    wire [15:0] y;
    wire signed [31:0] step = {{20{entry[27]}}, entry[27:16]};
    reg  signed [31:0] product;
    integer i;
    lerp #(.FRAC_W(W)) dut (.clk(1'b0), .move(1'b0), .entry(entry), .frac(frac), .y(y));
    always @* begin
        product = 32'sd0;
        for (i = 0; i < W; i = i + 1)
            if (frac[i])
                product = product + (step <<< i);
        product = (product + (32'sd1 <<< (W - 1))) >>> W;
    end
    always @*
        interpolates: assert (y == entry[15:0] + product[15:0]);
endmodule

// the same for the widths where that product does not prove: rounding, placing and adding only
module f_lerp_sum #(parameter W = 9) (input wire [27:0] entry, input wire [W-1:0] frac);
    wire [15:0] y;
    wire signed [W+12:0] product;
    wire signed [39:0]   wide = product;
    wire signed [39:0]   half = 40'sd1 <<< (W - 1);
    wire signed [39:0]   move = (wide + half) >>> W;
    lerp #(.FRAC_W(W)) dut (.clk(1'b0), .move(1'b0), .entry(entry), .frac(frac), .y(y));
    mul #(.A_W(12), .B_W(W + 1)) u_mul (.a(entry[27:16]), .b({1'b0, frac}), .y(product));
    always @*
        interpolates: assert (y == entry[15:0] + move[15:0]);
endmodule

// a * b by shifting and adding |b|
module f_mul #(parameter W = 6, parameter B_W = 5) (
    input wire signed [W-1:0] a, input wire signed [B_W-1:0] b
);
    wire signed [W+B_W-1:0] y;
    wire signed [W+B_W-1:0] wide = a;
    wire [B_W-1:0] size = b[B_W-1] ? -b : b;
    reg  signed [W+B_W-1:0] sum;
    integer i;
    mul #(.A_W(W), .B_W(B_W)) dut (.a(a), .b(b), .y(y));
    always @* begin
        sum = 0;
        for (i = 0; i < B_W; i = i + 1)
            if (size[i])
                sum = sum + (wide <<< i);
        if (b[B_W-1])
            sum = -sum;
    end
    always @*
        multiplies: assert (y == sum);
endmodule

// requantizing as drain.v composes it, against hw_requant: the product p arrives whole
module f_requant #(parameter W = 42) (
    input wire signed [W-1:0] p, input wire [5:0] shift, input wire [3:0] exp
);
    wire [5:0] s = shift - {2'b00, exp};
    wire signed [W:0]    q;
    wire signed [23:0]   y;
    wire signed [W+63:0] wide = p;
    wire [5:0]           net  = shift - exp;
    wire signed [W+63:0] half = net == 0 ? {(W+64){1'b0}} : {{(W+63){1'b0}}, 1'b1} << (net - 1);
    wire signed [W+63:0] rounded = (wide + half) >>> net;
    shift_half #(.W(W), .S_W(6)) u_down (.x(p), .s(s), .y(q));
    round_saturate #(.IN_W(W), .OUT_W(24)) u_round (.x(q), .y(y));
    always @* begin
        assume (shift >= 15 && shift <= 62);
        requantizes: assert (y == (rounded > 8388607 ? 24'sd8388607
                                   : rounded < -8388608 ? -24'sd8388608 : rounded[23:0]));
    end
endmodule

// what is written is its source's, in the lanes of its index
module f_act_source #(parameter W = 4) (
    input wire [3:0] valid,     // RECV, SwiGLU, attention, norm
    input wire [1:0] norm_region, recv_region,
    input wire [2:0] norm_word,
    input wire [19:0] attn_index, h_index, recv_row,
    input wire [4*W-1:0] norm,
    input wire [2*W-1:0] attn, h,
    input wire [4*24-1:0] recv
);
    wire write;
    wire [1:0] region;
    wire [19:0] index, count;
    wire [4*W-1:0] data;
    act_source #(.VEC(4), .OUT(2), .ACT_W(W), .NORM_W(3)) dut (
        .norm_valid(valid[0]), .norm_region(norm_region), .norm_word(norm_word), .norm(norm),
        .attn_valid(valid[1]), .attn_index(attn_index), .attn(attn), .h_valid(valid[2]), .h_index(h_index),
        .h(h), .recv_valid(valid[3]), .recv_region(recv_region), .recv_row(recv_row), .recv(recv),
        .write(write), .region(region), .index(index), .count(count), .data(data)
    );
    (* anyconst *) reg [1:0] e; // any of the elements that are written
    wire [1:0] lane = index[1:0] + e;
    wire [W-1:0] got = data[lane*W +: W];
    always @* begin
        assume ((valid & (valid - 4'd1)) == 0);
        assume (attn_index % 2 == 0 && h_index % 2 == 0 && recv_row % 4 == 0);
        writes:   assert (write == (valid != 0));
        a_norm:   assert (!valid[0] || (region == norm_region && index == norm_word * 4 && count == 4 && got == norm[e*W +: W]));
        a_attn:   assert (!valid[1] || (region == 1 && index == attn_index && count == 2 && (e > 1 || got == attn[e*W +: W])));
        a_swiglu: assert (!valid[2] || (region == 2 && index == h_index && count == 2 && (e > 1 || got == h[e*W +: W])));
        a_recv:   assert (!valid[3] || (region == recv_region && index == recv_row && count == 4 && got == recv[e*24 +: W]));
        c_second: cover (valid[2] && index[1:0] == 2 && data[3*W +: W] == 4'd7);
    end
endmodule

// norm_elements.v as head_norm.v lets rows of V pass: r = 1 (Q1.15), k = 17, gain 1, shift 0
module f_pass (input wire signed [15:0] x);
    wire signed [32:0] product;
    wire signed [35:0] shifted;
    wire signed [17:0] t;
    wire signed [33:0] tg;
    wire signed [34:0] unshifted;
    wire signed [15:0] y;
    mul #(.A_W(16), .B_W(17)) u_xr (.a(x), .b({1'b0, 16'd32768}), .y(product));
    shift_half #(.W(35), .S_W(5)) u_t_down (.x({product, 2'b00}), .s(5'd17), .y(shifted));
    round_saturate #(.IN_W(35), .OUT_W(18)) u_t_round (.x(shifted), .y(t));
    mul #(.A_W(18), .B_W(16)) u_tg (.a(t), .b(16'd1), .y(tg));
    shift_half #(.W(34), .S_W(6)) u_y_down (.x(tg), .s(6'd0), .y(unshifted));
    round_saturate #(.IN_W(34), .OUT_W(16)) u_y_round (.x(unshifted), .y(y));
    always @*
        as_it_is: assert (y == x);
endmodule

`default_nettype wire
