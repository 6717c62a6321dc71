#!/bin/bash
# Emission that is streamed: little memory, a size said first and kept, a full or small disk, an
# interruption; ROMs of many banks, proven and simulated. Prints TAP.
set -u
dir=build/test/emit
rm -rf $dir
mkdir -p $dir
verdict() { # NAME: of the commands before, joined by &&
    if [ $? = 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
    sed 's/^/# /' $dir/words | tail -n 4
    : > $dir/words
}
nothing_left() { [ -z "$(find $dir -maxdepth 1 -name "$1*")" ]; }
digest() { find "$1" -type f -exec sha256sum {} + | sort -k 2 | sha256sum; }
# The shape of SmolLM2-135M: 73 MB of weight ROM in 2,048 lanes.
large="--shape 576,1536,30,9,3,49152,512 --rows 128 --cols 16 --vec 16 --att-pos 16"

# The ROM image alone would be more than this much memory.
# shellcheck disable=SC2086
(ulimit -v 50000 && build/hardwire emit $large -o $dir/large > $dir/words 2>&1)
verdict "a shape of 135M in 50 MB of address space"
said=$(build/hardwire emit $large -o $dir/large 2>&1 | sed -n 's/^about \([0-9.]*\) MB.*/\1/p')
real=$(find $dir/large -type f -printf '%s\n' | awk '{ n += $1 } END { print n / 1e6 }')
echo "said $said MB, written $real MB" > $dir/words
awk -v a="$said" -v b="$real" 'BEGIN { exit !(a > 0 && b > 0 && a < b * 1.01 && b < a * 1.01) }'
verdict "the size said first is the size written, within 1%"
find $dir/large/personality -name '*.v' | wc -l > $dir/words
[ "$(wc -l < $dir/large/filelist.f)" -gt 256 ] && [ "$(find $dir/large -name '*.v' -size +1100k | wc -l)" = 0 ]
verdict "no bank of it is larger than 512 KiB"
rm -rf $dir/large

# A disk with 20 MB of room, by a statvfs that says so.
cat > $dir/disk.c << 'C'
#include <sys/statvfs.h>
int statvfs(const char *path, struct statvfs *s)
{
    (void)path;
    *s = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_bavail = 5000};
    return 0;
}
C
cc -shared -fPIC -o $dir/disk.so $dir/disk.c
# shellcheck disable=SC2086
LD_PRELOAD=$dir/disk.so build/hardwire emit $large -o $dir/room > $dir/words 2>&1
[ $? = 1 ] && grep -q 'room.partial: disk: expected room for 14[0-9.]* MB, got 20.5 MB' $dir/words &&
    nothing_left room
verdict "a disk without room is refused, and nothing left"
LD_PRELOAD=$dir/disk.so build/hardwire emit build/default.safetensors -o $dir/room > $dir/words 2>&1 &&
    [ -f $dir/room/manifest.json ]
verdict "the same disk holds a small chip"

# What an older output is, it stays until the new one is whole.
before=$(digest $dir/room)
# shellcheck disable=SC2086
(trap '' XFSZ; ulimit -f 400; exec build/hardwire emit $large -o $dir/room) > $dir/words 2>&1
[ $? = 1 ] && grep -q 'room.partial/personality/weight_b00.v: cannot write: File too large' $dir/words &&
    [ "$(digest $dir/room)" = "$before" ] && [ ! -e $dir/room.partial ]
verdict "a write that fails leaves the older output"
interrupted() { # SIGNAL: sent once banks are being written
    # as if started by hand: a script starts what is in the background without INT, nohup without HUP
    # shellcheck disable=SC2086
    env --default-signal=INT,TERM,HUP build/hardwire emit $large -o $dir/room > $dir/words 2>&1 &
    local child=$! i
    for ((i = 0; i < 1000; i++)); do
        [ -e $dir/room.partial/personality/weight_b01.v ] && break
        sleep 0.01
    done
    kill -s "$1" $child
    wait $child
    [ $? = 1 ] && grep -q 'room.partial: interrupted' $dir/words &&
        [ "$(digest $dir/room)" = "$before" ] && [ ! -e $dir/room.partial ]
}
for signal in INT TERM HUP; do
    interrupted $signal
    verdict "SIG$signal leaves the older output"
