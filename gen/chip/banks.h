// SPDX-License-Identifier: Apache-2.0
// A ROM as Verilog: banks (case statements, personality/) and the module that joins them (fabric/).
#ifndef HW_BANKS_H
#define HW_BANKS_H

#include "gen/chip/plan.h"
#include "gen/chip/verilog.h"

// Address bits of one bank: the most that bank_bytes allow (0: HW_BANK_BYTES), at least 1.
int hw_bank_addr_bits(const struct hw_rom *rom, int bank_bytes);

// fabric/NAME_rom.v, and where there are more than 16 banks fabric/NAME_gNN.v, each of which joins
// 16 of them: a function of the geometry alone.
void hw_write_joined(struct hw_out *out, const struct hw_rom *rom, int bank_bytes);
// personality/NAME_bNN.v, all of them. plan: that of the ROM.
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
struct hw_size hw_rom_size(const struct hw_rom *rom, int bank_bytes);

#endif
