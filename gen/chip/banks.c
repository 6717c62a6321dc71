// SPDX-License-Identifier: Apache-2.0
// Owns the text of ROMs. A bank holds at most 256 KiB. Banks are joined by a tree of rom_select:
// the address reaches a word through one select a level. Where there are more than FAN banks, each
// FAN of them are a module of their own, a group: what cannot take all of a ROM at once takes it
// group by group (sim/build).
#include "gen/chip/banks.h"

#include <string.h>

#include "gen/chip/bits.h"
#include "gen/chip/words.h"

enum { FAN_BITS = 4, FAN = 1 << FAN_BITS };

int hw_bank_addr_bits(const struct hw_rom *rom, int bank_bytes)
{
    long most = 8L * (bank_bytes ? bank_bytes : HW_BANK_BYTES);
    int bits = 1;
    while (bits < rom->addr_bits && (long)rom->width << (bits + 1) <= most)
        bits++;
    return bits;
}

// --- banks

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
        const struct hw_weight_range *r = &plan->range[*range];
        if (r->first == word)
            hw_out_print(out, "            // %s [%d][%d], %d plane%s\n", r->name, r->n_rows,
                         r->n_in, r->n_planes, r->n_planes == 1 ? "" : "s");
    }
}

// Words first..last-1 of a ROM as a module: a case statement that is clocked while `re` is high,
// zero where nothing is said.
static void write_case(struct hw_out *out, const char *path, const char *module,
                       struct hw_words *words, int addr_bits, long first, long last)
{
    const struct hw_rom *rom = words->rom;
    size_t digits = word_digits(rom);
    int range = 0;
    hw_out_open_verilog(out, path);
    hw_out_print(out, "// %s ROM, words %ld to %ld.\n`default_nettype none\n\nmodule %s (\n",
                 rom->name, first, last - 1, module);
    hw_out_print(out,
                 "    input  wire clk,\n    input  wire re,\n    input  wire [%d:0] addr,\n"
                 "    output reg  [%d:0] data\n);\n"
                 "    always @(posedge clk) if (re)\n        case (addr)\n",
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

// --- joining

// The select of `n` nodes, whose words are the wires PREFIX_NN from `first` on, by the address from
// bit `lsb` up.
static void write_select(struct hw_out *out, const struct hw_rom *rom, const char *instance,
                         const char *prefix, int first, int n, int lsb, const char *data)
{
    int bits = hw_log2_up(n);
    hw_out_print(out, "    rom_select #(.W(%d)) %s (\n        .clk(clk), .re(re), .bank(",
                 rom->width, instance);
    if (bits < FAN_BITS)
        hw_out_print(out, "{%d'd0, addr[%d:%d]}", FAN_BITS - bits, lsb + bits - 1, lsb);
    else
        hw_out_print(out, "addr[%d:%d]", lsb + bits - 1, lsb);
    hw_out_print(out, "), .data(%s)", data);
    for (int i = 0; i < FAN; i++) {
        hw_out_print(out, ",%s.w%02d(", i % 4 ? " " : "\n        ", i);
        if (i < n)
            hw_out_print(out, "%s_%02d)", prefix, first + i);
        else
            hw_out_print(out, "%d'd0)", rom->width);
    }
    hw_out_print(out, "\n    );\n");
}

// Banks, each with a wire for its word. Only the one that is read has its enable high.
static void write_banks(struct hw_out *out, const struct hw_rom *rom, int first, int n, int bank)
{
    int bits = hw_log2_up(n);
    for (int i = first; i < first + n; i++)
        hw_out_print(out,
                     "    wire [%d:0] b_%02d;\n    %s_b%02d u_b%02d (\n"
                     "        .clk(clk), .re(re && addr[%d:%d] == %d'd%d), .addr(addr[%d:0]), "
                     ".data(b_%02d)\n    );\n",
                     rom->width - 1, i, rom->name, i, i, bank + bits - 1, bank, bits, i - first,
                     bank - 1, i);
}

// The groups of a ROM. Nothing moves in one that is not read.
static void write_groups(struct hw_out *out, const struct hw_rom *rom, int group)
{
    int bits = rom->addr_bits - group;
    for (int i = 0; i < 1 << bits; i++)
        hw_out_print(out,
                     "    wire [%d:0] g_%02d;\n"
                     "    %s_g%02d u_g%02d (\n        .clk(clk), .re(re && addr[%d:%d] == %d'd%d), "
                     ".addr(addr[%d:0]), .data(g_%02d)\n    );\n",
                     rom->width - 1, i, rom->name, i, i, rom->addr_bits - 1, group, bits, i,
                     group - 1, i);
}

// n groups, and selects of FAN level by level; the last one's word is the output.
static void write_tree(struct hw_out *out, const struct hw_rom *rom, int group)
{
    char prefix[32] = "g", instance[32], data[32];
    int lsb = group;
    write_groups(out, rom, group);
    for (int level = 1, n = 1 << (rom->addr_bits - group); n > 1; level++) {
        int fan = n < FAN ? n : FAN;
        for (int i = 0; i < n / fan; i++) {
            snprintf(instance, sizeof instance, "u_select_%d_%02d", level, i);
            snprintf(data, sizeof data, "s%d_%02d", level, i);
            if (n > fan)
                hw_out_print(out, "    wire [%d:0] %s;\n", rom->width - 1, data);
            write_select(out, rom, instance, prefix, fan * i, fan, lsb, n > fan ? data : "data");
        }
        snprintf(prefix, sizeof prefix, "s%d", level);
        n /= fan;
        lsb += FAN_BITS;
    }
}

static void begin_module(struct hw_out *out, const struct hw_rom *rom, const char *module,
                         int addr_bits, int n, int bank)
{
    char path[96];
    snprintf(path, sizeof path, "fabric/%s.v", module);
    hw_out_open_verilog(out, path);
    hw_out_print(out, "// %s ROM: %d bank%s of 2^%d words.\n`default_nettype none\n\n", rom->name,
                 n, n == 1 ? "" : "s", bank);
    hw_out_print(
        out,
        "module %s (\n    input  wire clk,\n    input  wire re,\n    input  wire [%d:0] addr,\n"
        "    output wire [%d:0] data\n);\n",
        module, addr_bits - 1, rom->width - 1);
}

static void end_module(struct hw_out *out)
{
    hw_out_print(out, "endmodule\n\n`default_nettype wire\n");
    hw_out_close(out);
}

void hw_write_joined(struct hw_out *out, const struct hw_rom *rom, int bank_bytes)
{
    char module[64];
    int bank = hw_bank_addr_bits(rom, bank_bytes), n = 1 << (rom->addr_bits - bank);
    int group = bank + FAN_BITS;
    for (int i = 0; n > FAN && i < n / FAN; i++) {
        snprintf(module, sizeof module, "%s_g%02d", rom->name, i);
        begin_module(out, rom, module, group, FAN, bank);
        write_banks(out, rom, FAN * i, FAN, bank);
        write_select(out, rom, "u_select", "b", FAN * i, FAN, bank, "data");
        end_module(out);
    }
    snprintf(module, sizeof module, "%s_rom", rom->name);
    begin_module(out, rom, module, rom->addr_bits, n, bank);
    if (n == 1)
        hw_out_print(out, "    %s_b00 u_b00 (.clk(clk), .re(re), .addr(addr), .data(data));\n",
                     rom->name);
    else if (n > FAN)
        write_tree(out, rom, group);
    else {
        write_banks(out, rom, 0, n, bank);
        write_select(out, rom, "u_select", "b", 0, n, bank, "data");
    }
    end_module(out);
}

// --- size

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
    enum { BANK = 570, JOINED = 650, INSTANCE = 90 }; // text around the words, about
    int bits = hw_bank_addr_bits(rom, bank_bytes);
    long banks = 1L << (rom->addr_bits - bits), words = 1L << bits, full = rom->depth / words;
    long long line = snprintf(NULL, 0, "            %d'd: data <= %d'h;\n", bits, rom->width);
    long long text = rom->depth * (line + (long long)word_digits(rom)) + full * decimals(words) +
                     decimals(rom->depth % words);
    long joined = banks > FAN ? banks / FAN + 1 : 1;
    return (struct hw_size){text + banks * (BANK + INSTANCE) + joined * JOINED, banks + joined};
}
