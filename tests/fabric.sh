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
