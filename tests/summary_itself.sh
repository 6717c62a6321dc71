#!/bin/sh
# tests/summary on a small list of logs: what holds is counted, once; what failed or differs is not.
# Prints TAP.
set -u
dir=build/test/summary
rm -rf $dir
mkdir -p $dir/none $dir/some
says() { # NAME LOGDIR LINE
    if [ "$(tests/summary "$2")" = "$3" ]; then
        echo "ok $1"
    else
        echo "not ok $1"
        tests/summary "$2" | sed 's/^/# got: /'
    fi
}
echo "passed" > $dir/none/a
says "no counts, no claims" $dir/none ""
cat > $dir/some/chip << 'END'
3 tokens; 500 tensor values compared with the reference, 0 different
# 9 steps under random stalls; 20 tensor values compared with the reference, 0 different
4 tokens; 7000 tensor values compared with the reference, 3 different
total    640 bits, 600 in use, all proven
# total    60 bits, 60 in use, all proven
total    9000 bits, 8000 in use, 2 words differ
END
cat > $dir/some/proofs << 'END'
ok msb generic: proven (3 pairs)    0.5 s
ok ram ecp5: bounded (8 clocks; 2 pairs of 9 open)    0.5 s
ok matvec osu018: simulated (9 pairs of 99 open)    0.5 s
not ok lerp ecp5: different (no pairs)    0.5 s
ok msb generic: inverted gate found, line 3: x => ~x
PASS    argmax             BMC depth 6       2.0 s  the lowest index
PASS    argmax             induction 3       2.0 s  the lowest index
PASS    argmax             cover depth 3     2.0 s  the lowest index
FAIL    drain              BMC depth 6       2.0 s  every row
END
cat $dir/some/proofs > $dir/some/again
cat > $dir/some/rest << 'END'
mutants: 320 total, 300 killed, 8 proven equal, 12 survived (0 unexplained): 96.2% of those not proven equal are killed
ok softmax: a bug in rtl_templates/attention_score.v is found by cosim
not ok softmax: a bug in rtl_templates/rope.v, cosim: expected "k"
ok ice40: an inverted gate is found
gguf: 1000 executions, no finding, 90 a second
folder: 30 executions, no finding, 90 a second
FOUND levels
ok gguf: 14 inputs
END
says "every kind of count" $dir/some "520 tensor values of RTL and netlists equal to the reference; \
700 ROM bits proven; 1 netlists of modules proven equal, 1 bounded; 2 promises of modules proven; \
300 of 320 mutants killed, 8 proven equal; 4 planted bugs found; 1030 fuzz executions; \
14 fuzz inputs replayed"
closing() { # NAME LINE ARGUMENTS...
    name=$1
    line=$2
    shift 2
    [ "$(tests/summary closing "$@")" = "$line" ] && echo "ok $name" || echo "not ok $name: $(tests/summary closing "$@")"
}
closing "the closing line" "700 passed, 0 failed" 700 0 0 ../shared
closing "checks without their data are said" "700 passed, 1 failed; 6 checks not run: ../shared absent" 700 1 6 ../shared

# tests/run itself where there is no ../shared: a copy that lists two checks, one of which needs it.
mkdir -p $dir/run/project/tests
sed -e 's|^list() {|list() { echo "quick true"; [ ! -d $shared/models ] \|\| list_shared; }; other() {|' \
    -e 's|^list_shared() {|list_shared() { echo "shared-one true"; echo "shared-two true"; }; others() {|' tests/run > $dir/run/project/tests/run
cp tests/summary $dir/run/project/tests/
run() { (cd $dir/run/project && bash tests/run | tail -n 1); }
[ "$(run)" = "1 passed, 0 failed; 2 checks not run: ../shared absent" ] && echo "ok a run without ../shared says so" ||
    echo "not ok a run without ../shared says so: $(run)"
mkdir -p $dir/run/shared/models
[ "$(run)" = "3 passed, 0 failed" ] && echo "ok and with it runs all" || echo "not ok and with it runs all: $(run)"
