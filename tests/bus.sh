#!/bin/bash
# The chip on AXI: what is made from the register table is what is committed; the design is silent in three
# tools; a bus model that is not ours (cocotbext-axi) drives it in Icarus (tests/bus/test_axi.py).
#     tests/bus.sh             registers, settings and stops; prints TAP
#     tests/bus.sh full        answers under back-pressure, bad prompts, aborts, resets too, and planted faults
#     tests/bus.sh registers FOLDER     makes what follows from the register table, there
set -u
venv=build/venv-bus
dir=build/test/bus
mkdir -p $dir
export PYTHONDONTWRITEBYTECODE=1
tools="cocotb==2.1.0 cocotbext-axi==0.1.28 cocotbext-wishbone==2.0.1 systemrdl-compiler==1.33.0 peakrdl-cheader==1.1.0
    peakrdl-html==2.12.2 peakrdl-ipxact==3.5.0 fusesoc==2.4.7"
[ "$(cat $venv/complete 2> /dev/null)" = "$tools" ] || {
    rm -rf $venv
    # shellcheck disable=SC2086
    python3 -m venv $venv && $venv/bin/pip install -q $tools && echo "$tools" > $venv/complete || exit 1
}
if [ "${1:-}" = registers ]; then
    $venv/bin/python gen/bus/make_registers.py rtl_templates/bus/hardwire.rdl "$2"
    exit
