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
[ -f $venv/complete ] || {
    rm -rf $venv
    python3 -m venv $venv && $venv/bin/pip install -q cocotb==2.1.0 cocotbext-axi==0.1.28 systemrdl-compiler==1.33.0 \
        peakrdl-cheader==1.1.0 peakrdl-ipxact==3.5.0 && touch $venv/complete || exit 1
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
! build/hardwire emit $q -o $dir/none --bus pci > $dir/words 2>&1 && grep -q "expected axi, got 'pci'" $dir/words &&
    ! build/hardwire emit $q -o $dir/none --bus axi --slice layer:0 > $dir/words 2>&1 && grep -q 'a whole chip' $dir/words &&
    [ ! -e $dir/none ]
verdict "another bus, and a slice, are refused"

files=$(sed "s|^|$dir/design/|" $dir/design/filelist.f | grep '\.v$')
inside="-I$dir/design/fabric -I$dir/design/bus"
# shellcheck disable=SC2086
{
    verilator --lint-only -Wall $inside --top-module hardwire_axi $files
    iverilog -g2005 -Wall -Wno-timescale $inside -s hardwire_axi -o $dir/axi.vvp $files
    yosys -q -p "read_verilog -defer $inside $(echo $files); hierarchy -check -top hardwire_axi; proc; check -assert" |
        grep -v 'Replacing memory'
} > $dir/words 2>&1
[ ! -s $dir/words ]
verdict "Verilator, Icarus and Yosys say nothing of it"

play() { # DESIGN TESTS: lines of TAP
    PYTHONPATH=tests/bus $venv/bin/python tests/bus/test_axi.py "$1" $q $dir "$2" > $dir/log 2>&1 < /dev/null || echo "not ok cocotb"
    grep -E '^(not )?ok' $dir/log || { tail -20 $dir/log | sed 's/^/# /'; echo "not ok cocotb has no verdict"; }
}
if [ "${1:-}" != full ]; then
    play $dir/design 'registers|settings'
    exit
fi
play $dir/design ''
while IFS='|' read -r file edit tests; do # a fault in the design must fail one of the tests
    rm -rf $dir/fault
    cp -r $dir/design $dir/fault
    sed -i "$edit" $dir/fault/bus/$file
    ! cmp -s $dir/fault/bus/$file $dir/design/bus/$file && play $dir/fault "$tests" > $dir/words
    [ $? = 0 ] && grep -q '^not ok AXI' $dir/words
    verdict "a fault is found: $file: $edit"
done << 'FAULTS'
axi_lite.v|s/assign read  = .*/assign read  = ar_valid;/|registers
bus_core.v|s/assign too_wide = .s_data.*/assign too_wide = 1'b0;/|bad_prompts
bus_core.v|s/id <= s_id/id <= id/|bad_prompts
FAULTS
