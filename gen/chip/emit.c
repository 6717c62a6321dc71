// SPDX-License-Identifier: Apache-2.0
// Owns the output directory: fabric/ from templates and geometry, personality/ from the plan's
// ROMs, filelist.f and manifest.json. Same plan, same bytes: no date, host or path goes into any
// file.
#include "gen/chip/emit.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "gen/chip/banks.h"
#include "gen/chip/fabric.h"
#include "gen/interrupt.h"
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
        {"VEC", g->vec},
        {"ATT_POS", g->att_pos},
        {"HEAD_DIM", g->head_dim},
        {"ACT_W", g->act_bits},
        {"KV_W", g->kv_bits},
        {"RES_W", g->res_bits},
        {"SUB_NORM", g->sub_norm},
        {"ACC_W", g->acc_bits},
        {"CTX", g->ctx},
        {"MAX_DIM", g->max_dim},
        {"MAX_Q_DIM", g->max_q_dim},
        {"MAX_HIDDEN", g->max_hidden},
        {"MAX_KV_DIM", g->max_kv_dim},
        {"KV_ROWS", g->kv_rows},
        {"ROPE_HI_W", g->rope_hi_bits},
        {"ROPE_LO_W", g->rope_lo_bits},
        {"WEIGHT_ADDR_W", g->weight_addr_bits},
        {"SCALE_ADDR_W", g->scale_addr_bits},
        {"GAIN_ADDR_W", g->gain_addr_bits},
        {"LEVEL_ADDR_W", g->level_addr_bits},
        {"PROG_ADDR_W", g->prog_addr_bits},
        {"TOKEN_W", g->token_bits},
    };
    hw_out_open(out, "fabric/geometry.vh");
    hw_out_print(out, "%s// The geometry: parameters of chip.v and slice.v, in their order.\n",
                 HW_NOTICE);
    for (size_t i = 0; i < sizeof define / sizeof define[0]; i++)
        hw_out_print(out, "`define HW_%s %d\n", define[i].name, define[i].value);
    hw_out_print(out, "`define HW_PARAMETERS ");
    for (size_t i = 0; i < sizeof define / sizeof define[0]; i++)
        hw_out_print(out, "%s.%s(`HW_%s)", i > 0 ? ", \\\n    " : "\\\n    ", define[i].name,
                     define[i].name);
    hw_out_print(out, "\n");
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
    struct hw_rom rom = {t->name, 28, t->index_bits, n, data};
    snprintf(module, sizeof module, "%s_rom", t->name);
    snprintf(path, sizeof path, "fabric/%s.v", module);
    hw_write_table(out, path, module, &rom);
}

static void copy_template(struct hw_out *out, const char *templates, const char *name)
{
    char from[4096], to[96], block[4096];
    size_t n;
    snprintf(from, sizeof from, "%s/%s", templates, name);
    snprintf(to, sizeof to, "fabric/%s", name);
    FILE *in = fopen(from, "rb");
    if (!in) {
        hw_fail(out->err, "%s: cannot read: %s", from, strerror(errno));
        return;
    }
    hw_out_open(out, to);
    while (!out->err->set && (n = fread(block, 1, sizeof block, in)) > 0)
        hw_out_bytes(out, block, n);
    if (ferror(in))
        hw_fail(out->err, "%s: cannot read", from);
    fclose(in);
    hw_out_close(out);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_template(const char *name)
{
    const char *end = strrchr(name, '.');
    return end && end > name && (strcmp(end, ".v") == 0 || strcmp(end, ".vh") == 0);
}

// Copies every *.v and *.vh of the templates directory, in the order of their names.
static void copy_templates(struct hw_out *out, const char *templates)
{
    enum { MOST = 64 };
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
        copy_template(out, templates, name[i]);
        free(name[i]);
    }
}

// --- manifest

// Hash of names and hashes of the fabric's files: equal for two designs on one fabric.
static void fabric_hash(const struct hw_out *out, char hex[2 * SHA256_DIGEST_SIZE + 1])
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    for (int i = 0; i < out->n_files; i++) {
        const struct hw_out_file *f = &out->file[i];
        if (strncmp(f->path, "fabric/", 7) == 0) {
            sha256_update(&hash, strlen(f->path) + 1, (const uint8_t *)f->path);
            sha256_update(&hash, sizeof f->sha256, f->sha256);
        }
    }
    sha256_digest(&hash, sizeof digest, digest);
    hw_hex(digest, hex);
}

