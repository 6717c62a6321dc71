// SPDX-License-Identifier: Apache-2.0
// Owns what a design consists of: fabric/ from templates and geometry, personality/ from the plan's
// ROMs, bus/ where one is asked for, the lists of sources. Same plan, same bytes: no date, host or
// path goes into any file.
#include "gen/chip/emit.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "gen/chip/banks.h"
#include "gen/chip/bits.h"
#include "gen/chip/estimate.h"
#include "gen/chip/filelist.h"
#include "gen/chip/manifest.h"
#include "gen/output.h"
#include "refmodel/tables.h"

// --- fabric

static void write_geometry(struct hw_out *out, const struct hw_geometry *g)
{
    const struct {
        const char *name;
        int value;
    } define[] = {
        {"ROWS", g->rows},
        {"COLS", g->cols},
        {"CODE_W", g->code_bits},
        {"LANE", g->lane == HW_LANE_MULTIPLY},
        {"TILE", g->tile_rows},
        {"VEC", g->vec},
        {"ATT_POS", g->att_pos},
        {"HEAD_DIM", g->head_dim},
        {"ACT_W", g->act_bits},
        {"KV_W", g->kv_bits},
        {"RES_W", g->res_bits},
        {"SUB_NORM", g->sub_norm},
        {"QKV_BIAS", g->qkv_bias},
        {"QK_NORM", g->qk_norm},
        {"WINDOW", g->window},
        {"SELFTEST", g->selftest},
        {"ACC_W", g->acc_bits},
        {"CTX", g->ctx},
        {"KV_CTX", g->kv_ctx},
        {"MAX_DIM", g->max_dim},
        {"MAX_Q_DIM", g->max_q_dim},
        {"MAX_HIDDEN", g->max_hidden},
        {"MAX_KV_DIM", g->max_kv_dim},
        {"KV_ROWS", g->kv_rows},
        {"SLOTS_W", hw_log2_up(hw_score_heads(g))},
        {"ROPE_HI_W", g->rope_hi_bits},
        {"ROPE_LO_W", g->rope_lo_bits},
        {"WEIGHT_ADDR_W", g->weight_addr_bits},
        {"SCALE_ADDR_W", g->scale_addr_bits},
        {"GAIN_ADDR_W", g->gain_addr_bits},
        {"LEVEL_ADDR_W", g->level_addr_bits},
        {"PROG_ADDR_W", g->prog_addr_bits},
        {"TOKEN_W", g->token_bits},
    };
    hw_out_open_verilog(out, "fabric/geometry.vh");
    hw_out_print(out, "// The geometry: parameters of chip.v and slice.v, in their order.\n");
    for (size_t i = 0; i < sizeof define / sizeof define[0]; i++)
        hw_out_print(out, "`define HW_%s %d\n", define[i].name, define[i].value);
    hw_out_print(out, "`define HW_PARAMETERS ");
    for (size_t i = 0; i < sizeof define / sizeof define[0]; i++)
        hw_out_print(out, "%s.%s(`HW_%s)", i > 0 ? ", \\\n    " : "\\\n    ", define[i].name,
                     define[i].name);
    hw_out_print(out, "\n");
    hw_out_close(out);
}

static void write_latency(struct hw_out *out, const struct hw_latency *l)
{
    char text[HW_LATENCY_TEXT];
    hw_latency_verilog(l, "// The latencies of this fabric, for engine.v.\n", text);
    hw_out_open_verilog(out, "fabric/latency.vh");
    hw_out_print(out, "%s", text);
    hw_out_close(out);
}

static void write_ram_macro(struct hw_out *out, const struct hw_geometry *g)
{
    hw_out_open_verilog(out, "fabric/ram_macro.vh");
    hw_out_print(out,
                 "// The largest RAM macro, words and bits of a word; 0: memories are not cut.\n");
    hw_out_print(out, "`define HW_RAM_MACRO_WORDS %d\n`define HW_RAM_MACRO_BITS %d\n", g->ram_words,
                 g->ram_bits);
    hw_out_close(out);
}

static void write_function_table(struct hw_out *out, const struct hw_table *t)
{
    uint8_t data[HW_TABLE_MAX * 4];
    char module[32], path[64];
    int n = 1 << t->index_bits;
    for (int i = 0; i < n; i++) {
        uint32_t word = t->entry[i].base | ((uint32_t)t->entry[i].step & 0xfff) << 16;
        for (int k = 0; k < 4; k++)
            data[4 * i + k] = (uint8_t)(word >> (8 * k));
    }
    struct hw_rom rom = {t->name, HW_TABLE_BITS, t->index_bits, n, data, 0};
    snprintf(module, sizeof module, "%s_rom", t->name);
    snprintf(path, sizeof path, "fabric/%s.v", module);
    hw_write_table(out, path, module, &rom);
}

