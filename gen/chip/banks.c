// SPDX-License-Identifier: Apache-2.0
// Owns the text of ROMs. A bank holds at most 512 KiB. Banks are joined by a tree of rom_select: no
// vector is wider than FAN words, and the address reaches a word through one select a level.
#include "gen/chip/banks.h"

#include <string.h>

enum { FAN_BITS = 4, FAN = 1 << FAN_BITS };

int hw_bank_addr_bits(const struct hw_rom *rom, int bank_bytes)
{
    long most = 8L * (bank_bytes ? bank_bytes : HW_BANK_BYTES);
    int bits = 1;
    while (bits < rom->addr_bits && (long)rom->width << (bits + 1) <= most)
        bits++;
    return bits;
}

// --- banks ---------------------------------------------------------------------------------------

static size_t word_bytes(const struct hw_rom *rom)
{
    return ((size_t)rom->width + 7) / 8;
}

static size_t word_digits(const struct hw_rom *rom)
{
    return ((size_t)rom->width + 3) / 4;
}

// Hexadecimal digits of a word, most significant first.
static void word_hex(const struct hw_rom *rom, const uint8_t *word, char *to)
{
    static const char digit[] = "0123456789abcdef";
    size_t bytes = word_bytes(rom);
    if (word_digits(rom) % 2)
        *to++ = digit[word[--bytes] & 15];
    while (bytes-- > 0) {
        *to++ = digit[word[bytes] >> 4];
        *to++ = digit[word[bytes] & 15];
    }
}

static bool is_zero(const uint8_t *word, size_t bytes)
{
    return word[0] == 0 && memcmp(word, word + 1, bytes - 1) == 0;
}

// What starts at this word, as a comment line. *range: the first that may start here.
static void comment(struct hw_out *out, const struct hw_plan *plan, const struct hw_rom *rom,
                    long word, int *range)
{
    if (rom == &plan->rom[HW_ROM_PROGRAM] && word < plan->n_insns)
        hw_out_print(out, "            // %s\n", plan->program[word].name);
    if (rom != &plan->rom[HW_ROM_WEIGHT])
        return;
    for (; *range < plan->n_ranges && plan->range[*range].first <= word; ++*range) {
        const struct hw_range *r = &plan->range[*range];
        if (r->first == word)
            hw_out_print(out, "            // %s [%d][%d], %d plane%s\n", r->name, r->n_rows,
                         r->n_in, r->n_planes, r->n_planes == 1 ? "" : "s");
    }
}

// Words first..last-1 of a ROM as a module: a clocked case statement, zero where nothing is said.
static void write_case(struct hw_out *out, const char *path, const char *module,
                       struct hw_words *words, int addr_bits, long first, long last)
{
    const struct hw_rom *rom = words->rom;
    size_t digits = word_digits(rom);
    int range = 0;
    hw_out_open(out, path);
    hw_out_print(out, "%s// %s ROM, words %ld to %ld.\n`default_nettype none\n\nmodule %s (\n",
                 HW_NOTICE, rom->name, first, last - 1, module);
    hw_out_print(out,
                 "    input  wire clk,\n    input  wire [%d:0] addr,\n"
                 "    output reg  [%d:0] data\n);\n"
                 "    always @(posedge clk)\n        case (addr)\n",
                 addr_bits - 1, rom->width - 1);
    for (long w = first; w < last && w < rom->depth && !out->err->set; w++) {
        if (words->plan)
            comment(out, words->plan, rom, w, &range);
        const uint8_t *word = hw_words_get(words, w);
        if (is_zero(word, word_bytes(rom)))
            continue;
        hw_out_print(out, "            %d'd%ld: data <= %d'h", addr_bits, w - first, rom->width);
        char *to = hw_out_room(out, digits + 2);
        if (!to)
            break;
        word_hex(rom, word, to);
        memcpy(to + digits, ";\n", 2);
        out->used += digits + 2;
    }
    hw_out_print(out,
                 "            default: data <= %d'd0;\n        endcase\nendmodule\n\n"
                 "`default_nettype wire\n",
                 rom->width);
    hw_out_close(out);
}

void hw_write_banks(struct hw_out *out, const struct hw_plan *plan, const struct hw_rom *rom)
{
    int bits = hw_bank_addr_bits(rom, plan->geometry.bank_bytes);
    struct hw_words words;
    if (!hw_words_open(&words, plan, rom, out->err))
        return;
    for (int i = 0; i < 1 << (rom->addr_bits - bits) && !out->err->set; i++) {
        char module[64], path[96];
        snprintf(module, sizeof module, "%s_b%02d", rom->name, i);
        snprintf(path, sizeof path, "personality/%s.v", module);
        write_case(out, path, module, &words, bits, (long)i << bits, (long)(i + 1) << bits);
    }
    hw_words_close(&words);
}

void hw_write_table(struct hw_out *out, const char *path, const char *module,
                    const struct hw_rom *rom)
{
    struct hw_words words;
    if (!hw_words_open(&words, NULL, rom, out->err))
        return;
    write_case(out, path, module, &words, rom->addr_bits, 0, rom->depth);
    hw_words_close(&words);
}

// --- joining -------------------------------------------------------------------------------------

