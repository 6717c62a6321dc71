# SPDX-License-Identifier: Apache-2.0
# Timing of chip.v for SDC readers (OpenSTA, OpenROAD, Vivado, Quartus): one clock, registered ports.
# The period is the 100 MHz at which tokens/s are stated; change it to what your process reaches.
set period 10.0
create_clock -name clk -period $period [get_ports clk]
set_clock_uncertainty 0.2 [get_clocks clk]
set_input_delay  [expr {0.2 * $period}] -clock clk [remove_from_collection [all_inputs] [get_ports clk]]
set_output_delay [expr {0.2 * $period}] -clock clk [all_outputs]
