#!/bin/bash
# The help of the program and of every verb, asked for in every way; each option of a help text is one that
# the verb takes; wrong words, with the nearest right one. Prints TAP.
set -u
dir=build/test/options
rm -rf $dir
mkdir -p $dir
h=build/hardwire
verdict() { # NAME: of the commands before, joined by &&
    if [ $? = 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
}
same() { cmp -s $dir/a $dir/b && [ -s $dir/a ]; }

$h --help > $dir/a
for way in help -h; do
    $h $way > $dir/b && same
    verdict "hardwire $way"
done
$h > $dir/words 2> $dir/b
[ $? = 2 ] && same && [ ! -s $dir/words ]
verdict "no verb at all: the same on standard error, status 2"
verbs=$(sed -n 's/^  hardwire \([a-z]*\) .*/\1/p' $dir/a)
[ "$(echo "$verbs" | wc -l)" -ge 6 ]
verdict "the help lists the verbs"
for verb in $verbs; do
    $h "$verb" --help > $dir/a && $h help "$verb" > $dir/b && same && $h "$verb" -h > $dir/b && same &&
        grep -q "^hardwire $verb " $dir/a && [ -z "$(awk 'length > 100' $dir/a)" ]
    verdict "the help of $verb, three ways, in 100 columns"
    # An option that does not exist is said to be unrecognized; one of the help never is.
    unknown=
    for option in $(grep -oE '^ {2}(-[a-z],|   ) --[a-z-]+' $dir/a | grep -oE -- '--[a-z-]+'); do
        $h "$verb" "$option" > $dir/words 2>&1
        ! grep -q unrecognized $dir/words || unknown="$unknown $option"
    done
    [ -z "$unknown" ] && [ "$(grep -c ' --' $dir/a)" -ge 2 ] && ! $h "$verb" --no-such-option > $dir/words 2>&1 &&
        grep -q "hardwire $verb: unrecognized option '--no-such-option'" $dir/words
    verdict "$verb takes every option of its help$unknown"
done
$h quantize --help > $dir/a && grep -qF "1..1048576" $dir/a && ! grep -qE '[^0-9][1-9]\.?[0-9]*e\+0' $dir/a
verdict "ranges of whole numbers are written in full"
says() { # NAME PATTERN ARGUMENTS...
    local name=$1 pattern=$2
    shift 2
    $h "$@" > $dir/a 2> $dir/words
    [ $? = 2 ] && grep -qF -- "$pattern" $dir/words && [ "$(wc -l < $dir/words)" = 1 ]
    verdict "$name"
}
says "a verb with a slip" "no verb 'quantise': did you mean quantize? (try: hardwire --help)" quantise
says "help of a verb with a slip" "no verb 'qauntize': did you mean quantize?" help qauntize
says "another verb" "no verb 'frobnicate' (try: hardwire --help)" frobnicate
says "an option with a slip" "hardwire emit: unrecognized option '--colz': did you mean --cols? (try: hardwire emit --help)" emit x --colz=8
says "an option's beginning that fits two" "'--co' may be --cols, --code-bits" emit x --co 8
says "an option without its value" "--rows: expected N after it, got nothing" emit x --rows
says "a flag with a value" "'--quiet=1': expected no value" emit x --quiet=1
says "a number out of its range" "--bits: expected a number in 2..8, got '9'" quantize x --bits 9
says "a number that is none" "--count: expected a number in 1..16777216, got 'x'" sim x -n x
says "of several, the first that is wrong" "--rows: expected a number" emit x --rows 0 --cols 0
