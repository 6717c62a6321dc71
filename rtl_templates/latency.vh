// SPDX-License-Identifier: Apache-2.0
// The usual latencies, made from gen/chip/latency.h (make isa); a design has its own.
`ifndef HW_LATENCY_VH
`define HW_LATENCY_VH
// from an address to the array: the ROM, then registers on the way
`define HW_LAT_ROM 2
// of the array beside its tree; 3: a selected product is registered
`define HW_LAT_ARRAY 3
// levels of adders or comparators from register to register
`define HW_LAT_TREE 1
`endif
