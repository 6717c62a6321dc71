#!/bin/sh
# The netlist that goes on the ULX3S (sim/board/place), simulated in Verilator with the cells' models, the PLL apart: its
# block RAMs hold what `hardwire patch` writes. A terminal types a line; what comes back is what the bench of the RTL says.
# tests/board_netlist.sh: a tiny model, and LUTs inverted, which must be heard. tests/board_netlist.sh full: also the default
# model with the sizes of `make ulx3s`. Each of the three takes ten to twenty CPU minutes. Prints TAP.
set -eu
dir=build/test/board-netlist
rm -rf $dir
mkdir -p $dir
tok=models/tokenizer.bin
clocks=25
failed=0
check() { # name, exit status
    [ "$2" = 0 ] && echo "ok $1" || { echo "not ok $1"; failed=1; }
}

# netlist NAME MODEL GEOMETRY CTX: of the fabric without a model, and its block RAMs with the model
netlist() {
    mkdir -p "$dir/$1"
    # shellcheck disable=SC2086
    build/hardwire emit "$2" -o "$dir/$1/design" $3 --target ecp5 --blank -q
    build/hardwire uart "$2" -t $tok -o "$dir/$1/uart" $4 --blank -q
    sim/board/place "$dir/$1/design" "$dir/$1/uart" -o "$dir/$1" --mhz $clocks --synthesis > "$dir/$1/log" || { cat "$dir/$1/log"; return 1; }
    python3 tests/board_netlist.py config "$dir/$1/netlist.json" "$dir/$1/base.config"
    # shellcheck disable=SC2086
    build/hardwire patch "$dir/$1/base.config" "$2" -t $tok --fabric "$dir/$1/design" $4 -o "$dir/$1/model.config"
}

# heard NAME OUT LINE OPTIMIZATION CLOCKS [FAULT]: what the line says to LINE in CLOCKS clocks, or before it waits for another
heard() {
    out=$dir/$1/$2
    # shellcheck disable=SC2086
    python3 tests/board_netlist.py verilog "$dir/$1/netlist.json" "$dir/$1/base.config" "$dir/$1/model.config" "$out" ${6:+--fault $6}
    (cd "$out" && verilator --cc --exe --build -O3 -MAKEFLAGS "OPT_FAST=$4 OPT_GLOBAL=$4" --x-assign fast --x-initial fast --noassert \
        -Wno-fatal -Wno-lint --output-split 20000 --output-split-cfuncs 1000 --top-module uart_top --Mdir obj -o uart_sim \
        -I. netlist.v luts.v cells.v ecp5_cells.v uart_top.v "$here/sim/uart_main.cpp") > "$out.log" 2>&1 || { tail "$out.log"; return 1; }
    printf '%s\n' "$3" | "$out/obj/uart_sim" $clocks "$5" 2> "$out.err" | tr -d '\r' > "$out.heard"
}
here=$PWD

# said NAME MODEL LINE GEOMETRY: what the RTL says in its bench, every tensor equal to the reference
said() {
    # shellcheck disable=SC2086
    build/hardwire sim "$2" -t $tok -o "$dir/$1/rtl" $4 --target ecp5 -p "$3" -n 100000 > "$dir/$1/said" 2>&1
    grep -q ' 0 different' "$dir/$1/said"
    {
        printf '\nself-test: passed\n> '
        sed '/^compiling/d; /^--- chip/,$d' "$dir/$1/said" | head -c -1
        ! grep -q '^--- chip.* context full' "$dir/$1/said" || printf '\n[the context is full]'
        printf '\n> '
    } | tr -d '\r' > "$dir/$1/expected"
}

PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/tiny.bin', 16, 24, 2, 4, 2, 512, 48, False, seed=7)"
build/hardwire quantize $dir/tiny.bin -o $dir/tiny.safetensors -q
tiny="--rows 4 --tile-rows 2 --cols 4 --vec 4 --att-pos 4 --lane multiply --latency $(sim/board/row ulx3s-85f latency)"
netlist tiny $dir/tiny.safetensors "$tiny" "" > $dir/words
said tiny $dir/tiny.safetensors "a lot" "$tiny"
status=0
heard tiny whole "a lot" -O0 4000000 && cmp $dir/tiny/whole.heard $dir/tiny/expected || status=1
took=$(tr -dc 0-9 < $dir/tiny/whole.err)
check "the board's netlist of a tiny model says what the RTL says, $took clocks" $status
for lut in 100; do
    status=0
    heard tiny lut$lut "a lot" -O0 $((took + 1000)) $lut || [ -e $dir/tiny/lut$lut.heard ] || exit 1
    cmp -s $dir/tiny/lut$lut.heard $dir/tiny/expected && status=1
    check "every ${lut}th LUT inverted is heard" $status
done

if [ "${1:-}" = full ]; then
    sizes="$(sim/board/row ulx3s-85f) --ctx 256"
    netlist story build/default.safetensors "$sizes" "--ctx 256" > $dir/words
    said story build/default.safetensors "One day, a little boy named Tim" "$sizes"
    status=0
    heard story whole "One day, a little boy named Tim" -O1 4000000 && cmp $dir/story/whole.heard $dir/story/expected || status=1
    check "the default model's netlist tells the story that the RTL tells, $(tr -dc 0-9 < $dir/story/whole.err) clocks" $status
fi
exit $failed