fi
verdict() { # NAME: of the command before
    if [ $? = 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
}
rm -rf $dir/made
$venv/bin/python gen/bus/make_registers.py rtl_templates/bus/hardwire.rdl $dir/made
same=0
for file in bus_registers.v hardwire_registers.h hardwire_registers.xml; do
    cmp $dir/made/$file rtl_templates/bus/$file || same=1
done
cmp $dir/made/registers.md docs/registers.md && [ $same = 0 ]
verdict "what is made from the register table is committed (else: make registers)"

named=0
for name in $(sed -n 's/.*ipxact:name>\([A-Z_]*\)<.*/\1/p' $dir/made/hardwire_registers.xml); do
    grep -qr "$name" $dir/made/html/content || { echo "# $name is not in the pages"; named=1; }
done
[ $named = 0 ]
verdict "PeakRDL's pages name every register"

PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/tiny.bin', 8, 12, 1, 2, 1, 32, 12, True, seed=7)"
q=$dir/q.safetensors
geometry="--rows 8 --cols 8 --vec 4 --att-pos 4 --quiet"
# shellcheck disable=SC2086
build/hardwire quantize $dir/tiny.bin -o $q -q --bits 4 && build/hardwire emit $q -o $dir/design --bus axi $geometry &&
    build/hardwire emit $q -o $dir/plain $geometry && build/hardwire emit $q -o $dir/again --fabric $dir/design --quiet &&
    diff -r $dir/design/fabric $dir/plain/fabric && diff -r $dir/design/personality $dir/plain/personality &&
    diff -r $dir/again $dir/plain && [ ! -e $dir/plain/bus ]
verdict "a bus changes nothing of fabric and personality"
! build/hardwire emit $q -o $dir/none --bus pci > $dir/words 2>&1 && grep -q "expected axi, wishbone or uart, got 'pci'" $dir/words &&
    ! build/hardwire emit $q -o $dir/none --bus axi --slice layer:0 > $dir/words 2>&1 && grep -q 'a whole chip' $dir/words &&
    [ ! -e $dir/none ]
verdict "another bus, and a slice, are refused"

# shellcheck disable=SC2086
build/hardwire emit $q -o $dir/wishbone --bus wishbone --selftest on $geometry &&
    build/hardwire emit $q -o $dir/tested --selftest on $geometry && diff -r $dir/wishbone/fabric $dir/tested/fabric
verdict "nor does the other bus"

silent() { # DESIGN TOP: its lists name the same files, and four tools take them without a word
    files=$(grep '\.v$' "$1/filelist.f")
    for list in hardwire.core hardwire.ys hardwire.tcl; do
        [ "$(grep -o '[a-z]*/[a-z0-9_]*\.v$' "$1/$list")" = "$files" ] || echo "$list names other files than filelist.f"
    done
    (
        cd "$1" || exit
        # shellcheck disable=SC2086
        verilator --lint-only -Wall -Ifabric -Ibus --top-module "$2" $files
        iverilog -g2005 -Wall -Wno-timescale -s "$2" -o ../lint.vvp -c filelist.f
        yosys -q -s hardwire.ys -p "proc; check -assert" | grep -v 'Replacing memory'
    )
    # FuseSoC says much; a warning of Verilator or of itself is one too many
    $venv/bin/fusesoc --cores-root "$1" run --target lint --build-root "$dir/fusesoc" hardwire > "$dir/fusesoc.log" 2>&1 ||
        tail -5 "$dir/fusesoc.log"
    grep -i 'warning\|error' "$dir/fusesoc.log"
}
for bus in design:hardwire_axi wishbone:hardwire_wb plain:chip_top; do
    silent "$dir/${bus%%:*}" "${bus##*:}" > $dir/words 2>&1
    sed 's/^/# /' $dir/words | head
    [ ! -s $dir/words ]
    verdict "Verilator, Icarus, Yosys and FuseSoC say nothing of ${bus##*:}"
done

play() { # axi|wishbone DESIGN TESTS: lines of TAP
    PYTHONPATH=tests/bus $venv/bin/python "tests/bus/test_$1.py" "$2" $q $dir "$3" > $dir/log 2>&1 < /dev/null || echo "not ok cocotb"
    grep -E '^(not )?ok' $dir/log || { tail -20 $dir/log | sed 's/^/# /'; echo "not ok cocotb has no verdict"; }
}
if [ "${1:-}" != full ]; then
    play axi $dir/design 'registers|settings'
    play wishbone $dir/wishbone 'answers|settings'
    exit
fi
play axi $dir/design ''
play wishbone $dir/wishbone ''
# the SoC of the example, under a host on its serial line: eight clocks a bit
[ -f build/venv-litex/complete ] || {
    python3 -m venv build/venv-litex && build/venv-litex/bin/pip install -q litex==2024.12 migen==0.10.0 && touch build/venv-litex/complete
}
build/venv-litex/bin/python sim/board/litex_soc.py $dir/wishbone -o $dir/litex --baud 3125000 > $dir/litex.log 2>&1
verdict "LiteX makes the SoC"
DESIGN=$dir/wishbone MODEL=$q PYTHONPATH=tests/bus python3 tests/bus/test_litex.py $dir $dir/litex/gateware/hardwire_soc.v > $dir/words 2> $dir/log ||
    { tail -5 $dir/log | sed 's/^/# /'; echo "not ok LiteX"; }
cat $dir/words
while IFS='|' read -r bus file edit tests; do # a fault in the design must fail one of the tests
    case $bus in axi) from=$dir/design ;; *) from=$dir/wishbone ;; esac
    rm -rf $dir/fault
    cp -r "$from" $dir/fault
    sed -i "$edit" $dir/fault/bus/$file
    ! cmp -s $dir/fault/bus/$file "$from/bus/$file" && play "$bus" $dir/fault "$tests" > $dir/words
    [ $? = 0 ] && grep -q '^not ok [AW]' $dir/words
    verdict "a fault is found: $file: $edit"
done << 'FAULTS'
axi|axi_lite.v|s/assign read  = .*/assign read  = ar_valid;/|registers
axi|bus_core.v|s/assign too_wide = .s_data.*/assign too_wide = 1'b0;/|bad_prompts
axi|bus_core.v|s/id <= s_id/id <= id/|bad_prompts
wishbone|bus_core.v|s/put_first = marked .. start/put_first = 1'b0/|half_prompts
wishbone|bus_core.v|s/put_keep  = keep/put_keep  = 1'b0/|settings
wishbone|bus_core.v|s/put && !put_ready/1'b0/|half_prompts
wishbone|hardwire_wb.v|s/.m_ready(taken)/.m_ready(1'b1)/|answers
FAULTS
