#!/bin/sh
# One random model on one random geometry, the whole chip, every tap over its whole context, or COUNT
# tokens of it: tests/random_shape.sh SEED [icarus|verilator] [COUNT]. Even seeds run under random stalls, every fourth
# is reset in the middle. Everything a failure needs is the seed.
set -eu
seed=$1
tool=${2:-icarus}
count=${3:-}
dir=build/test/shape-$seed-$tool
rm -rf "$dir"
mkdir -p "$dir"
build/shape "$seed" "$dir" > "$dir/options"
{ read -r quantize; read -r geometry; } < "$dir/options"
extra=
[ $((seed % 2)) = 1 ] || extra="--stalls $seed"
[ $((seed % 4)) != 3 ] || extra="--reset-at $((500 + seed * 37 % 900))"
[ "$tool" = verilator ] || extra="$extra --icarus"
[ -z "$count" ] || extra="$extra -n $count"
model=$dir/shape.bin
if [ -f "$dir/qwen3.json" ]; then
    model=$dir/model
    python3 tests/family_model.py --config "$dir/qwen3.json" "$seed" "$model"
fi
echo "seed $seed: quantize $quantize; sim $geometry $extra"
# shellcheck disable=SC2086 # options are words
build/hardwire quantize "$model" -o "$dir/q.safetensors" -q $quantize
# shellcheck disable=SC2086
build/hardwire sim "$dir/q.safetensors" -t "$dir/shape.tok" -o "$dir/design" --quiet $geometry $extra
rm -rf "$dir"
