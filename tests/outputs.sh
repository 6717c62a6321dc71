#!/bin/bash
# Several runs and one output: simulations of one design at once, designs that take each other's place, files that
# would be written onto each other. tests/outputs.sh; prints TAP.
set -u
dir=build/test/outputs
rm -rf $dir
mkdir -p $dir/bin
verdict() { # NAME: of the commands before, joined by &&
    if [ $? = 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
    sed 's/^/# /' $dir/words | tail -n 4
    : > $dir/words
}
python3 - $dir << 'PY'
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint, write_tokenizer
write_checkpoint(f"{sys.argv[1]}/tiny.bin", 16, 24, 1, 4, 2, 40, 32, True)
write_tokenizer(f"{sys.argv[1]}/tiny.tok", 40)
PY
q=$dir/q.safetensors
build/hardwire quantize $dir/tiny.bin -o $q -q
sim() { # DIR OPTION...
    local design=$1
    shift
    build/hardwire sim $q -t $dir/tiny.tok -o "$design" --icarus --quiet --rows 8 --cols 8 --vec 4 --att-pos 4 "$@"
}

# Compilers that tell when two of them are at work, and a simulator that waits for $GO.
cat > $dir/bin/iverilog << SH
#!/bin/sh
echo compiles >> $dir/compiled
mkdir $dir/compiling || echo at once >> $dir/compiled
sleep 0.5
$(command -v iverilog) "\$@"
status=\$?
rmdir $dir/compiling
exit \$status
SH
cat > $dir/bin/vvp << SH
#!/bin/sh
while [ -n "\${GO-}" ] && [ ! -e "\$GO" ]; do sleep 0.05; done
exec $(command -v vvp) "\$@"
SH
chmod +x $dir/bin/*
build/hardwire emit $q -o $dir/one --quiet --rows 8 --cols 8 --vec 4 --att-pos 4
PATH=$PWD/$dir/bin:$PATH sim/build $dir/one icarus > $dir/words 2>&1 &
PATH=$PWD/$dir/bin:$PATH sim/build $dir/one icarus 2>&1 | cat > $dir/words.second &&
    wait $! && [ "$(cat $dir/compiled)" = compiles ] && cat $dir/words.second >> $dir/words
verdict "two compilations of one design: the second waits and takes what the first has made"

# The first has its inputs, and waits while the second runs with others.
mkdir -p $dir/temp
export TMPDIR=$PWD/$dir/temp
GO=$dir/go PATH=$PWD/$dir/bin:$PATH sim $dir/one --count 3 > $dir/first 2>&1 &
for ((i = 0; i < 200; i++)); do [ -z "$(find $dir/temp -name 'hardwire-inputs*')" ] || break; sleep 0.05; done
sim $dir/one --prompt "a b" --count 6 > $dir/words 2>&1 && grep -q ' compared with the reference, 0 different' $dir/words
verdict "a second simulation of a design that is being simulated"
touch $dir/go
wait $! && grep -q ' compared with the reference, 0 different' $dir/first && [ -z "$(find $dir/temp $dir/one/sim -name '*inputs*')" ]
verdict "and the first has kept its own inputs: no false difference; neither leaves a file"
cat $dir/first > $dir/words
sim $dir/one --rows 4 --count 3 > $dir/words 2>&1 && grep -q ' 0 different' $dir/words
verdict "a simulated design is replaced by another geometry, and simulated again"
home=$PWD
(cd $dir && HARDWIRE_HOME=$home "$home/build/hardwire" sim q.safetensors -t tiny.tok -o -dash --icarus --quiet --rows 8 --cols 8 \
    --vec 4 --att-pos 4 -n 3) > $dir/words 2>&1 && grep -q ' 0 different' $dir/words && [ -f $dir/-dash/manifest.json ]
verdict "a design whose name begins as an option is simulated"

# The smallest of each dimension and of the geometry: the manifest of a fabric is taken back by its own model.
for shape in 4,4,1,1,1,2,1 4,1,1,1,1,2,1 4,2,1,1,1,2,2 8,1,1,2,1,2,1 8,8,1,1,1,3,1; do
    for geometry in "--rows 4 --cols 4 --vec 4" "--rows 2 --cols 2 --vec 2 --code-bits 2"; do
        # shellcheck disable=SC2086
        build/hardwire emit --shape $shape $geometry --att-pos 1 -o $dir/least --quiet > $dir/words 2>&1 &&
            build/hardwire emit --shape $shape --code-bits "$(echo "$geometry" | grep -q code && echo 2 || echo 4)" \
                --fabric $dir/least -o $dir/again --quiet >> $dir/words 2>&1 &&
            cmp $dir/least/manifest.json $dir/again/manifest.json >> $dir/words
        verdict "$shape in $geometry takes its own fabric back"
    done
done

# Files that would be written onto each other, or into a design. Each is refused before any work.
digest() { find "$1" -type f -exec sha256sum {} + | sort -k 2 | sha256sum; }
kept=$(digest $dir/one)
refused() { # NAME PATTERN COMMAND...: the design is as before
    local name=$1 pattern=$2
    shift 2
    "$@" > $dir/words 2>&1
    [ $? = 1 ] && grep -qE -e "$pattern" $dir/words && [ "$(digest $dir/one)" = "$kept" ]
    verdict "$name"
}
outside="expected a name outside of the design"
mkdir -p $dir/none $dir/links
refused "sim --json onto the manifest of its design" "one/manifest.json: $outside, got one in $dir/one" \
    sim $dir/one --json $dir/one/manifest.json
refused "sim --json onto a file deep in its design" "one/fabric/chip.v: $outside" sim $dir/one --json $dir/one/fabric/chip.v
refused "sim --json to a new name in its design" "one/fabric/new: $outside" sim $dir/one --json $dir/one/fabric/new
refused "sim --json to the manifest that is to be" "none/manifest.json: $outside" sim $dir/none --json $dir/none/manifest.json
refused "cosim --json onto the manifest of its design" "one/manifest.json: $outside" \
    build/cosim-icarus $dir/one -m $q -t $dir/tiny.tok -n 1 --json $dir/one/manifest.json
ln -s ../one/manifest.json $dir/links/json
refused "sim --json onto a link to the manifest" "links/json: $outside" sim $dir/one --json $dir/links/json
refused "report --json onto a file deep in the design" "one/fabric/chip.v: is an input .$dir/one." \
    build/hardwire report $dir/one -o $dir/page.html --json $dir/one/fabric/chip.v
refused "report -o onto a file deep in the design" "one/personality/scale_b00.v: is an input" \
    build/hardwire report $dir/one -o $dir/one/personality/scale_b00.v
for json in same ./same links/../same; do
    refused "report -o same --json $json" "$json: --json: expected another name than -o, got $dir/same" \
        build/hardwire report $q -o $dir/same --json $dir/$json
    [ ! -e $dir/same ] || echo "not ok report -o same --json $json: written"
done
echo page > $dir/same && ln $dir/same $dir/links/hard
refused "report -o and --json by two names of one file" "expected another name than -o" \
    build/hardwire report $q -o $dir/same --json $dir/links/hard
build/hardwire report $q -o $dir/page.html --json $dir/page.json > $dir/words 2>&1 &&
    build/hardwire report $dir/one -o /dev/null --json /dev/null >> $dir/words 2>&1 && [ -s $dir/page.html ] && [ -s $dir/page.json ]
verdict "report into two files, and two times into a device"
