// SPDX-License-Identifier: Apache-2.0
// Owns every key of manifest.json, and which numbers of a fabric a model may fill only in part.
// Refuses what hardwire did not write.
#include "gen/chip/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gen/chip/filelist.h"
#include "gen/chip/memories.h"
#include "gen/chip/selftest.h"
#include "gen/read/cursor.h"
#include "gen/version.h"
#include "refmodel/limits.h"

static const char *const FORMAT = "hardwire-manifest-1";
#define SIM_MADE "sim/made"         // what sim/build has made, a line a path
#define SIM_BUILDING "sim/building" // while it works, or where it was killed

// --- geometry

enum use { SAME, CAPACITY };

// A capacity is a multiple of the columns.
#define WHOLE_COLUMNS(elements) ((elements) + HW_MAX_COLS - 1)

static const struct {
    const char *name;
    size_t at; // of an int in struct hw_geometry
    int least, most;
    enum use use;
} FIELD[] = {
#define NUMBER(name, least, most, use)                                                             \
    {                                                                                              \
#name, offsetof(struct hw_geometry, name), least, most, use                                \
    }
    NUMBER(rows, 2, HW_MAX_ROWS, SAME),
    NUMBER(tile_rows, 1, HW_MAX_ROWS, SAME),
    NUMBER(cols, 2, HW_MAX_COLS, SAME),
    NUMBER(vec, 2, HW_MAX_ROWS, SAME),
    NUMBER(att_pos, 1, HW_MAX_ATT_POS, SAME),
    NUMBER(code_bits, HW_MIN_CODE_BITS, HW_MAX_CODE_BITS, SAME),
    NUMBER(head_dim, 4, HW_MAX_HEAD_DIM, SAME),
    NUMBER(act_bits, HW_MIN_ACT_BITS, HW_MAX_ACT_BITS, SAME),
    NUMBER(kv_bits, HW_MIN_KV_BITS, HW_MAX_KV_BITS, SAME),
    NUMBER(res_bits, HW_MIN_RES_BITS, HW_MAX_RES_BITS, SAME),
    NUMBER(sub_norm, 0, 1, SAME),
    NUMBER(qkv_bias, 0, 1, CAPACITY),
    NUMBER(qk_norm, 0, 1, SAME),
    NUMBER(window, 0, 1, CAPACITY),
    NUMBER(selftest, 0, 1, SAME),
    NUMBER(kv_ctx, 2, HW_MAX_CTX, SAME),
    NUMBER(bank_bytes, 0, HW_MOST_BANK_BYTES, SAME),
    NUMBER(macro_words, 0, 8 * HW_MOST_BANK_BYTES, SAME),
    NUMBER(macro_bits, 0, 8 * HW_MOST_BANK_BYTES, SAME),
    NUMBER(ram_words, 0, HW_MOST_RAM_WORDS, SAME),
    NUMBER(ram_bits, 0, HW_MOST_RAM_BITS, SAME),
    NUMBER(rope_lo_bits, 1, HW_MAX_POSITION_BITS, SAME), // where a position is cut in two
    NUMBER(rope_hi_bits, 1, HW_MAX_POSITION_BITS, CAPACITY),
    NUMBER(acc_bits, HW_MIN_ACC_BITS, HW_MAX_ACC_BITS, CAPACITY),
    NUMBER(ctx, 2, HW_MAX_CTX, CAPACITY),
    NUMBER(max_dim, 2, WHOLE_COLUMNS(HW_MAX_DIM), CAPACITY),
    NUMBER(max_q_dim, 4, WHOLE_COLUMNS(HW_MAX_Q_DIM), CAPACITY),
    NUMBER(max_hidden, 2, WHOLE_COLUMNS(HW_MAX_HIDDEN_DIM), CAPACITY),
    NUMBER(max_kv_dim, 4, HW_MAX_Q_DIM, CAPACITY),
    NUMBER(kv_rows, 2, HW_MAX_KV_ROWS, CAPACITY),
    NUMBER(weight_addr_bits, 1, HW_MAX_WEIGHT_ADDR_BITS, CAPACITY),
    NUMBER(scale_addr_bits, 1, HW_MAX_TABLE_ADDR_BITS, CAPACITY),
    NUMBER(gain_addr_bits, 1, HW_MAX_TABLE_ADDR_BITS, CAPACITY),
    NUMBER(level_addr_bits, 1, HW_MAX_TABLE_ADDR_BITS, CAPACITY),
    NUMBER(prog_addr_bits, 1, HW_MAX_TABLE_ADDR_BITS, CAPACITY),
    NUMBER(weight_words, 1, HW_MAX_WEIGHT_WORDS, CAPACITY),
    NUMBER(scale_words, 1, HW_MAX_TABLE_WORDS, CAPACITY),
    NUMBER(gain_words, 1, HW_MAX_TABLE_WORDS, CAPACITY),
    NUMBER(level_words, 1, HW_MAX_TABLE_WORDS, CAPACITY),
    NUMBER(prog_words, 1, HW_MAX_TABLE_WORDS, CAPACITY),
    NUMBER(rope_hi_rows, 1, HW_MAX_TABLE_WORDS, CAPACITY),
    NUMBER(token_bits, 1, HW_MAX_TOKEN_BITS, CAPACITY),
#undef NUMBER
#define LATENCY(name, NAME, least, most, usual, meaning)                                           \
    {"latency_" #name, offsetof(struct hw_geometry, latency.name), least, most, SAME},
    HW_LATENCIES(LATENCY)
#undef LATENCY
};
enum { N_FIELDS = sizeof FIELD / sizeof FIELD[0] };

static int number(const struct hw_geometry *g, int field)
{
    return *(const int *)((const char *)g + FIELD[field].at);
}

static const struct {
    const char *name;
    size_t at; // of an int in struct hw_config
    int most;
} MODEL[] = {
#define DIMENSION(name, most)                                                                      \
    {                                                                                              \
#name, offsetof(struct hw_config, name), most                                              \
    }
    DIMENSION(dim, HW_MAX_DIM),
    DIMENSION(hidden_dim, HW_MAX_HIDDEN_DIM),
    DIMENSION(n_layers, HW_MAX_LAYERS),
    DIMENSION(n_heads, HW_MAX_HEADS),
    DIMENSION(n_kv_heads, HW_MAX_HEADS),
    DIMENSION(head_dim, HW_MAX_HEAD_DIM),
    DIMENSION(vocab_size, HW_MAX_VOCAB_SIZE),
    DIMENSION(seq_len, HW_MAX_SEQ_LEN),
#undef DIMENSION
};
enum { N_DIMENSIONS = sizeof MODEL / sizeof MODEL[0] };

static json_t *geometry_json(const struct hw_geometry *g)
{
    json_t *object = json_object();
    for (int i = 0; i < N_FIELDS; i++)
        json_object_set_new(object, FIELD[i].name, json_integer(number(g, i)));
    json_object_set_new(object, "lane", json_string(hw_lane_name(g->lane)));
    return object;
}

// --- writing

void hw_manifest_hash(const struct hw_out *out, const char *folder,
                      uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx hash;
    size_t n = strlen(folder);
    sha256_init(&hash);
    for (int i = 0; i < out->n_files; i++) {
        const struct hw_out_file *f = &out->file[i];
        if (strncmp(f->path, folder, n) == 0 && f->path[n] == '/') {
            sha256_update(&hash, strlen(f->path) + 1, (const uint8_t *)f->path);
            sha256_update(&hash, sizeof f->sha256, f->sha256);
        }
    }
    sha256_digest(&hash, SHA256_DIGEST_SIZE, digest);
}

static void folder_hash(const struct hw_out *out, const char *folder,
                        char hex[2 * SHA256_DIGEST_SIZE + 1])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    hw_manifest_hash(out, folder, digest);
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

static json_t *memories(const struct hw_plan *plan)
{
    struct hw_memory list[HW_MOST_MEMORIES];
    json_t *array = json_array();
    int n = hw_memories(plan, list);
    for (int i = 0; i < n; i++) {
        const struct hw_memory *m = &list[i];
        json_t *object = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i}", "holds", m->name, "kind",
                                   m->rom ? "ROM" : "RAM", "ports",
                                   m->rom        ? "1 read"
                                   : m->one_port ? "1 read or write"
                                                 : "1 read, 1 write",
                                   "depth", m->depth, "width", m->width, "instances", m->instances);
        if (!m->rom)
            json_object_set_new(object, "mask", json_integer(m->mask));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *ranges(const struct hw_plan *plan)
{
    json_t *list = json_array();
    for (int i = 0; i < plan->n_ranges; i++) {
        const struct hw_weight_range *r = &plan->range[i];
        json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "tensor", r->name,
                                              "first_word", r->first, "words", r->n_words, "rows",
                                              r->n_rows, "n_in", r->n_in, "planes", r->n_planes));
    }
    return list;
}

