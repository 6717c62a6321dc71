// SPDX-License-Identifier: Apache-2.0
// Owns the signatures of files that are no checkpoint of ours. The first row that fits counts. None
// fits a llama2.c file, whose first four bytes are a dimension: its third is 0.
#include "gen/read/kind.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "gen/read/cursor.h"
#include "gen/read/safetensors.h"

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
    {0, "MZqFpD", 6, "a llamafile: take the GGUF file out of it (unzip)"},
    {2, "\n\005<unk>", 7, "a SentencePiece model: tokenizer.json or a GGUF file is expected"},
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

// A header begins with a name in quotes. No llama2.c file of less than 8,827 layers has those
// bytes.
const char *hw_cut_safetensors(const uint8_t *bytes, size_t n, char words[HW_FOREIGN_WORDS_SIZE])
{
    enum { LENGTH = 8 };
    if (n < LENGTH + 2 || memcmp(bytes + LENGTH, "{\"", 2) != 0)
        return NULL;
    uint64_t header = hw_load_u64(bytes);
    if (header > HW_MOST_SAFETENSORS_HEADER || header <= n - LENGTH)
        return NULL;
    snprintf(words, HW_FOREIGN_WORDS_SIZE,
             "a safetensors file that is cut short in its header: expected more than %llu bytes, "
             "got %zu",
             (unsigned long long)header + LENGTH, n);
    return words;
}

const char *hw_foreign_bytes(const uint8_t *bytes, size_t n, char words[HW_FOREIGN_WORDS_SIZE])
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
    if (hw_cut_safetensors(bytes, n, words))
        return words;
    size_t mark = n >= 3 && memcmp(bytes, "\357\273\277", 3) == 0 ? 3 : 0; // byte order mark
    size_t look = n - mark < LOOK ? n - mark : LOOK;
    if (look < SHORTEST_TEXT || !is_text(bytes + mark, look))
        return NULL;
    return text_kind(bytes + mark, look);
}

#define TO_SAFETENSORS "convert them to safetensors first"

static const struct weights {
    const char *begin, *end; // of the file's name
    const char *words, *remedy;
} WEIGHTS[] = {
    {"pytorch_model", ".bin", "PyTorch weights", TO_SAFETENSORS},
    {"consolidated", ".pth", "PyTorch weights", TO_SAFETENSORS},
    {"", ".pt", "PyTorch weights", TO_SAFETENSORS},
    {"", ".pth", "PyTorch weights", TO_SAFETENSORS},
    {"", ".ckpt", "PyTorch weights", TO_SAFETENSORS},
    {"tf_model", ".h5", "Keras weights", TO_SAFETENSORS},
    {"flax_model", ".msgpack", "Flax weights", TO_SAFETENSORS},
    {"weights", ".npz", "MLX weights", TO_SAFETENSORS},
    {"", ".onnx", "an ONNX model", TO_SAFETENSORS},
    {"", ".gguf", "a GGUF file", "give the file itself"},
    {"adapter_model", ".safetensors", "a LoRA adapter", "merge it into its model first"},
    {"adapter_model", ".bin", "a LoRA adapter", "merge it into its model first"},
};

static const struct weights *weights_of(const char *name)
{
    for (size_t i = 0; i < sizeof WEIGHTS / sizeof WEIGHTS[0]; i++)
        if (strncmp(name, WEIGHTS[i].begin, strlen(WEIGHTS[i].begin)) == 0 &&
            hw_ends_with(name, WEIGHTS[i].end))
            return &WEIGHTS[i];
    return NULL;
}

bool hw_foreign_folder(const char *path, char words[HW_FOREIGN_WORDS_SIZE])
{
    char first[256] = "";
    bool model = false;
    DIR *folder = opendir(path);
    for (const struct dirent *e; folder && !model && (e = readdir(folder));) {
        const struct weights *w = weights_of(e->d_name);
        model = !w && hw_ends_with(e->d_name, ".safetensors");
        if (w && (!first[0] || strcmp(e->d_name, first) < 0))
            snprintf(first, sizeof first, "%s", e->d_name);
    }
    if (folder)
        closedir(folder);
    if (model || !first[0])
        return false;
    const struct weights *w = weights_of(first);
    snprintf(words, HW_FOREIGN_WORDS_SIZE, "%s alone (%s): %s", w->words, first, w->remedy);
    return true;
}
