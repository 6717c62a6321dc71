// SPDX-License-Identifier: Apache-2.0
// manifest.json, the description of an emitted design: written with it, and read by whoever
// simulates, replaces or reuses it. Also how a model is put on a fabric that exists: with its
// geometry, capacities and all, the fabric comes out byte for byte and only constants are new.
#ifndef HW_MANIFEST_H
#define HW_MANIFEST_H

#include "gen/chip/plan.h"
#include "gen/chip/verilog.h"

struct hw_manifest {
    char slice[96];
    struct hw_geometry geometry;
    struct hw_config model;   // dimensions only
    struct hw_out_file *file; // [n_files] all files of the design but manifest.json
    int n_files;
    char *sim_made;  // lines of sim/made, what lay in sim/ when sim/build ended; NULL: none
    bool sim_killed; // sim/build works there, or was killed
};

// Hash of the names and hashes of a folder's files written so far: equal for two designs that share
// it.
void hw_manifest_hash(const struct hw_out *out, const char *folder,
                      uint8_t digest[SHA256_DIGEST_SIZE]);

// Writes manifest.json as the last file of *out: every file written so far is in it. bus: NULL for
// none.
void hw_manifest_write(struct hw_out *out, const struct hw_plan *plan, const char *slice,
                       const char *bus);

// Reads DIR/manifest.json. An error: another format, a number out of its range, a file twice or
// outside fabric/, personality/ and bus/. On success the caller frees it.
bool hw_manifest_read(struct hw_manifest *m, const char *dir, struct hw_error *err);
// Its files alone, so that the design of another version, with another geometry's keys, can be
// replaced.
bool hw_manifest_read_files(struct hw_manifest *m, const char *dir, struct hw_error *err);
void hw_manifest_free(struct hw_manifest *m);

// Whether a path relative to the design's directory is part of it: the manifest, a file that it
// lists, or what sim/build made in sim/. user: the struct hw_manifest, or NULL for none, when any
// file that an emission could have written is.
bool hw_manifest_owns(void *user, const char *path, bool is_folder);

// Compares the files at `dir` with the manifest: says on stderr which are damaged, missing, or in
// fabric/, personality/ or bus/ and not listed, and returns how many.
int hw_manifest_tampered(const struct hw_manifest *m, const char *dir);

// *g, fitted to a model (hw_geometry_fit), becomes the fabric's. An error: what the fabric is made
// for differs (lanes, widths, dimension of heads), or a capacity is less than the model needs.
bool hw_fabric_take(struct hw_geometry *g, const struct hw_geometry *fabric, struct hw_error *err);

#endif