static json_t *model_json(const struct hw_config *c)
{
    json_t *object = json_pack("{s:b}", "tied", c->tied);
    for (int i = 0; i < N_DIMENSIONS; i++)
        json_object_set_new(object, MODEL[i].name,
                            json_integer(*(const int *)((const char *)c + MODEL[i].at)));
    return object;
}

// What the chip's self-test answers.
static json_t *selftest(struct hw_out *out, const struct hw_plan *plan)
{
    struct hw_selftest expect = {0};
    hw_selftest_expect(plan, &plan->geometry, &expect, out->err);
    return json_pack("{s:I, s:I}", "crc32", (json_int_t)expect.crc, "clocks",
                     (json_int_t)expect.clocks);
}

void hw_manifest_write(struct hw_out *out, const struct hw_plan *plan, const char *slice,
                       const char *bus)
{
    char hex[2 * SHA256_DIGEST_SIZE + 1];
    json_t *files = json_object();
    for (int i = 0; i < out->n_files; i++) {
        hw_hex(out->file[i].sha256, hex);
        json_object_set_new(files, out->file[i].path, json_string(hex));
    }
    folder_hash(out, "fabric", hex);
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "format", FORMAT,
                             "version", HW_VERSION, "slice", slice, "fabric_sha256", hex,
                             "geometry", geometry_json(&plan->geometry), "model",
                             model_json(&plan->model->config), "roms", rom_table(plan), "memories",
                             memories(plan), "weights", ranges(plan), "files", files);
    if (plan->geometry.selftest && strcmp(slice, "chip") == 0)
        json_object_set_new(root, "selftest", selftest(out, plan));
    if (bus) {
        folder_hash(out, "personality", hex);
        json_object_set_new(root, "bus", json_string(bus));
        json_object_set_new(root, "personality_sha256", json_string(hex));
    }
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

