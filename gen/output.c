// SPDX-License-Identifier: Apache-2.0
// Owns how output comes to its place. Refuses to replace what is not a regular file or an output's
// folder, and to write what another process is writing.
#define _XOPEN_SOURCE 700 // realpath
#include "gen/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// path + suffix into `to`. False, and an error, where that is too long.
static bool join(char to[HW_OUTPUT_PATH], const char *path, const char *suffix,
                 struct hw_error *err)
{
    int n = snprintf(to, HW_OUTPUT_PATH, "%s%s", path, suffix);
    return (n >= 0 && n < HW_OUTPUT_PATH) ||
           hw_fail(err, "output: expected a path below %d bytes, got %d", HW_OUTPUT_PATH, n);
}

// The path itself, or what it leads to where it is a symbolic link.
static bool follow(char to[HW_OUTPUT_PATH], const char *path, struct hw_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
        return join(to, path, "", err);
    char *real = realpath(path, NULL);
    if (!real)
        return hw_fail(err, "%s: a symbolic link that leads nowhere: %s", path, strerror(errno));
    join(to, real, "", err);
    free(real);
    return !err->set;
}

static bool busy(const char *name, struct hw_error *err)
{
    return hw_fail(err, "%s: another hardwire is writing it", name);
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

// Whether an open file is still the one at `path`: who holds its lock may have renamed it.
static bool is_at(int fd, const char *path)
{
    struct stat open_now, at_path;
    return fstat(fd, &open_now) == 0 && lstat(path, &at_path) == 0 &&
           same_inode(&open_now, &at_path);
}

// Locks an open file that is still at `path`. Not blocking. False: it is locked, or gone.
static bool lock_path(int fd, const char *path)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && is_at(fd, path);
}

static bool is_design(const char *dir)
{
    static const char *const part[] = {"manifest.json", "filelist.f", "fabric"};
    char path[HW_OUTPUT_PATH + 32];
    struct stat st;
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, part[i]);
        if (stat(path, &st) != 0)
            return false;
    }
    return S_ISDIR(st.st_mode);
}

// What the name stands in: all before its last slash.
static void parent_of(char to[HW_OUTPUT_PATH], const char *path)
{
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) + 1 : 0;
    snprintf(to, HW_OUTPUT_PATH, "%.*s.", n, path);
}

// The nearest of the folders that `path` stands in, at any depth, of which is(folder, its stat,
// context) is true: its name in `at`. False: there is none.
static bool find_above(const char *path, char at[HW_OUTPUT_PATH],
                       bool (*is)(const char *folder, const struct stat *st, const void *context),
                       const void *context)
{
    struct stat now, before = {0};
    parent_of(at, path);
    while (stat(at, &now) == 0 && !same_inode(&now, &before)) { // the root's parent is the root
        if (is(at, &now, context))
            return true;
        before = now;
        if (strlen(at) + strlen("/..") >= HW_OUTPUT_PATH)
            break;
        strcat(at, "/..");
    }
    return false;
}

static bool holds_design(const char *folder, const struct stat *st, const void *context)
{
    (void)st, (void)context;
    return is_design(folder);
}

// A design holds what its manifest lists, and nothing else. False, and an error, where `path` is in
// one, at any depth.
static bool not_in_design(const char *path, struct hw_error *err)
{
    char at[HW_OUTPUT_PATH];
    return !find_above(path, at, holds_design, NULL) ||
           hw_fail(err, "%s: expected a name outside of the design, got one in %s", path, at);
}

// --- a file

// Whether another process writes the regular file `temp`.
static bool is_locked(const char *temp)
{
    struct stat st;
    int fd = open(temp, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool locked =
        fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0)
        close(fd);
    return locked;
}

// A new file at temp, locked.
static FILE *open_temp(const char *temp, const char *path, struct hw_error *err)
{
    int fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST && is_locked(temp))
        return busy(path, err), NULL;
    if (fd < 0 && errno == EEXIST)
        return hw_fail(err,
                       "%s: is in the way, expected nothing there: %s is made under that name; "
                       "move it away, or remove what a killed run has left",
                       temp, path),
               NULL;
    // new, so nobody holds it but who asks in this moment whether it is locked
    FILE *stream = fd >= 0 && flock(fd, LOCK_EX) == 0 ? fdopen(fd, "wb") : NULL;
    if (!stream)
        hw_fail(err, "%s: cannot write: %s", temp, strerror(errno));
    if (!stream && fd >= 0) {
        unlink(temp);
        close(fd);
    }
    return stream;
}

