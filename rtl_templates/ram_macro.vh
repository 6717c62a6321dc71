// SPDX-License-Identifier: Apache-2.0
// The largest RAM macro, words (a power of two) and bits of a word; 0: memories are not cut. An emitted
// design has a file of its own.
`define HW_RAM_MACRO_WORDS 0
`define HW_RAM_MACRO_BITS 0
