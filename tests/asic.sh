#!/bin/bash
# Standard cells of sky130 as sim/asic measures them: beside the foundry's published figures, and as Yosys and
# OpenSTA read them. `tests/asic.sh full`: all cells, and what `make asic` makes. Prints TAP.
set -u
full=${1:-}
dir=build/test/asic${full:+-full}
rm -rf "$dir"
mkdir -p "$dir"
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" > "$dir/log" 2>&1; then echo "ok $name"; else echo "not ok $name"; fi
    sed 's/^/# /' "$dir/log" | tail -n 8
}
says() { # PATTERN COMMAND... : it fails, and says why
    local pattern=$1
    shift
    ! "$@" > "$dir/said" 2>&1 && cat "$dir/said" && grep -qE "$pattern" "$dir/said"
}
cells=inv_1,buf_1,nand2_1,nor2_1,dfxtp_1 # abc wants a buffer and three gates
[ "$full" = full ] && cells=
check "cells measured by ngspice" sim/asic/library tt "$dir/tt.lib" $cells
check "close to what the foundry published" python3 tests/asic_published.py "$dir/tt.json"

# A small design through both tools; neither may say anything about the library.
cat > "$dir/small.v" << 'V'
module small (input wire clk, input wire [3:0] a, input wire [3:0] b, output reg [4:0] q);
    reg [3:0] x, y;
    always @(posedge clk) begin x <= a; y <= b; q <= x + y; end
endmodule
V
mapped() { # LIBRARY
    yosys -q -p "read_verilog $dir/small.v; synth -flatten -top small; dfflibmap -liberty $1; abc -liberty $1;
        opt_clean -purge; read_liberty -lib $1; check -assert -mapped; tee -o $dir/stat.txt stat -liberty $1; write_verilog -noattr -simple-lhs $dir/netlist.v" > "$dir/yosys.log" 2>&1
    cat "$dir/yosys.log"
    grep 'Chip area' "$dir/stat.txt" && ! grep -qi 'warning\|error' "$dir/yosys.log"
}
timed() { # LIBRARY: OpenSTA's delays and power of the netlist, a slack and no message
    cat > "$dir/run.tcl" << TCL
read_liberty $1
read_verilog $dir/netlist.v
link_design small
create_clock -name clk -period 5 clk
set_input_delay 0.5 -clock clk [list a b]
report_checks -path_delay max -digits 3
report_checks -path_delay min -digits 3
set_power_activity -global -activity 0.1
report_power
TCL
    sta -no_splash -exit "$dir/run.tcl" > "$dir/sta.log" 2>&1
    grep -E 'slack|Total' "$dir/sta.log"
    ! grep -qiE 'warning|error' "$dir/sta.log" && [ "$(grep -c 'slack (MET)' "$dir/sta.log")" = 2 ] &&
        awk '/^Total/ { good = $2 > 0 && $3 > 0 && $4 > 0 } END { exit !good }' "$dir/sta.log"
}
check "Yosys maps to them" mapped "$dir/tt.lib"
check "OpenSTA times them and their power" timed "$dir/tt.lib"

# Damage.
slower() { # times of the cell nand2 half as long again
    python3 - "$dir" << 'PY'
import json, sys
figures = json.load(open(f"{sys.argv[1]}/tt.json"))
for arc in figures["cells"]["nand2_1"]["arcs"]:
    arc["fall_delay"] = [1.5 * x for x in arc["fall_delay"]]
json.dump(figures, open(f"{sys.argv[1]}/bad.json", "w"))
PY
    says 'DIFFERENT nand2_1 fall_delay' python3 tests/asic_published.py "$dir/bad.json"
}
check "a wrong delay is seen" slower
wrong_function() {
    rm -rf "$dir/asic"
    cp -r sim/asic "$dir/asic"
    sed -i 's/"nand2": {"Y": "!(A & B)"}/"nand2": {"Y": "!(A | B)"}/' "$dir/asic/cells.py"
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(sim/asic/pdk) says 'nand2_1: Y is' python3 "$dir/asic/characterize.py" \
        "$(sim/asic/pdk)/sky130/src" tt -o "$dir/bad.json" --cells nand2_1
}
check "a wrong function is seen" wrong_function
no_slack() { sed 's/cell_rise(delay)/cell_fall(delay)/' "$dir/tt.lib" > "$dir/bad.lib" && ! timed "$dir/bad.lib"; }
check "a Liberty file without its rises is seen" no_slack

# ROM banks made of macros
for what in emit layout; do
    build/hardwire $what build/default.safetensors -o "$dir/$what" --quiet --rows 32 --cols 8 --vec 8 --att-pos 16 || exit 1
