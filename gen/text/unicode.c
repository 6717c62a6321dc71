// SPDX-License-Identifier: Apache-2.0
// Classes of characters, for cutting text into words: general categories L and N of Unicode 14.0,
// and its White_Space property.
#include "gen/text/vocab.h"

enum { L = HW_CHAR_LETTER, N = HW_CHAR_NUMBER, S = HW_CHAR_SPACE };

static const struct {
    uint32_t first, last;
    int class;
} ranges[] = {
#include "gen/text/unicode_ranges.h"
};

enum hw_char_class hw_char_class(uint32_t c)
{
    size_t low = 0, high = sizeof ranges / sizeof ranges[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < sizeof ranges / sizeof ranges[0] && c >= ranges[low].first)
        return (enum hw_char_class)ranges[low].class;
    return HW_CHAR_OTHER;
}
