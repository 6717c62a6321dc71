// SPDX-License-Identifier: Apache-2.0
// Owns what is made of the tables in isa.h: the encoder, the Verilog header and the page.
#include "gen/chip/isa.h"

#include <ctype.h>
#include <string.h>

#include "gen/chip/bits.h"

// Fields of one operation after another; those of operation k are first[k] .. first[k + 1] - 1.
#define FIELD_OF(member, type, field, lsb, width, meaning)                                         \
    {#field, meaning, lsb, width, offsetof(struct hw_insn, member.field)},
#define FIELD_END(...) FIELD_OF(end, __VA_ARGS__)
#define FIELD_EMBED(...) FIELD_OF(embed, __VA_ARGS__)
#define FIELD_NORM(...) FIELD_OF(norm, __VA_ARGS__)
#define FIELD_MATVEC(...) FIELD_OF(matvec, __VA_ARGS__)
#define FIELD_ATTN(...) FIELD_OF(attn, __VA_ARGS__)
#define FIELD_RECV(...) FIELD_OF(recv, __VA_ARGS__)
#define FIELD_HEADS(...) FIELD_OF(heads, __VA_ARGS__)
#define FIELDS(NAME, member, meaning)                                                              \
    static const struct hw_isa_field member##_fields[] = {HW_ISA_##NAME(FIELD_##NAME)};
HW_ISA_OPS(FIELDS)

#define OPERATION(NAME, member, meaning)                                                           \
    {#NAME, meaning, member##_fields, (int)(sizeof member##_fields / sizeof member##_fields[0])},
static const struct {
    const char *name, *meaning;
    const struct hw_isa_field *field;
    int n;
} operation[HW_N_OPS] = {HW_ISA_OPS(OPERATION)};

struct named {
    const char *name, *meaning;
};
#define NAMED(NAME, meaning) {#NAME, meaning},
static const struct named dest[] = {HW_ISA_DESTS(NAMED)};
static const struct named region[] = {HW_ISA_REGIONS(NAMED)};

#define COMMON(type, field, lsb, width, meaning) {#field, meaning, lsb, width, 0},
static const struct hw_isa_field common[] = {HW_ISA_COMMON(COMMON)};
enum { OP, SAMPLE_ONLY, N_COMMON };

const struct hw_isa_field *hw_isa_fields(enum hw_opcode op, int *n)
{
    *n = operation[op].n;
    return operation[op].field;
}

const char *hw_isa_op_name(enum hw_opcode op)
{
    return operation[op].name;
}

static void put(uint8_t *word, const struct hw_isa_field *f, uint32_t value)
{
    hw_put_bits(word, f->lsb, f->width, value);
}

bool hw_insn_encode(const struct hw_insn *insn, uint8_t word[HW_INSN_BYTES], struct hw_error *err)
{
    memset(word, 0, HW_INSN_BYTES);
    put(word, &common[OP], (uint32_t)insn->op);
    put(word, &common[SAMPLE_ONLY], insn->sample_only);
    for (int i = 0; i < operation[insn->op].n; i++) {
        const struct hw_isa_field *f = &operation[insn->op].field[i];
        uint32_t value;
        memcpy(&value, (const char *)insn + f->offset, sizeof value);
        if (f->width < 32 && value >> f->width != 0)
            return hw_fail(err, "program: %s: %s: expected %d bits, got %lld", insn->name, f->name,
                           f->width, (long long)(int32_t)value);
        put(word, f, value);
    }
    return true;
}

// --- text

static void print_upper(FILE *out, const char *s)
{
    for (; *s; s++)
        fputc(toupper((unsigned char)*s), out);
}

static void print_macro(FILE *out, const char *op, const struct hw_isa_field *f)
{
    fprintf(out, "`define HW_%s%s", op, *op ? "_" : "");
    print_upper(out, f->name);
    fprintf(out, " %d:%d\n", f->lsb + f->width - 1, f->lsb);
    fprintf(out, "`define HW_%s%s", op, *op ? "_" : "");
    print_upper(out, f->name);
    fprintf(out, "_W %d\n", f->width);
}

// Bits of a field of an operation that has one of this name.
static int width_of(enum hw_opcode op, const char *name)
{
    int n;
    const struct hw_isa_field *f = hw_isa_fields(op, &n);
    while (n > 1 && strcmp(f->name, name) != 0)
        f++, n--;
    return f->width;
}

void hw_isa_print_verilog(FILE *out)
{
    fprintf(
        out,
        "// SPDX-License-Identifier: Apache-2.0\n"
        "// The instruction set: insn[`HW_MATVEC_ROWS] is a field, `HW_MATVEC_ROWS_W its width.\n"
        "// Made from gen/chip/isa.h (make isa), where each field is explained.\n"
        "`ifndef HW_ISA_VH\n"
        "`define HW_ISA_VH\n"
        "`define HW_INSN_W %d\n",
        HW_INSN_BITS);
    for (int i = 0; i < N_COMMON; i++)
        print_macro(out, "", &common[i]);
    for (int k = 0; k < HW_N_OPS; k++)
        fprintf(out, "`define HW_OP_%s %d'd%d\n", operation[k].name, common[OP].width, k);
    for (int k = 0; k < HW_N_DESTS; k++)
        fprintf(out, "`define HW_DST_%s %d'd%d\n", dest[k].name, width_of(HW_OP_MATVEC, "dest"), k);
    for (int k = 0; k < HW_N_REGIONS; k++)
        fprintf(out, "`define HW_REGION_%s %d'd%d\n", region[k].name,
                width_of(HW_OP_MATVEC, "source"), k);
    for (int k = 0; k < HW_N_OPS; k++) {
        for (int i = 0; i < operation[k].n; i++)
            print_macro(out, operation[k].name, &operation[k].field[i]);
    }
    fprintf(out, "`endif\n");
}

static void print_row(FILE *out, const char *op, const struct hw_isa_field *f)
{
    char bits[16];
    snprintf(bits, sizeof bits, f->width > 1 ? "%d:%d" : "%d", f->lsb + f->width - 1, f->lsb);
    fprintf(out, "| %s | `%s` | %s | %s |\n", op, f->name, bits, f->meaning);
}

void hw_isa_print_markdown(FILE *out)
{
    fprintf(
        out,
        "# The instruction set\n\n"
        "Made from `gen/chip/isa.h` by `make isa`. A program is one word of %d bits for each\n"
        "instruction; `rtl_templates/sequencer.v` says in which order units start. Bits that no\n"
        "field of an operation covers are zero; bits 8:6 are kept for the number of a stream.\n\n"
        "| code | operation | what it does |\n|---|---|---|\n",
        HW_INSN_BITS);
    for (int k = 0; k < HW_N_OPS; k++)
        fprintf(out, "| %d | %s | %s |\n", k, operation[k].name, operation[k].meaning);
    fprintf(out, "\n| operation | field | bits | meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < N_COMMON; i++)
        print_row(out, "every", &common[i]);
    for (int k = 0; k < HW_N_OPS; k++) {
        for (int i = 0; i < operation[k].n; i++)
            print_row(out, operation[k].name, &operation[k].field[i]);
    }
    fprintf(out, "\n| code | destination | what becomes of a row |\n|---|---|---|\n");
    for (int k = 0; k < HW_N_DESTS; k++)
        fprintf(out, "| %d | %s | %s |\n", k, dest[k].name, dest[k].meaning);
    fprintf(out, "\n| code | region | holds |\n|---|---|---|\n");
    for (int k = 0; k < HW_N_REGIONS; k++)
        fprintf(out, "| %d | %s | %s |\n", k, region[k].name, region[k].meaning);
}
