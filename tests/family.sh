#!/bin/bash
# Families beside Llama: small random checkpoints (tests/family_model.py), as a Hugging Face folder and
# as a GGUF file where one can say it: both give the same integers; the float model says what the
# published equations say, and (full) what transformers and llama.cpp compute; the chip's every tensor is
# the reference's, its cycles the model's; the ROMs hold the file. `full` plays all cases over their whole
# contexts, and slices of each.
# Prints TAP: tests/family.sh [full]
set -u
full=${1:-}
dir=build/test/family
rm -rf $dir
mkdir -p $dir

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" > $dir/words 2>&1; then echo "ok $name"; else echo "not ok $name"; fi
    sed 's/^/# /' $dir/words | tail -n 4
}
says() { # PATTERN COMMAND...
    local pattern=$1
    shift
    "$@" > $dir/said 2>&1
    cat $dir/said
    grep -qE "$pattern" $dir/said
}
floats() { # CASE
    build/hardwire quantize "$d/model" -o "$d/q.safetensors" -q &&
        build/hardwire run "$d/q.safetensors" -t "$d/tok" --perplexity "$d/text" --float "$d/model" \
            --each "$d/each" > /dev/null && python3 tests/family_model.py "$1" "$d" "$d/each"
}
one_model() {
    build/same_weights "$d/model" "$d/model.gguf" &&
        build/hardwire quantize "$d/model.gguf" -o "$d/g.safetensors" -q && cmp "$d/q.safetensors" "$d/g.safetensors"
}
chip() { # TOKENS OPTIONS...
    local count=$1
    shift
    build/hardwire sim "$d/q.safetensors" -t "$d/tok" -o "$d/design" -q -n "$count" "$@" > $dir/story 2>&1
    grep -E 'compared|cycles/token' $dir/story
    grep -q ' 0 different' $dir/story
}
on_time() {
    chip "$@" && grep -q 'cycle model off in 0' $dir/story
}
slice() { # NAME OPTIONS...
    build/hardwire sim "$d/q.safetensors" -o "$d/slice" -q --slice "$@" > $dir/story 2>&1
    grep -E 'compared' $dir/story
    grep -q ' 0 different' $dir/story
}

# Libraries that evaluate such models in float (full): transformers on Debian's torch, and llama.cpp,
# which knows Qwen3, too. transformers 4.44 is the last that takes that torch.
libraries() {
    local t=build/transformers-venv l=build/llama-venv
    if [ ! -f $t/complete ]; then
        rm -rf $t
        /usr/bin/python3 -m venv --system-site-packages $t &&
            $t/bin/pip install -q --no-deps transformers==4.44.2 tokenizers==0.19.1 huggingface-hub==0.24.7 \
                safetensors==0.4.5 &&
            $t/bin/pip install -q regex packaging filelock requests pyyaml tqdm fsspec typing_extensions &&
            touch $t/complete || return 1
    fi
    if [ ! -f $l/complete ]; then
        rm -rf $l
        python3 -m venv $l && $l/bin/pip install -q llama-cpp-python==0.3.36 && touch $l/complete || return 1
    fi
}
beside() { # LIBRARY CASE
    build/$1-venv/bin/python tests/family_logits.py "$1" "$dir/$2"
}

case=0
play() { # CASE PATTERN OPTIONS...: what inspect must say, and a geometry
    local name=$1 pattern=$2
    d=$dir/$1
    shift 2
    case=$((case + 1))
    check "$name: written" python3 tests/family_model.py "$name" "$d"
    check "$name: inspected" says "$pattern" build/hardwire inspect "$d/model"
    check "$name: can be baked" grep -q '^can be baked  yes' $dir/said
    check "$name: float equals the published equations" floats "$name"
    [ ! -f "$d/model.gguf" ] || check "$name: GGUF and folder are one model" one_model
    if [ "$full" ]; then
        check "$name: chip over the whole context" chip 60 --icarus --stalls $case "$@"
        check "$name: chip in Verilator" on_time 60 "$@"
        check "$name: slice layer:1" slice layer:1 --icarus "$@"
        check "$name: slice op:attention:1" slice op:attention:1 --icarus "$@"
        check "$name: slice of wk" slice matrix:layers.1.attention.wk --icarus "$@"
    else
        check "$name: chip" on_time 14 --icarus "$@"
    fi
    check "$name: every ROM bit" python3 tests/prove_roms.py --roms-only "$d/design" "$d/q.safetensors"
}

play qwen2-windows 'window +6 positions, in 2 of 3 layers' --rows 8 --cols 8 --vec 4 --att-pos 4
play qwen3-layers '^qk_norm ' --rows 8 --cols 4 --vec 4 --att-pos 4 --lane multiply
if [ "$full" ]; then
    play qwen2 '^qkv_bias ' --rows 16 --cols 8 --vec 8 --att-pos 8
    play qwen3 '^qk_norm ' --rows 8 --cols 16 --vec 4 --att-pos 4
    play mistral 'window +8 positions' --rows 4 --cols 4 --vec 4 --att-pos 4
    play mistral-5 'window +5 positions' --rows 16 --cols 16 --vec 8 --att-pos 4
    check "transformers and llama.cpp are there" libraries
    for name in qwen2 mistral mistral-5; do
        check "$name: float equals transformers" beside transformers $name
    done
    for name in qwen2 qwen3; do
        check "$name: float equals llama.cpp" beside llama $name
    done
fi

# what such a model cannot have done to it, or lacks, is said by name
refused() { # PATTERN COMMAND...
    local pattern=$1
    shift
    ! "$@" > $dir/said 2>&1 || return 1
    cat $dir/said
    grep -q "$pattern" $dir/said
}
d=$dir/qwen3-layers
learned() { # CASE: tuned, and planes chosen by measured loss; what comes out is a model that runs
    local d=$dir/$1 model
    build/hardwire quantize $d/model -o $d/tuned.safetensors --bits 3 --code-bits 3 --tune 3 -q &&
        build/hardwire quantize $d/model -o $d/chosen.safetensors --max-loss 50 -q || return 1
    for model in tuned chosen; do
        build/hardwire run $d/$model.safetensors -t $d/tok -n 5 2>&1 | grep 'tokens; chip of' || return 1
    done
}
check "qwen2-windows: learns" learned qwen2-windows
check "qwen3-layers: learns" learned qwen3-layers
python3 -c "import sys; sys.path.insert(0, 'tests'); from tiny_model import *
write_bitllama('$dir/ternary.bin', 16, 32, 1, 2, 1, 16, 8)"
check "a model with norms before wo is not tuned" refused 'norms before wo and down cannot be tuned' \
    build/hardwire quantize $dir/ternary.bin -o $d/x.safetensors --bits 4 --tune 1 -q
check "vec beyond a head" refused 'at most head_dim 8 where heads pass a norm, got 16' \
    build/hardwire emit $d/q.safetensors -o $d/x --rows 16 --cols 16 --vec 16
sed -i 's/"attention_bias": false/"attention_bias": true/; s/"model_type": "qwen3"/"model_type": "qwen3", "attention_bias": true/' $d/model/config.json
check "biases that its family has not" refused 'attention_bias' build/hardwire inspect $d/model
d=$dir/qwen2-windows
sed -i 's/"sliding_window": 6/"sliding_window": 0/' $d/model/config.json
check "a window of no position" refused 'sliding window, expected 1 position or more, got 0' \
    build/hardwire inspect $d/model
