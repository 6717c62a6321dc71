// SPDX-License-Identifier: Apache-2.0
// Owns the text of ROMs. A bank holds at most 256 KiB, or is as deep as the largest macro and as
// many of them wide as a word takes. Banks are joined by a tree of rom_select: the address reaches
// a word through one select a level. Where there are more than FAN banks, each FAN of them are a
// module of their own, a group: what cannot take all of a ROM at once takes it group by group
// (sim/build).
#include "gen/chip/banks.h"

#include <stdlib.h>
#include <string.h>

#include "gen/chip/bits.h"
#include "gen/chip/words.h"

enum { FAN_BITS = 4, FAN = 1 << FAN_BITS };

struct hw_cut hw_rom_cut(const struct hw_geometry *g, const struct hw_rom *rom)
{
    bool macro = g->macro_words != 0;
    long most = 8L * (g->bank_bytes ? g->bank_bytes : HW_BANK_BYTES);
    int bits = 1, width = macro && g->macro_bits < rom->width ? g->macro_bits : rom->width;
    while (bits < rom->addr_bits &&
           (macro ? 2L << bits <= g->macro_words : (long)rom->width << (bits + 1) <= most))
        bits++;
    int columns = (rom->width + width - 1) / width;
    long reach = 1L << rom->addr_bits, words = rom->capacity ? rom->capacity : reach;
    words = words < reach ? words : reach;
    return (struct hw_cut){bits, (int)(((words - 1) >> bits) + 1), columns, width,
                           rom->width - (columns - 1) * width};
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
// zero where nothing is said. what: where in the ROM they lie, of which words may be a part.
static void write_case(struct hw_out *out, const char *path, const char *module, const char *what,
                       struct hw_words *words, int addr_bits, long first, long last)
{
    const struct hw_rom *rom = words->rom;
    size_t digits = word_digits(rom);
    int range = 0;
    hw_out_open_verilog(out, path);
    hw_out_print(out, "// %s ROM, %s.\n`default_nettype none\n\nmodule %s (\n", rom->name, what,
                 module);
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

static void write_bank(struct hw_out *out, struct hw_words *words, int bank, int bits)
{
    char module[64], path[96], what[80];
    long first = (long)bank << bits, end = (long)(bank + 1) << bits;
    snprintf(module, sizeof module, "%s_b%02d", words->rom->name, bank);
    snprintf(path, sizeof path, "personality/%s.v", module);
    snprintf(what, sizeof what, "words %ld to %ld", first, end - 1);
    write_case(out, path, module, what, words, bits, first, end);
}

// Bits lsb..lsb+width-1 of a word, from bit 0 of `to` on.
static void take_bits(const uint8_t *word, int lsb, int width, uint8_t *to)
{
    memset(to, 0, ((size_t)width + 7) / 8);
    for (int i = 0; i < width; i++) {
        int from = lsb + i;
        to[i / 8] |= (uint8_t)((word[from / 8] >> from % 8 & 1) << i % 8);
    }
}

// The macros of one bank. bank: room for its words; part: for a macro's.
static void write_columns(struct hw_out *out, struct hw_words *words, const struct hw_cut *cut,
                          int number, uint8_t *bank, uint8_t *part)
{
    const struct hw_rom *rom = words->rom;
    long first = (long)number << cut->bank_bits, left = rom->depth - first;
    int n = left < 0 ? 0 : left < 1L << cut->bank_bits ? (int)left : 1 << cut->bank_bits;
    size_t bytes = word_bytes(rom);
    for (int w = 0; w < n; w++)
        memcpy(bank + (size_t)w * bytes, hw_words_get(words, first + w), bytes);
    for (int c = 0; c < cut->columns && !out->err->set; c++) {
        char module[64], path[96], what[80];
        struct hw_rom column = *rom;
        struct hw_words of_column;
        column.width = c == cut->columns - 1 ? cut->last_bits : cut->column_bits;
        column.addr_bits = cut->bank_bits;
        column.depth = n;
        column.data = part;
        for (int w = 0; w < n; w++)
            take_bits(bank + (size_t)w * bytes, c * cut->column_bits, column.width,
                      part + (size_t)w * word_bytes(&column));
        snprintf(module, sizeof module, "%s_b%02d_c%02d", rom->name, number, c);
        snprintf(path, sizeof path, "personality/%s.v", module);
        snprintf(what, sizeof what, "words %ld to %ld, bits %d to %d", first,
                 first + (1L << cut->bank_bits) - 1, c * cut->column_bits,
                 c * cut->column_bits + column.width - 1);
        if (hw_words_open(&of_column, NULL, &column, out->err))
            write_case(out, path, module, what, &of_column, cut->bank_bits, 0, n);
        hw_words_close(&of_column);
    }
}

void hw_write_banks(struct hw_out *out, const struct hw_plan *plan, const struct hw_rom *rom)
{
    struct hw_cut cut = hw_rom_cut(&plan->geometry, rom);
    size_t bytes = cut.columns > 1 ? word_bytes(rom) << cut.bank_bits : 1;
    uint8_t *bank = malloc(bytes), *part = malloc(bytes);
    struct hw_words words;
    if (!bank || !part)
        hw_fail(out->err, "%s ROM: out of memory", rom->name);
    else if (hw_words_open(&words, plan, rom, out->err)) {
        for (int i = 0; i < cut.banks && !out->err->set; i++) {
            if (cut.columns == 1)
                write_bank(out, &words, i, cut.bank_bits);
            else
                write_columns(out, &words, &cut, i, bank, part);
        }
        hw_words_close(&words);
    }
    free(bank);
    free(part);
}

void hw_write_table(struct hw_out *out, const char *path, const char *module,
                    const struct hw_rom *rom)
{
    struct hw_words words;
    char what[80];
    if (!hw_words_open(&words, NULL, rom, out->err))
        return;
    snprintf(what, sizeof what, "words 0 to %d", rom->depth - 1);
    write_case(out, path, module, what, &words, rom->addr_bits, 0, rom->depth);
    hw_words_close(&words);
}

// --- joining

// The select of `n` nodes, whose words are the wires PREFIX_NN from `first` on, by `bits` of the
// address from bit `lsb` up. Where no bank is, a word is zero.
static void write_select(struct hw_out *out, const struct hw_rom *rom, const char *instance,
                         const char *prefix, int first, int n, int lsb, int bits, const char *data)
{
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

// Banks, each with a wire for its word, and the select of theirs. `bits` of the address choose one;
// only that has its enable high.
static void write_banks(struct hw_out *out, const struct hw_rom *rom, int first, int n, int bank,
                        int bits)
{
    for (int i = first; i < first + n; i++)
        hw_out_print(out,
                     "    wire [%d:0] b_%02d;\n    %s_b%02d u_b%02d (\n"
                     "        .clk(clk), .re(re && addr[%d:%d] == %d'd%d), .addr(addr[%d:0]), "
                     ".data(b_%02d)\n    );\n",
                     rom->width - 1, i, rom->name, i, i, bank + bits - 1, bank, bits, i - first,
                     bank - 1, i);
    write_select(out, rom, "u_select", "b", first, n, bank, bits, "data");
}

// The groups of a ROM. Nothing moves in one that is not read.
static void write_groups(struct hw_out *out, const struct hw_rom *rom, int n, int group)
{
    int bits = rom->addr_bits - group;
    for (int i = 0; i < n; i++)
        hw_out_print(out,
                     "    wire [%d:0] g_%02d;\n"
                     "    %s_g%02d u_g%02d (\n        .clk(clk), .re(re && addr[%d:%d] == %d'd%d), "
                     ".addr(addr[%d:0]), .data(g_%02d)\n    );\n",
                     rom->width - 1, i, rom->name, i, i, rom->addr_bits - 1, group, bits, i,
                     group - 1, i);
}

// n groups, and selects of FAN level by level; the last one's word is the output.
static void write_tree(struct hw_out *out, const struct hw_rom *rom, int n, int group)
{
    char prefix[32] = "g", instance[32], data[32];
    int lsb = group;
    write_groups(out, rom, n, group);
    for (int level = 1; lsb < rom->addr_bits; level++) {
        int left = rom->addr_bits - lsb, bits = left < FAN_BITS ? left : FAN_BITS;
        bool end = left <= FAN_BITS;
        for (int first = 0, i = 0; first < n; first += FAN, i++) {
            snprintf(instance, sizeof instance, "u_select_%d_%02d", level, i);
            snprintf(data, sizeof data, "s%d_%02d", level, i);
            if (!end)
                hw_out_print(out, "    wire [%d:0] %s;\n", rom->width - 1, data);
            write_select(out, rom, instance, prefix, first, n - first < FAN ? n - first : FAN, lsb,
                         bits, end ? "data" : data);
        }
        snprintf(prefix, sizeof prefix, "s%d", level);
        n = (n + FAN - 1) / FAN;
        lsb += FAN_BITS;
    }
}

static void print_ports(struct hw_out *out, const char *module, int addr_bits, int width)
{
    hw_out_print(
        out,
        "module %s (\n    input  wire clk,\n    input  wire re,\n    input  wire [%d:0] addr,\n"
        "    output wire [%d:0] data\n);\n",
        module, addr_bits - 1, width - 1);
}

static void begin_module(struct hw_out *out, const struct hw_rom *rom, const char *module,
                         int addr_bits, int n, int bank)
{
    char path[96];
    snprintf(path, sizeof path, "fabric/%s.v", module);
    hw_out_open_verilog(out, path);
    hw_out_print(out, "// %s ROM: %d bank%s of 2^%d words.\n`default_nettype none\n\n", rom->name,
                 n, n == 1 ? "" : "s", bank);
    print_ports(out, module, addr_bits, rom->width);
}

static void end_module(struct hw_out *out)
{
    hw_out_print(out, "endmodule\n\n`default_nettype wire\n");
    hw_out_close(out);
}

// A bank's macros, side by side.
static void write_row(struct hw_out *out, const struct hw_rom *rom, const struct hw_cut *cut,
                      int number)
{
    char module[64], path[96];
    snprintf(module, sizeof module, "%s_b%02d", rom->name, number);
    snprintf(path, sizeof path, "fabric/%s.v", module);
    hw_out_open_verilog(out, path);
    hw_out_print(out,
                 "// Bank %d of the %s ROM: %d macros side by side.\n`default_nettype none\n\n",
                 number, rom->name, cut->columns);
    print_ports(out, module, cut->bank_bits, rom->width);
    for (int c = 0; c < cut->columns; c++) {
        int lsb = c * cut->column_bits;
        int bits = c == cut->columns - 1 ? cut->last_bits : cut->column_bits;
        hw_out_print(
            out, "    %s_c%02d u_c%02d (.clk(clk), .re(re), .addr(addr), .data(data[%d:%d]));\n",
            module, c, c, lsb + bits - 1, lsb);
    }
    end_module(out);
}

void hw_write_joined(struct hw_out *out, const struct hw_geometry *g, const struct hw_rom *rom)
{
    char module[64];
    struct hw_cut cut = hw_rom_cut(g, rom);
    int bank = cut.bank_bits, n = cut.banks, group = bank + FAN_BITS;
    int bits = rom->addr_bits - bank; // choose a bank
    for (int i = 0; cut.columns > 1 && i < n; i++)
        write_row(out, rom, &cut, i);
    for (int first = 0, i = 0; bits > FAN_BITS && first < n; first += FAN, i++) {
        int here = n - first < FAN ? n - first : FAN;
        snprintf(module, sizeof module, "%s_g%02d", rom->name, i);
        begin_module(out, rom, module, group, here, bank);
        write_banks(out, rom, first, here, bank, FAN_BITS);
        end_module(out);
    }
    snprintf(module, sizeof module, "%s_rom", rom->name);
    begin_module(out, rom, module, rom->addr_bits, n, bank);
    if (bits == 0)
        hw_out_print(out, "    %s_b00 u_b00 (.clk(clk), .re(re), .addr(addr), .data(data));\n",
                     rom->name);
    else if (bits > FAN_BITS)
        write_tree(out, rom, (n + FAN - 1) / FAN, group);
    else
        write_banks(out, rom, 0, n, bank, bits);
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

// Lines of the case statements of `columns` macros in every bank, of words of `width` bits.
static long long case_text(const struct hw_rom *rom, int bits, int columns, int width)
{
    long words = 1L << bits, full = rom->depth / words;
    long long line = snprintf(NULL, 0, "            %d'd: data <= %d'h;\n", bits, width);
    return columns * (rom->depth * (line + (width + 3) / 4) + full * decimals(words) +
                      decimals(rom->depth % words));
}

struct hw_size hw_rom_size(const struct hw_geometry *g, const struct hw_rom *rom)
{
    enum { BANK = 570, JOINED = 650, INSTANCE = 90 }; // text around the words, about
    struct hw_cut cut = hw_rom_cut(g, rom);
    long macros = (long)cut.banks * cut.columns, rows = cut.columns > 1 ? cut.banks : 0;
    long groups = rom->addr_bits - cut.bank_bits > FAN_BITS ? (cut.banks + FAN - 1) / FAN : 0;
    long joined = rows + groups + 1;
    long long text = case_text(rom, cut.bank_bits, cut.columns - 1, cut.column_bits) +
                     case_text(rom, cut.bank_bits, 1, cut.last_bits);
    return (struct hw_size){text + macros * (BANK + INSTANCE) + joined * JOINED, macros + joined};
}