done

# Names as a shell completes them, and what is in the way.
emit() { build/hardwire emit build/default.safetensors -o "$@" > $dir/words 2>&1; }
rm -rf $dir/room
emit $dir/room/ && emit $dir/room/// --rows 16 && [ -f $dir/room/manifest.json ] && [ "$(ls -d $dir/room*)" = $dir/room ]
verdict "slashes at the end of a name"
before=$(digest $dir/room)
for name in $dir/room/. $dir/room/.. . / ''; do
    emit "$name"
    [ $? = 1 ] && grep -q 'expected the name of a directory' $dir/words && [ "$(digest $dir/room)" = "$before" ] || break
done
verdict "no name of a directory to make"
mkdir -p $dir/room.old && ! emit $dir/room && grep -q 'room.old: is in the way' $dir/words &&
    [ "$(digest $dir/room)" = "$before" ] && rmdir $dir/room.old
verdict "something where the older output must go"
for mine in mine fabric/thesis.txt fabric/chip.v; do
    mkdir -p "$(dirname $dir/room.partial/$mine)" && echo mine > $dir/room.partial/$mine && ! emit $dir/room &&
        grep -q 'room.partial: is in the way, expected nothing there' $dir/words &&
        [ "$(cat $dir/room.partial/$mine)" = mine ] && [ "$(digest $dir/room)" = "$before" ]
    verdict "somebody's $mine where the new output must go stays"
    rm -rf $dir/room.partial
done
killed() {
    # shellcheck disable=SC2086
    build/hardwire emit $large -o $dir/room > $dir/words 2>&1 &
    local child=$! i
    for ((i = 0; i < 1000; i++)); do
        [ -e $dir/room.partial/personality/weight_b01.v ] && break
        sleep 0.01
    done
    kill -s KILL $child
    ! wait $child 2> /dev/null && [ -e $dir/room.partial/personality/weight_b01.v ] && [ "$(digest $dir/room)" = "$before" ]
}
killed && echo mine > $dir/room.partial/mine && ! emit $dir/room &&
    grep -q 'room.partial: not replaced: it holds mine,' $dir/words && rm $dir/room.partial/mine &&
    emit $dir/room && [ ! -e $dir/room.partial ] && [ -z "$(find $dir/room -name '.*' -type f)" ]
verdict "what an output that was killed has left goes"

# Whatever hardwire did not make stays, at any depth, in any folder of the design, and is named before any work.
before=$(digest $dir/room)
for mine in NOTES.txt runs/2024/mine runs/1/2/3/4/mine fabric/mine.v personality/mine sim/mine sim/verilated/NOTES \
    .hidden fabric/.hidden 'a b'; do
    mkdir -p "$(dirname "$dir/room/$mine")" && echo mine > "$dir/room/$mine"
    emit $dir/room --rows 16
    [ $? = 1 ] && grep -qF "it holds $mine, which is not known as hardwire" $dir/words &&
        ! grep -q 'MB of Verilog' $dir/words && [ "$(cat "$dir/room/$mine")" = mine ] && [ ! -e $dir/room.partial ] &&
        rm "$dir/room/$mine" && [ "$(digest $dir/room)" = "$before" ]
    verdict "somebody's $mine in the older output stays"
    find $dir/room -mindepth 1 -type d -empty -delete
done
cp -r $dir/room $dir/bare && echo '{"format": "hardwire-manifest-1", "files": {}}' > $dir/bare/manifest.json
bare=$(digest $dir/bare)
! emit $dir/bare && grep -q 'files: expected the design.s files, filelist.f among them' $dir/words && [ "$(digest $dir/bare)" = "$bare" ] &&
    [ ! -e $dir/bare.old ] && rm -rf $dir/bare
