#!/bin/sh
# Every slice of one layer, and the head, alone in Icarus (no X on any output) and, for a few, in
# Verilator, on captured and on random operands, COUNT steps (6): tests/slices.sh MODEL|Q.safetensors LAYER [COUNT]
# Prints TAP.
set -u
model=$1
layer=$2
count=${3:-6}
dir=build/test/slices-$(basename "$model" | cut -d. -f1)
mkdir -p "$dir"
case $model in
*.bin) build/hardwire quantize "$model" -o "$dir/q.safetensors" -q || exit 1
       model=$dir/q.safetensors ;;
esac
# A slice that is there already is not compiled again.
check() {
    name=$1
    shift
    if build/hardwire sim "$model" -o "$dir/design" "$@" > "$dir/log" 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        cat "$dir/log"
    fi
    sed -n 's/^\([0-9]* steps.*\)/# \1/p' "$dir/log"
}
p=layers.$layer
for slice in layer:$layer op:rmsnorm:$layer op:attention:$layer op:swiglu:$layer op:argmax \
    matrix:$p.attention.wk matrix:$p.attention.wq:0-31 matrix:$p.attention.wv matrix:$p.attention.wo \
    matrix:$p.feed_forward.gate_up:0-63 matrix:$p.feed_forward.down matrix:output:32-95; do
    rm -rf "$dir/design"
    check "Icarus $slice" --slice "$slice" --icarus -n $count --stalls 7
    check "Icarus $slice random" --slice "$slice" --icarus -n $count --random 11
done
rm -rf "$dir/design"
check "Icarus layer:$layer reset" --slice "layer:$layer" --icarus -n 4 --reset-at 777 --random 5
check "Verilator layer:$layer" --slice "layer:$layer" -n 200
check "Verilator layer:$layer random" --slice "layer:$layer" -n 200 --random 3 --stalls 4
