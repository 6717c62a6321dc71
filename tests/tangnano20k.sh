#!/bin/sh
# The small model on the Tang Nano 20K: `make tangnano20k` makes a bitstream; its block RAMs are read back and hold the ROMs; the
# netlist that was placed, simulated in Verilator with the cells' models, says what the RTL says in its bench. A bit of a ROM that
# is another and LUTs that are inverted must be found. About fifteen CPU minutes. Prints TAP.
set -eu
dir=build/test/tangnano20k
rm -rf $dir
mkdir -p $dir
placed=build/tangnano20k
model=build/small.safetensors
tok=models/small_tokenizer.bin
line="Once upon a time"
clocks=234
here=$PWD
failed=0
check() { # name, exit status
    [ "$2" = 0 ] && echo "ok $1" || { echo "not ok $1"; failed=1; }
}

status=0
make -s tangnano20k > $dir/make.log 2>&1 || status=1
check "make tangnano20k: $(tail -n 1 $dir/make.log)" $status
[ $status = 0 ] || { tail $dir/make.log; exit 1; }

readback() { # DESIGN
    build/venv-board/bin/python tests/gowin_roms.py build/small-tangnano20k.fs $placed/placed.json GW2A-18C "$1,$placed/uart" 2> $dir/err
}
status=0
readback $placed/design > $dir/said || status=1
check "read back: $(cat $dir/said)" $status
cp -r $placed/design $dir/another
sed -i "s/\(14'd5000: data <= 32'h\)\(.\{7\}\)\(.\)/\1\3\2/" $dir/another/personality/weight_b00.v
! cmp -s $placed/design/personality/weight_b00.v $dir/another/personality/weight_b00.v
status=0
readback $dir/another > $dir/said && status=1
check "another word in a ROM is found: $(cat $dir/said)" $status

# heard NAME FAULT CLOCKS: what the netlist's line says, within so many clocks
heard() {
    out=$dir/$1
    # shellcheck disable=SC2086
    python3 tests/gowin_netlist.py $placed/netlist.json "$out" ${2:+--fault $2}
    (cd "$out" && verilator --cc --exe --build -O3 -MAKEFLAGS "OPT_FAST=-O1 OPT_GLOBAL=-O1" --x-assign fast --x-initial fast \
        --noassert -Wno-fatal -Wno-lint --output-split 20000 --output-split-cfuncs 1000 --top-module uart_top --Mdir obj -o uart_sim \
        -I. netlist.v cells.v gowin_cells.v uart_top.v "$here/sim/uart_main.cpp") > "$out.log" 2>&1 || { tail "$out.log"; return 1; }
    printf '%s\n' "$line" | "$out/obj/uart_sim" $clocks "$3" 2> "$out.err" | tr -d '\r' > "$out.heard"
}

sizes="$(sim/board/row tang-nano-20k) --ctx 256"
# shellcheck disable=SC2086
build/hardwire sim $model -t $tok -o $dir/rtl $sizes -p "$line" -n 100000 > $dir/rtl.said 2>&1
status=0
grep -q ' 0 different' $dir/rtl.said || status=1
check "the RTL in its bench: $(grep ' 0 different' $dir/rtl.said)" $status
{
    printf '\nself-test: passed\n> '
    sed '/^compiling/d; /^--- chip/,$d' $dir/rtl.said | head -c -1
    ! grep -q '^--- chip.* context full' $dir/rtl.said || printf '\n[the context is full]'
    printf '\n> '
} | tr -d '\r' > $dir/expected
status=0
heard whole "" 20000000 || status=1
cmp $dir/whole.heard $dir/expected || status=1
check "the board's netlist says what the RTL says, $(tr -dc 0-9 < $dir/whole.err) clocks" $status
status=0
heard fault 100 600000 || [ -e $dir/fault.heard ] || exit 1
cmp -s $dir/fault.heard $dir/expected && status=1
check "every 100th LUT inverted is heard" $status
exit $failed
