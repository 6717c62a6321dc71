#!/bin/sh
# Unreadable, truncated and lying checkpoints: a clear error, exit status 1, nothing left behind.
# tests/hostile.sh [PROGRAM]: build/hardwire, or another build of it. Prints TAP.
set -u
hardwire=${1:-build/hardwire}
dir=build/test/hostile-$(echo "$hardwire" | tr / -)
rm -rf $dir
mkdir -p $dir
ends() { # STATUS NAME PATTERN COMMAND...
    wanted=$1
    name=$2
    pattern=$3
    shift 3
    "$@" > $dir/words 2>&1
    status=$?
    left=$(find $dir -name 'out*')
    if [ $status = "$wanted" ] && grep -qE -e "$pattern" $dir/words && [ -z "$left" ]; then
        echo "ok $name: $(tail -n 1 $dir/words)"
    else
        echo "not ok $name: status $status, left '$left': $(cat $dir/words)"
    fi
    rm -rf $dir/out*
}
refused() { ends 1 "$@"; } # NAME PATTERN COMMAND...
quantize() { refused "$1" "$2" "$hardwire" quantize "$3" -o $dir/out.safetensors -q; }
header() { # writes seven little-endian integers
    python3 -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<7i', *map(int, sys.argv[1:])))" "$@"
}
quantize "no such file" "$dir/none.bin: .*No such file" $dir/none.bin
mkdir $dir/folder
quantize "a folder without a model" "$dir/folder" $dir/folder
: > $dir/empty.bin
quantize "an empty file" "$dir/empty.bin: " $dir/empty.bin
head -c 100 /bin/sh > $dir/elf.bin
quantize "another kind of file" "$dir/elf.bin: " $dir/elf.bin
for n in 27 28 1000 500000 1129563; do
    head -c $n models/story.bin > $dir/cut.bin
    quantize "cut after $n bytes" "$dir/cut.bin: .*expected" $dir/cut.bin
done
cat models/story.bin models/tokenizer.bin > $dir/long.bin
quantize "bytes after the end" "$dir/long.bin: .*expected" $dir/long.bin
header 64 192 5 8 3 512 512 > $dir/lie.bin
quantize "heads that do not divide" "$dir/lie.bin: .*expected" $dir/lie.bin
header 2147483632 2147483632 2147483647 8 8 2147483647 512 > $dir/lie.bin
quantize "absurd dimensions" "$dir/lie.bin: .*expected" $dir/lie.bin
header -64 192 5 8 4 512 512 > $dir/lie.bin
quantize "a negative dimension" "$dir/lie.bin: .*expected" $dir/lie.bin
python3 - models/story.bin $dir/nan.bin << 'PY'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
data[28 + 4 * 70 : 32 + 4 * 70] = struct.pack("<f", float("nan"))
open(sys.argv[2], "wb").write(data)
PY
quantize "a weight that is not a number" "finite" $dir/nan.bin
refused "a checkpoint where a quantized model belongs" "models/story.bin: " \
    "$hardwire" emit models/story.bin -o $dir/out
refused "a geometry that cannot be" "geometry: rows: expected" \
    "$hardwire" emit build/default.safetensors -o $dir/out --rows 33
refused "a tokenizer of another size" "expected" "$hardwire" run build/default.safetensors -t models/story.bin

# What no chip holds is refused before any work.
limits() { # NAME PATTERN DIM HEADS CONTEXT
    python3 - $dir/limit.bin "$3" "$4" "$5" << 'PY'
import struct, sys
dim, heads, context = map(int, sys.argv[2:])
floats = 30 * dim + 2 * dim + 4 * dim * dim + 3 * 12 * dim + dim + context * (dim // heads)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<7i", dim, 12, 1, heads, heads, 30, context) + struct.pack("<f", 0.1) * floats)
PY
    quantize "$1" "$2" $dir/limit.bin
}
limits "a context beyond the machine's" "limit.bin: seq_len: expected at most 524288, got 600000" 8 2 600000
limits "heads of 6" "limit.bin: geometry: head_dim: expected a power of two from 4, got 6" 12 2 32
refused "256 heads" "n_heads: expected at most 255, got 256" \
    "$hardwire" emit --shape 1024,2048,1,256,256,1000,512 -o $dir/out
q=build/default.safetensors
quantize "a quantized model again" "$q: expected a checkpoint of floats" $q
for slice in layer:0-2 layer:0x op:rmsnorm:x op:rmsnorm:0: matrix:output:0-15abc matrix:output:0 matrix:; do
    refused "slice $slice" "slice: .*expected" "$hardwire" emit $q -o $dir/out --slice $slice
done
refused "a path that the shell would take apart" "expected letters, digits and .*, got ' '" \
    "$hardwire" sim $q -t models/tokenizer.bin -o "$dir/out of"
usage() { # NAME PATTERN VERB OPTION...
    name=$1
    pattern=$2
    shift 2
    ends 2 "$name" "$pattern" "$hardwire" "$@"
}
usage "bits of a quantized model" "--bits.*: expected a model without" emit $q -o $dir/out --bits 3
usage "an option of another verb" "unrecognized option '--icarus'" emit $q -o $dir/out --icarus
usage "a number out of range" "--threads: expected a number in 1..64, got '100'" run $q -t x --threads 100
if [ -w /dev/full ]; then
    refused "standard output that takes nothing" "standard output: cannot write" \
        sh -c "\"$hardwire\" plan $q --json > /dev/full"
else
    echo "not ok /dev/full is missing"
fi
