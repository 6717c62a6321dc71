#!/bin/sh
# Integer perplexity (at 8 bits, or natively ternary) within 0.5% of the float model's, over the start
# of a text: tests/perplexity.sh MODEL TOKENIZER TEXT NLL. NLL is the float model's, not ours:
# ../shared/models/README.md; for bitllama, the published evaluation with 8-bit activations in numpy.
set -eu
dir=build/test/perplexity-$(basename "$1" .bin)
mkdir -p "$dir"
build/hardwire quantize "$1" -o "$dir/q.safetensors" -q
build/hardwire run "$dir/q.safetensors" -t "$2" --perplexity "$3" --tokens 40448 | tee "$dir/score"
awk -v float="$4" '{ exit !($6 > float - log(1.005) && $6 < float + log(1.005)) }' "$dir/score"
