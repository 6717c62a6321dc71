#!/bin/sh
# Geometries at the ends of what is allowed, in Verilator, equal to the reference. Prints TAP.
#     heads of 1,024 elements, 4 of them a clock: a division takes longer than any other
#     more columns than any vector has elements: a clock's sum is wider than a row's
set -u
dir=build/test/limits
rm -rf $dir
mkdir -p $dir
python3 - $dir << 'PY'
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint, write_tokenizer
write_checkpoint(f"{sys.argv[1]}/heads.bin", 4096, 8, 1, 4, 1, 8, 8, True)
write_checkpoint(f"{sys.argv[1]}/columns.bin", 16, 24, 1, 4, 2, 40, 16, True)
write_tokenizer(f"{sys.argv[1]}/columns.tok", 40)
PY
build/hardwire quantize $dir/heads.bin -o $dir/heads.safetensors -q --nearest --kv-bits 4
build/hardwire quantize $dir/columns.bin -o $dir/columns.safetensors -q
rm $dir/heads.bin
sim() { # NAME MODEL OPTION...
    name=$1
    model=$2
    shift 2
    if build/hardwire sim $dir/"$model".safetensors -o $dir/"$model" "$@" > $dir/words 2>&1 &&
        grep -q ' 0 different' $dir/words; then
        echo "ok $name: $(grep ' 0 different' $dir/words)"
    else
        echo "not ok $name"
        tail -n 20 $dir/words | sed 's/^/# /'
    fi
}
sim "heads of 1024" heads --slice op:attention:0 --rows 4 --cols 4 --vec 4 --att-pos 4 -n 3 --random 2
sim "128 columns" columns --rows 4 --cols 128 --vec 4 --att-pos 4 --lane multiply -t $dir/columns.tok -n 10 --quiet
rm -rf $dir