done
banks() { PYTHONDONTWRITEBYTECODE=1 python3 tests/asic_roms.py "$dir/emit" "$dir/layout" "$dir" "$@"; }
check "banks of macros read as the design's banks" banks
check "a macro in the wrong place is seen" says 'scale_b00: .* [1-9][0-9]* different' banks --plant
check "macros that read in the wrong half of a clock are seen" says 'gain_b00: .* [1-9][0-9]* different' banks --plant-clock

if [ "$full" = full ]; then
    check "the default chip: every unit mapped, the whole timed" \
        sim/asic/run build/default.safetensors "--rows 32 --cols 8 --vec 8 --att-pos 16"
    areas() { # of each unit as the report has it and as Yosys counts it
        python3 - << 'PY'
import json, re, subprocess, sys
units = json.load(open("build/asic/asic.json"))["units"]
bad = 0
for name in ("argmax", "swiglu", "sequencer"):
    said = subprocess.run(["yosys", "-p", f"read_verilog build/asic/sky130/{name}.v; hierarchy -top {name}; flatten; "
                           "stat -liberty build/asic/tt.lib"], capture_output=True, text=True).stdout
    area = float(re.search(rf"Chip area for (?:top )?module '.{name}': (\S+)", said)[1])
    if abs(area - units[name]["sky130"]["um2"]) > 1:
        print(f"DIFFERENT {name}: {units[name]['sky130']['um2']} um2, Yosys {area}")
        bad += 1
print(f"{len(units)} units, 3 areas compared, {bad} different")
sys.exit(bad or len(units) < 20)
PY
    }
    check "areas are Yosys's" areas
    venv=build/venv-librelane
    if ! $venv/bin/python -c 'import librelane' 2> /dev/null; then
        rm -rf $venv
        python3 -m venv $venv && $venv/bin/pip install -q librelane==3.0.17 || exit 1
    fi
    conforms() { $venv/bin/python sim/asic/librelane_config.py --check "$1"; }
    check "LibreLane knows every variable, macros lie apart" conforms build/asic/librelane/config.json
    spoil() { # SED PATTERN: what the check says of a damaged configuration
        sed "$1" build/asic/librelane/config.json > build/asic/librelane/bad.json
        says "$2" conforms build/asic/librelane/bad.json
    }
    check "a variable that is none is seen" spoil 's/"CLOCK_PORT"/"CLOCK_PROT"/' "Unknown key 'CLOCK_PROT'"
    check "a wrong type is seen" spoil 's/"FP_SIZING": "absolute"/"FP_SIZING": "square"/' 'FP_SIZING'
    check "straps of metal 5 that miss a macro are seen" spoil 's/"PDN_HPITCH": [0-9.]*/"PDN_HPITCH": 153.18/' 'high, straps of metal 5'
    check "a file that is not there is seen" spoil 's/roms.v/rom.v/' 'rom.v'
    moved() { # the first two macros at one place
        python3 - << 'PY'
import json
config = json.load(open("build/asic/librelane/config.json"))
first, second = [next(iter(m["instances"].values())) for m in config["MACROS"].values()][:2]
second["location"] = first["location"]
json.dump(config, open("build/asic/librelane/bad.json", "w"))
PY
        says 'weight_r00_c00 on weight_r00_c01' conforms build/asic/librelane/bad.json
    }
    check "a macro on another is seen" moved

    $venv/bin/python -c 'import dv_flow.liborfs' 2> /dev/null ||
        $venv/bin/pip install -q --no-deps dv-flow-liborfs==0.0.122240744517 || exit 1
    variables=$(echo $venv/lib/python3*/site-packages/dv_flow/liborfs/share/scripts/variables.yaml)
    openroad() { $venv/bin/python sim/asic/orfs_config.py --check "$1/config.mk" "$variables"; }
    check "OpenROAD-flow-scripts knows every variable, macros lie apart" openroad build/asic/orfs
    broken() { # FILE SED PATTERN: what the check says of a damaged configuration
        rm -rf build/asic/orfs-bad
        cp -r build/asic/orfs build/asic/orfs-bad
        sed -i "$2" "build/asic/orfs-bad/$1"
        says "$3" openroad build/asic/orfs-bad
    }
    check "a variable that is none is seen there" broken config.mk 's/DIE_AREA/DIE_AERA/' 'unknown variable DIE_AERA'
    check "a file that is not there is seen there" broken config.mk 's/rom\.gds/roms.gds/' 'roms.gds: no such file'
    check "straps of metal 5 that miss a macro are seen there" broken pdn.tcl 's/\(met5.*-pitch\) [0-9.]*/\1 153.18/' 'high, straps of metal 5'
    check "a macro that is not placed is seen" broken macros.tcl 1d 'weight_r00_c00 is not placed once'
    check "a macro on another is seen there" broken macros.tcl '2s/{[0-9. ]*} /{40.0 40.0} /' 'weight_r00_c00 on weight_r00_c01'
fi
