#!/bin/sh
# The serial line that speaks text: the encoder in Verilog against the C one on many lines; then a terminal
# types at a whole chip, and what comes back is what `hardwire run` says.
# tests/uart.sh [full]: quick with a tiny model; full also with the default model, and with bits of a ROM
# flipped, which must end in a refusal. Prints TAP.
set -eu
dir=build/test/uart
mkdir -p $dir
tok=models/tokenizer.bin
failed=0
check() { # name, exit status
    [ "$2" = 0 ] && echo "ok $1" || { echo "not ok $1"; failed=1; }
}

# uart_sim DESIGN UART OUT: compiles
compile() {
    files=$(sed -n "s|^\(.*\.v\)$|$1/\1|p" "$1/filelist.f"; sed -n "s|^\(.*\.v\)$|$2/\1|p" "$2/filelist.f")
    # shellcheck disable=SC2086
    verilator --cc --exe --build -O3 -MAKEFLAGS "OPT_FAST=$4 OPT_GLOBAL=$4" --x-assign fast --x-initial fast --noassert -Wno-fatal \
        --output-split 20000 --output-split-cfuncs 1000 -GCLOCKS=4 --top-module uart_top --Mdir "$3" -o uart_sim \
        "-I$1/fabric" "-I$2" $files "$PWD/sim/uart_main.cpp" > "$3.log" 2>&1 || { cat "$3.log"; return 1; }
}

# Lines of a transcript behind the prompt, without carriage returns; what `run` says to the same lines.
compare() { # name, model, sim, lines
    "$3/uart_sim" 4 < "$4" > "$dir/$1.raw" 2> "$dir/$1.err"
    tr -d '\r' < "$dir/$1.raw" > "$dir/$1.heard"
    {
        printf '\nself-test: passed'
        while IFS= read -r line; do
            printf '\n> '
            build/hardwire run "$2" -t $tok -p "$line" -n 100000 > "$dir/$1.story" 2> "$dir/$1.why"
            head -c -1 "$dir/$1.story"
            ! grep -q 'context full' "$dir/$1.why" || printf '\n[the context is full]'
        done < "$4"
        printf '\n> '
    } > "$dir/$1.expected"
    cmp "$dir/$1.heard" "$dir/$1.expected"
}

PYTHONPATH=tests python3 -c "
from tiny_model import write_checkpoint
write_checkpoint('$dir/tiny.bin', 16, 24, 2, 4, 2, 512, 48, False, seed=7)"
build/hardwire quantize $dir/tiny.bin -o $dir/tiny.safetensors -q
build/hardwire emit $dir/tiny.safetensors -o $dir/tiny --rows 4 --cols 4 --vec 4 --att-pos 4 -q
build/hardwire uart $dir/tiny.safetensors -t $tok -o $dir/tiny-uart -q

# --- one folder: the same files, and lists of them that tools take
status=0
build/hardwire emit $dir/tiny.safetensors -o $dir/one --rows 4 --cols 4 --vec 4 --att-pos 4 -q --bus uart -t $tok || status=1
diff -r $dir/one/fabric $dir/tiny/fabric && diff -r $dir/one/personality $dir/tiny/personality &&
    diff -r -x filelist.f $dir/one/bus $dir/tiny-uart || status=1
(cd $dir/one && yosys -q -s hardwire.ys -p "proc; check -assert; select -assert-any uart_top/w:listening" &&
    iverilog -g2005 -s uart_top -o ../one.vvp -c filelist.f) > $dir/words 2>&1 || { cat $dir/words; status=1; }
for wrong in "$dir/tiny.safetensors --bus uart" "$dir/tiny.safetensors -t $tok" "$dir/tiny.safetensors --bus axi -t $tok" \
    "$dir/tiny.safetensors --bus uart -t $dir/no.bin" "--shape 8,16,1,2,1,32,16 --bus uart -t $tok"; do
    # shellcheck disable=SC2086
    ! build/hardwire emit -o $dir/none -q $wrong > $dir/words 2>&1 && grep -qE 'expected|no.bin: open' $dir/words && [ ! -e $dir/none ] || status=1
done
check "emit --bus uart is the chip and its line in one folder" $status

