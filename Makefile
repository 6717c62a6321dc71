# hardwire: `make help` lists the targets. Everything that is made lies in build/.

MODEL     ?= models/story.bin
TOKENIZER ?= models/tokenizer.bin
OPENING   := One day, a little boy named Tim
PROMPT    ?= $(if $(filter models/story.bin,$(MODEL)),$(OPENING))
TOKENS    ?= 256
BITS      ?= 8
LEVELS    ?= $(if $(filter %.bin,$(MODEL)),$(wildcard $(MODEL:.bin=.quant)))
GEOMETRY  ?= --rows 32 --cols 8 --vec 8 --att-pos 16

CC       ?= cc
CFLAGS   ?= -O3
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla -Werror
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(WARNINGS) -ffp-contract=off $(CFLAGS) -I. -MMD -MP
LIBS     := -ljansson -lnettle -lm -lpthread

B        := build
TEST_SRC := $(sort $(wildcard tests/test_*.c))
LIB_SRC  := $(filter-out gen/cmd/main.c,$(sort $(wildcard gen/*.c gen/*/*.c))) $(sort $(wildcard refmodel/*.c)) \
            sim/cosim.c sim/design.c sim/monitor.c sim/slice.c
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/%.o)
TESTS    := $(TEST_SRC:tests/%.c=$(B)/%)

.DELETE_ON_ERROR:
.PHONY: all setup isa registers tables unicode run test test-full bench report calibration smollm2 synth timing asic formal mutants fuzz lint help clean

all: setup $(B)/hardwire $(B)/cosim-icarus

help:
	@echo "make run        bake the default model, simulate the chip, check every tensor"
	@echo "                MODEL= TOKENIZER= PROMPT= TOKENS= BITS= LEVELS= GEOMETRY= choose another"
	@echo "make test       everything that must hold, about 9 minutes on two cores"
	@echo "make test-full  the long version: hundreds of shapes, all proofs, mutants, fuzzing"
	@echo "make bench      measures; writes build/bench.json and the tables of docs/benchmarks.md"
	@echo "make report     build/report.html, build/report-8b.html: a page to show of a chip and its costs"
	@echo "make calibration docs/economics.md: its table of published and predicted figures"
	@echo "make smollm2    a chat model of 135M weights: slices, then the whole chip answers a question"
	@echo "make synth      netlists and their sizes: generic, iCE40, ECP5, Xilinx"
	@echo "make timing     places every module on an ECP5-85: clocks and the paths that limit them"
	@echo "make asic       the default chip in sky130: cells measured, ROMs laid out, units timed; docs/asic.md"
	@echo "make ulx3s      the default model to a bitstream for the ULX3S-85F; half an hour the first time"
	@echo "make tangnano20k  a small model to a bitstream for the Tang Nano 20K; ten minutes on an idle core"
	@echo "make formal     bounded proofs and induction of the control modules"
	@echo "make mutants    plants faults in RTL and ROMs and counts those the checks find"
	@echo "make fuzz       fuzzes every file reader; RUNS= inputs each (1000000)"
	@echo "make lint       Verilator, Icarus and Yosys over the templates; clang over the C"
	@echo "make isa        rtl_templates/isa.vh and docs/isa.md from gen/chip/isa.h"
	@echo "make registers  register Verilog, C header, IP-XACT, docs/registers.md and HTML from rtl_templates/bus/hardwire.rdl"
	@echo "make tables     refmodel/function_tables.h: exp2, reciprocal, reciprocal square root, sigmoid"
	@echo "make unicode    gen/text/unicode_ranges.h from Python's Unicode database"
	@echo "make clean      removes build/"

# Packages of Debian 12, installed as root where they are missing.
PACKAGES := gcc g++ make pkg-config verilator iverilog yosys libcmocka-dev libjansson-dev nettle-dev \
            python3 perl clang clang-format libclang-rt-14-dev z3 qflow-tech-osu018 opensta
setup:
	@sim/setup $(PACKAGES)

$(B)/%.o: %.c | setup
	@mkdir -p $(@D)
	@echo "CC $<"; $(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/libhardwire.a: $(LIB_OBJ)
	@rm -f $@
	@ar rcsD $@ $^

$(B)/hardwire: $(B)/gen/cmd/main.o $(B)/libhardwire.a
	@echo "LD $@"; $(CC) $(ALL_CFLAGS) $^ -o $@ $(LIBS)

$(B)/cosim-icarus: $(B)/sim/dut_icarus.o $(B)/libhardwire.a
	@echo "LD $@"; $(CC) $(ALL_CFLAGS) $^ -o $@ $(LIBS)

$(B)/test_%: tests/test_%.c $(B)/libhardwire.a
	@echo "CC $<"; $(CC) $(ALL_CFLAGS) -Wno-unused-parameter $(filter %.c %.o,$^) $(B)/libhardwire.a -o $@ \
	    -lcmocka $(LIBS)
$(B)/test_oracle $(B)/test_fixed: $(B)/tests/oracle.o

NAME = $(basename $(notdir $(MODEL:%/=%)))
# A checkpoint trained on levels keeps them: 3-bit codes, tensors of 6 bits in two planes.
QUANTIZE = $(B)/hardwire quantize $(MODEL) -o $(B)/$(NAME).safetensors --quiet \
           $(if $(LEVELS),--levels $(LEVELS) --code-bits 3,--bits $(BITS))
run: all
	@$(QUANTIZE)
	@$(B)/hardwire sim $(B)/$(NAME).safetensors -t $(TOKENIZER) -o $(B)/$(NAME) $(GEOMETRY) \
	    --prompt "$(PROMPT)" --count $(TOKENS)

$(B)/same_weights $(B)/encode $(B)/isa: $(B)/%: tests/%.c $(B)/libhardwire.a
	@echo "CC $<"; $(CC) $(ALL_CFLAGS) $< $(B)/libhardwire.a -o $@ $(LIBS)

# What is made from gen/chip/isa.h and latency.h, and committed: two Verilog headers and a page.
isa: $(B)/isa
	@$< verilog > rtl_templates/isa.vh
	@$< markdown > docs/isa.md
	@$< latency > rtl_templates/latency.vh

# What is made from the register table of a bus, and committed; compared by tests/bus.sh.
registers:
	@sim/setup python3-pip python3-venv
	@tests/bus.sh registers build/registers
	@cp build/registers/bus_registers.v build/registers/hardwire_registers.* rtl_templates/bus
	@cp build/registers/registers.md docs
	@echo "build/registers/html/index.html: the same as pages"

# The function tables of the machine; committed, and compared by tests/test_fixed.c.
tables:
	@python3 refmodel/make_tables.py > refmodel/function_tables.h

# Classes of characters for tokenizers; committed, and compared by tests/test_unicode.c.
unicode:
	@python3 gen/text/make_unicode.py > gen/text/unicode_ranges.h

$(B)/answers: tests/bus/answers.c $(B)/libhardwire.a
	@echo "CC $<"; $(CC) $(ALL_CFLAGS) $< $(B)/libhardwire.a -o $@ $(LIBS)

$(B)/shape: tests/shape.c | setup
	@mkdir -p $(@D)
	@echo "CC $<"; $(CC) $(ALL_CFLAGS) $< -o $@

# Compiled on all cores, whatever -j says: what tests/run needs.
FOR_TESTS := all $(TESTS) $(B)/shape $(B)/answers $(B)/same_weights $(B)/encode $(B)/default.safetensors
COMPILE_TESTS = @+$(MAKE) -s --no-print-directory -j $$(nproc) $(FOR_TESTS)

test:
	$(COMPILE_TESTS)
	@sim/setup python3-pip python3-venv ngspice
	@tests/run

test-full:
	$(COMPILE_TESTS)
	@sim/setup python3-pip python3-venv python3-torch chromium klayout ngspice
	@tests/run full

$(B)/bench_reference: sim/bench_reference.c $(B)/libhardwire.a
	@echo "CC $<"; $(CC) $(ALL_CFLAGS) $< $(B)/libhardwire.a -o $@ $(LIBS)

bench: all $(B)/bench_reference
	@sim/setup qflow-tech-osu018
	@python3 sim/bench.py

# The table of docs/economics.md, from what the planner computes now.
calibration: all
	@python3 sim/bench.py calibration

# Pages of the default model's chip, with what its simulation verified, and of Llama 3.1 8B.
report: all
	@$(QUANTIZE)
	@$(B)/hardwire sim $(B)/$(NAME).safetensors -t $(TOKENIZER) -o $(B)/$(NAME) $(GEOMETRY) --quiet \
	    --prompt "$(PROMPT)" --count $(TOKENS) --json $(B)/$(NAME)-sim.json
	@$(B)/hardwire report $(B)/$(NAME) -o $(B)/report.html --title "$(NAME)" --sim $(B)/$(NAME)-sim.json \
	    $(if $(wildcard $(B)/timing.json),--measured $(B)/timing.json)
	@$(B)/hardwire report --shape llama-3.1-8b -o $(B)/report-8b.html
	@echo "$(B)/report.html $(B)/report-8b.html"

smollm2: all $(B)/encode
	@sim/setup python3-pip python3-venv
	@python3 sim/smollm2.py $(B)/smollm2

synth: all
	@$(QUANTIZE)
	@sim/synth $(B)/$(NAME).safetensors "$(GEOMETRY)"

# The default model on the chip of the ULX3S, with that bitstream's context.
TIMING_GEOMETRY = $(shell sim/board/row ulx3s-85f) --target ecp5 --ctx 256
timing: all $(B)/default.safetensors
	@sim/setup python3-pip python3-venv
	@$(B)/hardwire emit $(B)/default.safetensors -o $(B)/timing-design $(TIMING_GEOMETRY) --quiet
	@sim/timing $(B)/timing-design

# Cells of sky130 measured by ngspice, ROM macros, every unit synthesized and timed: build/asic, docs/asic.md.
asic: all $(B)/default.safetensors
	@sim/setup python3-pip ngspice opensta qflow-tech-osu018
	@sim/asic/run $(B)/default.safetensors "$(GEOMETRY)" --page docs/asic.md

# MHZ=, SEED=, MODEL= and TOKENIZER= choose others; a model of the same shape needs no other placement.
ulx3s: all
	@sim/setup python3-pip python3-venv
	@$(QUANTIZE)
	@sim/board/ulx3s $(B)/$(NAME).safetensors $(TOKENIZER) $(B)/$(NAME)-ulx3s.bit

# The model that fits this board (models/README.md). SMALL=, SMALL_TOKENIZER=, SEED= choose others.
SMALL ?= models/small.bin
SMALL_TOKENIZER ?= models/small_tokenizer.bin
$(B)/small.safetensors: $(B)/hardwire $(SMALL)
	@$< quantize $(SMALL) -o $@ --quiet --bits 4 --code-bits 4 --act-bits 8 --kv-bits 8 --res-bits 16 --tune 300
tangnano20k: all $(B)/small.safetensors
	@sim/setup python3-pip python3-venv
	@sim/board/tangnano20k $(B)/small.safetensors $(SMALL_TOKENIZER) $(B)/small-tangnano20k.fs

formal: setup
	@sim/formal/run

mutants: all
	@python3 tests/mutants.py

# New inputs for each target. Ten million take an hour and a half on two idle cores.
RUNS ?= 1000000
fuzz: all $(B)/default.safetensors
	@tests/fuzz.sh $(RUNS)

$(B)/default.safetensors: $(B)/hardwire models/story.bin models/story.quant
	@$< quantize models/story.bin --levels models/story.quant --code-bits 3 -o $@ --quiet

lint: all $(B)/shape
	@tests/lint

clean:
	rm -rf $(B)

-include $(LIB_OBJ:.o=.d) $(wildcard $(B)/*.d $(B)/*/*.d) $(B)/tests/oracle.d
