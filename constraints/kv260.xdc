# KV260 (XCK26, SFVC784): PMOD connector J2, pins as in the carrier card's Kria_KV260 master XDC. Top: kv260_top.
# PL_CLK0 comes from the processor: its clock is made here, at the period that CLOCKS = 50 wants.
create_clock -name pl_clk0 -period 20.000 [get_pins {u_ps/PLCLK[0]}]
set_property -dict {PACKAGE_PIN H12 IOSTANDARD LVCMOS33} [get_ports pmod_rx]
set_property -dict {PACKAGE_PIN E10 IOSTANDARD LVCMOS33 SLEW SLOW DRIVE 4} [get_ports pmod_tx]
set_property -dict {PACKAGE_PIN D10 IOSTANDARD LVCMOS33 SLEW SLOW DRIVE 4} [get_ports listening]
set_property -dict {PACKAGE_PIN C11 IOSTANDARD LVCMOS33 SLEW SLOW DRIVE 4} [get_ports failed]
set_false_path -from [get_ports pmod_rx]
set_false_path -to [get_ports {pmod_tx listening failed}]
