#!/bin/sh
# Unreadable, truncated and lying checkpoints: a clear error, exit status 1, nothing left behind.
# tests/hostile.sh [PROGRAM]: build/hardwire, or another build of it. Prints TAP.
set -u
hardwire=${1:-build/hardwire}
export HARDWIRE_HOME=. # another build of it lies elsewhere
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
# What people have in place of a checkpoint, told by its first bytes wherever a file is given; and dimensions whose
# bytes are almost those of a pickle.
python3 - $dir << 'PY'
import gzip, io, json, lzma, os, pickle, struct, sys, tarfile, zipfile
dir = sys.argv[1] + "/kinds/"
os.mkdir(dir)
def put(name, data):
    open(dir + name, "wb").write(data)
put("pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 123\n" % 7)
put("page", b"\n<!DOCTYPE html><html><head><title>404</title></head><body>not here</body></html>")
put("marked", b"\xef\xbb\xbf<html></html>")
put("json", b' {"model_type": "llama"}')
put("text", b"Once upon a time there was a little boy\n")
put("gzip", gzip.compress(bytes(300)))
put("xz", lzma.compress(bytes(300)))
put("elf", b"\x7fELF\2\1\1" + bytes(300))
put("numpy", b"\x93NUMPY\1\0" + bytes(300))
put("ggjt", b"tjgg\3\0\0\0" + bytes(300))
for protocol in 2, 3, 4, 5:
    put(f"pickle{protocol}", pickle.dumps({"weight": [1.5] * 30, "bias": b"x" * 300}, protocol))
with zipfile.ZipFile(dir + "zip", "w") as z:
    z.writestr("archive/data.pkl", b"x" * 500)
with tarfile.open(dir + "tar", "w") as t:
    t.addfile(tarfile.TarInfo("params.json"), io.BytesIO())
put("spm", b"\n\x0e\n\5<unk>\x15\0\0\0\0\x18\2\n\n\n\3<s>" + bytes(300))
put("llamafile", b"MZqFpD='\n" + bytes(300))
put("noise", bytes((i * 89 + 101) % 251 for i in range(400)))
for dim in 640, 896, 1152, 1408, 35615:
    put(f"dim{dim}", struct.pack("<7i", dim, 192, 5, 1, 1, 512, 512) + bytes(300))
PY
kind() { # FILE WORDS: as a checkpoint, as a tokenizer, as a file of a folder
    quantize "$1 as a checkpoint" "kinds/$1: expected a checkpoint .*, got $2" $dir/kinds/"$1"
    refused "$1 as a tokenizer" "kinds/$1: expected a tokenizer .*, got $2" \
        "$hardwire" run build/default.safetensors -t $dir/kinds/"$1"
    mkdir $dir/kinds/hf
    echo '{"model_type": "llama", "hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 1,
        "num_attention_heads": 4, "vocab_size": 300, "max_position_embeddings": 64, "rms_norm_eps": 1e-5}' > $dir/kinds/hf/config.json
    cp $dir/kinds/"$1" $dir/kinds/hf/model.safetensors
    quantize "$1 in a folder" "hf/model.safetensors: expected a safetensors file, got $2" $dir/kinds/hf
    rm -r $dir/kinds/hf
}
kind pointer "a Git LFS pointer"
kind page "an HTML or XML page"
kind marked "an HTML or XML page"
kind text "a text file"
kind gzip "a gzip file"
kind xz "an xz file"
kind tar "a tar file"
kind zip "a PyTorch or another zip file"
kind elf "a program"
kind numpy "a NumPy array"
kind ggjt "a GGML file from before GGUF"
kind spm "a SentencePiece model"
kind llamafile "a llamafile"
head -c 2000 build/default.safetensors > $dir/kinds/cut
long=$(python3 -c "import struct; print(8 + struct.unpack('<Q', open('build/default.safetensors', 'rb').read(8))[0])")
kind cut "a safetensors file that is cut short in its header: expected more than $long bytes, got 2000"
refused "cut as a quantized model" "kinds/cut: expected a quantized model, got a safetensors file that is cut short .* $long bytes, got 2000" \
    "$hardwire" run $dir/kinds/cut -t models/tokenizer.bin
head -c 100000 build/default.safetensors > $dir/kinds/half
refused "a quantized model cut in its data" "kinds/half: metadata: expected at least [0-9]* bytes of data .* got [0-9]*" \
    "$hardwire" run $dir/kinds/half -t models/tokenizer.bin