// --- reading

static bool read_int(const json_t *object, const char *where, const char *name, int least, int most,
                     int *to, struct hw_error *err)
{
    const json_t *value = json_object_get(object, name);
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < least || n > most)
        return hw_fail(err, "%s: %s, expected a number in %d..%d", where, name, least, most);
    *to = (int)n;
    return true;
}

// No ROM has more words than its addresses reach.
static bool check_addresses(const struct hw_geometry *g, const char *where, struct hw_error *err)
{
    const struct {
        const char *name;
        int words, bits;
    } rom[] = {{"weight_words", g->weight_words, g->weight_addr_bits},
               {"scale_words", g->scale_words, g->scale_addr_bits},
               {"gain_words", g->gain_words, g->gain_addr_bits},
               {"level_words", g->level_words, g->level_addr_bits},
               {"prog_words", g->prog_words, g->prog_addr_bits},
               {"rope_hi_rows", g->rope_hi_rows, g->rope_hi_bits}};
    for (size_t i = 0; i < sizeof rom / sizeof rom[0] && !err->set; i++) {
        if (rom[i].words > 1 << rom[i].bits)
            hw_fail(err, "%s: %s, expected at most 2^%d, got %d", where, rom[i].name, rom[i].bits,
                    rom[i].words);
    }
    return !err->set;
}

