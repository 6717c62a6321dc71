// SPDX-License-Identifier: Apache-2.0
// A ROM as Verilog: macros (case statements, personality/) and the modules that join them
// (fabric/).
//
// A ROM is rows of banks, one after the other by the address. A bank holds whole words in one
// macro, or, where the geometry names the largest macro there is (--rom-macro), parts of words in
// several, side by side: macro NAME_bNN_cMM has bits from MM * column_bits on.
#ifndef HW_BANKS_H
#define HW_BANKS_H

#include "gen/chip/plan.h"
#include "gen/chip/verilog.h"

struct hw_cut {
    int bank_bits;   // of an address within one bank, at least 1
    int banks;       // one after the other, as many as hold the ROM's words
    int columns;     // macros of a bank, side by side
    int column_bits; // of each but the last
    int last_bits;   // of the last
};
struct hw_cut hw_rom_cut(const struct hw_geometry *g, const struct hw_rom *rom);

// fabric/NAME_rom.v; where there are more than 16 banks fabric/NAME_gNN.v, each of which joins 16
// of them; where a bank has several macros fabric/NAME_bNN.v: a function of the geometry alone.
void hw_write_joined(struct hw_out *out, const struct hw_geometry *g, const struct hw_rom *rom);
// personality/NAME_bNN.v or NAME_bNN_cMM.v, all of them. plan: that of the ROM. Macros side by side
// take the memory of one bank.
void hw_write_banks(struct hw_out *out, const struct hw_plan *plan, const struct hw_rom *rom);
// Bits of a word of a function's table: base 16, step 12.
enum { HW_TABLE_BITS = 28 };
// A small ROM that belongs to no plan: one module in one file.
void hw_write_table(struct hw_out *out, const char *path, const char *module,
                    const struct hw_rom *rom);

// The size that both will have. Words of zeros are counted, although they are left out.
struct hw_size {
    long long bytes;
    long files;
};
struct hw_size hw_rom_size(const struct hw_geometry *g, const struct hw_rom *rom);

#endif
