#!/bin/sh
# A chip whose ROM is compiled group by group (sim/build_group), as designs beyond Verilator's tables
# are: equal to the reference, compiled again where a bank has changed, and only that group. Prints TAP.
set -u
dir=build/test/groups
rm -rf $dir
mkdir -p $dir
python3 - $dir << 'PY'
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint, write_tokenizer
write_checkpoint(f"{sys.argv[1]}/tiny.bin", 16, 24, 2, 4, 2, 40, 32, True)
write_tokenizer(f"{sys.argv[1]}/tiny.tok", 40)
PY
build/hardwire quantize $dir/tiny.bin -o $dir/q.safetensors -q --bits 8
sim() {
    HARDWIRE_ROM_TEXT=10000 build/hardwire sim $dir/q.safetensors -t $dir/tiny.tok -o $dir/chip -n 20 --quiet \
        --rows 8 --cols 8 --vec 4 --att-pos 4 --bank-bytes 256 > $dir/words 2>&1
}
verdict() { # NAME, after the command that decides
    if [ $? = 0 ]; then echo "ok $1"; else echo "not ok $1"; sed 's/^/# /' $dir/words; fi
}
sim && grep -q 'tensor values compared with the reference, 0 different' $dir/words
verdict "a chip of two groups equals the reference"
grep -q ': 2 groups of banks' $dir/words && ! grep -q 'weight_b' $dir/chip/sim/verilated/Vtap_top__ver.d
verdict "its banks are not compiled with the chip"

# Word 0 of a bank of the first group, the embedding's, moves to the other words.
first=$(cksum < $dir/chip/sim/weight_g00/weight_g00.o) second=$(cksum < $dir/chip/sim/weight_g01/weight_g01.o)
sed -i "s/3'd0: data/3'd8: data/; s/3'd1: data/3'd0: data/; s/3'd8: data/3'd1: data/" $dir/chip/personality/weight_b00.v
! sim && grep -q 'weight_b00.v: not what was generated' $dir/words && ! grep -q compiling $dir/words
verdict "two words of a bank exchanged: the file is named before anything is compiled"
HARDWIRE_ROM_TEXT=10000 sim/build $dir/chip > $dir/words 2>&1 &&
    ! $dir/chip/sim/cosim $dir/chip -m $dir/q.safetensors -t $dir/tiny.tok -n 20 --quiet > $dir/words 2>&1 &&
    grep -q '^MISMATCH' $dir/words && grep -q 'weight_b00.v: not what was generated' $dir/words
verdict "and where it is compiled, a tensor differs"
[ "$first" != "$(cksum < $dir/chip/sim/weight_g00/weight_g00.o)" ] &&
    [ "$second" = "$(cksum < $dir/chip/sim/weight_g01/weight_g01.o)" ]
verdict "only its group was compiled again"
