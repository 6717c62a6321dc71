#!/bin/sh
# ROMs rest when nothing of theirs is wanted (sim/rest_tb.v). A template that reads in every clock must be seen.
# tests/rest.sh; prints TAP.
set -eu
dir=build/test/rest
rm -rf $dir
mkdir -p $dir
build/hardwire emit --shape 16,24,2,4,2,40,24 --bits 8 --code-bits 4 --rows 8 --cols 8 --vec 4 --att-pos 4 --bank-bytes 512 \
    -o $dir/design --quiet
# words of the weight ROM; groups of 4 elements of a row of 16, two planes
words=$(python3 -c "import json; print(json.load(open('$dir/design/manifest.json'))['roms']['weight']['words'])")
simulate() { # FOLDER
    files=$(sed "s|^|$1/|" $dir/design/filelist.f | grep '\.v$')
    # shellcheck disable=SC2086
    iverilog -g2005 -Wall -Wno-timescale "-I$1/fabric" -s rest_tb -o $dir/rest.vvp $files sim/rest_tb.v
    vvp -n $dir/rest.vvp +words="$words" +embed=8
}
simulate $dir/design
for plant in 's/assign read        = issue/assign read        = active/ matvec' \
    "s/assign prog_read = .*;/assign prog_read = 1'b1;/ sequencer"; do
    rm -rf $dir/planted
    cp -r $dir/design $dir/planted
    file=$dir/planted/fabric/${plant##* }.v
    sed -i "${plant% *}" "$file"
    if cmp -s "$file" $dir/design/fabric/${plant##* }.v; then
        echo "not ok ${plant##* }: the edit matches nothing"
    elif simulate $dir/planted | grep -q '^not ok'; then
        echo "ok a read too many is seen: ${plant##* }"
    else
        echo "not ok a read too many is not seen: ${plant##* }"
    fi
done