// Numbers that mean something together alone.
static bool check_pairs(const struct hw_geometry *g, const char *where, struct hw_error *err)
{
    if ((g->macro_words || g->macro_bits) && !hw_rom_macro_holds(g->macro_words, g->macro_bits))
        return hw_fail(err, "%s: macro_words and macro_bits, expected a ROM macro, got %d x %d",
                       where, g->macro_words, g->macro_bits);
    if ((g->ram_words || g->ram_bits) && !hw_ram_macro_holds(g->ram_words, g->ram_bits))
        return hw_fail(err, "%s: ram_words and ram_bits, expected a RAM macro, got %d x %d", where,
                       g->ram_words, g->ram_bits);
    return (long)g->kv_rows * (g->kv_ctx / g->att_pos) <= HW_MAX_KV_WORDS ||
           hw_fail(err, "%s: kv_rows, expected at most %d words of keys, got %d rows of %d", where,
                   HW_MAX_KV_WORDS, g->kv_rows, g->kv_ctx / g->att_pos);
}

static bool read_geometry(struct hw_geometry *g, const json_t *root, const char *path,
                          struct hw_error *err)
{
    const json_t *object = json_object_get(root, "geometry");
    char where[4400];
    snprintf(where, sizeof where, "%s: geometry", path);
    for (int i = 0; i < N_FIELDS && !err->set; i++)
        read_int(object, where, FIELD[i].name, FIELD[i].least, FIELD[i].most,
                 (int *)((char *)g + FIELD[i].at), err);
    if (!err->set)
        (void)(check_addresses(g, where, err) && check_pairs(g, where, err));
    const char *lane = json_string_value(json_object_get(object, "lane"));
    if (!err->set && (!lane || !hw_lane_parse(lane, &g->lane)))
        hw_fail(err, "%s: geometry: lane, expected select or multiply", path);
    return !err->set;
}

static bool read_model(struct hw_config *c, const json_t *root, const char *path,
                       struct hw_error *err)
{
    const json_t *object = json_object_get(root, "model");
    char where[4400];
    snprintf(where, sizeof where, "%s: model", path);
    for (int i = 0; i < N_DIMENSIONS && !err->set; i++)
        read_int(object, where, MODEL[i].name, 1, MODEL[i].most, (int *)((char *)c + MODEL[i].at),
                 err);
    if (!err->set && !json_is_boolean(json_object_get(object, "tied")))
        hw_fail(err, "%s: tied, expected true or false", where);
    c->tied = json_is_true(json_object_get(object, "tied"));
    return !err->set;
}

static const char *const FOLDER[] = {"fabric", "personality", "bus"};
enum { N_FOLDERS = sizeof FOLDER / sizeof FOLDER[0] };

static bool is_folder_name(const char *path, size_t n)
{
    for (int i = 0; i < N_FOLDERS; i++) {
        if (strlen(FOLDER[i]) == n && strncmp(path, FOLDER[i], n) == 0)
            return true;
    }
    return false;
}

// A name in one of the folders, or of a list of sources: nothing that leads out of the design.
static bool is_design_file(const char *path)
{
    const char *slash = strchr(path, '/');
    return hw_filelist_is(path) || (slash && is_folder_name(path, (size_t)(slash - path)) &&
                                    slash[1] != '\0' && slash[1] != '.' && !strchr(slash + 1, '/'));
}

static bool unhex(const char *hex, uint8_t digest[SHA256_DIGEST_SIZE])
{
    static const char DIGITS[] = "0123456789abcdef";
    if (!hex || strlen(hex) != 2 * SHA256_DIGEST_SIZE || strspn(hex, DIGITS) != strlen(hex))
        return false;
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        digest[i] = (uint8_t)((strchr(DIGITS, hex[2 * i]) - DIGITS) * 16 +
                              (strchr(DIGITS, hex[2 * i + 1]) - DIGITS));
    return true;
}

static const struct hw_out_file *find(const struct hw_manifest *m, const char *path)
{
    for (int i = 0; i < m->n_files; i++) {
        if (strcmp(m->file[i].path, path) == 0)
            return &m->file[i];
    }
    return NULL;
}

