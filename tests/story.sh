#!/bin/sh
# Bakes a checkpoint and lets the Verilated chip tell a story, every tap compared; where TEXT is
# given, the story must begin with it: tests/story.sh MODEL TOKENIZER TOKENS [TEXT]
set -eu
name=$(basename "$1" .bin)
dir=build/test/story-$name
mkdir -p "$dir"
levels=${1%.bin}.quant
if [ -f "$levels" ]; then
    build/hardwire quantize "$1" --levels "$levels" --code-bits 3 -o "$dir/q.safetensors" -q
else
    build/hardwire quantize "$1" -o "$dir/q.safetensors" -q
fi
build/hardwire sim "$dir/q.safetensors" -t "$2" -o "$dir/design" -n "$3" > "$dir/story"
cat "$dir/story"
grep -q ' 0 different' "$dir/story"
grep -q 'cycle model off in 0' "$dir/story"
python3 tests/prove_roms.py --roms-only "$dir/design" "$dir/q.safetensors" > "$dir/proof" || { cat "$dir/proof"; exit 1; }
grep '^total' "$dir/proof"
if [ $# -gt 3 ]; then
    head -c "$(($(wc -c < "$4") - 1))" "$4" > "$dir/wanted"
    head -c "$(wc -c < "$dir/wanted")" "$dir/story" | cmp - "$dir/wanted"
fi
