# SPDX-License-Identifier: Apache-2.0
# Reads an XDC file as Tcl and compares it with a board's module: yosys -c tests/flows/constraints.tcl, with XDC (the
# file) and PORTS (every bit of a port) in the environment. Each port has one pin and one level, no pin is given
# twice, and what the file names is there.
set ports [split $env(PORTS)]
array set property {}
proc fail {text} { puts "$::env(XDC): $text"; exit 1 }
proc get_ports {names} {
    foreach name $names {
        if {[lsearch -exact $::ports $name] < 0} { fail "$name: expected one of $::ports" }
    }
    return $names
}
proc get_pins {names} { return $names }
proc current_design {} { return design }
proc create_clock {args} {
    array set of [lrange $args 0 end-1]
    if {![string is double -strict $of(-period)]} { fail "create_clock: expected a period, got $of(-period)" }
    lappend ::clocks [lindex $args end]
}
proc set_false_path {args} {}
proc set_property {args} {
    if {[lindex $args 0] eq "-dict"} {
        set pairs [lindex $args 1]
    } else {
        set pairs [lrange $args 0 1]
    }
    foreach {key value} $pairs {
        foreach object [lindex $args end] {
            if {[info exists ::property($object,$key)]} { fail "$object: $key is given twice" }
            set ::property($object,$key) $value
        }
    }
}
if {[catch {source $env(XDC)} why]} { fail $why }
foreach port $ports {
    foreach key {PACKAGE_PIN IOSTANDARD} {
        if {![info exists property($port,$key)]} { fail "$port: expected a $key, got none" }
    }
    if {[info exists owner($property($port,PACKAGE_PIN))]} { fail "$port: its pin is another's" }
    set owner($property($port,PACKAGE_PIN)) $port
}
if {![info exists clocks] || [llength $clocks] != 1} { fail "expected one clock" }
puts "$env(XDC): [llength $ports] pins, one clock"
