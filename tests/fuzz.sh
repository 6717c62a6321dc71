#!/bin/bash
# Every file reader under AddressSanitizer and UndefinedBehaviorSanitizer with libFuzzer:
#     tests/fuzz.sh replay                the committed inputs only; prints TAP
#     tests/fuzz.sh [RUNS] [TARGET...]    then RUNS new inputs for each target (1000000), two at a time
# tests/corpus/TARGET holds the inputs: tests/make_corpus.py made the first ones, fuzzing found those
# that reach more, and crash-* once broke a reader. A finding leaves its input in build/fuzz/ and fails.
set -u
runs=${1:-1000000}
shift
targets=${*:-llama2c gguf folder tokenizer_bin tokenizer_json tokenizer_gguf quantized levels manifest}
out=build/fuzz
corpus=${CORPUS:-tests/corpus}
mkdir -p $out
# Half of an input's time went into the stacks of allocations and a long quarantine.
export ASAN_OPTIONS=malloc_context_size=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=16
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -g -O1 -ffp-contract=off -I. -fno-sanitize-recover=all"
wrap=$(printf ' -Wl,--wrap=%s' hw_file_map hw_file_unmap hw_file_unload hw_path_exists \
    hw_path_is_directory fopen json_load_file)

# One library for all targets; tests/fuzz_files.c stands in for the file system.
sources=$(ls gen/*.c gen/*/*.c refmodel/*.c sim/design.c tests/fuzz_files.c | grep -v gen/cmd)
# shellcheck disable=SC2086
printf '%s\n' $sources | xargs -P 2 -I{} sh -c "f=$out/\$(echo {} | tr / _).o
    [ \$f -nt {} ] && [ -z \"\$(find gen refmodel sim tests -name '*.h' -newer \$f)\" ] || clang $flags -fsanitize=fuzzer-no-link,address,undefined -c {} -o \$f" ||
    { echo "not ok build"; exit 1; }
for target in $targets; do
    [ "$out/$target" -nt $out/tests_fuzz_files.c.o ] && [ -z "$(find $out -name '*.c.o' -newer "$out/$target")" ] &&
        [ "$out/$target" -nt tests/fuzz_readers.c ] && continue
    # shellcheck disable=SC2086
    clang $flags -fsanitize=fuzzer,address,undefined -DTARGET="$target" tests/fuzz_readers.c $out/*.c.o \
        $wrap -o "$out/$target" -ljansson -lnettle -lm -lpthread || { echo "not ok build"; exit 1; }
done

if [ "$runs" = replay ]; then
    for target in $targets; do
        n=$(find "$corpus/$target" -type f | wc -l)
        if [ "$n" -gt 0 ] && "$out/$target" -runs=0 "$corpus/$target" > "$out/$target.replay" 2>&1; then
            echo "ok $target: $n inputs"
        else
            echo "not ok $target"
            tail -n 30 "$out/$target.replay" | sed 's/^/# /'
        fi
    done
    exit 0
fi

# An input longer than the longest that opens adds nothing but time.
fuzz() {
    mkdir -p "$2/found-$1"
    "$2/$1" -runs="$3" -max_len="$([ "$1" = gguf ] && echo 12000 || echo 4600)" -rss_limit_mb=2048 -timeout=10 \
        -seed="$4" -artifact_prefix="$2/crash-$1-" -print_final_stats=1 "$2/found-$1" "$5/$1" \
        > "$2/$1.log" 2>&1 || { echo "FOUND $1"; tail -n 30 "$2/$1.log"; return 1; }
    echo "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$2/$1.log") executions, no finding," \
        "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$2/$1.log") a second"
}
export -f fuzz
# shellcheck disable=SC2086
printf '%s\n' $targets | xargs -P 2 -I{} bash -c 'fuzz "$@"' fuzz {} $out "$runs" "${SEED:-1}" $corpus