static bool read_files(struct hw_manifest *m, const json_t *root, const char *path,
                       struct hw_error *err)
{
    json_t *files = json_object_get(root, "files"), *value;
    const char *name;
    m->file = calloc(json_object_size(files) + 1, sizeof *m->file);
    if (!m->file || !json_is_object(files))
        return hw_fail(err, "%s: files, expected the design's files and their hashes", path);
    json_object_foreach(files, name, value)
    {
        struct hw_out_file *f = &m->file[m->n_files++];
        if (!is_design_file(name) || strlen(name) >= sizeof f->path)
            return hw_fail(
                err, "%s: files: expected names in fabric/, personality/ and bus/, got '%.100s'",
                path, name);
        if (!unhex(json_string_value(value), f->sha256))
            return hw_fail(err, "%s: files: %s, expected a SHA-256", path, name);
        snprintf(f->path, sizeof f->path, "%s", name);
    }
    return find(m, "filelist.f") != NULL ||
           hw_fail(err, "%s: files: expected the design's files, filelist.f among them", path);
}

// The lines of a file of sim/, NULL where there is none.
static char *lines_of(const char *dir, const char *name)
{
    char path[4300];
    struct hw_file file;
    struct hw_error none = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!hw_file_map(&file, path, &none))
        return NULL;
    char *text = malloc(file.size + 2);
    if (text) {
        text[0] = '\n';
        memcpy(text + 1, file.data, file.size);
        text[file.size + 1] = '\0';
    }
    hw_file_unmap(&file);
    return text;
}

static void read_simulation(struct hw_manifest *m, const char *dir)
{
    char building[4300];
    snprintf(building, sizeof building, "%s/%s", dir, SIM_BUILDING);
    m->sim_killed = hw_path_exists(building);
    m->sim_made = lines_of(dir, SIM_MADE);
}

// The whole of it, or its format and files alone.
static bool read_manifest(struct hw_manifest *m, const char *dir, bool whole, struct hw_error *err)
{
    char path[4300];
    struct hw_file file;
    json_error_t where;
    memset(m, 0, sizeof *m);
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    if (!hw_file_map(&file, path, err))
        return false;
    json_t *root = json_loadb((const char *)file.data, file.size, JSON_REJECT_DUPLICATES, &where);
    hw_file_unmap(&file);
    if (!root)
        return hw_fail(err, "%s: line %d: %s", path, where.line, where.text);
    const char *format = json_string_value(json_object_get(root, "format"));
    const char *slice = json_string_value(json_object_get(root, "slice"));
    if (!format || strcmp(format, FORMAT) != 0)
        hw_fail(err, "%s: format, expected %s, got '%.40s'", path, FORMAT,
                format ? format : "nothing");
    else if (whole && (!slice || strlen(slice) >= sizeof m->slice))
        hw_fail(err, "%s: slice, expected its name", path);
    else if (whole)
        snprintf(m->slice, sizeof m->slice, "%s", slice);
    if (!err->set && whole)
        (void)(read_geometry(&m->geometry, root, path, err) &&
               read_model(&m->model, root, path, err));
    if (!err->set && read_files(m, root, path, err))
        read_simulation(m, dir);
    json_decref(root);
    if (err->set)
        hw_manifest_free(m);
    return !err->set;
}

bool hw_manifest_read(struct hw_manifest *m, const char *dir, struct hw_error *err)
{
    return read_manifest(m, dir, true, err);
}

bool hw_manifest_read_files(struct hw_manifest *m, const char *dir, struct hw_error *err)
{
    return read_manifest(m, dir, false, err);
}

void hw_manifest_free(struct hw_manifest *m)
{
    free(m->file);
    free(m->sim_made);
    memset(m, 0, sizeof *m);
}

// --- files

// What sim/build and sim/build_group may make.
static bool is_simulation(const char *path)
{
    static const char *const made[] = {"sim",
                                       "sim/verilated",
                                       "sim/*_g[0-9]*",
                                       "sim/*_g[0-9]*/obj",
                                       SIM_MADE,
                                       SIM_BUILDING,
                                       "sim/cosim",
                                       "sim/design.vvp",
                                       "sim/verilator.log",
                                       "sim/icarus.log",
                                       "sim/verilator.stamp",
                                       "sim/icarus.stamp",
                                       "sim/verilated/Vtap_top*",
                                       "sim/verilated/verilated*",
                                       "sim/verilated/dut_verilator.*",
                                       "sim/*_g[0-9]*/*_g[0-9]*.o",
                                       "sim/*_g[0-9]*/*_g[0-9]*.sv",
                                       "sim/*_g[0-9]*/log",
                                       "sim/*_g[0-9]*/stamp",
                                       "sim/*_g[0-9]*/obj/*_g[0-9]*"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        if (fnmatch(made[i], path, FNM_PATHNAME | FNM_PERIOD) == 0)
            return true;
    }
    return false;
}

