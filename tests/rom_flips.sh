#!/bin/bash
# Generated ROMs of a small chip, damaged: one bit (the run must fail and name the file), the same with the
# manifest's hash made to fit (the ROM proof must name file and word), and every word moved to the next
# address (the comparison with the reference alone must see it).
# Prints TAP.
set -u
dir=build/test/flips
mkdir -p $dir
build/shape 3 $dir > $dir/options
{ read -r quantize; read -r geometry; } < $dir/options
# macros of which none holds padding alone: no bit of such a one can be told
geometry="$(echo "$geometry" | sed 's/ --rom-macro [0-9x]*//') --rom-macro 257x144"
# shellcheck disable=SC2086
build/hardwire quantize $dir/shape.bin -o $dir/q.safetensors -q $quantize || exit 1
# hardwire sim would refuse a design that is damaged before it compiles it.
sim() {
    sim/build "$1" icarus && build/cosim-icarus "$1" -m $dir/q.safetensors -t $dir/shape.tok -n 3 --quiet
}
verdict() { # NAME PATTERN
    if [ $status != 0 ] && grep -qE "$2" $dir/bad.log; then
        echo "ok $1"
    else
        echo "not ok $1"
    fi
    sed 's/^/# /' $dir/bad.log | head -n 4
}
# shellcheck disable=SC2086
build/hardwire emit $dir/q.safetensors -o $dir/good -q $geometry && sim $dir/good > $dir/good.log 2>&1 || { echo "not ok the chip as generated"; cat $dir/good.log; exit 1; }
echo "ok the chip as generated"
damage() { # NAME DAMAGE: of a ROM of $dir/bad
    python3 - "$dir/bad/personality/$1" $2 << 'PY'
import re, sys
path, damage = sys.argv[1:]
text = open(path).read()
words = re.findall(r"(\d+)'d(\d+): data <= (\d+'h[0-9a-f]+);", text)
bits = int(words[0][0])
if damage != "move":
    # Macros side by side hold parts of one word: each is damaged in another word, all but the first in its
    # last bit (the first bit of the program's second macro is of an address, which another ROM is read at).
    column = re.search(r"_c(\d+)\.v$", path)
    column = int(column[1]) if column else 0
    at = min(1 + column, len(words) - 1)
    width, value = words[at][2].split("'h")
    bit = int(width) - 1 if column else 0
    words[at] = (*words[at][:2], f"{width}'h{int(value, 16) ^ 1 << bit:0{len(value)}x}")
else:  # each to the next address, the last to the first
    words = [(n, (int(a) + 1) % (1 << bits), w) for n, a, w in words]
words = iter(words)
text = re.sub(r"\d+'d\d+: data <= \d+'h[0-9a-f]+;", lambda m: "{}'d{}: data <= {};".format(*next(words)), text)
open(path, "w").write(text)
if damage == "forge":
    import hashlib, json, os
    design, name = path.rsplit("/", 2)[0], "/".join(path.rsplit("/", 2)[1:])
    manifest = json.load(open(design + "/manifest.json"))
    manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    json.dump(manifest, open(design + "/manifest.json", "w"))
PY
}
roms=$(cd $dir/good/personality && ls ./*.v | sed 's|^\./||')
# One bit in every ROM at once: each is named.
for kind in flip forge; do
    rm -rf $dir/bad
    cp -r $dir/good $dir/bad
    for name in $roms; do damage "$name" $kind; done
    if [ $kind = flip ]; then
        sim $dir/bad > $dir/bad.log 2>&1
    else
        python3 tests/prove_roms.py --roms-only $dir/bad $dir/q.safetensors > $dir/bad.log 2>&1
    fi
    status=$?
    for name in $roms; do
        case $kind in
        flip) verdict "a changed bit in $name is named" "$name: not what was generated" ;;
        forge) verdict "a changed bit in $name, with its hash, is named" "DIFFERENT personality/$name: " ;;
        esac
    done
done
for name in $roms; do
    rm -rf $dir/bad
    cp -r $dir/good $dir/bad
    damage "$name" move
    sim $dir/bad > $dir/bad.log 2>&1
    status=$?
    verdict "moved words of $name are seen" '^MISMATCH|cycle model says|the design hangs'
done