verdict "so does all of a folder whose manifest lists nothing"
mkdir $dir/room/empty && ! emit $dir/room --rows 16 && grep -q 'it holds empty/,' $dir/words && rmdir $dir/room/empty
verdict "so does somebody's empty folder"
# A path that the manifest lists, and no file: kept, and named.
other() { # PATH, after which a command makes something there
    local path=$dir/room/$1
    mv "$path" $dir/whole && shift && "$@" "$path" && ! timeout 20 build/hardwire emit build/default.safetensors -o $dir/room \
        --rows 16 > $dir/words 2>&1 && grep -q "room: not replaced: it holds ${path#"$dir"/room/} (a link, a pipe or a device)," $dir/words &&
        [ ! -f "$path" -o -L "$path" ] && rm "$path" && mv $dir/whole "$path" && [ "$(digest $dir/room)" = "$before" ]
}
other fabric/chip.v ln -s /dev/null; verdict "a link at the place of a file of the design stays"
other fabric/chip.v mkfifo; verdict "so does a pipe"
other fabric/chip.v sh -c 'mknod "$0" c 1 3 2> /dev/null || mkfifo "$0"'; verdict "so does a device"
for path in manifest.json fabric/chip.v; do
    mv $dir/room/$path $dir/whole && mkfifo $dir/room/$path && [ -p $dir/room/$path ]
    for verb in "emit build/default.safetensors -o $dir/room" "emit build/default.safetensors --fabric $dir/room -o $dir/more" \
        "emit build/default.safetensors -o $dir/room --keep" "report $dir/room -o $dir/page.html"; do
        # shellcheck disable=SC2086
        timeout 20 build/hardwire $verb > $dir/words 2>&1
        [ $? != 124 ] && [ -p $dir/room/$path ] || break
    done
    verdict "a pipe as $path: no verb waits for it"
    rm $dir/room/$path && mv $dir/whole $dir/room/$path && rm -rf $dir/more $dir/page.html
done
[ "$(digest $dir/room)" = "$before" ]
verdict "and the output is what it was"
! build/hardwire report $dir/room -o $dir/room/page.html > $dir/words 2>&1 &&
    grep -q 'page.html: expected a name outside of the design' $dir/words &&
    ! build/hardwire report $dir/room -o $dir/page.html --json $dir/room/page.json > $dir/words 2>&1 &&
    grep -q 'page.json: expected a name outside of the design' $dir/words && [ "$(digest $dir/room)" = "$before" ]
verdict "no report into the design"

# sim/ goes with the design where sim/build lists it, finished or killed, and nothing else in it does.
sim/build $dir/room icarus > $dir/words 2>&1 && [ -s $dir/room/sim/made ] && [ ! -e $dir/room/sim/building ]
verdict "sim/build lists what it has made"
for mine in sim/inputs-backup sim/verilated/Vtap_top_thesis.txt sim/verilated/verilated-notes.md sim/my_g1/obj/thesis_g1.tex; do
    mkdir -p "$(dirname $dir/room/$mine)" && echo mine > $dir/room/$mine && ! emit $dir/room --rows 16 &&
        grep -qF "it holds $mine," $dir/words && [ "$(cat $dir/room/$mine)" = mine ] && rm $dir/room/$mine
    verdict "somebody's $mine stays"
    find $dir/room/sim -mindepth 1 -type d -empty -delete
done
rm $dir/room/sim/icarus.stamp
stays() { # NAME PATTERN: sim/build refuses what lies at sim/NAME, at once, and writes nothing
    local was
    was=$(digest $dir/room)
    ! timeout 20 sim/build $dir/room icarus > $dir/words 2>&1 && [ $? != 124 ] && grep -q "sim.*: $2" $dir/words && [ "$(digest $dir/room)" = "$was" ]
    verdict "sim/build leaves $1 where it is"
}
echo mine > $dir/room/sim/notes.txt && stays "somebody's file" "is not known as hardwire" && rm $dir/room/sim/notes.txt
mkdir -p $dir/room/sim/weight_g00 && echo mine > $dir/room/sim/weight_g00/thesis.txt
stays "somebody's file in a folder that it would make" "is not known as hardwire" && rm -r $dir/room/sim/weight_g00
mv $dir/room/sim/design.vvp $dir/whole && echo mine > $dir/mine.txt && ln -s $PWD/$dir/mine.txt $dir/room/sim/design.vvp
stays "a link" "expected a file or a folder of hardwire" && [ "$(cat $dir/mine.txt)" = mine ] && rm $dir/room/sim/design.vvp && mv $dir/whole $dir/room/sim/design.vvp
mv $dir/room/sim/icarus.log $dir/whole && mkfifo $dir/room/sim/icarus.log
stays "a pipe" "expected a file or a folder of hardwire"
rm $dir/room/sim/icarus.log && mv $dir/whole $dir/room/sim/icarus.log
mv $dir/room/sim $dir/kept && mkdir -p $dir/mine && ln -s $PWD/$dir/mine $dir/room/sim && ! sim/build $dir/room icarus > $dir/words 2>&1 &&
    grep -q 'sim: expected a folder, got a link' $dir/words && [ -z "$(ls $dir/mine)" ] && rm $dir/room/sim && mv $dir/kept $dir/room/sim
