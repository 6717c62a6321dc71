#!/bin/bash
# Netlists by Yosys of a tiny chip.
#     tests/netlist.sh                as operators and memories: what no netlist may have
#     tests/netlist.sh TARGET...      mapped to the cells of generic, ice40, ecp5 or osu018, compared with
#                                     the reference like the RTL: same bench, same taps, every tensor
#     tests/netlist.sh TARGET/SLICE...  a slice of it, on captured and on random operands
# An inverted gate must be found: up to three are tried, one may sit where this run does not look.
# Prints TAP.
set -u
dir=$(printf %s build/test/netlist "${@/#/-}" | sed 's|[/:]|-|g; s|build-test-|build/test/|')
rm -rf $dir
mkdir -p $dir
python3 - $dir << 'PY'
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint, write_tokenizer
write_checkpoint(sys.argv[1] + "/m.bin", 8, 12, 1, 2, 1, 30, 10)
write_tokenizer(sys.argv[1] + "/m.tok", 30)
PY
geometry="--rows 4 --cols 4 --vec 4 --att-pos 4"
build/hardwire quantize $dir/m.bin -o $dir/q.safetensors -q --bits 4 -c 2 --act-bits 6 --kv-bits 6 \
    --res-bits 16 || exit 1

verdict() { # STATUS NAME LOG
    if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2"; tail -n 20 "$3" | sed 's/^/# /'; fi
}
simulate() { # DESIGN LOG [OPTION...]
    local design=$1 log=$2
    shift 2
    sim/build "$design" icarus > "$log" 2>&1 &&
        build/cosim-icarus "$design" -m $dir/q.safetensors -t $dir/m.tok --quiet "$@" >> "$log" 2>&1 &&
        grep -q ' 0 different' "$log"
}
check() { # NAME RTL OPTION... : the netlist $dir/NAME.d, made of the design RTL
    local name=$1 design=$dir/$1.d rtl=$2 status
    shift 2
    sim/netlist "$rtl" "${name%%-*}" "$design" > "$design.log" 2>&1 && simulate "$design" "$design.log" "$@"
    status=$?
    verdict $status "$name: $(sed -n 's/^\([0-9]* \(tokens\|steps\).*\)/\1/p' "$design.log")" "$design.log"
}
plant() { # NAME OPTION...
    local name=$1 netlist=$dir/$1.d status=1 fault
    shift
    for fault in 1 2 3; do
        sim/netlist --fault "$fault" "$netlist" "$netlist.fault" > "$netlist.plant" 2>&1 || continue
        if ! simulate "$netlist.fault" "$netlist.found" "$@" &&
            grep -qE '^MISMATCH|hangs|cycle model is wrong' "$netlist.found"; then
            status=0
        fi
        sed 's/^/# /' "$netlist.plant"
        grep -m 1 -E '^MISMATCH|hangs|cycle model' "$netlist.found" | sed 's/^/# /'
        [ $status != 0 ] || break
    done
    verdict $status "$name: an inverted gate is found" "$netlist.found"
}

# shellcheck disable=SC2086
build/hardwire emit $dir/q.safetensors -o $dir/chip $geometry > /dev/null || exit 1
if [ $# = 0 ]; then
    # no latch, no loop, no undriven wire, and every weight bank a memory
    files=$(grep '\.v$' $dir/chip/filelist.f | sed "s|^|$dir/chip/|")
    # shellcheck disable=SC2086
    yosys -q -p "read_verilog -defer -I$dir/chip/fabric $(echo $files); hierarchy -check -top chip_top; proc;
        opt -fast; memory -nomap; select -assert-none t:\$dlatch;
        select -assert-min 1 weight_b00/t:\$mem_v2; flatten; opt -fast; opt_clean -purge; check -assert;
        tee -o $dir/stat.txt stat" > $dir/words 2>&1
    verdict $? "operators and memories" $dir/words
fi
for what; do
    target=${what%%/*} slice=${what#*/}
    if [ "$slice" = "$what" ]; then
        check "$target" $dir/chip -p a -n 2
        plant "$target" -n 1
        continue
    fi
    name=$target-${slice//:/-}
    # shellcheck disable=SC2086
    build/hardwire emit $dir/q.safetensors -o "$dir/$name" --slice "$slice" $geometry > /dev/null || exit 1
    check "$name" "$dir/$name" -n 4
    simulate "$dir/$name.d" "$dir/$name.random" -n 4 --random 3 --stalls 5
    verdict $? "$name, random: $(sed -n 's/^\([0-9]* steps.*\)/\1/p' "$dir/$name.random")" "$dir/$name.random"
    plant "$name" -n 2
done
