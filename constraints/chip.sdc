# SPDX-License-Identifier: Apache-2.0
# Timing of chip.v for SDC readers (OpenSTA, OpenROAD, Vivado, Quartus): one clock, registered ports.
# The period is the 100 MHz at which tokens/s are stated; change it to what your process reaches.
# tests/sdc.sh reads this file with OpenSTA.
set period 10.0
create_clock -name clk -period $period [get_ports clk]
set_clock_uncertainty 0.2 [get_clocks clk]
# the ports of chip_top beside the clock, so that no command is needed that one of the readers lacks
set inputs {rst s_token_valid s_token_data* s_token_last s_token_first s_token_keep s_abort
            cfg_stop_token* cfg_stop_enable cfg_max_tokens* m_token_ready s_selftest}
set_input_delay  [expr {0.2 * $period}] -clock clk [get_ports $inputs]
set_output_delay [expr {0.2 * $period}] -clock clk [all_outputs]