verdict "nor does it write through a link at sim"
mkdir -p $dir/slow && printf '#!/bin/sh\nsleep 3\nexec %s "$@"\n' "$(command -v iverilog)" > $dir/slow/iverilog && chmod +x $dir/slow/iverilog
PATH=$PWD/$dir/slow:$PATH sim/build $dir/room icarus > $dir/words 2>&1 &
for ((i = 0; i < 200; i++)); do [ -e $dir/room/sim/building ] && break; sleep 0.05; done
echo mine > $dir/room/sim/notes.txt
wait $! && ! emit $dir/room --rows 16 && grep -q 'it holds sim/notes.txt,' $dir/words && [ "$(cat $dir/room/sim/notes.txt)" = mine ]
verdict "a file that comes while it compiles is not taken for its own"
rm $dir/room/sim/notes.txt $dir/room/sim/icarus.stamp && sed -i '/notes/d' $dir/room/sim/made
PATH=$PWD/$dir/slow:$PATH setsid sim/build $dir/room icarus > $dir/words 2>&1 &
for ((i = 0; i < 200; i++)); do [ -e $dir/room/sim/building ] && break; sleep 0.05; done
kill -KILL -- -$!
! wait $! 2> /dev/null && [ -e $dir/room/sim/building ] && echo mine > $dir/room/sim/notes.txt && ! emit $dir/room --rows 16 &&
    grep -q 'it holds sim/notes.txt,' $dir/words && ! sim/build $dir/room icarus > $dir/words 2>&1 &&
    grep -q 'sim: a compilation was killed there' $dir/words && rm $dir/room/sim/notes.txt && emit $dir/room && [ ! -e $dir/room/sim ]
verdict "nor one that comes after a compilation that was killed; what that has left goes"
build/hardwire layout build/default.safetensors -o $dir/lay > $dir/words 2>&1 && echo mine > $dir/lay/macros.spice &&
    ! build/hardwire layout build/default.safetensors -o $dir/lay > $dir/words 2>&1 && grep -q 'it holds macros.spice,' $dir/words &&
    [ "$(cat $dir/lay/macros.spice)" = mine ] && rm $dir/lay/macros.spice && build/hardwire layout build/default.safetensors -o $dir/lay --spice > $dir/words 2>&1 &&
    build/hardwire layout build/default.safetensors -o $dir/lay > $dir/words 2>&1 && [ ! -e $dir/lay/macros.spice ]
verdict "somebody's netlist in a layout stays, hardwire's goes"
for output in "quantize models/story.bin -o $dir/room/personality/q.safetensors -q" "emit build/default.safetensors -o $dir/room/fabric/sub" \
    "uart build/default.safetensors -t models/tokenizer.bin -o $dir/room/bus" "layout build/default.safetensors -o $dir/room/lay" \
    "run build/default.safetensors -t models/tokenizer.bin --perplexity README.md --each $dir/room/each.tsv"; do
    before=$(digest $dir/room)
    # shellcheck disable=SC2086
    ! build/hardwire $output > $dir/words 2>&1 && [ "$(digest $dir/room)" = "$before" ] &&
        grep -q 'expected a name outside of the design' $dir/words
    verdict "nothing goes into a design: ${output%% *}"
