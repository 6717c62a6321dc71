#!/bin/sh
# Integer perplexity at 8 bits within 0.5% of the float model's, over the start of a text:
# tests/perplexity.sh MODEL TOKENIZER TEXT. The float nll is that of ../shared/models/README.md.
set -eu
dir=build/test/perplexity
mkdir -p $dir
build/hardwire quantize "$1" -o $dir/q.safetensors -q
build/hardwire run $dir/q.safetensors -t "$2" --perplexity "$3" --tokens 40448 | tee $dir/score
awk '{ nll = $6; exit !(nll > 1.2 && nll < 1.2558 + log(1.005)) }' $dir/score
