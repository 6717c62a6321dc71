// SPDX-License-Identifier: Apache-2.0
// main() for a fuzz harness where there is no libFuzzer: runs it on each file, then on `count`
// random changes of each. The seed is printed and makes a run repeatable.
//
//   fuzz_replay count seed file...
#include <string.h>

#include "tests/fuzz.h"

static uint32_t state;

static uint32_t random_below(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * n >> 32);
}

// One small change: a bit, a byte, a run of equal bytes, a shorter end, or a moved piece.
static size_t mutate(uint8_t *data, size_t size)
{
    static const uint8_t edges[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '{', ' '};
    size_t reach = random_below(2) ? size : size < 512 ? size : 512; // headers matter most
    size_t at = random_below((uint32_t)reach), left = size - at;
    size_t n = 1 + random_below(left < 8 ? (uint32_t)left : 8);
    switch (random_below(5)) {
    case 0: data[at] ^= (uint8_t)(1u << random_below(8)); return size;
    case 1: data[at] = (uint8_t)random_below(256); return size;
    case 2: memset(data + at, edges[random_below(sizeof edges)], n); return size;
    case 3: return at + 1;
    default:
        memmove(data + at, data + random_below((uint32_t)(size - n + 1)), n);
        return size;
    }
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    *size = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(*size + 1);
    if (!data || *size == 0 || fread(data, 1, *size, f) != *size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s count seed file...\n", argv[0]);
        return 1;
    }
    long count = atol(argv[1]);
    state = (uint32_t)strtoul(argv[2], NULL, 10);
    printf("seed %lu\n", (unsigned long)state);
    for (int i = 3; i < argc; i++) {
        size_t size;
        uint8_t *data = read_file(argv[i], &size);
        uint8_t *copy = malloc(size);
        if (!copy)
            return 1;
        LLVMFuzzerTestOneInput(data, size);
        for (long k = 0; k < count; k++) {
            memcpy(copy, data, size);
            size_t n = size;
            for (uint32_t changes = 1 + random_below(4); changes > 0; changes--)
                n = mutate(copy, n);
            LLVMFuzzerTestOneInput(copy, n);
        }
        printf("%s: %ld changes\n", argv[i], count);
        free(copy);
        free(data);
    }
    return 0;
}
