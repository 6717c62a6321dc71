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

# The kind of lane is the fabric's alone, and a target chooses it by the number of rows.
build/hardwire emit $dir/a.safetensors -o $dir/multiply --lane multiply > /dev/null
check "another lane, another fabric" differ $dir/a/fabric $dir/multiply/fabric
check "another lane, the same personality" diff -r $dir/a/personality $dir/multiply/personality
lane() { build/hardwire plan $dir/a.safetensors --rows "$1" --target "$2" | grep -q "codes, $3\$"; }
check "Xilinx, 16 rows: lanes that multiply" lane 16 xilinx multiply
check "Xilinx, 128 rows: lanes that select" lane 128 xilinx select
check "simulation: lanes that select" lane 16 sim select
refused() { # PATTERN OPTIONS...
    pattern=$1
    shift
    ! build/hardwire plan $dir/a.safetensors "$@" > $dir/words 2>&1 && grep -q -e "$pattern" $dir/words
}
check "no such lane" refused "--lane select or multiply, got 'add'" --lane add
check "no such target" refused "--target sim, ice40, .* got 'tube'" --target tube