static void copy_template(struct hw_out *out, const char *templates, const char *name)
{
    char from[4096], to[96];
    snprintf(from, sizeof from, "%s/%s", templates, name);
    snprintf(to, sizeof to, "fabric/%s", name);
    hw_out_copy(out, from, to);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// latency.vh and ram_macro.vh are this geometry's own.
static bool is_template(const char *name)
{
    const char *end = strrchr(name, '.');
    return end && end > name && strcmp(name, "latency.vh") != 0 &&
           strcmp(name, "ram_macro.vh") != 0 && (strcmp(end, ".v") == 0 || strcmp(end, ".vh") == 0);
}

static bool has_banks_to_select(const struct hw_plan *plan)
{
    for (int i = 0; i < HW_N_ROMS; i++) {
        if (hw_rom_cut(&plan->geometry, &plan->rom[i]).bank_bits < plan->rom[i].addr_bits)
            return true;
    }
    return false;
}

// Whether a module of this template is in the design. Templates that are not named here are in all.
static bool is_instantiated(const char *name, const struct hw_plan *plan, const char *slice)
{
    const struct hw_geometry *g = &plan->geometry;
    bool chip = strcmp(slice, "chip") == 0;
    const struct {
        const char *name;
        bool is;
    } sometimes[] = {
        {"chip.v", chip},
        {"chip_top.v", chip},
        {"slice.v", !chip},
        {"slice_top.v", !chip},
        {"msa_array.v", g->lane == HW_LANE_SELECT},
        {"mac_array.v", g->lane == HW_LANE_MULTIPLY},
        {"head_norm.v", g->qk_norm},
        {"side.v", g->sub_norm},
        {"selftest.v", g->selftest},
        {"crc32.v", g->selftest},
        {"divide.v", (g->rows & (g->rows - 1)) != 0}, // embed.v
        {"rom_select.v", has_banks_to_select(plan)},
        {"ram_tiles.v", g->ram_words > 0},
        {"ram_macro.v", g->ram_words > 0},
        {"ram_one_macro.v", g->ram_words > 0},
    };
    for (size_t i = 0; i < sizeof sometimes / sizeof sometimes[0]; i++) {
        if (strcmp(name, sometimes[i].name) == 0)
            return sometimes[i].is;
    }
    return true;
}

// Copies the design's *.v and *.vh of the templates directory, in the order of their names.
static void copy_templates(struct hw_out *out, const struct hw_plan *plan, const char *slice,
                           const char *templates)
{
    enum { MOST = 96 };
    char *name[MOST];
    int n = 0;
    DIR *dir = opendir(templates);
    if (!dir) {
        hw_fail(out->err, "%s: cannot read the templates: %s", templates, strerror(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (!is_template(e->d_name))
            continue;
        if (n == MOST || !(name[n] = strdup(e->d_name))) {
            hw_fail(out->err, "%s: expected at most %d templates, and memory for them", templates,
                    MOST);
            break;
        }
        n++;
    }
    closedir(dir);
    if (n == 0)
        hw_fail(out->err, "%s: expected templates (*.v), found none", templates);
    qsort(name, (size_t)n, sizeof name[0], by_name);
    for (int i = 0; i < n; i++) {
        if (is_instantiated(name[i], plan, slice))
            copy_template(out, templates, name[i]);
        free(name[i]);
    }
}

// What a flow builds: the slice, the chip, or the chip on its bus.
static const char *top_module(const char *slice, const struct hw_wrapper *wrapper)
{
    return wrapper ? wrapper->top : strcmp(slice, "chip") == 0 ? "chip_top" : "slice_top";
}

static void write_all(struct hw_out *out, const struct hw_plan *plan, const char *templates,
                      const char *slice, const struct hw_wrapper *wrapper)
{
    copy_templates(out, plan, slice, templates);
    write_geometry(out, &plan->geometry);
    write_latency(out, &plan->geometry.latency);
    write_ram_macro(out, &plan->geometry);
    for (int i = 0; i < HW_N_TABLES; i++)
        write_function_table(out, hw_table((enum hw_table_id)i));
    for (int i = 0; i < HW_N_ROMS; i++)
        hw_write_joined(out, &plan->geometry, &plan->rom[i]);
    for (int i = 0; i < HW_N_ROMS; i++)
        hw_write_banks(out, plan, &plan->rom[i]);
    if (wrapper)
        wrapper->write(out, plan, templates, wrapper->data);
    hw_filelist_write(out, top_module(slice, wrapper), wrapper != NULL);
    hw_manifest_write(out, plan, slice, wrapper ? wrapper->name : NULL);
}

enum { FABRIC_FILES = 96 }; // at most, beside the ROMs

// The size of everything, about; `files` without the fabric's.
static struct hw_size whole_size(const struct hw_plan *plan)
{
    enum { LISTS = 30000, SELFTEST = 10000 }; // manifest and lists of sources; templates
    enum { A_FILE = 140, A_RANGE = 200 };     // lines of those
    struct hw_size sum = {HW_FABRIC_BYTES + LISTS + (long long)A_RANGE * plan->n_ranges, 0};
    if (plan->geometry.selftest)
        sum.bytes += SELFTEST;
    for (int i = 0; i < HW_N_ROMS; i++) {
        struct hw_size rom = hw_rom_size(&plan->geometry, &plan->rom[i]);
        sum.bytes += rom.bytes + (long long)A_FILE * rom.files;
        sum.files += rom.files;
    }
    return sum;
}

// Says what is coming, and refuses what the disk has no room for.
static bool check_room(const struct hw_size *size, const char *temp, FILE *progress,
                       struct hw_error *err)
{
    struct statvfs disk;
    if (progress)
        fprintf(progress, "about %.1f MB of Verilog, %ld ROM files\n", (double)size->bytes / 1e6,
                size->files);
    if (statvfs(temp, &disk) != 0)
        return hw_fail(err, "%s: cannot tell the room on its disk: %s", temp, strerror(errno));
    unsigned long long block = disk.f_frsize;
    unsigned long long files = (unsigned long long)size->files + FABRIC_FILES;
    unsigned long long need = (unsigned long long)size->bytes + files * block;
    if (disk.f_bavail <= need / block)
        return hw_fail(err, "%s: disk: expected room for %.1f MB, got %.1f MB", temp,
                       (double)need / 1e6, (double)disk.f_bavail * (double)block / 1e6);
    if (disk.f_files > 0 && disk.f_favail <= files)
        return hw_fail(err, "%s: disk: expected room for %llu files, got %llu", temp, files,
                       (unsigned long long)disk.f_favail);
    return true;
}

// --- directory

static bool same_files(const struct hw_out *out, const struct hw_manifest *m)
{
    if (out->n_files != m->n_files + 1) // and the manifest itself
        return false;
    for (int i = 0; i < m->n_files; i++) {
        int k = 0;
        while (k < out->n_files && strcmp(out->file[k].path, m->file[i].path) != 0)
            k++;
        if (k == out->n_files ||
            memcmp(out->file[k].sha256, m->file[i].sha256, SHA256_DIGEST_SIZE) != 0)
            return false;
    }
    return true;
}

// What stands at the output's name: nothing or an empty folder, or a design, which *m then
// describes.
static bool read_older(const char *name, bool *is_design, struct hw_manifest *m,
                       struct hw_error *err)
{
    struct hw_error why = {0};
    struct stat st;
    memset(m, 0, sizeof *m);
    *is_design = false;
    if (lstat(name, &st) != 0)
        return true;
    if (!S_ISDIR(st.st_mode))
        return hw_fail(err, "%s: exists and is not a folder: not replaced", name);
    *is_design = hw_manifest_read_files(m, name, &why);
    if (*is_design || hw_output_dir_empty(name))
        return true;
    return hw_fail(err, "%s: exists and is not an output of hardwire: not replaced (%s)", name,
                   why.text);
}

static void write_design(const struct hw_plan *plan, const char *slice,
                         const struct hw_wrapper *wrapper, const char *templates, const char *temp,
                         struct hw_out *out)
{
    const char *part[] = {"fabric", "personality", "bus"};
    struct hw_size size = whole_size(plan);
    check_room(&size, temp, out->progress, out->err);
    for (int i = 0; i < (wrapper ? 3 : 2) && !out->err->set; i++) {
        char path[2 * HW_OUTPUT_PATH];
        snprintf(path, sizeof path, "%s/%s", temp, part[i]);
        if (mkdir(path, 0777) != 0)
            hw_fail(out->err, "%s: cannot create: %s", path, strerror(errno));
    }
    out->expected = size.bytes;
    write_all(out, plan, templates, slice, wrapper);
}

bool hw_emit(const struct hw_plan *plan, const char *slice, const struct hw_wrapper *wrapper,
             const char *templates, const char *path, enum hw_emit_mode mode, FILE *progress,
             struct hw_error *err)
{
    struct hw_output_dir dir;
    struct hw_manifest older;
    bool replaces;
    if (!hw_output_dir_name(&dir, path, err) || !read_older(dir.name, &replaces, &older, err))
        return false;
    // asked before the work, and again before what lies there goes
    if ((mode == HW_EMIT_KEEP || !replaces ||
         hw_output_dir_owned(dir.name, hw_manifest_owns, &older, err)) &&
        hw_output_dir_open(&dir, hw_manifest_owns, NULL, err)) {
        struct hw_out out = {.dir = dir.temp, .err = err, .progress = progress};
        write_design(plan, slice, wrapper, templates, dir.temp, &out);
        bool keep = mode == HW_EMIT_KEEP && replaces && same_files(&out, &older);
        int tampered = keep ? hw_manifest_tampered(&older, dir.name) : 0;
        if (tampered > 0)
            hw_fail(err,
                    "%s: %d file%s changed since generation: not kept; emit it again, or name "
                    "another folder",
                    dir.name, tampered, tampered == 1 ? "" : "s");
        if (!err->set && !keep &&
            (!replaces || hw_output_dir_owned(dir.name, hw_manifest_owns, &older, err)))
            hw_output_dir_commit(&dir, hw_manifest_owns, &older, err);
        hw_out_free(&out);
        hw_output_dir_close(&dir, hw_manifest_owns, NULL);
    }
    hw_manifest_free(&older);
    return !err->set;
}