static json_t *rom_table(const struct hw_plan *plan)
{
    json_t *roms = json_object();
    long long total = 0;
    for (int i = 0; i < HW_N_ROMS; i++) {
        const struct hw_rom *r = &plan->rom[i];
        long long bits = (long long)r->width * r->depth;
        total += bits;
        json_object_set_new(roms, r->name,
                            json_pack("{s:i, s:i, s:I}", "width", r->width, "words", r->depth,
                                      "bits", (json_int_t)bits));
    }
    json_object_set_new(roms, "total_bits", json_integer(total));
    return roms;
}

static json_t *ranges(const struct hw_plan *plan)
{
    json_t *list = json_array();
    for (int i = 0; i < plan->n_ranges; i++) {
        const struct hw_range *r = &plan->range[i];
        json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "tensor", r->name,
                                              "first_word", r->first, "words", r->n_words, "rows",
                                              r->n_rows, "n_in", r->n_in, "planes", r->n_planes));
    }
    return list;
}

static json_t *model_json(const struct hw_config *c)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b}", "dim", c->dim, "hidden_dim",
                     c->hidden_dim, "n_layers", c->n_layers, "n_heads", c->n_heads, "n_kv_heads",
                     c->n_kv_heads, "head_dim", c->head_dim, "vocab_size", c->vocab_size, "seq_len",
                     c->seq_len, "tied", c->tied);
}

static void write_manifest(struct hw_out *out, const struct hw_plan *plan, const char *slice)
{
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    json_t *files = json_object();
    for (int i = 0; i < out->n_files; i++) {
        hw_hex(out->file[i].sha256, hex);
        json_object_set_new(files, out->file[i].path, json_string(hex));
    }
    fabric_hash(out, hex);
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "format", "hardwire-manifest-1",
                  "version", HW_VERSION, "slice", slice, "fabric_sha256", hex, "geometry",
                  hw_fabric_json(&plan->geometry), "model", model_json(&plan->model->config),
                  "roms", rom_table(plan), "weights", ranges(plan), "files", files);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    hw_out_open(out, "manifest.json");
    if (text)
        hw_out_bytes(out, text, strlen(text));
    else
        hw_fail(out->err, "manifest.json: out of memory");
    hw_out_print(out, "\n");
    hw_out_close(out);
    free(text);
    json_decref(root);
}

static void write_filelist(struct hw_out *out)
{
    int n = out->n_files;
    hw_out_open(out, "filelist.f");
    hw_out_print(out, "+incdir+fabric\n");
    for (int i = 0; i < n; i++) {
        size_t len = strlen(out->file[i].path);
        if (strcmp(out->file[i].path + len - 2, ".v") == 0)
            hw_out_print(out, "%s\n", out->file[i].path);
    }
    hw_out_close(out);
}

// --- directory

// Removes a directory: `depth` levels of directories below it, and what they hold.
static void remove_tree(const char *dir, int depth)
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[4096];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (unlink(path) != 0 && depth > 0)
            remove_tree(path, depth - 1);
    }
    closedir(d);
    rmdir(dir);
}

// What hw_emit writes into a directory.
static bool is_ours(const char *name)
{
    static const char *const ours[] = {".",           "..",         "fabric",
                                       "personality", "filelist.f", "manifest.json"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strcmp(name, ours[i]) == 0)
            return true;
    }
    return false;
}

// Only a directory that holds a manifest, or nothing, may be replaced.
static bool replaceable(const char *dir, struct hw_error *err)
{
    char path[4300];
    struct stat st;
    if (lstat(dir, &st) != 0)
        return true;
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    if (S_ISDIR(st.st_mode) && (stat(path, &st) == 0 || rmdir(dir) == 0))
        return true;
    return hw_fail(err, "%s: exists and is not an output of hardwire: not replaced", dir);
}

// Takes away what an output that was killed has left at `temp`, and nothing else.
static bool clear_partial(const char *temp, struct hw_error *err)
{
    struct stat st;
    if (lstat(temp, &st) != 0)
        return true;
    DIR *d = S_ISDIR(st.st_mode) ? opendir(temp) : NULL;
    bool ours = d != NULL;
    for (struct dirent *e; ours && (e = readdir(d)) != NULL;)
        ours = is_ours(e->d_name);
    if (d)
        closedir(d);
    if (ours)
        remove_tree(temp, 1);
    return ours || hw_fail(err, "%s: exists and is not an output of hardwire: not replaced", temp);
}

static void write_all(struct hw_out *out, const struct hw_plan *plan, const char *templates,
                      const char *slice)
{
    copy_templates(out, templates);
    write_geometry(out, &plan->geometry);
    for (int i = 0; i < HW_N_TABLES; i++)
        write_function_table(out, hw_table((enum hw_table_id)i));
    for (int i = 0; i < HW_N_ROMS; i++)
        hw_write_joined(out, &plan->rom[i], plan->geometry.bank_bytes);
    for (int i = 0; i < HW_N_ROMS; i++)
        hw_write_banks(out, plan, &plan->rom[i]);
    write_filelist(out);
    write_manifest(out, plan, slice);
}