static bool has_line(const char *lines, const char *path)
{
    size_t n = strlen(path);
    for (const char *at = lines; at && (at = strstr(at, path)) != NULL; at++) {
        if (at[-1] == '\n' && at[n] == '\n')
            return true;
    }
    return false;
}

// What sim/build may make, and says that it has made; where it was killed it could not say so.
static bool owns_in_simulation(const struct hw_manifest *m, const char *path)
{
    return is_simulation(path) && (m->sim_killed || has_line(m->sim_made, path));
}

bool hw_manifest_owns(void *user, const char *path, bool is_folder)
{
    const struct hw_manifest *m = user;
    if (m && owns_in_simulation(m, path))
        return true;
    if (is_folder)
        return is_folder_name(path, strlen(path));
    return strcmp(path, "manifest.json") == 0 || (m ? find(m, path) != NULL : is_design_file(path));
}

static bool sha256_file(const char *path, uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx ctx;
    struct hw_file file;
    struct hw_error none = {0};
    if (!hw_file_map(&file, path, &none))
        return false;
    sha256_init(&ctx);
    sha256_update(&ctx, file.size, file.data);
    hw_file_unmap(&file);
    sha256_digest(&ctx, SHA256_DIGEST_SIZE, digest);
    return true;
}

static int damaged(const struct hw_out_file *f, const char *dir)
{
    char path[4400], got[2 * SHA256_DIGEST_SIZE + 1], want[2 * SHA256_DIGEST_SIZE + 1];
    uint8_t digest[SHA256_DIGEST_SIZE];
    snprintf(path, sizeof path, "%s/%s", dir, f->path);
    if (!sha256_file(path, digest)) {
        fprintf(stderr, "%s: cannot be read, but the manifest lists it\n", path);
        return 1;
    }
    if (memcmp(digest, f->sha256, sizeof digest) == 0)
        return 0;
    hw_hex(digest, got);
    hw_hex(f->sha256, want);
    fprintf(stderr, "%s: not what was generated: SHA-256 %.16s..., manifest %.16s...\n", path, got,
            want);
    return 1;
}

// Files of a folder of the design, or the list of files itself, that the manifest leaves out.
static int unlisted(const struct hw_manifest *m, const char *dir, const char *folder)
{
    char path[4400];
    int bad = 0;
    snprintf(path, sizeof path, "%s/%s", dir, folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%.200s", folder, e->d_name);
        if (e->d_name[0] == '.' || find(m, path))
            continue;
        fprintf(stderr, "%s/%s: the manifest does not list it\n", dir, path);
        bad++;
    }
    if (d)
        closedir(d);
    return bad;
}

int hw_manifest_tampered(const struct hw_manifest *m, const char *dir)
{
    int bad = 0;
    for (int i = 0; i < N_FOLDERS; i++)
        bad += unlisted(m, dir, FOLDER[i]);
    if (!find(m, "filelist.f")) {
        fprintf(stderr, "%s/filelist.f: the manifest does not list it\n", dir);
        bad++;
    }
    for (int i = 0; i < m->n_files; i++)
        bad += damaged(&m->file[i], dir);
    return bad;
}

// --- fabric

bool hw_fabric_take(struct hw_geometry *g, const struct hw_geometry *fabric, struct hw_error *err)
{
    if (g->lane != fabric->lane)
        return hw_fail(err, "fabric: lane, expected %s, got %s", hw_lane_name(fabric->lane),
                       hw_lane_name(g->lane));
    for (int i = 0; i < N_FIELDS; i++) {
        int has = number(fabric, i), needs = number(g, i);
        if (FIELD[i].use == SAME ? needs != has : needs > has)
            return hw_fail(err, "fabric: %s, expected %s%d, got a model that takes %d",
                           FIELD[i].name, FIELD[i].use == SAME ? "" : "at most ", has, needs);
    }
    *g = *fabric;
    return true;
}