for protocol in 2 3 4 5; do kind pickle$protocol "a PyTorch pickle"; done
quantize "a config.json alone" "got a JSON file: of a Hugging Face model its folder" $dir/kinds/json
quantize "noise" "not a checkpoint that is known .GGUF, llama2.c.*: llama2.c v0 header: " $dir/kinds/noise
for dim in 640 896 1152 1408 35615; do
    quantize "a llama2.c header of dim $dim" "kinds/dim$dim: (byte 28: tok_embeddings|llama2.c v0 header: head_dim), expected" $dir/kinds/dim$dim
done
mkdir $dir/kinds/pt && echo '{"model_type": "llama"}' > $dir/kinds/pt/config.json && cp $dir/kinds/zip $dir/kinds/pt/pytorch_model.bin
quantize "a folder of PyTorch weights" "kinds/pt: expected a folder with safetensors files, got PyTorch weights alone .pytorch_model.bin.: convert" $dir/kinds/pt
for other in adapter_model.safetensors:'a LoRA adapter alone .*: merge it' model-Q4_0.gguf:'a GGUF file alone .*: give the file itself' \
    flax_model.msgpack:'Flax weights alone'; do
    mkdir $dir/kinds/other && echo '{"model_type": "llama"}' > $dir/kinds/other/config.json && : > "$dir/kinds/other/${other%%:*}"
    quantize "a folder of ${other%%:*}" "got ${other#*:}" $dir/kinds/other
    rm -r $dir/kinds/other
done
cp $dir/kinds/pointer $dir/kinds/pt/config.json && mv $dir/kinds/pt/pytorch_model.bin $dir/kinds/pt/model.safetensors
quantize "a config.json that is a pointer" "config.json: expected JSON, got a Git LFS pointer" $dir/kinds/pt
mkdir -p $dir/folder
for model in models/story.bin $dir/folder /bin/sh; do
    for verb in "emit $model -o $dir/out" "run $model -t models/tokenizer.bin" \
        "sim $model -t models/tokenizer.bin -o $dir/out"; do
        # shellcheck disable=SC2086
        refused "${verb%% *} of $model, not quantized" "hardwire quantize $model -o" "$hardwire" $verb
    done
done
# Texts and levels that are read to their end, or refused.
text() { refused "$1" "$2" "$hardwire" run build/default.safetensors -t models/tokenizer.bin --perplexity "$3"; }
text "a folder as text" "tests: open: kind of file, expected a regular file" tests
refused "a device as text" "/dev/zero: open: kind of file, expected a regular file" \
    timeout 2 "$hardwire" run build/default.safetensors -t models/tokenizer.bin --perplexity /dev/zero
printf 'Once upon a time\0there was a boy' > $dir/zero.txt
text "a text with a zero byte" "zero.txt: byte 16: expected text, got a zero byte" $dir/zero.txt
levels() { refused "$1" "$2" "$hardwire" quantize models/story.bin --levels "$3" --code-bits 3 -o $dir/out.safetensors -q; }
levels "a folder as codebooks" "tests: cannot read: Is a directory" tests
(cat models/story.quant; sed -n 3p models/story.quant) > $dir/twice.quant
levels "a matrix twice among the codebooks" "twice.quant: line [0-9]*: expected each matrix once, got [a-z0-9_.]* again" $dir/twice.quant
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
refused "256 heads" "shape: heads: expected 1..255, got 256" \
    "$hardwire" emit --shape 1024,2048,1,256,256,1000,512 -o $dir/out

