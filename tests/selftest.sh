#!/bin/bash
# The self-test of a tiny chip in Icarus: its result is what zlib computes of the words in the Verilog, and what the
# manifest says; a flipped bit in any ROM, two words that change places and two ROMs that change places give
# another result, and so does another model. Then one asked for in the middle of a sequence waits, and the chip
# says the tokens that it says without. Prints TAP.
set -u
dir=build/test/selftest
rm -rf $dir
mkdir -p $dir
emit() { # NAME DIMENSIONS OPTIONS...
    PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/$1.bin', $2, seed=7)" &&
        build/hardwire quantize $dir/"$1".bin -o $dir/"$1".safetensors -q --bits 4 --nearest &&
        build/hardwire emit $dir/"$1".safetensors --rows 4 --cols 4 --vec 4 --att-pos 4 -o $dir/"$1" -q "${@:3}" || exit 1
}
run() { # NAME PLUSARGS...: what the bench prints
    local design=$dir/$1
    shift
    # shellcheck disable=SC2046
    iverilog -g2005 -s selftest_tb "-I$design/fabric" -o $dir/bench.vvp $(sed "s|^|$design/|" $design/filelist.f | grep '\.v$') \
        sim/selftest_tb.v > $dir/words 2>&1 || { cat $dir/words; return; }
    vvp -n $dir/bench.vvp "$@"
}
verdict() { # NAME STATUS
    [ "$2" = 0 ] && echo "ok $1" || echo "not ok $1"
}
shape='8, 12, 1, 2, 1, 30, 16, True'
emit good "$shape" --selftest on
emit other '8, 12, 1, 2, 1, 29, 16, True' --selftest on # a token less
# VEC is 4 and every width a multiple of 8: the words' bytes, lowest first, in the order of rom and address
expected=$(python3 - $dir/good << 'PY'
import json, re, sys, zlib
design = sys.argv[1]
geometry = json.load(open(design + "/manifest.json"))["geometry"]
half = (geometry["head_dim"] // 2 - 1).bit_length()
crc, clocks = 0, 3
for name, bits in (("weight", geometry["weight_addr_bits"]), ("scale", geometry["scale_addr_bits"]),
                   ("level", geometry["level_addr_bits"]), ("gain", geometry["gain_addr_bits"]),
                   ("rope_hi", geometry["rope_hi_bits"] + half), ("rope_lo", geometry["rope_lo_bits"] + half),
                   ("program", geometry["prog_addr_bits"])):
    text = open(f"{design}/personality/{name}_b00.v").read()
    width = int(re.search(r"\[(\d+):0\] data", text)[1]) + 1
    words = {int(a): int(w, 16) for a, w in re.findall(r"'d(\d+): data <= \d+'h([0-9a-f]+);", text)}
    assert width % 8 == 0 and words and max(words) < 1 << bits, name
    for at in range(1 << bits):
        crc = zlib.crc32(words.get(at, 0).to_bytes(width // 8, "little"), crc)
    clocks += (geometry["latency_rom"] + width // geometry["vec"]) << bits
print(f"{crc:08x} {clocks}")
PY
)
in_manifest() {
    python3 -c "
import json, sys
s = json.load(open('$dir/$1/manifest.json'))['selftest']
print(f\"{s['crc32']:08x} {s['clocks']}\")"
}
run good > $dir/good.words
{ read -r result; read -r first; read -r second; read -r again; } < $dir/good.words
sed 's/^/# /' $dir/good.words
[ -n "$expected" ] && [ "$result" = "$expected" ]
verdict "the chip's result and clocks are zlib's of its words: $expected" $?
[ "$(in_manifest good)" = "$expected" ]
verdict "and the manifest's" $?
[ "$again" = "${expected% *} in time" ]
verdict "one asked for in a sequence waits for its end and answers the same" $?
emit plain "$shape" --selftest off
run plain +plain=1 > $dir/plain.words # the same prompt, and no test
[ "$first" != "" ] && [ "$(cat $dir/plain.words)" = "$first
$second" ]
verdict "tokens are those of the chip without: $first, $second" $?
[ ! -e $dir/plain/fabric/selftest.v ] && [ ! -e $dir/plain/fabric/crc32.v ] && ! grep -q '"crc32"' $dir/plain/manifest.json
verdict "which has no self-test in it" $?
[ "$(run other +once=1)" = "$(in_manifest other)" ] && [ "$(in_manifest other)" != "$expected" ]
verdict "another model has a result of its own" $?

damage() { # WHAT ROM [ROM]: in $dir/bad
    rm -rf $dir/bad
    cp -r $dir/good $dir/bad
    python3 - $dir/bad/personality "$@" << 'PY'
import re, sys
folder, what, *names = sys.argv[1:]
LINE = re.compile(r"(\d+)'d(\d+): data <= (\d+)'h([0-9a-f]+);")
def read(name):
    text = open(f"{folder}/{name}_b00.v").read()
    return text, [list(m) for m in LINE.findall(text)]
def write(name, text, lines):
    it = iter(lines)
    open(f"{folder}/{name}_b00.v", "w").write(LINE.sub(lambda m: "{}'d{}: data <= {}'h{};".format(*next(it)), text))
text, lines = read(names[0])
if what == "flip":  # a bit in the middle of a word in the middle
    line = lines[len(lines) // 2]
    line[3] = f"{int(line[3], 16) ^ 1 << int(line[2]) // 2:0{len(line[3])}x}"
elif what == "last":  # the highest bit of the last word
    line = lines[-1]
    line[3] = f"{int(line[3], 16) ^ 1 << (int(line[2]) - 1):0{len(line[3])}x}"
elif what == "swap":  # two words
    other = next(i for i in range(1, len(lines)) if lines[i][3] != lines[0][3])
    lines[0][3], lines[other][3] = lines[other][3], lines[0][3]
if what == "roms":
    bits = {n: re.search(r"input  wire \[(\d+):0\] addr", read(n)[0])[1] for n in names}
    texts = {n: read(n)[0] for n in names}
    assert len(set(bits.values())) == 1, bits
    for a, b in (names, names[::-1]):
        open(f"{folder}/{a}_b00.v", "w").write(texts[b].replace(f"module {b}_b00", f"module {a}_b00"))
else:
    write(names[0], text, lines)
PY
}
missed() { # the bench's answer of a damaged chip is one, and not the expected one
    local words
    words=$(run bad +once=1)
    echo "# $words"
    [[ $words =~ ^[0-9a-f]{8}\ ${expected#* }$ ]] && [ "$words" != "$expected" ]
}
for rom in weight scale level gain rope_hi rope_lo program; do
    damage flip $rom
    missed
    verdict "a flipped bit in the $rom ROM is found" $?
done
damage last program
missed
verdict "the last bit of the last word, too" $?
damage swap weight
missed
verdict "two words that change places are found" $?
damage roms rope_hi rope_lo
missed
verdict "two ROMs that change places are found" $?
