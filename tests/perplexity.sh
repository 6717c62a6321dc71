#!/bin/sh
# Integer perplexity at 8 bits within 0.3% of the float model's over the start of a text, and nearly
# always the same next token: tests/perplexity.sh MODEL TOKENIZER TEXT. The float model's own nll must
# be that of ../shared/models/README.md.
set -eu
dir=build/test/perplexity
mkdir -p $dir
build/hardwire quantize "$1" -o $dir/q.safetensors -q
build/hardwire run $dir/q.safetensors -t "$2" --perplexity "$3" --tokens 40448 --float "$1" | tee $dir/score
awk '/^tokens/ { nll = $6 } /^float/ { float = $3; same = $8 + 0 }
     END { exit !(nll > 1.2 && nll < 1.2558 + log(1.003) && float > 1.2557 && float < 1.2559 && same > 97 && same < 100) }' $dir/score
