// SPDX-License-Identifier: Apache-2.0
// The usual latencies, made from gen/chip/latency.h (make isa); a design has its own.
`ifndef HW_LATENCY_VH
`define HW_LATENCY_VH
// from an address to the array: the ROM, then registers; 3: one before it
`define HW_LAT_ROM 2
// of the array beside its tree; 2: a selected product is registered; 3: its halves before
`define HW_LAT_ARRAY 2
// levels of adders from register to register
`define HW_LAT_TREE 3
// rounds of comparisons from register to register
`define HW_LAT_COMPARE 2
// from a finished block to its first rows
`define HW_LAT_DRAIN 4
// from an address of a function's table to the interpolated value
`define HW_LAT_TABLE 3
// from a new word of the residual to its squares; 2: a register before their products
`define HW_LAT_SQUARE 1
// from the sum of squares to 1 / rms, without the table's
`define HW_LAT_NORM_SCALAR 4
// from reading a word to its norm
`define HW_LAT_NORM_VECTOR 8
// from the address of a pair's rotations to their sum
`define HW_LAT_ANGLES 5
// from rows to their rotation
`define HW_LAT_ROPE 4
// from rows to gated elements, without the table's
`define HW_LAT_SWIGLU 8
// from asking for keys to their scores, without the tree's
`define HW_LAT_SCORE 5
// from reading scores to sums, without the table's and the tree's
`define HW_LAT_WEIGH 7
// from a head's sum to its reciprocal, without the table's
`define HW_LAT_RECIP 4
// from a sum and its reciprocal to an element
`define HW_LAT_DIVIDE 4
// from what an instruction waits for to its issue; 2: it is seen in a register
`define HW_LAT_ISSUE 1
// from elements of a unit to the activations; 2: a register before their memory
`define HW_LAT_ACT 1
`endif