bool hw_output_file_open(struct hw_output_file *f, const char *path, struct hw_error *err)
{
    struct stat st;
    memset(f, 0, sizeof *f);
    if (!*path)
        return hw_fail(err, "output: expected the name of a file, got ''");
    if (!follow(f->path, path, err) || !not_in_design(f->path, err))
        return false;
    bool exists = lstat(f->path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return hw_fail(err, "%s: expected the name of a file, got a folder", path);
    if (exists && !S_ISREG(st.st_mode)) {
        f->stream = fopen(f->path, "wb");
        if (!f->stream)
            return hw_fail(err, "%s: cannot write: %s", path, strerror(errno));
    } else {
        if (!join(f->temp, f->path, ".partial", err))
            return false;
        f->stream = open_temp(f->temp, path, err);
    }
    if (f->stream)
        hw_hold_signals(&f->held);
    return f->stream != NULL;
}

bool hw_output_file_check(const char *path, const char *const *inputs, size_t n,
                          struct hw_error *err)
{
    struct hw_output_file f;
    struct stat st;
    for (size_t i = 0; i < n; i++) {
        if (hw_output_is_input(path, inputs[i]))
            return hw_fail(err, "%s: is an input (%s): expected another name for the output", path,
                           inputs[i]);
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return access(path, W_OK) == 0 ||
               hw_fail(err, "%s: cannot write: %s", path, strerror(errno));
    if (!hw_output_file_open(&f, path, err))
        return false;
    hw_release_signals(&f.held);
    unlink(f.temp);
    fclose(f.stream);
    return !hw_stop || hw_fail(err, "%s: interrupted", path);
}

bool hw_output_file_close(struct hw_output_file *f, struct hw_error *err)
{
    if (!f->stream)
        return !err->set;
    if (hw_stop)
        hw_fail(err, "%s: interrupted", f->path);
    // renamed before it is closed: the lock goes with the descriptor
    if (fflush(f->stream) != 0 || ferror(f->stream))
        hw_fail(err, "%s: cannot write: %s", f->path, strerror(errno));
    if (*f->temp) {
        if (!err->set && rename(f->temp, f->path) != 0)
            hw_fail(err, "%s: cannot rename to %s: %s", f->temp, f->path, strerror(errno));
        if (err->set)
            unlink(f->temp);
    }
    if (fclose(f->stream) != 0)
        hw_fail(err, "%s: cannot write: %s", f->path, strerror(errno));
    f->stream = NULL;
    hw_release_signals(&f->held);
    return !err->set;
}

// Whether the file is in a folder, at any depth; by a symbolic link too, but links to folders are
// not followed.
static bool holds(int at, const char *folder, int how, const struct stat *file)
{
    int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | how);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    bool found = false;
    for (struct dirent *e; d && !found && (e = readdir(d)) != NULL;) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        found = (fstatat(fd, e->d_name, &st, 0) == 0 && same_inode(file, &st)) ||
                (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
                 holds(fd, e->d_name, O_NOFOLLOW, file));
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    return found;
}

bool hw_output_is_input(const char *path, const char *input)
{
    struct stat out, in;
    if (!path || !input || stat(path, &out) != 0 || stat(input, &in) != 0)
        return false;
    return same_inode(&out, &in) || (S_ISDIR(in.st_mode) && holds(AT_FDCWD, input, 0, &out));
}

static bool is_folder(const char *folder, const struct stat *st, const void *wanted)
{
    (void)folder;
    return same_inode(st, wanted);
}

bool hw_output_is_below(const char *path, const char *folder)
{
    char at[HW_OUTPUT_PATH];
    struct stat wanted;
    return hw_output_is_input(path, folder) ||
           (stat(folder, &wanted) == 0 && strlen(path) + strlen("/.") < sizeof at &&
            find_above(path, at, is_folder, &wanted));
}

bool hw_output_outside(const char *path, const char *design, struct hw_error *err)
{
    return !hw_output_is_below(path, design) ||
           hw_fail(err, "%s: expected a name outside of the design, got one in %s", path, design);
}

bool hw_output_same(const char *a, const char *b)
{
    char parent[2][HW_OUTPUT_PATH];
    struct stat one, two;
    bool is_one = stat(a, &one) == 0, is_two = stat(b, &two) == 0;
    if (is_one && is_two)
        return same_inode(&one, &two) && S_ISREG(one.st_mode);
    const char *name[] = {strrchr(a, '/'), strrchr(b, '/')};
    parent_of(parent[0], a);
    parent_of(parent[1], b);
    return !is_one && !is_two &&
           strcmp(name[0] ? name[0] + 1 : a, name[1] ? name[1] + 1 : b) == 0 &&
           stat(parent[0], &one) == 0 && stat(parent[1], &two) == 0 && same_inode(&one, &two);
}

// --- a folder

bool hw_output_dir_name(struct hw_output_dir *d, const char *path, struct hw_error *err)
{
    char plain[HW_OUTPUT_PATH];
    memset(d, 0, sizeof *d);
    d->lock = -1;
    if (!join(plain, path, "", err))
        return false;
    size_t n = strlen(plain);
    while (n > 0 && plain[n - 1] == '/')
        plain[--n] = '\0';
    const char *slash = strrchr(plain, '/'), *last = slash ? slash + 1 : plain;
    if (n == 0 || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return hw_fail(err, "output: expected the name of a directory to make, got '%s'", path);
    return follow(d->name, plain, err) && not_in_design(d->name, err) &&
           join(d->temp, d->name, ".partial", err) && join(d->older, d->name, ".old", err);
}

enum kind { FILE_ENTRY, FOLDER_ENTRY, OTHER_ENTRY }; // other: a link, a pipe, a device, a socket

static enum kind kind_of(DIR *d, const char *name)
{
    struct stat st;
    if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return OTHER_ENTRY;
    return S_ISDIR(st.st_mode) ? FOLDER_ENTRY : S_ISREG(st.st_mode) ? FILE_ENTRY : OTHER_ENTRY;
}

// Goes through what is below `dir`, folders after what they hold; false stops it. False too where a
// folder cannot be read.
typedef bool visit(void *user, const char *path, enum kind kind);

static bool walk(const char *dir, const char *below, visit *fn, void *user)
{
    char full[2 * HW_OUTPUT_PATH];
    snprintf(full, sizeof full, "%s/%s", dir, below);
    DIR *d = opendir(full);
    bool go_on = d != NULL;
    for (struct dirent *e; go_on && (e = readdir(d)) != NULL;) {
        char path[HW_OUTPUT_PATH];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        int n = snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", e->d_name);
        if (n < 0 || n >= (int)sizeof path)
            return closedir(d), false;
        enum kind kind = kind_of(d, e->d_name);
        go_on = (kind != FOLDER_ENTRY || walk(dir, path, fn, user)) && fn(user, path, kind);
    }
    if (d)
        closedir(d);
    return go_on;
}

struct owned {
    const char *dir;
    hw_output_owns *owns;
    void *user;
    struct hw_error *err;
};

static bool nothing(void *user, const char *path, enum kind kind)
{
    (void)user, (void)path, (void)kind;
    return false;
}

bool hw_output_dir_empty(const char *dir)
{
    return walk(dir, "", nothing, NULL);
}

// In NAME.partial while it is made, so that what a killed process leaves is known as hardwire's.
static const char MARK[] = ".hardwire-partial";

// What hardwire makes are files and folders; anything else of that name is somebody's.
static bool owns_one(const struct owned *o, const char *path, enum kind kind)
{
    return kind != OTHER_ENTRY && ((kind == FILE_ENTRY && strcmp(path, MARK) == 0) ||
                                   o->owns(o->user, path, kind == FOLDER_ENTRY));
}

// The file in a folder.
static void path_in(char path[2 * HW_OUTPUT_PATH], const char *dir, const char *name)
{
    snprintf(path, 2 * HW_OUTPUT_PATH, "%s/%s", dir, name);
}

static bool check_one(void *user, const char *path, enum kind kind)
{
    static const char *const what[] = {"", "/", " (a link, a pipe or a device)"};
    const struct owned *o = user;
    return owns_one(o, path, kind) ||
           hw_fail(o->err,
                   "%s: not replaced: it holds %s%s, which is not known as hardwire's; move that "
                   "away, or name another folder",
                   o->dir, path, what[kind]);
}

bool hw_output_dir_owned(const char *dir, hw_output_owns *owns, void *user, struct hw_error *err)
{
    struct owned o = {dir, owns, user, err};
    if (!walk(dir, "", check_one, &o))
        hw_fail(err, "%s: not replaced: a folder in it cannot be read", dir);
    return !err->set;
}

bool hw_output_dir_is(const char *dir, const struct hw_output_kind *kind)
{
    char path[2 * HW_OUTPUT_PATH], text[256] = {0};
    path_in(path, dir, kind->file);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is = fd >= 0 && read(fd, text, sizeof text - 1) >= 0 &&
              strncmp(text, kind->begins, strlen(kind->begins)) == 0;
    if (fd >= 0)
        close(fd);
    return is;
}

bool hw_output_dir_replaceable(const char *dir, const struct hw_output_kind *kind,
                               hw_output_owns *owns, void *user, struct hw_error *err)
{
    struct stat st;
    if (lstat(dir, &st) != 0)
        return true;
    if (!S_ISDIR(st.st_mode))
        return hw_fail(err, "%s: exists and is not a folder: not replaced", dir);
    if (!hw_output_dir_is(dir, kind) && !hw_output_dir_empty(dir))
        return hw_fail(err, "%s: exists and is not a %s of hardwire: not replaced", dir,
                       kind->what);
    return hw_output_dir_owned(dir, owns, user, err);
}

static bool remove_one(void *user, const char *path, enum kind kind)
{
    const struct owned *o = user;
    char full[2 * HW_OUTPUT_PATH];
    path_in(full, o->dir, path);
    if (owns_one(o, path, kind)) { // a folder that is not empty stays
        if (kind == FOLDER_ENTRY)
            rmdir(full);
        else
            unlink(full);
    }
    return true;
}

static void remove_below(const char *dir, hw_output_owns *owns, void *user)
{
    struct owned o = {dir, owns, user, NULL};
    walk(dir, "", remove_one, &o);
}

static void remove_owned(const char *dir, hw_output_owns *owns, void *user)
{
    remove_below(dir, owns, user);
    rmdir(dir);
}

// Empties what a killed process has left at `temp`, and sets the mark.
static bool take_over(const char *temp, hw_output_owns *owns, void *user, struct hw_error *err)
{
    char mark[2 * HW_OUTPUT_PATH];
    struct stat st;
    path_in(mark, temp, MARK);
    bool marked = lstat(mark, &st) == 0;
    if (!marked && !hw_output_dir_empty(temp))
        return hw_fail(err,
                       "%s: is in the way, expected nothing there: hardwire did not make it, or "
                       "did not end; move it away",
                       temp);
    if (!hw_output_dir_owned(temp, owns, user, err))
        return false;
    remove_below(temp, owns, user);
    int fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return hw_fail(err, "%s: cannot write: %s", mark, strerror(errno));
    close(fd);
    return true;
}

bool hw_output_dir_open(struct hw_output_dir *d, hw_output_owns *owns, void *user,
                        struct hw_error *err)
{
    struct stat st;
    if (lstat(d->older, &st) == 0)
        return hw_fail(err,
                       "%s: is in the way, expected nothing there: it takes %s while that is "
                       "replaced",
                       d->older, d->name);
    if (mkdir(d->temp, 0777) != 0 && errno != EEXIST)
        return hw_fail(err, "%s: cannot create: %s", d->temp, strerror(errno));
    d->lock = open(d->temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->lock < 0)
        return hw_fail(err, "%s: exists and is not an output of hardwire: not replaced", d->temp);
    if (lock_path(d->lock, d->temp))
        take_over(d->temp, owns, user, err);
    else
        busy(d->name, err);
    if (err->set) {
        close(d->lock);
        d->lock = -1;
        return false;
    }
    hw_hold_signals(&d->held);
    return true;
}

bool hw_output_dir_commit(struct hw_output_dir *d, hw_output_owns *owns, void *user,
                          struct hw_error *err)
{
    struct stat st;
    char mark[2 * HW_OUTPUT_PATH];
    path_in(mark, d->temp, MARK);
    unlink(mark);
    bool exists = lstat(d->name, &st) == 0 && rmdir(d->name) != 0; // an empty folder is no loss
    if (exists && rename(d->name, d->older) != 0)
        return hw_fail(err, "%s: cannot rename to %s: %s", d->name, d->older, strerror(errno));
    if (rename(d->temp, d->name) != 0) {
        hw_fail(err, "%s: cannot rename to %s: %s", d->temp, d->name, strerror(errno));
        if (exists)
            rename(d->older, d->name);
        return false;
    }
    if (exists)
        remove_owned(d->older, owns, user);
    if (lstat(d->older, &st) == 0)
        hw_fail(err,
                "%s: is the new output; what could not be removed of the older one, or was added "
                "to it meanwhile, is in %s",
                d->name, d->older);
    return !err->set;
}

void hw_output_dir_close(struct hw_output_dir *d, hw_output_owns *owns, void *user)
{
    if (d->lock < 0)
        return;
    if (is_at(d->lock, d->temp))
        remove_owned(d->temp, owns, user);
    close(d->lock);
    d->lock = -1;
    hw_release_signals(&d->held);
}
