#!/bin/bash
# What quantizing takes in memory: models larger than it, a Q8_0 and an F16 GGUF file of random weights,
# under a limit on all that the program allocates (RLIMIT_DATA), which is far below the file and what
# comes of it. Where all is kept in memory the limit must be found too small, or it proves nothing.
# Prints TAP: tests/memory.sh [MILLIONS of weights of the Q8_0 file, 70; F16: a quarter]
set -u
dir=build/test/memory
rm -rf $dir
mkdir -p $dir
python3 - "$dir" "${1:-70}" << 'PY'
import random
import struct
import sys

out, millions = sys.argv[1], int(sys.argv[2])
DIM, HIDDEN, VOCAB, HEADS, KV = 512, 512, 2048, 8, 4
LAYER = DIM * DIM * 3 + 3 * DIM * HIDDEN
rng = random.Random(1)


def text(s):
    return struct.pack("<Q", len(s)) + s.encode()


def rows_of(kind, rows, cols):
    """A few random rows, over and over: one scale so small that activations stay finite."""
    if kind == 8:
        some = [b"".join(struct.pack("<e", 0.02 / cols ** 0.5) + rng.randbytes(32)
                         for _ in range(cols // 32)) for _ in range(61)]
    else:
        some = [b"".join(struct.pack("<e", rng.gauss(0, 1 / cols ** 0.5)) for _ in range(cols))
                for _ in range(13)]
    return b"".join(some[(r * r + r // 7) % len(some)] for r in range(rows))


def write(path, kind, weights):
    layers = max(2, int(weights) // LAYER)
    shapes = [("token_embd", [DIM, VOCAB]), ("output_norm", [DIM])]
    for i in range(layers):
        shapes += [(f"blk.{i}.{n}", s) for n, s in (
            ("attn_norm", [DIM]), ("attn_q", [DIM, DIM]), ("attn_k", [DIM, DIM // 2]),
            ("attn_v", [DIM, DIM // 2]), ("attn_output", [DIM, DIM]), ("ffn_norm", [DIM]),
            ("ffn_gate", [DIM, HIDDEN]), ("ffn_up", [DIM, HIDDEN]), ("ffn_down", [HIDDEN, DIM]))]
    pairs = [("general.architecture", 8, text("llama"))] + [(f"llama.{k}", 4, struct.pack("<I", v))
             for k, v in (("embedding_length", DIM), ("feed_forward_length", HIDDEN),
                          ("block_count", layers), ("attention.head_count", HEADS),
                          ("attention.head_count_kv", KV), ("context_length", 65536))]
    pairs += [("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
              ("tokenizer.ggml.model", 8, text("llama")),
              ("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, VOCAB) + b"".join(
                  text(t) for t in ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] +
                  [f"w{i}" for i in range(VOCAB - 259)])),
              ("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, VOCAB) + bytes(4 * VOCAB)),
              ("tokenizer.ggml.token_type", 9, struct.pack("<IQ", 5, VOCAB) + struct.pack(
                  f"<{VOCAB}i", *([2, 3, 3] + [6] * 256 + [1] * (VOCAB - 259))))]
    head, at, sizes = b"", 0, []
    for name, dims in shapes:
        k = kind if len(dims) > 1 else 0
        rows = dims[1] if len(dims) > 1 else 1
        size = rows * (dims[0] * 4 if k == 0 else dims[0] * 2 if k == 1 else dims[0] // 32 * 34)
        head += text(name + ".weight") + struct.pack("<I", len(dims)) + struct.pack(
            f"<{len(dims)}Q", *dims) + struct.pack("<IQ", k, at)
        sizes.append(size)
        at += size + -size % 32
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(pairs)) + b"".join(
        text(k) + struct.pack("<I", t) + v for k, t, v in pairs) + head
    made = {}
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32))
        for (name, dims), size in zip(shapes, sizes):
            key = tuple(dims)
            if key not in made:
                made[key] = rows_of(kind, dims[1], dims[0]) if len(dims) > 1 else struct.pack(
                    f"<{dims[0]}f", *[1.0] * dims[0])
            file.write(made[key] + bytes(-size % 32))


write(f"{out}/Q8_0.gguf", 8, millions * 1e6)
write(f"{out}/F16.gguf", 1, millions * 2.5e5)
with open(f"{out}/text", "w") as file:
    file.write("w1w2w3w4 w5w6 and w7 again <|endoftext|> w8w9w10")
PY

size() { echo $(($(stat -c %s "$1") / 1000000)); }
# NAME MB STATUS WORDS COMMAND...: the command ends with that status under that limit, having said WORDS
try() {
    local name=$1 mb=$2 wanted=$3 words=$4 begin=$SECONDS status
    shift 4
    (ulimit -d $((mb * 1024)) && exec "$@") > $dir/words 2>&1
    status=$?
    if [ $status = "$wanted" ] && grep -q -- "$words" $dir/words && [ -z "$(find $dir -name 'q.*')" ]; then
        echo "ok $name: $mb MB, $((SECONDS - begin)) s"
    else
        echo "not ok $name: $mb MB, status $status: $(tail -n 2 $dir/words)"
    fi
}

calibrate="--text $dir/text -t"
file=$dir/Q8_0.gguf
try "Q8_0, $(size $file) MB, each weight for itself" 24 0 'a weight$' \
    build/hardwire quantize $file --nearest $calibrate $file -o $dir/q
rm -f $dir/q $file
file=$dir/F16.gguf
try "F16, $(size $file) MB, error-compensated" 24 0 'a weight$' \
    build/hardwire quantize $file --stream $calibrate $file -o $dir/q
cp $dir/q $dir/streamed
try "F16 in memory" 24 1 'out of memory' build/hardwire quantize $file $calibrate $file -o $dir/q -q
build/hardwire quantize $file $calibrate $file -o $dir/q -q
cmp $dir/q $dir/streamed && echo "ok the same integers without a limit" || echo "not ok the same integers"
rm -f $dir/q $dir/streamed $file