# Where output may go: an input, a device, a pipe, a folder are never replaced; what cannot be written is refused
# before any work.
cp models/story.bin $dir/model.bin
same() { # NAME COMMAND...: refused, and the model as before
    refused "$1" "is an input" "$hardwire" quantize $dir/model.bin -o "$2" -q
    cmp -s models/story.bin $dir/model.bin && echo "ok $1: the checkpoint is whole" || echo "not ok $1: the checkpoint is gone"
}
same "quantize onto its input" $dir/model.bin
same "quantize onto its input by another name" $dir/../${dir##*/}/./model.bin
ln -sf model.bin $dir/link.bin
same "quantize onto a link to its input" $dir/link.bin
ln -f $dir/model.bin $dir/hard.bin
same "quantize onto a hard link of its input" $dir/hard.bin
cp models/story.quant $dir/levels.quant
# Nor does any other verb write a file onto one that it reads.
cp build/default.safetensors $dir/q.safetensors
onto() { # NAME COMMAND...: refused, and the model as before
    refused "$1" "q.safetensors: is an input" "$hardwire" "$@"
    cmp -s build/default.safetensors $dir/q.safetensors || echo "not ok $1: the model is gone"
}
onto report $dir/q.safetensors -o $dir/q.safetensors
onto report $dir/q.safetensors -o $dir/page.html --json $dir/q.safetensors
onto run $dir/q.safetensors -t models/tokenizer.bin --perplexity README.md --each $dir/q.safetensors
onto sim $dir/q.safetensors -t models/tokenizer.bin -o $dir/design --json $dir/q.safetensors
mkdir $dir/fabric $dir/gds
: > $dir/base.config
onto patch $dir/base.config $dir/q.safetensors --fabric $dir/fabric -t models/tokenizer.bin -o $dir/q.safetensors
cp $dir/q.safetensors $dir/gds
refused "layout --diff onto a file of what it compares" "gds/q.safetensors: is an input" \
    "$hardwire" layout --diff $dir/gds $dir/fabric -o $dir/gds/q.safetensors
refused "scores into no folder, at once" "none/each.partial: cannot write: No such file" \
    sh -c "timeout 2 \"$hardwire\" run build/default.safetensors -t models/tokenizer.bin --perplexity models/train.c --each $dir/none/each"
refused "quantize onto its levels" "levels.quant: is an input" \
    "$hardwire" quantize models/story.bin --levels $dir/levels.quant --code-bits 3 -o $dir/levels.quant -q
mkdir -p $dir/hf && : > $dir/hf/model.safetensors && : > $dir/hf/config.json
refused "quantize onto a file of its folder" "model.safetensors: is an input" \
    "$hardwire" quantize $dir/hf -o $dir/hf/model.safetensors -q
refused "quantize onto a folder" "expected the name of a file, got a folder" "$hardwire" quantize models/story.bin -o $dir/hf -q
refused "quantize into no folder, at once" "none/q.safetensors.partial: cannot write: No such file" \
    sh -c "timeout 2 \"$hardwire\" quantize models/story.bin --tune 100000 -o $dir/none/q.safetensors -q"
# Small, as it is quantized again and again, and more than a pipe takes at once.
PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/small.bin', 32, 1024, 1, 2, 2, 40, 16)"
small="quantize $dir/small.bin --nearest -q -o"
mkfifo $dir/pipe
(cat $dir/pipe > $dir/taken) &
# shellcheck disable=SC2086 # options are words
"$hardwire" $small $dir/pipe && wait && [ -p $dir/pipe ] &&
    "$hardwire" $small $dir/plain && cmp -s $dir/plain $dir/taken &&
    echo "ok a pipe is written through" || echo "not ok a pipe is written through"
ln -s plain $dir/to && "$hardwire" $small $dir/to && [ -L $dir/to ] && cmp -s $dir/plain $dir/taken &&
    echo "ok a link to a file is followed" || echo "not ok a link to a file is followed"
mkdir $dir/plain.partial
refused "a folder where the partial file must go" "plain.partial: " "$hardwire" $small $dir/plain
rmdir $dir/plain.partial
ln -s model.bin $dir/plain.partial
refused "a link where the partial file must go" "plain.partial: " "$hardwire" $small $dir/plain
cmp -s models/story.bin $dir/model.bin && echo "ok what it leads to is whole" || echo "not ok what it leads to is gone"
rm $dir/plain.partial

# Somebody's NAME.partial stays, also where it is the input.
echo mine > $dir/plain.partial
refused "a file where the partial file must go" "plain.partial: is in the way, expected nothing there" "$hardwire" $small $dir/plain
cp $dir/small.bin $dir/whole.partial
refused "quantize from the partial file" "whole.partial: is in the way" "$hardwire" quantize $dir/whole.partial --nearest -q -o $dir/whole
cmp -s $dir/small.bin $dir/whole.partial && [ "$(cat $dir/plain.partial)" = mine ] && echo "ok both are whole" || echo "not ok both are whole"
rm $dir/plain.partial $dir/whole.partial
refused "a file without a name" "expected the name of a file, got ''" "$hardwire" quantize $dir/small.bin --nearest -q -o ''

# Somebody's folder with files of hardwire's names, which hardwire did not write.
mkdir $dir/line $dir/mask
echo mine | tee $dir/line/text.vh > $dir/line/filelist.f
echo '{"name": "mine"}' | tee $dir/mask/layout.json > $dir/mask/rom.gds
refused "uart onto somebody's folder" "line: exists and is not a serial line of hardwire" \
    "$hardwire" uart build/default.safetensors -t models/tokenizer.bin -o $dir/line
refused "layout onto somebody's folder" "mask: exists and is not a layout of hardwire" \
    "$hardwire" layout build/default.safetensors -o $dir/mask --rows 4 --cols 4 --vec 4 --att-pos 4
[ "$(cat $dir/line/text.vh $dir/line/filelist.f | sort -u)" = mine ] && grep -q mine $dir/mask/layout.json && grep -q mine $dir/mask/rom.gds &&
    echo "ok both folders are whole" || echo "not ok both folders are whole"

# Numbers beyond what a fabric or a plan can be: refused by name, and no design that its own --fabric refuses.
ends 2 "positions beyond" "--att-pos: expected a number in 1..65536, got .131072" \
    "$hardwire" emit build/default.safetensors -o $dir/out --att-pos 131072
ends 2 "an overflow of att_pos" "--att-pos: expected a number in 1..65536" \
    "$hardwire" plan --shape 2048,64,1,8,8,64,64 --att-pos 16777216
PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint, write_tokenizer
write_checkpoint('$dir/tiny.bin', 16, 24, 1, 4, 2, 40, 32)
write_tokenizer('$dir/tiny.tok', 40)"
tiny=$dir/tiny.safetensors
"$hardwire" quantize $dir/tiny.bin -o $tiny -q
refused "more words than addresses" "geometry: weight ROM: expected at most 268435456 words, got [0-9]*: more --rows" \
    "$hardwire" plan --shape 4096,14336,80,32,8,128256,8192 --rows 4 --cols 4 --vec 4 --att-pos 4
"$hardwire" emit $tiny -o $dir/design --quiet --rows 8 --cols 8 --vec 4 --att-pos 4
sim/build $dir/design icarus
cosim="$(dirname "$hardwire")/cosim-icarus $dir/design -m $tiny -t $dir/tiny.tok -n 1 --quiet"
# shellcheck disable=SC2086
ends 0 "the design as it was made" "0 different" $cosim
edit() { # NAME PATTERN EDIT: the design's manifest edited; --fabric and the simulation refuse it
    python3 - $dir/design/manifest.json "$3" << 'PY'
import json, shutil, sys
shutil.copy(sys.argv[1], sys.argv[1] + ".whole")
m = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(m, open(sys.argv[1], "w"))
PY
    [ "$4" = sim ] || refused "$1, --fabric" "$2" "$hardwire" emit $tiny -o $dir/out --fabric $dir/design
    # shellcheck disable=SC2086
    refused "$1, simulation" "$2" $cosim
    mv $dir/design/manifest.json.whole $dir/design/manifest.json
}
edit "a manifest with a huge att_pos" "geometry: att_pos, expected a number in 1..65536" 'm["geometry"]["att_pos"] = 1073741824' both
edit "a manifest with a negative context" "geometry: ctx, expected" 'm["geometry"]["ctx"] = -8' both
edit "a manifest with huge dimensions" "model: dim, expected" 'm["model"]["dim"] = 1 << 40' both
edit "a manifest with more elements than the machine has" "geometry: max_dim, expected a number in 2" 'm["geometry"]["max_dim"] = 1 << 20' both
edit "a manifest with more bits of a token" "geometry: token_bits, expected a number in 1..19" 'm["geometry"]["token_bits"] = 30' both
edit "a manifest with more address bits" "geometry: weight_addr_bits, expected a number in 1..28" 'm["geometry"]["weight_addr_bits"] = 30' both
edit "a manifest with more words than addresses" "geometry: weight_words, expected at most 2.7, got" 'm["geometry"]["weight_words"] = 1 << 28' both
edit "a manifest with half of a ROM macro" "expected a ROM macro, got 5 x 0" 'm["geometry"]["macro_words"] = 5' both
edit "a manifest with half of a RAM macro" "expected a RAM macro, got 4 x 0" 'm["geometry"]["ram_words"] = 4' both
edit "a manifest with a RAM macro of three words" "expected a RAM macro, got 3 x 8" 'm["geometry"].update(ram_words=3, ram_bits=8)' both
edit "a manifest with more keys than can be counted" "kv_rows, expected" 'm["geometry"].update(kv_rows=1 << 20, kv_ctx=1 << 20, ctx=1 << 20)' both
edit "a manifest of another format" "format, expected hardwire-manifest-1" 'm["format"] = "x"' both
edit "a manifest without files" "files, expected" 'del m["files"]' both
edit "an emptied list of files" "files: expected the design.s files, filelist.f among them" 'm["files"] = {}' both
edit "a shortened list of files" "1 file changed since generation" 'del m["files"]["personality/weight_b00.v"]' sim
edit "a file outside the design" "files: expected names in fabric/, personality/ and bus/, got '../x'" \
    'm["files"]["../x"] = "0" * 64' both
: > $dir/design/personality/more.v
# shellcheck disable=SC2086
refused "a file that no manifest lists" "1 file changed since generation" $cosim
rm -rf $dir/design
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
