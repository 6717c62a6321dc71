#!/bin/sh
# Fuzzes every file reader under AddressSanitizer and UndefinedBehaviorSanitizer with libFuzzer:
# tests/fuzz.sh [RUNS] (1000000 of each target). Seeds: the shipped model and tokenizer, a quantized
# model, damaged. A finding leaves its input in build/fuzz/ and fails.
set -eu
runs=${1:-1000000}
out=build/fuzz
mkdir -p $out/seeds
head -c 4096 models/story.bin > $out/seeds/story
cp models/tokenizer.bin $out/seeds/tokenizer
head -c 20000 build/story.safetensors > $out/seeds/quantized
sources=$(ls gen/*.c refmodel/*.c | grep -v -e gen/main.c -e gen/cmd)
for target in tests/fuzz_model.c tests/fuzz_safetensors.c tests/fuzz_tokenizer.c; do
    name=$(basename $target .c)
    # shellcheck disable=SC2086
    clang -std=c11 -D_POSIX_C_SOURCE=200809L -g -O1 -ffp-contract=off -I. \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $target $sources \
        -o $out/$name -ljansson -lnettle -lm -lpthread
    mkdir -p $out/corpus-$name
    $out/$name -runs="$runs" -max_len=65536 -rss_limit_mb=4096 -artifact_prefix=$out/crash-$name- \
        -print_final_stats=1 $out/corpus-$name $out/seeds > $out/$name.log 2>&1 ||
        { tail -n 30 $out/$name.log; exit 1; }
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' $out/$name.log) executions, no finding"
done
