#!/bin/bash
# `hardwire plan --board`: what it predicts beside what was measured (sim/board/measured.json), and what it refuses.
# Prints TAP.
set -u
dir=build/test/boards
mkdir -p $dir
verdict() { # NAME: of the command before
    if [ $? = 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
}
build/hardwire quantize models/small.bin -o $dir/small.safetensors --nearest -q --bits 4 --code-bits 4 --act-bits 8 --kv-bits 8 \
    --res-bits 16
while read -r board model; do
    python3 tests/boards.py "$board" "$model" > $dir/table
    verdict "$board: logic, block RAMs and multipliers within 15% of each chip measured"
    sed 's/^/# /' $dir/table
done << MODELS
ulx3s-85f build/default.safetensors
tang-nano-20k $dir/small.safetensors
MODELS
build/hardwire plan build/default.safetensors --board ulx3s-85f --ctx 256 > $dir/said
grep -q '^board .*: fits$' $dir/said && grep -q '^lanes .*(12 rows x 8 columns), .*multiply' $dir/said &&
    build/hardwire plan build/default.safetensors --target ecp5 --ctx 256 $(sim/board/row ulx3s-85f) | grep '^mean' | cmp -s - <(grep '^mean' $dir/said)
verdict "sizes that are not given are those that were placed; the default model fits"
build/hardwire plan $dir/small.safetensors --board tang-nano-20k --ctx 256 > $dir/said
grep -q '^board .*: fits$' $dir/said && grep -q '^lanes .*(4 rows x 2 columns), .*multiply' $dir/said &&
    build/hardwire plan $dir/small.safetensors --ctx 256 --rows 4 --cols 2 --vec 2 --att-pos 1 --lane multiply --latency least,tree=3,compare=3 |
    grep '^mean' | cmp -s - <(grep '^mean' $dir/said)
verdict "lanes and pipelines likewise; the small model fits"
build/hardwire plan build/default.safetensors --board ulx3s-85f --vec 8 --rows 16 > $dir/said
grep -q '^board .*: does not fit$' $dir/said && grep -q '^multipliers .*: too many$' $dir/said
verdict "what does not fit says why"
says() { # PATTERN OPTIONS...: refused
    local pattern=$1
    shift
    ! build/hardwire plan "$@" > $dir/said 2>&1 && grep -q "$pattern" $dir/said
}
says "boards: expected one of ulx3s-85f.*, got 'de10'" build/default.safetensors --board de10 &&
    says 'expected a model, or a shape by its numbers' --shape llama-3.1-8b --board ulx3s-85f
verdict "an unknown board and a named shape are refused"
rm -rf $dir/home && mkdir -p $dir/home/gen/board && status=0
while IFS='|' read -r edit said; do # a file that is wrong is named with the place
    sed "$edit" gen/board/boards.json > $dir/home/gen/board/boards.json
    cmp -s gen/board/boards.json $dir/home/gen/board/boards.json && status=1
    HARDWIRE_HOME=$dir/home says "gen/board/boards.json: $said" build/default.safetensors --board ulx3s-85f || { status=1; cat $dir/said; }
done << 'EDITS'
s/hardwire boards 1/hardwire boards 2/|format: expected 'hardwire boards 1', got 'hardwire boards 2'
s/"lane": [0-9.]\+/"lane": -1/|ecp5: lane: expected a number from 0 on
s/"clock_mhz": [0-9.]*/"clock_mhz": 0/|ulx3s-85f: clock_mhz: expected a number above 0
s/"multipliers": 156/"multipliers": 15.6/|ulx3s-85f: multipliers: expected a whole number
s/"tile_rows": 4/"tile_rows": 4.5/|ulx3s-85f: tile_rows: expected a whole number
s/"family": "ecp5"/"family": "ecp6"/|ulx3s-85f: family: expected one of families
EDITS
sed 's/least,tree/lest,tree/' gen/board/boards.json > $dir/home/gen/board/boards.json
HARDWIRE_HOME=$dir/home says 'boards.json: tang-nano-20k: latency: expected' build/default.safetensors --board tang-nano-20k || status=1
[ $status = 0 ]
verdict "a table that is wrong is refused, with the place"
