#!/bin/sh
# Yosys makes a generic netlist of a whole small chip, in terms of operators and memories: no latch, no loop, no undriven wire, and
# every weight bank a memory.
set -eu
dir=build/test/netlist
mkdir -p $dir
build/shape 1 $dir > $dir/options
{ read -r quantize; read -r geometry; } < $dir/options
# shellcheck disable=SC2086
build/hardwire quantize $dir/shape.bin -o $dir/q.safetensors -q $quantize
# shellcheck disable=SC2086
build/hardwire emit $dir/q.safetensors -o $dir/chip $geometry > /dev/null
files=$(grep '\.v$' $dir/chip/filelist.f | sed "s|^|$dir/chip/|")
# shellcheck disable=SC2086
yosys -q -p "read_verilog -I$dir/chip/fabric $(echo $files); hierarchy -check -top chip_top; proc;
    opt -fast; memory -nomap; select -assert-none t:\$dlatch;
    select -assert-min 1 weight_b00/t:\$mem_v2; flatten; opt -fast; opt_clean -purge; check -assert;
    tee -o $dir/stat.txt stat" > $dir/words
tail -n 30 $dir/stat.txt
