// SPDX-License-Identifier: Apache-2.0
// The vector between attention or SwiGLU and the norm before wo or down (SUB_NORM): collects their
// elements to words of VEC and keeps them as the residual is kept, with the sum of squares. One
// vector at a time: `start` says that the next elements belong to a new one, and how long it is.
//
// Attention brings OUT elements a cycle, SwiGLU VEC / 2, in order and never both. `done` follows the
// last of them by a clock and what residual.v takes.
`default_nettype none

module side #(
    parameter VEC = 8,
    parameter OUT = 8,         // divides VEC
    parameter RES_W = 20,
    parameter DEPTH = 8,       // words
    parameter ADDR_W = 3,
    parameter SS_W = 54,
    parameter SQUARE = 1,
    parameter LEVELS = 1
) (
    input  wire                  clk,
    input  wire                  rst,

    input  wire                  start,
    input  wire [19:0]           elements,   // of the vector, a multiple of VEC

    input  wire                  attn_valid,
    input  wire [19:0]           attn_index, // of the first of OUT elements
    input  wire [OUT*RES_W-1:0]  attn,
    input  wire                  h_valid,
    input  wire [19:0]           h_index,    // of the first of VEC / 2 elements
    input  wire [VEC/2*RES_W-1:0] h,

    input  wire                  read,       // RMSNorm reads
    input  wire [ADDR_W-1:0]     read_addr,
    output wire [VEC*RES_W-1:0]  read_data,

    output wire                  wrote,      // for observers: this word was written
    output wire [ADDR_W-1:0]     wrote_addr,
    output wire [VEC*RES_W-1:0]  wrote_data,

    output wire [SS_W-1:0]       ss,
    output wire                  done,
    output wire                  busy
);
    localparam VEC_W = $clog2(VEC);
    localparam HALF  = VEC / 2;
    localparam [19:0] OUT_20 = OUT, HALF_20 = HALF;

    wire               take  = attn_valid | h_valid;
    wire [19:0]        index = attn_valid ? attn_index : h_index;
    wire [19:0]        next  = index + (attn_valid ? OUT_20 : HALF_20);
    wire [VEC_W:0]     lane  = {1'b0, index[VEC_W-1:0]};
    reg  [19:0]        length;
    reg                full, last;   // the word is complete
    reg  [ADDR_W-1:0]  addr;
    wire [VEC*24-1:0]  word;

    genvar e;
    generate
        for (e = 0; e < VEC; e = e + 1) begin : g_lane
            localparam ATTN_AT = e % OUT, ATTN_GROUP = e / OUT, H_AT = e % HALF, H_GROUP = e / HALF;
            reg [RES_W-1:0] x;
            always @(posedge clk) begin
                if (attn_valid && lane / OUT[VEC_W:0] == ATTN_GROUP[VEC_W:0])
                    x <= attn[ATTN_AT*RES_W +: RES_W];
                if (h_valid && lane / HALF[VEC_W:0] == H_GROUP[VEC_W:0])
                    x <= h[H_AT*RES_W +: RES_W];
            end
            assign word[e*24 +: 24] = {{(24-RES_W){x[RES_W-1]}}, x};
        end
    endgenerate

    always @(posedge clk) begin
        full <= take && next[VEC_W-1:0] == {VEC_W{1'b0}};
        last <= next == length;
        addr <= index[VEC_W +: ADDR_W];
        if (start)
            length <= elements;
        if (rst)
            full <= 1'b0;
    end

    wire kept_busy;
    residual #(
        .VEC(VEC), .RES_W(RES_W), .DEPTH(DEPTH), .ADDR_W(ADDR_W), .SS_W(SS_W), .SQUARE(SQUARE),
        .LEVELS(LEVELS)
    ) u_kept (
        .clk(clk), .rst(rst), .valid(full), .last(last), .addr(addr),
        .soon(1'b0), .addr_soon({ADDR_W{1'b0}}), .y(word), .read(read), .read_addr(read_addr),
        .read_data(read_data), .wrote(wrote), .wrote_addr(wrote_addr), .wrote_data(wrote_data),
        .ss(ss), .done(done), .busy(kept_busy)
    );
    assign busy = take | kept_busy;

    wire unused_index = &{1'b0, index};
endmodule

`default_nettype wire
