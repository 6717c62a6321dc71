#!/bin/bash
# Every planted fault of tests/plants and sim/formal/plants edits something. One whose text has moved on plants nothing, and only
# the long run would say so. Prints TAP.
set -u
dir=build/test/planted
mkdir -p $dir
trim() { sed 's/^ *//; s/ *$//' <<< "$1"; }
edits() { # FILE EDIT: it does
    sed "$(trim "$2" | sed 's/¦/|/g')" "$1" > $dir/edited && ! cmp -s "$1" $dir/edited
}
each() { # LIST BEFORE AFTER: around the name of a file in its second column
    local number=0 status=0 name file edit
    while IFS='|' read -r name file edit _; do
        case $name in '' | '#'*) continue ;; esac
        number=$((number + 1))
        edits "$2$(trim "$file")$3" "$edit" || { status=1; echo "# $1: $name|$file|$edit: matches nothing"; }
    done < "$1"
    [ $status = 0 ] && [ $number -gt 10 ] && echo "ok $1: $number faults, each edits its file" || echo "not ok $1: $number faults"
}
each tests/plants '' ''
each sim/formal/plants rtl_templates/ .v
# what must be found
echo 'sequencer | sequencer | s/no such words// | bmc=1 | nothing' > $dir/wrong
each $dir/wrong rtl_templates/ .v | grep -q 'matches nothing' && echo "ok an edit that matches nothing is found" || echo "not ok an edit that matches nothing is found"
