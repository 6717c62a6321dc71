#!/bin/bash
# The trainer of the default model compiles without a warning, as models/README.md says, and passes its own
# checks: gradients by differences, products, exponentials.
set -euo pipefail
out=build/test/trainer
mkdir -p $out
cc -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Wno-psabi -Werror -O2 -ffp-contract=fast \
    models/train.c -o $out/train -lm
$out/train --selftest | sed 's/^/# /'
