#!/bin/sh
# What inspect and plan say, against files whose contents are known, against each other, against what
# emit writes, and plan's cycles against themselves. Prints TAP.
set -u
dir=build/test/inspect
hw=build/hardwire
rm -rf $dir
mkdir -p $dir
q=build/default.safetensors
ok() { # NAME, then a command
    name=$1
    shift
    if "$@" > $dir/words 2>&1; then echo "ok $name"; else echo "not ok $name: $(tail -n 3 $dir/words)"; fi
}
holds() { # FILE... EXPRESSION: true of the JSON files a, b, ...
    python3 - "$@" << 'PY'
import json, sys
values = dict(zip("abcdefgh", (json.load(open(name)) for name in sys.argv[1:-1])))
if not eval(f"({sys.argv[-1]})", {}, values):
    sys.exit(f"{sys.argv[-1]} is not so of {str(values)[:2000]}")
PY
}

# A GGUF file of one tensor, of the type given, and of any architecture.
gguf() {
    python3 - "$@" << 'PY'
import struct, sys
path, architecture, kind = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3])
text = lambda s: struct.pack("<Q", len(s)) + s
u32 = lambda key, v: text(key) + struct.pack("<II", 4, v)
keys = [text(b"general.architecture") + struct.pack("<I", 8) + text(architecture)]
for name, v in ((b"embedding_length", 64), (b"feed_forward_length", 64), (b"block_count", 1), (b"attention.head_count", 4),
                (b"context_length", 32)):
    keys.append(u32(b"llama." + name, v))
keys.append(text(b"llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-5))
tensor = text(b"token_embd.weight") + struct.pack("<IQQIQ", 2, 64, 32, kind, 0)
head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(keys)) + b"".join(keys) + tensor
open(path, "wb").write(head + bytes(-len(head) % 32) + bytes(64 * 32 * 4))
PY
}

$hw inspect models/story.bin --json > $dir/bin.json
ok "inspect a checkpoint" holds $dir/bin.json 'a["dim"] == 64 and a["n_layers"] == 5 and a["can_be_baked"] and
    a["tokenizer"] is None and a["weights"] == 278528 + 11 * 64 and a["tensors"] == {"F32": 47}'
$hw inspect models/story.bin -t models/tokenizer.bin --json > $dir/tok.json
ok "inspect with a tokenizer" holds $dir/tok.json 'a["tokenizer"]["bos"] == 1 and a["tokenizer"]["chat_template"] == "none" and
    a["tokenizer"]["vocab_size"] == a["vocab_size"] == 512'
$hw inspect $q --json > $dir/q.json
$hw plan $q --json > $dir/plan.json
ok "inspect a quantized model" holds $dir/q.json 'a["code_bits"] == 3 and a["weights"] == 278528 and
    [m["most_planes"] for m in a["matrices"]].count(2) > 0 and len(a["matrices"]) == 7 and a["can_be_baked"]'
ok "inspect's ROM is plan's but for the rest of words" holds $dir/q.json $dir/plan.json '0 <= b["rom_bits"] - a["rom_bits"] < 0.02 * b["rom_bits"]'
$hw plan models/story.bin --bits 8 --json > $dir/plan8.json
ok "and before quantization" holds $dir/bin.json $dir/plan8.json '0 <= b["rom_bits"] - a["rom_bits"]["8"] < 0.02 * b["rom_bits"]'

gguf $dir/type.gguf llama 10
$hw inspect $dir/type.gguf > $dir/type.txt
ok "a type that is not read: status 1" [ $? = 1 ]
ok "a type that is not read is counted" grep -qx 'tensors  *1 Q2_K' $dir/type.txt
ok "a type that is not read: why, and what to do" grep -q 'can be baked  no: .*llama-quantize .* got Q2_K' $dir/type.txt
gguf $dir/arch.gguf gemma 0
$hw inspect $dir/arch.gguf --json > $dir/arch.json
ok "another architecture" holds $dir/arch.json 'a["architecture"] == "gemma" and not a["can_be_baked"] and "expected llama, qwen2 or qwen3, got gemma" in a["why_not"]'
$hw inspect $dir/none > /dev/null 2> $dir/none.txt
ok "no such file: status 1" [ $? = 1 ]
ok "no such file: says so" grep -q "$dir/none: open" $dir/none.txt