static void write_one_select(struct hw_out *out, const struct hw_rom *rom, int bank, int n)
{
    int select = rom->addr_bits - bank;
    hw_out_print(out, "    wire [%ld:0] all;\n", (long)n * rom->width - 1);
    for (int i = 0; i < n; i++)
        hw_out_print(out,
                     "    %s_b%02d u_b%02d (.clk(clk), .addr(addr[%d:0]), .data(all[%ld:%ld]));\n",
                     rom->name, i, i, bank - 1, (long)(i + 1) * rom->width - 1,
                     (long)i * rom->width);
    hw_out_print(out,
                 "    rom_select #(.W(%d), .BANKS(%d), .SEL_W(%d)) u_select (\n"
                 "        .clk(clk), .bank(addr[%d:%d]), .all(all), .data(data)\n    );\n",
                 rom->width, n, select, rom->addr_bits - 1, bank);
}

// Node i of a level, a bank at level 0, stands at word i % FAN of the vector all_LEVEL_(i / FAN).
static void write_node(struct hw_out *out, const struct hw_rom *rom, int level, int i)
{
    long word = i % FAN;
    hw_out_print(out, ".data(all_%d_%d[%ld:%ld])", level, i / FAN, (word + 1) * rom->width - 1,
                 word * rom->width);
}

// The selects of one level, each a node of the next or, if it is the only one, the output.
static void write_selects(struct hw_out *out, const struct hw_rom *rom, int level, int n, int lsb,
                          int bits)
{
    for (int i = 0; i < n; i++) {
        hw_out_print(out,
                     "    rom_select #(.W(%d), .BANKS(%d), .SEL_W(%d)) u_select_%d_%d (\n"
                     "        .clk(clk), .bank(addr[%d:%d]), .all(all_%d_%d), ",
                     rom->width, 1 << bits, bits, level, i, lsb + bits - 1, lsb, level, i);
        if (n == 1)
            hw_out_print(out, ".data(data)");
        else
            write_node(out, rom, level + 1, i);
        hw_out_print(out, "\n    );\n");
    }
}

static void write_tree(struct hw_out *out, const struct hw_rom *rom, int bank)
{
    int select = rom->addr_bits - bank; // FAN_BITS of them a level, what is left at the top
    for (int level = 0, left = select; left > 0; level++, left -= FAN_BITS) {
        long words = left < FAN_BITS ? 1 << left : FAN;
        for (int i = 0; i < (left > FAN_BITS ? 1 << (left - FAN_BITS) : 1); i++)
            hw_out_print(out, "    wire [%ld:0] all_%d_%d;\n", words * rom->width - 1, level, i);
    }
    for (int i = 0; i < 1 << select; i++) {
        hw_out_print(out, "    %s_b%02d u_b%02d (.clk(clk), .addr(addr[%d:0]), ", rom->name, i, i,
                     bank - 1);
        write_node(out, rom, 0, i);
        hw_out_print(out, ");\n");
    }
    for (int level = 0, left = select; left > 0; level++, left -= FAN_BITS) {
        int bits = left < FAN_BITS ? left : FAN_BITS;
        write_selects(out, rom, level, 1 << (left - bits), rom->addr_bits - left, bits);
    }
}

void hw_write_joined(struct hw_out *out, const struct hw_rom *rom, int bank_bytes)
{
    char path[96];
    int bank = hw_bank_addr_bits(rom, bank_bytes), n = 1 << (rom->addr_bits - bank);
    snprintf(path, sizeof path, "fabric/%s_rom.v", rom->name);
    hw_out_open(out, path);
    hw_out_print(out, "%s// %s ROM: %d bank%s of 2^%d words.\n`default_nettype none\n\n", HW_NOTICE,
                 rom->name, n, n == 1 ? "" : "s", bank);
    hw_out_print(out,
                 "module %s_rom (\n    input  wire clk,\n    input  wire [%d:0] addr,\n"
                 "    output wire [%d:0] data\n);\n",
                 rom->name, rom->addr_bits - 1, rom->width - 1);
    if (n == 1)
        hw_out_print(out, "    %s_b00 u_b00 (.clk(clk), .addr(addr), .data(data));\n", rom->name);
    else if (n <= FAN)
        write_one_select(out, rom, bank, n);
    else
        write_tree(out, rom, bank);
    hw_out_print(out, "endmodule\n\n`default_nettype wire\n");
    hw_out_close(out);
}

// --- size ----------------------------------------------------------------------------------------

// Decimal digits of 0..n-1, all together.
static long long decimals(long n)
{
    long long sum = n;
    for (long p = 10; p < n; p *= 10)
        sum += n - p;
    return sum;
}

struct hw_size hw_rom_size(const struct hw_rom *rom, int bank_bytes)
{
    enum { BANK = 420, JOINED = 320, INSTANCE = 90 }; // text around the words, about
    int bits = hw_bank_addr_bits(rom, bank_bytes);
    long banks = 1L << (rom->addr_bits - bits), words = 1L << bits, full = rom->depth / words;
    long long line = snprintf(NULL, 0, "            %d'd: data <= %d'h;\n", bits, rom->width);
    long long text = rom->depth * (line + (long long)word_digits(rom)) + full * decimals(words) +
                     decimals(rom->depth % words);
    return (struct hw_size){text + banks * (BANK + INSTANCE) + JOINED, banks + 1};
}
