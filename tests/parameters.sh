#!/bin/sh
# Parameters that no chip can have stop elaboration in Verilator, Icarus and Yosys; those of a design do not.
# The design's 12 rows are no power of two, so that it has divide.v, as one of 24 rows.
# Yosys, which takes longest, sees two of them, and all of them in tests/parameters.sh full. Prints TAP.
set -eu
dir=build/test/parameters
mkdir -p $dir
PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/tiny.bin', 16, 24, 2, 4, 2, 40, 24, False, seed=7)"
build/hardwire quantize $dir/tiny.bin -o $dir/q.safetensors -q
build/hardwire emit $dir/q.safetensors -o $dir/design --rows 12 --cols 8 --vec 4 --att-pos 4 --quiet
files=$(sed "s|^|$dir/design/|" $dir/design/filelist.f | grep '\.v$' | grep -v chip_top)
elaborates() { # TOOL PARAMETER VALUE
    case $1 in
    # shellcheck disable=SC2086
    icarus) iverilog -g2005 "-I$dir/design/fabric" -s chip "-Pchip.$2=$3" -o $dir/chip.vvp $files ;;
    verilator) verilator --lint-only -Wno-fatal "-I$dir/design/fabric" --top-module chip "-G$2=$3" $files ;;
    yosys) yosys -q -p "read_verilog -defer -I$dir/design/fabric $(echo $files); chparam -set $2 $3 chip; hierarchy -check -top chip" ;;
    esac > "$dir/words" 2>&1
}
for tool in icarus verilator yosys; do
    elaborates $tool ROWS 24 && echo "ok $tool: 24 rows, the other parameters' defaults" || echo "not ok $tool: 24 rows, the other parameters' defaults"
    all="ROWS=30 COLS=18 VEC=1 CTX=16 ACC_W=20"
    [ $tool != yosys ] || [ "${1:-}" = full ] || all="ROWS=30 ACC_W=20"
    for bad in $all; do
        if elaborates $tool "${bad%=*}" "${bad#*=}" || ! grep -q 'must_' $dir/words; then
            echo "not ok $tool stops at $bad"
        else
            echo "ok $tool stops at $bad"
        fi
    done
done
