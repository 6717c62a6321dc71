// SPDX-License-Identifier: Apache-2.0
// Owns the signatures of files that are no checkpoint of ours. The first row that fits counts. None
// fits a llama2.c file, whose first four bytes are a dimension: its third is 0.
#include "gen/read/kind.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CONVERT "convert it to a safetensors folder or to GGUF first"

static const struct signature {
    size_t at;
    const char *bytes;
    size_t n;
    const char *words;
} SIGNATURES[] = {
    {0, "version https://git-lfs", 23,
     "a Git LFS pointer: the weights are not here yet (git lfs pull)"},
    {0, "PK\003\004", 4, "a PyTorch or another zip file: " CONVERT},
    {0, "PK\005\006", 4, "an empty zip file"},
    {0, "lmgg", 4, "a GGML file from before GGUF: convert it to GGUF first"},
    {0, "fmgg", 4, "a GGML file from before GGUF: convert it to GGUF first"},
    {0, "tjgg", 4, "a GGML file from before GGUF: convert it to GGUF first"},
    {0, "algg", 4, "an adapter (GGLA), not a model"},
    {0, "ggml", 4, "a GGML file from before GGUF: convert it to GGUF first"},
    {0, "ggmf", 4, "a GGML file from before GGUF: convert it to GGUF first"},
    {0, "ggjt", 4, "a GGML file from before GGUF: convert it to GGUF first"},
    {0, "ggla", 4, "an adapter (GGLA), not a model"},
    {0, "\211HDF\r\n\032\n", 8, "an HDF5 file (Keras): " CONVERT},
    {0, "\223NUMPY", 6, "a NumPy array: " CONVERT},
    {4, "TFL3", 4, "a TensorFlow Lite file: " CONVERT},
    {0, "\037\213\010", 3, "a gzip file: unpack it first"},
    {0,
     "\375"
     "7zXZ",
     6, "an xz file: unpack it first"},
    {0, "(\265/\375", 4, "a zstd file: unpack it first"},
    {0, "BZh", 3, "a bzip2 file: unpack it first"},
    {0, "7z\274\257\047\034", 6, "a 7-Zip file: unpack it first"},
    {0, "Rar!", 4, "a RAR file: unpack it first"},
    {257, "ustar", 5, "a tar file: unpack it first"},
    {0, "\177ELF", 4, "a program (ELF)"},
    {0, "%PDF", 4, "a PDF file"},
};

// Protocol 2 and up, and an opcode.
static bool is_pickle(const uint8_t *p, size_t n)
{
    return n > 3 && p[0] == 0x80 && p[1] >= 2 && p[1] <= 5 && p[2] != 0;
}

// Of ASCII without control characters in its first bytes; no file of numbers begins so.
static bool is_text(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] > 0x7E ||
            (bytes[i] < 0x20 && bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r'))
            return false;
    return true;
}

// What a text is, by its first sign.
static const char *text_kind(const uint8_t *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && strchr(" \t\r\n", bytes[i]))
        i++;
    if (i < n && bytes[i] == '<')
        return "an HTML or XML page, as a server sends where a file is not found";
    if (i < n && (bytes[i] == '{' || bytes[i] == '['))
        return "a JSON file: of a Hugging Face model its folder is expected";
    return "a text file";
}

const char *hw_foreign_bytes(const uint8_t *bytes, size_t n)
{
    enum { LOOK = 64, SHORTEST_TEXT = 8 };
    if (n == 0)
        return "an empty file";
    for (size_t i = 0; i < sizeof SIGNATURES / sizeof SIGNATURES[0]; i++) {
        const struct signature *s = &SIGNATURES[i];
        if (n >= s->at + s->n && memcmp(bytes + s->at, s->bytes, s->n) == 0)
            return s->words;
    }
    if (is_pickle(bytes, n))
        return "a PyTorch pickle: " CONVERT;
    size_t mark = n >= 3 && memcmp(bytes, "\357\273\277", 3) == 0 ? 3 : 0; // byte order mark
    size_t look = n - mark < LOOK ? n - mark : LOOK;
    if (look < SHORTEST_TEXT || !is_text(bytes + mark, look))
        return NULL;
    return text_kind(bytes + mark, look);
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

// Words for a file by its name; NULL: not weights of another kind.
static const char *weights_of(const char *name)
{
    static const struct {
        const char *begin, *end, *words;
    } names[] = {
        {"pytorch_model", ".bin", "PyTorch weights"},
        {"consolidated", ".pth", "PyTorch weights"},
        {"", ".pt", "PyTorch weights"},
        {"", ".pth", "PyTorch weights"},
        {"tf_model", ".h5", "Keras weights"},
        {"flax_model", ".msgpack", "Flax weights"},
        {"", ".onnx", "an ONNX model"},
        {"", ".gguf", "a GGUF file"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(name, names[i].begin, strlen(names[i].begin)) == 0 &&
            ends_with(name, names[i].end))
            return names[i].words;
    return NULL;
}

const char *hw_foreign_folder(const char *path, char name[HW_FOREIGN_NAME_SIZE])
{
    const char *found = NULL;
    DIR *folder = opendir(path);
    name[0] = '\0';
    for (const struct dirent *e; folder && (e = readdir(folder));) {
        if (ends_with(e->d_name, ".safetensors")) {
            found = NULL;
            break;
        }
        const char *words = weights_of(e->d_name); // of several the first by name
        if (words && (!found || strcmp(e->d_name, name) < 0)) {
            found = words;
            snprintf(name, HW_FOREIGN_NAME_SIZE, "%s", e->d_name);
        }
    }
    if (folder)
        closedir(folder);
    return found;
}
