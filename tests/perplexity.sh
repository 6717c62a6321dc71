#!/bin/sh
# Integer perplexity (at 8 bits, or natively ternary) within 0.3% of the float model's over the start
# of a text, and nearly always the same next token: tests/perplexity.sh MODEL TOKENIZER TEXT NLL SAME.
# Our float model's own nll must be NLL, which is not ours: ../shared/models/README.md; for bitllama
# its own evaluation, 8-bit activations, in numpy. SAME: percent.
set -eu
dir=build/test/perplexity-$(basename "$1" .bin)
mkdir -p "$dir"
build/hardwire quantize "$1" -o "$dir/q.safetensors" -q
build/hardwire run "$dir/q.safetensors" -t "$2" --perplexity "$3" --tokens 40448 --float "$1" | tee "$dir/score"
awk -v nll="$4" -v least="$5" '/^tokens/ { ours = $6 } /^float/ { float = $3; same = $8 + 0 }
     END { exit !(ours > nll - log(1.003) && ours < nll + log(1.003) && float > nll - 0.0005 && float < nll + 0.0005 &&
                  same > least && same < 100) }' "$dir/score"
