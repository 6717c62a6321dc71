// SPDX-License-Identifier: Apache-2.0
// Output that appears whole or not at all, and in the place of nothing that is not to be replaced.
// It is made beside its place, as NAME.partial, and renamed when it is complete. Who makes it holds
// a lock on NAME.partial: a second writer is refused. A NAME.partial that is there already is
// refused, too: it may be somebody's. Only a folder that bears hardwire's mark, what a killed
// process has left, is taken over.
#ifndef HW_OUTPUT_H
#define HW_OUTPUT_H

#include <limits.h>
#include <stdio.h>

#include "gen/error.h"
#include "gen/interrupt.h"

enum { HW_OUTPUT_PATH = PATH_MAX };

// --- a file

struct hw_output_file {
    FILE *stream;
    char path[HW_OUTPUT_PATH]; // where it goes: what a symbolic link leads to
    char temp[HW_OUTPUT_PATH]; // "": written at once, as devices and pipes are
    struct hw_held_signals held;
};

// Asked before work whose result is to go to `path`: whether it could be opened now, and is none of
// the n inputs (files or folders; NULL: not given), nor a file in one, at any depth.
bool hw_output_file_check(const char *path, const char *const *inputs, size_t n,
                          struct hw_error *err);
// A regular file, or nothing, is replaced at the end; a symbolic link is followed; a device or pipe
// is written to; a folder is refused. Until close, signals only set hw_stop.
bool hw_output_file_open(struct hw_output_file *f, const char *path, struct hw_error *err);
// Closes it and puts it in its place, or, where *err is set, takes it away. Returns !err->set.
bool hw_output_file_close(struct hw_output_file *f, struct hw_error *err);

// Whether both are the same file or folder, or `path` is a file in the folder `input`, at any
// depth. What does not exist is no input.
bool hw_output_is_input(const char *path, const char *input);
// That, or `path` is a name in the folder, at any depth, where nothing is yet.
bool hw_output_is_below(const char *path, const char *folder);
// False, and an error, where it is: a design holds what its manifest lists, and nothing else.
bool hw_output_outside(const char *path, const char *design, struct hw_error *err);
// Whether both name one regular file, or one file to be.
bool hw_output_same(const char *a, const char *b);

// --- a folder

// What may be in an older output: path is relative to it, "sim/cosim".
typedef bool hw_output_owns(void *user, const char *path, bool is_folder);

struct hw_output_dir {
    char name[HW_OUTPUT_PATH]; // where it goes: what a symbolic link leads to, no slash at the end
    char temp[HW_OUTPUT_PATH]; // where it is made
    char older[HW_OUTPUT_PATH];
    int lock; // open on temp
    struct hw_held_signals held;
};

// The name alone: what a link leads to, without slashes. An error: no name of a folder to make.
bool hw_output_dir_name(struct hw_output_dir *d, const char *path, struct hw_error *err);
bool hw_output_dir_empty(const char *dir);
// False, and the first file or folder found there that is not owned, where there is one.
bool hw_output_dir_owned(const char *dir, hw_output_owns *owns, void *user, struct hw_error *err);
// How an output that is no design is known: a file that it holds, and how that begins.
struct hw_output_kind {
    const char *what; // "layout"
    const char *file, *begins;
};
// Whether `dir` holds that file, and it begins so.
bool hw_output_dir_is(const char *dir, const struct hw_output_kind *kind);
// Nothing, an empty folder, or an output of this kind in which `owns` owns everything; else an
// error.
bool hw_output_dir_replaceable(const char *dir, const struct hw_output_kind *kind,
                               hw_output_owns *owns, void *user, struct hw_error *err);
// Makes the empty folder d->temp, for the name in *d. An error: NAME.partial or NAME.old is in the
// way, or another process writes NAME. Until close, signals only set hw_stop. `owns`: what a killed
// process may have left in NAME.partial, where that has hardwire's mark.
bool hw_output_dir_open(struct hw_output_dir *d, hw_output_owns *owns, void *user,
                        struct hw_error *err);
// Puts it in its place. An older folder there is renamed to NAME.old, and what `owns` says is taken
// out of it; a folder that is empty then goes. Nothing else is ever removed.
bool hw_output_dir_commit(struct hw_output_dir *d, hw_output_owns *owns, void *user,
                          struct hw_error *err);
// Ends it: takes away what has not been committed.
void hw_output_dir_close(struct hw_output_dir *d, hw_output_owns *owns, void *user);

#endif
