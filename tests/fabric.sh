#!/bin/sh
# Fabric and personality never mix: two different checkpoints on one geometry give byte-identical
# fabrics and different personalities; the same input twice gives the same bytes. Prints TAP.
set -u
dir=build/test/fabric
rm -rf $dir
mkdir -p $dir/a $dir/b
build/hardwire quantize models/story.bin -o $dir/a.safetensors -q
build/hardwire quantize models/story.bin -o $dir/b.safetensors -q --nearest
for name in a b; do
    build/hardwire emit $dir/$name.safetensors -o $dir/$name > /dev/null
    build/hardwire emit $dir/$name.safetensors -o $dir/$name-again > /dev/null
done
check() {
    name=$1
    shift
    if "$@" > $dir/diff; then echo "ok $name"; else echo "not ok $name"; cat $dir/diff; fi
}
differ() { ! diff -rq "$1" "$2"; }
check "two checkpoints, one fabric" diff -r $dir/a/fabric $dir/b/fabric
check "two checkpoints, two personalities" differ $dir/a/personality $dir/b/personality
check "emitted twice, the same bytes" diff -r $dir/a $dir/a-again

# A fabric made for a larger model takes a smaller one of other dimensions, layers, vocabulary and context,
# whose rotation tables are then cut as the fabric cuts positions.
python3 - $dir << 'PY'
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint, write_tokenizer
write_checkpoint(f"{sys.argv[1]}/large.bin", 32, 64, 3, 8, 4, 60, 70, False)
write_checkpoint(f"{sys.argv[1]}/small.bin", 16, 24, 2, 4, 2, 40, 32, True)
write_tokenizer(f"{sys.argv[1]}/small.tok", 40)
PY
geometry="--rows 8 --cols 8 --vec 4 --att-pos 4 --bank-bytes 1024"
for name in large small; do
    build/hardwire quantize $dir/$name.bin -o $dir/$name.safetensors -q
    # shellcheck disable=SC2086
    build/hardwire emit $dir/$name.safetensors -o $dir/$name --quiet $geometry
done
equal() {
    build/hardwire sim $dir/small.safetensors -t $dir/small.tok -o $dir/other --fabric $dir/large -n 12 --quiet \
        --icarus --stalls 3 > $dir/words 2>&1 && grep ' 0 different' $dir/words
}
check "a smaller model on a larger one's fabric equals the reference" equal
check "the fabric is the larger one's" diff -r $dir/large/fabric $dir/other/fabric
check "which is not the smaller one's own" differ $dir/small/fabric $dir/other/fabric
check "its ROMs hold the smaller model" python3 tests/prove_roms.py --roms-only $dir/other $dir/small.safetensors
shared=../shared/models
if [ -d $shared ]; then # a real checkpoint, of another width of its feed-forward
    build/hardwire quantize $shared/stories260K.bin -o $dir/stories260K.safetensors -q --nearest
    real() {
        build/hardwire sim $dir/stories260K.safetensors -t $shared/tok512.bin -o $dir/real --fabric $dir/a -n 40 \
            --quiet > $dir/words 2>&1 && grep ' 0 different' $dir/words
    }
    check "shared: stories260K on the fabric of the default model" real
    check "shared: which it leaves as it is" diff -r $dir/a/fabric $dir/real/fabric
fi
says() { # PATTERN COMMAND...
    pattern=$1
    shift
    ! "$@" > $dir/words 2>&1 && grep -q -e "$pattern" $dir/words && [ ! -e $dir/none ]
}
emit() { build/hardwire emit $dir/"$1".safetensors -o $dir/none --fabric "$2" ${3:-}; }
check "a model too large for a fabric" says "fabric: .*, expected at most .*, got a model that takes" emit large $dir/small
check "heads of another dimension" says "fabric: head_dim, expected 4, got a model that takes 8" emit a $dir/small
check "a fabric, and a shape of it" says "--fabric: expected no --rows" emit small $dir/large "--rows 8"
check "no such design" says "none/manifest.json: " emit small $dir/none

# The kind of lane is the fabric's alone, and a target chooses it by the rows of a tile.
build/hardwire emit $dir/a.safetensors -o $dir/multiply --lane multiply > /dev/null
check "another lane, another fabric" differ $dir/a/fabric $dir/multiply/fabric
check "another lane, the same personality" diff -r $dir/a/personality $dir/multiply/personality
lane() { # ROWS TARGET KIND [OPTION...]
    rows=$1 target=$2 kind=$3
    shift 3
    build/hardwire plan $dir/a.safetensors --rows "$rows" --target "$target" "$@" | grep -q "codes, $kind\$"
}
check "Xilinx, 16 rows: lanes that multiply" lane 16 xilinx multiply
check "Xilinx, 128 rows: lanes that select" lane 128 xilinx select
check "Xilinx, 128 rows in tiles of 8: lanes that multiply" lane 128 xilinx multiply --tile-rows 8
check "simulation: lanes that select" lane 16 sim select
refused() { # PATTERN OPTIONS...
    pattern=$1
    shift
    ! build/hardwire plan $dir/a.safetensors "$@" > $dir/words 2>&1 && grep -q -e "$pattern" $dir/words
}
check "no such lane" refused "--lane select or multiply, got 'add'" --lane add
check "no such target" refused "--target sim, ice40, .* got 'tube'" --target tube