$hw emit $q -o $dir/design
bytes=$(cat $dir/design/fabric/* $dir/design/personality/* | wc -c)
ok "plan's Verilog is emit's size within 5%" holds $dir/plan.json "abs(a['verilog_bytes'] - $bytes) < 0.05 * $bytes"
ok "plan's ROM is the manifest's" holds $dir/plan.json $dir/design/manifest.json 'a["rom_bits"] == b["roms"]["total_bits"]'

# Memories of the Verilog as Yosys counts them; two small register files, which the plan leaves out, are
# memories to it.
tiny="--shape 16,32,2,4,2,64,100 --rows 8 --cols 8 --vec 4 --att-pos 8"
$hw plan $tiny --json > $dir/tiny.json
$hw emit $tiny -o $dir/tiny --quiet
yosys -q -p "read_verilog -I$dir/tiny/fabric $dir/tiny/fabric/*.v; read_verilog -I$dir/tiny/fabric $dir/tiny/personality/*.v
    hierarchy -top chip_top; proc -norom; tee -q -o $dir/stat stat" > $dir/yosys.log 2>&1
sram=$(sed -n 's/.*Number of memory bits: *//p' $dir/stat | tail -n 1)
ok "plan's SRAM is what Yosys finds" holds $dir/tiny.json "0 <= $sram - a['sram_bits'] < 128"

# Cycles a token of real shapes (docs/timing.md), and what their ROM takes.
takes() { # NAME CONDITION OPTIONS...: of plan's object as a
    name=$1
    condition=$2
    shift 2
    $hw plan "$@" --json > $dir/takes.json
    ok "$name" holds $dir/takes.json "$condition"
}
stories="--shape 64,172,5,8,4,512,512"
# shellcheck disable=SC2086
takes "stories260K, 256 lanes" 'a["mean_first_256"]["cycles"] <= 1647' $stories --att-pos 64
# shellcheck disable=SC2086
takes "stories260K, 1,024 lanes" 'a["mean_first_256"]["cycles"] <= 934' \
    $stories --rows 32 --cols 32 --vec 32 --att-pos 256
takes "SmolLM2-135M's shape, 61,440 lanes" 'a["mean"]["cycles"] <= 7899 and a["rom_bits_per_weight"] < 4.38' \
    --shape 576,1536,30,9,3,49152,8192 --ctx 512 --rows 320 --cols 192 --vec 64 --att-pos 256
takes "Llama 3.1 8B's shape, 262,144 lanes, position 8,191" \
    'a["cycles_at"][-1]["position"] == 8191 and a["cycles_at"][-1]["cycles"] <= 49921' \
    --shape 4096,14336,32,32,8,128256,8192,untied --rows 512 --cols 512 --vec 128 --att-pos 512

# The mean over n positions, against that over n - 1 and the cycles at the last one.
for n in 1 15 16 17 40; do
    $hw plan $q --ctx $n --json > $dir/n.json
    $hw plan $q --ctx $((n + 1)) --json > $dir/n1.json
    ok "mean of $((n + 1)) positions" holds $dir/n.json $dir/n1.json 'abs(b["mean"]["cycles"] * b["mean"]["positions"] -
        a["mean"]["cycles"] * a["mean"]["positions"] - b["cycles_at"][-1]["cycles"]) < 1e-3 and
        b["cycles_at"][-1]["position"] == b["mean"]["positions"] - 1'
done
$hw plan --shape 64,64,1,4,4,64,262144 --att-pos 4 --json > $dir/long.json
ok "a long context is interpolated between its ends" holds $dir/long.json 'not a["mean"]["exact"] and
    [p["position"] for p in a["cycles_at"]] == [0, 255, 1023, 4095, 16383, 65535, 131072, 262143] and
    a["cycles_at"][6]["cycles"] * 0.97 < a["mean"]["cycles"] < a["cycles_at"][6]["cycles"] * 1.03'
$hw plan $q --ctx 513 > /dev/null 2> $dir/ctx.txt
ok "a context longer than the model's: status 1" [ $? = 1 ]
ok "a context longer than the model's: says so" grep -q 'expected 1..512, the model.s, got 513' $dir/ctx.txt