# --- no warning of any tool
sources=$(sed -n "s|^\(.*\.v\)$|$dir/tiny/\1|p" $dir/tiny/filelist.f; ls $dir/tiny-uart/*.v)
status=0
# shellcheck disable=SC2086
for tool in "verilator --lint-only -Wall --top-module" "iverilog -g2005 -Wall -Wno-timescale -o $dir/top.vvp -s"; do
    $tool uart_top "-I$dir/tiny/fabric" "-I$dir/tiny-uart" $sources > $dir/words 2>&1 || status=1
    [ ! -s $dir/words ] || { cat $dir/words; status=1; }
done
yosys -q -p "read_verilog -defer -I$dir/tiny/fabric -I$dir/tiny-uart $(echo $sources); hierarchy -check -top uart_top; proc; check -assert" \
    > $dir/words 2>&1 || { cat $dir/words; status=1; }
check "lint: uart_top in Verilator, Icarus, Yosys" $status

# --- the encoder
python3 tests/uart_lines.py $tok $dir "$([ "${1:-}" = full ] && echo 300 || echo 40)" > $dir/expected
iverilog -g2005 -Wall -Wno-timescale -I$dir/tiny-uart -s encode_tb -o $dir/encode.vvp $dir/tiny-uart/text_*.v \
    sim/encode_tb.v
vvp -n $dir/encode.vvp +lines=$dir/lines > $dir/ids
status=0
cmp $dir/ids $dir/expected || status=1
check "encoder: $(wc -l < $dir/expected) lines, $(wc -w < $dir/expected) tokens compared with the C encoder" $status

# --- a terminal at a tiny chip
compile $dir/tiny $dir/tiny-uart $dir/tiny-sim -O0
printf 'Once upon\n\nhello w\303\266rld\n' > $dir/lines.tiny
status=0
compare tiny $dir/tiny.safetensors $dir/tiny-sim $dir/lines.tiny || status=1
check "terminal: three stories of a tiny chip as hardwire run tells them" $status
# keys: Backspace takes whole characters away, control characters are dropped, a long line rings
printf 'Onxx^H^Hce^G up\303\266^Hon\n%0300d\nOnce^J\n' 0 > $dir/lines.keys
printf 'Once upon\n%0254d\nOnce\n' 0 > $dir/lines.plain
"$dir/tiny-sim/uart_sim" 4 < $dir/lines.keys 2> /dev/null | tr -d '\r' > $dir/keys.raw
status=0
python3 tests/uart_keys.py < $dir/keys.raw > $dir/keys.seen || status=1
"$dir/tiny-sim/uart_sim" 4 < $dir/lines.plain 2> /dev/null | tr -d '\r' > $dir/plain.raw
python3 tests/uart_keys.py < $dir/plain.raw > $dir/plain.seen || status=1
cmp $dir/keys.seen $dir/plain.seen || status=1
check "terminal: keys that correct a line, and a line that is full" $status

if [ "${1:-}" = full ]; then
    # a chip that is not what was built
    bank=$dir/bad/personality/weight_b00.v
    rm -rf $dir/bad
    cp -r $dir/tiny $dir/bad
    python3 tests/uart_flip.py $bank
    status=0
    compile $dir/bad $dir/tiny-uart $dir/bad-sim -O1
    "$dir/bad-sim/uart_sim" 4 < $dir/lines.tiny > $dir/bad.raw 2> /dev/null && status=1
    grep -q 'self-test: failed' $dir/bad.raw || status=1
    ! grep -q '^> ' $dir/bad.raw || status=1
    check "self-test: a chip with other weights refuses" $status

    q=build/default.safetensors
    build/hardwire emit $q -o $dir/default --rows 8 --cols 8 --vec 4 --att-pos 4 --target ecp5 -q
    build/hardwire uart $q -t $tok -o $dir/default-uart -q
    compile $dir/default $dir/default-uart $dir/default-sim -O3
    printf 'Once upon a time\nOne day, a little boy named Tim\n' > $dir/lines.default
    status=0
    compare default $q $dir/default-sim $dir/lines.default || status=1
    check "terminal: two stories of the default chip as hardwire run tells them" $status
fi
exit $failed