static bool same_manifest(const char *a, const char *b)
{
    char path[2][4300];
    FILE *file[2];
    int c[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/manifest.json", i ? b : a);
        file[i] = fopen(path[i], "rb");
    }
    while (file[0] && file[1] && c[0] == c[1] && c[0] != EOF) {
        for (int i = 0; i < 2; i++)
            c[i] = fgetc(file[i]);
    }
    bool same = file[0] && file[1] && c[0] == c[1];
    for (int i = 0; i < 2; i++) {
        if (file[i])
            fclose(file[i]);
    }
    return same;
}

enum { FABRIC_FILES = 64 }; // at most, beside the ROMs

// The size of everything, about; `files` without the fabric's.
static struct hw_size whole_size(const struct hw_plan *plan)
{
    enum { FABRIC = 160000, A_FILE = 140, A_RANGE = 200 }; // templates; lines of the manifest, list
    struct hw_size sum = {FABRIC + (long long)A_RANGE * plan->n_ranges, 0};
    for (int i = 0; i < HW_N_ROMS; i++) {
        struct hw_size rom = hw_rom_size(&plan->rom[i], plan->geometry.bank_bytes);
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

// Puts the finished directory in the place of an older one, which is complete there until then.
static void put_in_place(const char *temp, const char *dir, const char *older,
                         enum hw_emit_mode mode, struct hw_error *err)
{
    struct stat st;
    if (mode == HW_EMIT_KEEP && same_manifest(temp, dir)) {
        remove_tree(temp, 1);
        return;
    }
    bool exists = lstat(dir, &st) == 0;
    if (exists && rename(dir, older) != 0) {
        hw_fail(err, "%s: cannot rename to %s: %s", dir, older, strerror(errno));
        return;
    }
    if (rename(temp, dir) != 0) {
        hw_fail(err, "%s: cannot rename to %s: %s", temp, dir, strerror(errno));
        if (exists)
            rename(older, dir);
        return;
    }
    if (exists)
        remove_tree(older, 3);
    if (lstat(older, &st) == 0)
        hw_fail(err,
                "%s: is the new design; the older one held folders that are none of hardwire's, "
                "which are now in %s",
                dir, older);
}

// The name of a directory to be made, without slashes at its end.
static bool plain_name(const char *dir, char *name, size_t size, struct hw_error *err)
{
    size_t n = strlen(dir);
    while (n > 0 && dir[n - 1] == '/')
        n--;
    if (n >= size)
        return hw_fail(err, "output: expected a path of at most %zu bytes, got %zu", size - 1, n);
    memcpy(name, dir, n);
    name[n] = '\0';
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    if (n == 0 || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return hw_fail(err, "output: expected the name of a directory to make, got '%s'", dir);
    return true;
}

bool hw_emit(const struct hw_plan *plan, const char *slice, const char *templates, const char *dir,
             enum hw_emit_mode mode, FILE *progress, struct hw_error *err)
{
    char name[4000], temp[4096], older[4096], sub[4200];
    struct hw_size size = whole_size(plan);
    struct hw_held_signals held;
    struct stat st;
    if (!plain_name(dir, name, sizeof name, err) || !replaceable(name, err))
        return false;
    snprintf(temp, sizeof temp, "%s.partial", name);
    snprintf(older, sizeof older, "%s.old", name);
    if (lstat(older, &st) == 0)
        return hw_fail(err,
                       "%s: is in the way, expected nothing there: it takes %s while that is "
                       "replaced",
                       older, name);
    if (!clear_partial(temp, err))
        return false;
    if (mkdir(temp, 0777) != 0)
        return hw_fail(err, "%s: cannot create: %s", temp, strerror(errno));
    hw_hold_signals(&held);
    const char *part[] = {"fabric", "personality"};
    check_room(&size, temp, progress, err);
    for (int i = 0; i < 2 && !err->set; i++) {
        snprintf(sub, sizeof sub, "%s/%s", temp, part[i]);
        if (mkdir(sub, 0777) != 0)
            hw_fail(err, "%s: cannot create: %s", sub, strerror(errno));
    }
    struct hw_out out = {
        .dir = temp, .err = err, .stop = &hw_stop, .progress = progress, .expected = size.bytes};
    write_all(&out, plan, templates, slice);
    hw_out_free(&out);
    if (!err->set)
        put_in_place(temp, name, older, mode, err);
    if (err->set)
        remove_tree(temp, 1);
    hw_release_signals(&held);
    return !err->set;
}