done
before=$(digest $dir/room)
for damage in 'echo >> $dir/room/fabric/chip.v' 'rm $dir/room/fabric/chip.v'; do
    cp $dir/room/fabric/chip.v $dir/whole
    eval "$damage"
    ! emit $dir/room --keep && grep -q 'room: 1 file changed since generation: not kept' $dir/words &&
        grep -q 'fabric/chip.v: ' $dir/words && ! build/hardwire sim build/default.safetensors -t models/tokenizer.bin \
        -o $dir/room > $dir/words 2>&1 && grep -q '1 file changed since generation' $dir/words && ! grep -q compiling $dir/words &&
        mv $dir/whole $dir/room/fabric/chip.v && [ "$(digest $dir/room)" = "$before" ]
    verdict "$damage: --keep and sim refuse, before anything is compiled"
done
echo mine > $dir/room/mine && emit $dir/room --keep && [ "$(cat $dir/room/mine)" = mine ] && rm $dir/room/mine
verdict "--keep leaves the same design and what lies in it"
emit $dir/room --rows 16 && [ "$(digest $dir/room)" != "$before" ]
verdict "and without it the output is replaced"

# Somebody's folder with a manifest.json of another kind, and manifests that are damaged.
foreign() { # NAME MANIFEST
    mkdir -p $dir/ext/src/js
    printf '%s' "$2" > $dir/ext/manifest.json
    for name in background.js src/a.js src/js/b.js; do echo mine > $dir/ext/$name; done
    before=$(digest $dir/ext)
    emit $dir/ext
    [ $? = 1 ] && grep -q "$dir/ext: exists and is not an output of hardwire" $dir/words && [ "$(digest $dir/ext)" = "$before" ]
    verdict "$1"
    rm -rf $dir/ext
}
foreign "a browser extension's manifest" '{"manifest_version": 3, "name": "mine"}'
foreign "a web application's manifest" '{"name": "My PWA", "files": {}}'
foreign "a manifest that is no JSON" 'Manifest-Version: 1.0'
foreign "an empty manifest" ''
foreign "a manifest of a later format" '{"format": "hardwire-manifest-2", "files": {}}'
python3 - $dir/room/manifest.json << 'PY'
import json, sys
m = json.load(open(sys.argv[1]))
del m["geometry"]["vec"], m["model"]
json.dump(m, open(sys.argv[1], "w"))
PY
emit $dir/room && [ ! -e $dir/room.old ] && grep -q '"vec"' $dir/room/manifest.json
verdict "the design of a version with other keys is replaced"
foreign "a manifest that claims what lies outside" "$(python3 -c "
import json, sys
m = json.load(open('$dir/room/manifest.json'))
m['files']['../background.js'] = m['files']['filelist.f']
print(json.dumps(m))")"

# Links: a link to a folder is followed, one to nothing is refused, and neither is replaced.
ln -s room $dir/link && emit $dir/link --rows 8 && [ -L $dir/link ] && [ -f $dir/room/manifest.json ] && [ ! -e $dir/link.partial ]
verdict "a link to an older output: written where it leads"
mkdir $dir/empty && ln -s empty $dir/link2 && emit $dir/link2 && [ -L $dir/link2 ] && [ -f $dir/empty/manifest.json ]
verdict "a link to an empty folder: written where it leads"
ln -s nowhere $dir/link3 && ! emit $dir/link3 && grep -q 'a symbolic link that leads nowhere' $dir/words && [ -L $dir/link3 ]
verdict "a link to nothing is refused"
ln -s ../emit/q.safetensors $dir/room/personality/weight_b00.link
! emit $dir/room && grep -q 'it holds personality/weight_b00.link' $dir/words && rm $dir/room/personality/weight_b00.link
verdict "a link inside is somebody's"

# Two at once: the second is refused; nobody takes the folder of a living process for a dead one's.
# shellcheck disable=SC2086
build/hardwire emit $large -o $dir/both --quiet > $dir/first 2>&1 &
first=$!
for ((i = 0; i < 1000; i++)); do [ -e $dir/both.partial/personality ] && break; sleep 0.01; done
emit $dir/both
[ $? = 1 ] && grep -q "$dir/both: another hardwire is writing it" $dir/words && wait $first &&
    python3 - $dir/both << 'PY' > $dir/words
