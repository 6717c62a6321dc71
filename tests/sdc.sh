#!/bin/sh
# constraints/chip.sdc, read by OpenSTA: chip.v alone (its engine a stub of registers) as a netlist of
# osu018. Every input but the clock has a delay, every register a clock, and a path its slack; a command
# that OpenSTA lacks is found. Prints TAP.
set -eu
dir=build/test/sdc
lib=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
mkdir -p $dir
# the engine's ports from the template itself; its inside is nobody's matter here
awk '/^module engine/ { on = 1 } on && /^\);/ { print; exit } on' rtl_templates/engine.v > $dir/ports.v
{
    cat $dir/ports.v
    cat << 'STUB'
    reg a, b, c, d;
    reg [TOKEN_W-1:0] t;
    always @(posedge clk) begin
        {a, b, c, d} <= {start, sample, test, c} & {4{~rst}};
        t <= token + pos;
    end
    assign done = a;
    assign refused = b;
    assign next_token = t;
    assign seq_len = {20{a}} ^ {t, t};
    assign s_vec_ready = s_vec_valid & ^s_vec_data;
    assign {testing, tested} = {c, d};
    assign test_crc = {32{d}};
endmodule
STUB
} > $dir/engine.v
{ grep -v '`default_nettype\|`include' rtl_templates/chip.v; } > $dir/chip.v
yosys -q -p "read_verilog $dir/engine.v $dir/chip.v; chparam -set SELFTEST 1 chip; rename chip chip_top; synth -flatten -top chip_top;
    dfflibmap -liberty $lib; abc -liberty $lib; setundef -zero; splitnets -ports; opt_clean -purge;
    write_verilog -noattr -simple-lhs $dir/netlist.v" > $dir/yosys.log 2>&1 ||
    { tail -5 $dir/yosys.log; echo "not ok a netlist of chip.v"; exit 1; }
timed() { # SDC LOG: OpenSTA takes it, and nothing is left without a constraint
    cat > $dir/run.tcl << TCL
read_liberty $lib
read_verilog $dir/netlist.v
link_design chip_top
source $1
check_setup -verbose
report_checks -path_delay max
exit
TCL
    sta $dir/run.tcl < /dev/null > "$2" 2>&1
    ! grep -qiE 'error|invalid command|no clock|missing|unconstrained|There (is|are) [0-9]* ' "$2" &&
        grep -q 'slack' "$2"
}
if timed constraints/chip.sdc $dir/sta.log; then
    echo "ok OpenSTA reads chip.sdc: $(grep slack $dir/sta.log | xargs)"
else
    echo "not ok OpenSTA reads chip.sdc"
    tail -20 $dir/sta.log | sed 's/^/# /'
fi
for fault in 's/\[all_outputs\]/[remove_from_collection [all_outputs] clk]/' 's/cfg_max_tokens\*//' 's/^create_clock.*//'; do
    sed "$fault" constraints/chip.sdc > $dir/fault.sdc
    if timed $dir/fault.sdc $dir/fault.log; then
        echo "not ok a fault is found: $fault"
    else
        echo "ok a fault is found: $fault"
    fi
done
