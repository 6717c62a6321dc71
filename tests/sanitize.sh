#!/bin/bash
# Every cmocka test once more, built by clang with AddressSanitizer, UndefinedBehaviorSanitizer and
# the reference's range assertions (HW_CHECK_RANGES). Prints TAP. `quick` leaves out those that train,
# minutes of arithmetic: tests/sanitize.sh [quick]
set -u
long=" test_budget test_quantize test_tune "
out=build/sanitize
mkdir -p $out
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -ffp-contract=off -DHW_CHECK_RANGES -I.
       -fsanitize=address,undefined -fno-sanitize-recover=all"
sources=$(ls gen/*.c gen/*/*.c refmodel/*.c tests/oracle.c | grep -v -e gen/main.c -e gen/cmd)
# shellcheck disable=SC2086
printf '%s\n' $sources | xargs -P 2 -I{} sh -c \
    'clang '"$(echo $flags)"' -c {} -o '$out'/$(echo {} | tr / _).o' || { echo "not ok build"; exit 1; }
for test in tests/test_*.c; do
    name=$(basename "$test" .c)
    case "${1:-} $long" in quick*" $name "*) continue ;; esac
    # shellcheck disable=SC2086
    if clang $flags "$test" $out/*.c.o -o $out/"$name" -lcmocka -ljansson -lnettle -lm -lpthread &&
        CMOCKA_MESSAGE_OUTPUT=STDOUT $out/"$name" > $out/"$name".log 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        tail -n 20 $out/"$name".log | sed 's/^/# /'
    fi
done
