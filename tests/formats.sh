#!/bin/bash
# Every shared model in every format it exists in, and as Hugging Face folders made of it: float
# weights equal up to what their types' rounding may cost, then inspect, quantize and run; F32 files of
# one model give the same integers, byte for byte. `full` adds the whole chip in Verilator, every tensor
# compared, once for each file of integers; without it only stories260K goes further than its weights.
# Prints TAP: tests/formats.sh [full]
set -u
full=${1:-}
shared=../shared/models
dir=build/test/formats
rm -rf $dir
mkdir -p $dir
simulated=()

check() { # NAME COMMAND...
    local name=$1
    shift
    [ "$full" ] || [ "$1" != whole ] || [[ $name = stories260K* ]] || return 0
    if "$@" > $dir/words 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
    fi
    sed 's/^/# /' $dir/words | tail -n 8
}

whole() { # FILE TOKENIZER CONTEXT PATTERN
    local q=$dir/q-${1##*/}.safetensors
    build/hardwire inspect "$1" > $dir/inspect && grep -q '^can be baked  yes' $dir/inspect &&
        grep -qE "^format +$4" $dir/inspect || { cat $dir/inspect; return 1; }
    # shellcheck disable=SC2046
    build/hardwire quantize "$1" -o "$q" --ctx "$3" -q $([ "$full" ] || echo --nearest) || return 1
    build/hardwire run "$q" -t "$2" -n 24 -q > $dir/story || return 1
    head -c 300 $dir/story
    [ "$(wc -c < $dir/story)" -gt 20 ] || return 1
    [ "$full" ] || return 0
    local other
    for other in "${simulated[@]}"; do
        ! cmp -s "$q" "$other" || { echo "the integers of ${other##*/}, whose chip has run"; return 0; }
    done
    simulated+=("$q")
    build/hardwire sim "$q" -t "$2" -o "$dir/design-${1##*/}" -n 24 > $dir/chip || { cat $dir/chip; return 1; }
    grep 'tensor values compared' $dir/chip
    grep -q ' 0 different' $dir/chip && grep -q 'cycle model off in 0' $dir/chip || return 1
    # the chip's story is the reference's
    head -c "$(($(wc -c < $dir/story) - 1))" $dir/story | cmp - <(head -c "$(($(wc -c < $dir/story) - 1))" $dir/chip)
}

model() { # NAME TOKENIZER CONTEXT TYPE-OF-FOLDER... : NAME.bin, NAME*.gguf, folders of each type
    local bin=$shared/$1.bin tokenizer=$2 ctx=$3 name=$1 other
    shift 3
    check "$name.bin: all the way" whole "$bin" "$tokenizer" "$ctx" 'llama2.c v0'
    for other in "$shared/$name"*.gguf; do
        check "${other##*/}: weights" build/same_weights "$bin" "$other"
        check "${other##*/}: all the way" whole "$other" "$other" "$ctx" 'GGUF v3'
    done
    for type in "$@"; do
        check "$name-$type: made" python3 tests/hf_folder.py "$bin" "$dir/$name-$type" "$type"
        check "$name-$type: weights" build/same_weights "$bin" "$dir/$name-$type"
        check "$name-$type: all the way" whole "$dir/$name-$type" "$tokenizer" "$ctx" 'Hugging Face safetensors'
    done
}

model stories260K $shared/tok512.bin 512 F32
check "stories260K: GGUF's integers are the .bin's" cmp $dir/q-stories260K.{bin,gguf}.safetensors
check "stories260K: the folder's integers are the .bin's" cmp $dir/q-stories260K{.bin,-F32}.safetensors
model babyllama105 $shared/tok105.bin 128 F16 BF16
check "bitllama_1M.bin: all the way" whole $shared/bitllama_1M.bin $shared/tok512.bin 512 bitllama
