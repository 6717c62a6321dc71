#!/bin/bash
# Every cmocka test once more, and the program with malformed files, built by clang with
# AddressSanitizer, UndefinedBehaviorSanitizer and the reference's range assertions (HW_CHECK_RANGES).
# A warning of clang is a failure. `quick` leaves out the tests that are minutes of arithmetic, and has fewer
# cases of others. Prints TAP: tests/sanitize.sh [quick]
set -u
long=" test_budget test_cost test_quantize test_tune "
out=build/sanitize
rm -rf $out # objects of sources that are gone would be linked
mkdir -p $out
# what tests/lint asks of clang, too
warnings="-Wall -Wextra -Wpedantic -Wno-unused-parameter -Wno-gnu-folding-constant -Werror"
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -g -ffp-contract=off -DHW_CHECK_RANGES -I.
       -fsanitize=address,undefined -fno-sanitize-recover=all $warnings"
[ "${1:-}" != quick ] || flags="$flags -DHW_SHORT=1"
sources=$(ls gen/*.c gen/*/*.c refmodel/*.c sim/cosim.c sim/design.c sim/monitor.c sim/slice.c tests/oracle.c |
    grep -v gen/cmd/main.c)
# Where arithmetic takes the time it is optimized; elsewhere that would take longer than it saves.
compile() { # FILE
    local optimize=-O0
    case $1 in refmodel/* | gen/learn/* | gen/qmodel/* | gen/quant/* | tests/*) optimize=-O1 ;; esac
    # shellcheck disable=SC2086
    clang $flags $optimize -c "$1" -o "$out/${1//\//_}.o"
}
export -f compile
export flags out
# shellcheck disable=SC2086
printf '%s\n' $sources | xargs -P 2 -I{} bash -c 'compile {}' || { echo "not ok build"; exit 1; }
ar rcs $out/all.a $out/*.c.o
for test in tests/test_*.c; do
    name=$(basename "$test" .c)
    case "${1:-} $long" in quick*" $name "*) continue ;; esac
    # shellcheck disable=SC2086
    if clang $flags -O1 "$test" $out/all.a -o $out/"$name" -lcmocka -ljansson -lnettle -lm -lpthread &&
        CMOCKA_MESSAGE_OUTPUT=STDOUT $out/"$name" > $out/"$name".log 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        tail -n 20 $out/"$name".log | sed 's/^/# /'
    fi
done
# shellcheck disable=SC2086
if clang $flags gen/cmd/main.c $out/all.a -o $out/hardwire -ljansson -lnettle -lm -lpthread &&
    clang $flags sim/dut_icarus.c $out/all.a -o $out/cosim-icarus -ljansson -lnettle -lm -lpthread; then
    # a finding must not look like a refusal, whose exit status is 1
    ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99 tests/hostile.sh $out/hardwire | sed -E 's/^(not ok|ok) /\1 sanitized, /'
else
    echo "not ok hardwire"
fi
