#!/bin/bash
# One bug in each layer of the machine, and a quick check that must find it and say where it is:
#     tests/plants.sh [LAYER...]        (all; prints TAP)
# The bugs are in tests/plants.
set -u
dir=build/test/plants
rm -rf $dir
mkdir -p $dir
unset CMOCKA_MESSAGE_OUTPUT

compile() { # SRC PROGRAM SOURCE... : with the planted copies of SRC before the others
    local src=$1 program=$2
    shift 2
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -w -ffp-contract=off "-I$src" -I. "$@" \
        build/libhardwire.a -o "$program" -lcmocka -ljansson -lnettle -lm -lpthread
}
check_unit() { # SRC TEST
    cp -n refmodel/* "$1/refmodel/"
    compile "$1" "$1/test" "tests/$2.c" tests/oracle.c "$1"/refmodel/*.c &&
        ! timeout 120 "$1/test"
}
small_chip() { # made once: $dir/q.safetensors, $geometry
    build/shape 5 $dir > $dir/options
    { read -r quantize; read -r geometry; } < $dir/options
    # shellcheck disable=SC2086
    [ -f $dir/q.safetensors ] ||
        build/hardwire quantize $dir/shape.bin -o $dir/q.safetensors -q $quantize
}
check_cosim() { # SRC
    cp -nr rtl_templates/* "$1/rtl_templates/"
    small_chip
    # shellcheck disable=SC2086
    ! build/hardwire sim $dir/q.safetensors -t $dir/shape.tok --templates "$1/rtl_templates" \
        -o "$1/design" -n 6 --quiet --icarus $geometry
}
check_formal() { # SRC JOB
    cp -nr rtl_templates/* "$1/rtl_templates/"
    ! TEMPLATES=$1/rtl_templates OUT=$1/formal sim/formal/run quick "$2"
}
check_proof() { # SRC: a chip of two weight banks
    python3 - $dir << 'PY' || return
import sys
sys.path.insert(0, "tests")
from tiny_model import write_checkpoint
write_checkpoint(sys.argv[1] + "/two.bin", 64, 16, 1, 8, 1, 9000, 9)
PY
    compile "$1" "$1/hardwire" "$1/gen/chip/banks.c" build/gen/cmd/main.o &&
        build/hardwire quantize $dir/two.bin -o $dir/two.safetensors -q --bits 8 &&
        HARDWIRE_HOME=. "$1/hardwire" emit $dir/two.safetensors -o "$1/design" --rows 16 --cols 16 \
            --vec 4 --att-pos 4 > /dev/null &&
        ! python3 tests/prove_roms.py --roms-only "$1/design" $dir/two.safetensors
}
trim() { sed 's/^ *//; s/ *$//' <<< "$1"; }

number=0
while IFS='|' read -r layer file edit check says; do
    [ "${layer#\#}" = "$layer" ] || continue
    layer=$(trim "$layer") file=$(trim "$file") says=$(trim "$says" | sed 's/¦/|/g')
    [ $# = 0 ] || [[ " $* " == *" $layer "* ]] || continue
    number=$((number + 1))
    src=$dir/$number
    mkdir -p $src/refmodel $src/rtl_templates "$src/$(dirname "$file")"
    sed "$(trim "$edit" | sed 's/¦/|/g')" "$file" > "$src/$file"
    read -r kind what <<< "$check"
    if cmp -s "$file" "$src/$file"; then
        echo "not ok $layer: the edit of $file matches nothing"
        continue
    fi
    "check_$kind" $src $what > $src/log 2>&1 < /dev/null
    status=$?
    # what the check complains about first
    first=$(grep -E 'MISMATCH|FAILED  \]|ERROR|Assert failed|DIFFERENT' $src/log | head -n 4)
    if [ $status = 0 ] && grep -qE "$says" <<< "$first"; then
        echo "ok $layer: a bug in $file is found by $(trim "$check")"
    else
        echo "not ok $layer: a bug in $file, $(trim "$check"): expected \"$says\""
        tail -n 20 $src/log | sed 's/^/# /'
    fi
    sed 's/^ */# /' <<< "$first"
done < tests/plants
[ $number -gt 0 ] || { echo "not ok no such layer"; exit 1; }
