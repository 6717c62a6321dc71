#!/bin/sh
# The edges of a chip's streams: statuses, bad tokens, aborts, prompts that are not glued, turns that go on.
# tests/edge.sh; prints TAP.
set -eu
dir=build/test/edge
mkdir -p $dir
PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/tiny.bin', 16, 24, 2, 4, 2, 40, 24, False, seed=7)"
build/hardwire quantize $dir/tiny.bin -o $dir/q.safetensors -q
build/hardwire emit $dir/q.safetensors -o $dir/design --rows 8 --cols 8 --vec 4 --att-pos 4 --quiet
files=$(sed "s|^|$dir/design/|" $dir/design/filelist.f | grep '\.v$')
# shellcheck disable=SC2086
iverilog -g2005 -Wall -Wno-timescale "-I$dir/design/fabric" -s edge_tb -o $dir/edge.vvp $files sim/edge_tb.v
vvp -n $dir/edge.vvp +vocab=40 +ctx=24
