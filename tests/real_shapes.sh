#!/bin/bash
# Models with the dimensions of published ones and random weights (tests/real_shape.py), few layers and
# a short vocabulary: inspected, quantized, run, and slices simulated with every tensor compared. `full`
# plays Qwen2.5-0.5B and Qwen3-0.6B with a slice of a whole layer, and Mistral-7B with one of a matrix and
# its attention beyond the window of 4096 positions, on random rows; the short form plays one layer of
# Qwen2.5-0.5B with some rows of a matrix.
# Prints TAP: tests/real_shapes.sh [full]
set -u
full=${1:-}
dir=build/test/real-shapes${full:+-full}
rm -rf $dir
mkdir -p $dir
echo "abcdefghijklmnopqrstuvwxyzzyx" > $dir/text

check() { # NAME COMMAND...
    local name=$1 begin=$SECONDS
    shift
    if "$@" > $dir/words 2>&1; then echo "ok $name"; else echo "not ok $name"; fi
    sed 's/^/# /' $dir/words | tail -n 4
    [ -z "$full" ] || echo "# $((SECONDS - begin)) s"
}
inspected() { # PATTERN...: each must be a line of what inspect prints
    build/hardwire inspect "$d/model" > $dir/said || return 1
    for pattern in '^can be baked  yes' "$@"; do
        grep -E "$pattern" $dir/said || { cat $dir/said; return 1; }
    done
}
quantized() { # CTX
    build/hardwire quantize "$d/model" -o "$d/q.safetensors" --nearest --ctx "$1" --text $dir/text -t "$d/tok" -q
}
told() {
    build/hardwire run "$d/q.safetensors" -t "$d/tok" -p abc -n 8 > $dir/story 2>&1 && grep 'tokens; chip of' $dir/story
}
slice() { # NAME STEPS OPTIONS...
    local name=$1 steps=$2
    shift 2
    build/hardwire sim "$d/q.safetensors" -o "$d/slice" -q --slice "$name" -n "$steps" "$@" > $dir/story 2>&1
    grep 'compared' $dir/story
    grep -q " 0 different" $dir/story && grep -q "^$steps steps" $dir/story
}
begin() { # NAME LAYERS VOCABULARY CTX PATTERN...
    local name=$1 layers=$2 vocabulary=$3 ctx=$4
    shift 4
    d=$dir/$name
    check "$name: written" python3 tests/real_shape.py "$name" "$layers" "$vocabulary" "$d"
    check "$name: inspected" inspected "$@"
    check "$name: quantized" quantized "$ctx"
    check "$name: run" told
}

if [ "$full" ]; then
    wide="--rows 64 --cols 16"
    begin qwen2.5-0.5b 2 2048 64 '^hidden_dim +4864' '^n_kv_heads +2' '^qkv_bias '
    check "qwen2.5-0.5b: layer 1" slice layer:1 12 $wide
    begin qwen3-0.6b 2 2048 64 '^hidden_dim +3072' '^n_kv_heads +8' '^head_dim +128' '^qk_norm '
    check "qwen3-0.6b: layer 1" slice layer:1 12 $wide
    begin mistral-7b 1 2048 4352 '^hidden_dim +14336' '^head_dim +128' '^window +4096 positions, in 1 of 1'
    check "mistral-7b: wk" slice matrix:layers.0.attention.wk 12 $wide
    rm -rf "$d/slice"
    check "mistral-7b: attention beyond its window" slice op:attention:0 4120 --random 1 --rows 16 --cols 8 --att-pos 16
else
    begin qwen2.5-0.5b 1 512 64 '^hidden_dim +4864' '^n_kv_heads +2' '^qkv_bias '
    check "qwen2.5-0.5b: rows of wk" slice matrix:layers.0.attention.wk:0-31 2 --icarus
fi