import hashlib, json, sys
for name, digest in json.load(open(sys.argv[1] + "/manifest.json"))["files"].items():
    assert hashlib.sha256(open(f"{sys.argv[1]}/{name}", "rb").read()).hexdigest() == digest, name
PY
verdict "a second output to the same name is refused, the first is whole"
rm -rf $dir/room* $dir/both* $dir/link* $dir/empty

# Banks of 8 words (of fewer Yosys makes no memory): 32 of weights, joined by a tree.
python3 - $dir << 'PY'
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint, write_tokenizer
write_checkpoint(f"{sys.argv[1]}/tiny.bin", 16, 24, 2, 4, 2, 40, 32, True)
write_tokenizer(f"{sys.argv[1]}/tiny.tok", 40)
PY
geometry="--rows 8 --cols 8 --vec 4 --att-pos 4 --bank-bytes 256"
build/hardwire quantize $dir/tiny.bin -o $dir/q.safetensors -q --bits 8
# shellcheck disable=SC2086
build/hardwire sim $dir/q.safetensors -t $dir/tiny.tok -o $dir/tree -n 6 --quiet --icarus $geometry > $dir/words 2>&1
verdict "a chip with a tree of banks equals the reference"
cp -r $dir/tree "$dir/it's a tree" && build/cosim-icarus "$dir/it's a tree" -m $dir/q.safetensors -t $dir/tiny.tok -n 2 \
    --quiet > $dir/words 2>&1 && grep -q ' compared with the reference, 0 different' $dir/words
verdict "so does a copy whose name has a quote and a space"
grep -q 'weight_g01 u_g01' $dir/tree/fabric/weight_rom.v &&
    python3 tests/prove_roms.py --roms-only $dir/tree $dir/q.safetensors > $dir/words 2>&1
verdict "its ROMs hold the model"
files=$(sed "s|^|$dir/tree/|" $dir/tree/filelist.f | grep '\.v$')
# shellcheck disable=SC2086
verilator --lint-only -Wall -I$dir/tree/fabric --top-module chip_top $files > $dir/words 2>&1 && [ ! -s $dir/words ]
verdict "and Verilator has no complaint"

# The same model in macros of 128 words of 32 bits: rows of banks, and in each the parts of a word side by side.
# shellcheck disable=SC2086
build/hardwire sim $dir/q.safetensors -t $dir/tiny.tok -o $dir/macros -n 6 --quiet --icarus --rows 8 --cols 4 --vec 4 \
    --att-pos 4 --rom-macro 130x32 > $dir/words 2>&1
verdict "a chip of ROM macros equals the reference"
[ -e $dir/macros/personality/weight_b01_c03.v ] && [ -e $dir/macros/fabric/weight_b01.v ] &&
    ! grep -l "reg  \[\(3[2-9]\|[4-9][0-9]\|[0-9][0-9][0-9]\):0\] data" $dir/macros/personality/*.v > $dir/words &&
    python3 tests/prove_roms.py --roms-only $dir/macros $dir/q.safetensors > $dir/words 2>&1
verdict "no macro is wider than 32 bits, and they hold the model"
files=$(sed "s|^|$dir/macros/|" $dir/macros/filelist.f | grep '\.v$')
# shellcheck disable=SC2086
verilator --lint-only -Wall -I$dir/macros/fabric --top-module chip_top $files > $dir/words 2>&1 && [ ! -s $dir/words ]
verdict "Verilator has no complaint about them"
sed -i "0,/32'h/s/32'h\([0-9a-f]*\)\([0-7]\);/32'h\18;/" $dir/macros/personality/weight_b00_c02.v
! python3 tests/prove_roms.py --roms-only $dir/macros $dir/q.safetensors > $dir/words 2>&1 &&
    grep -q 'DIFFERENT personality/weight_b00_c02.v: weight ROM word ' $dir/words
verdict "a changed bit is found, and its macro named"
for wrong in 64x64 256 256x x32 0x0 128x28x1 65536x65; do
    ! build/hardwire plan $dir/q.safetensors --rom-macro $wrong > $dir/words 2>&1 && grep -q "rom-macro: expected DEPTHxWIDTH.*got '$wrong'" $dir/words || break
done
verdict "a macro that is none is refused"
