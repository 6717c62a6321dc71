#!/bin/bash
# Chats end to end: the reference and the simulated chip say the same, turn after turn; Ctrl-C ends both
# between two tokens; what cannot be is refused with words. Prints TAP.
set -um # background jobs in process groups of their own, as a terminal's are
dir=build/test/chat
rm -rf $dir
mkdir -p $dir
hw=build/hardwire
q=$dir/q.safetensors
geometry="--rows 8 --cols 8 --vec 4 --att-pos 8"
run="$hw run $q -t $dir/tok $geometry"
sim="$hw sim $q -t $dir/tok -o $dir/design --ctx 100 --icarus $geometry"
PYTHONPATH=tests python3 -c "
import tiny_model
tiny_model.write_checkpoint('$dir/model.bin', 16, 32, 2, 4, 2, 64, 512)
tiny_model.write_tokenizer('$dir/tok', 64)"
$hw quantize $dir/model.bin -o $q -q
ok() { # NAME, then a command
    local name=$1
    shift
    if "$@" > $dir/words 2>&1; then echo "ok $name"; else echo "not ok $name: $(tail -n 5 $dir/words)"; fi
}
refused() { # NAME PATTERN, then a command
    local name=$1 pattern=$2 status
    shift 2
    "$@" < /dev/null > $dir/words 2>&1
    status=$?
    if [ $status = 1 ] && grep -qE "$pattern" $dir/words; then
        echo "ok $name"
    else
        echo "not ok $name: status $status: $(tail -n 5 $dir/words)"
    fi
}
# Starts a command whose stdin stays open, waits until its output matches, interrupts it. Who runs the tests in the background
# may have SIGINT ignored, which a command inherits; perl gives it back.
interrupted() { # NAME PATTERN OUTPUT, then a command
    local name=$1 pattern=$2 output=$3 status
    shift 3
    mkfifo $dir/stdin
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV or die' -- "$@" < $dir/stdin > $dir/out 2> $dir/err &
    local job=$!
    exec 9> $dir/stdin
    echo "tell me" >&9
    for _ in $(seq 600); do
        grep -qE "$pattern" $dir/out && break
        sleep 0.1
    done
    kill -INT -- -$job
    wait $job
    status=$?
    exec 9>&-
    rm $dir/stdin
    if [ $status = 130 ] && grep -q -e "$output" $dir/out $dir/err; then
        echo "ok $name"
    else
        echo "not ok $name: status $status: $(tail -n 3 $dir/out $dir/err)"
    fi
}

printf 'hello\n\nwho\n' > $dir/lines
$run --chat --template llama2 -n 4 < $dir/lines > $dir/run.txt 2> $dir/run.err
$sim --chat --template llama2 -n 4 < $dir/lines > $dir/sim.txt 2> $dir/sim.err
ok "two turns end with status 0" [ $? = 0 ]
ok "two turns of the reference" [ "$(wc -l < $dir/run.txt)" = 2 ]
head -n 2 $dir/sim.txt > $dir/sim.said
ok "the chip says what the reference says" cmp $dir/run.txt $dir/sim.said
ok "a summary of the chip" grep -q '^8 tokens; .* 0 different' $dir/sim.txt
ok "a summary of the reference" grep -qE '^--- limit reached; 8 tokens; chip of 8 x 8 lanes: [0-9]+ cycles/token' $dir/run.err
ok "a shorter context is proven" python3 tests/prove_roms.py --roms-only $dir/design $q
echo '[{"role":"user","content":"hello"}]' > $dir/messages
$run --chat --template llama2 -n 4 --messages $dir/messages -q > $dir/one.txt
ok "a conversation from a file" diff <(head -n 1 $dir/run.txt) $dir/one.txt
$run --chat --template llama2 -n 4 -p hello -q > $dir/one.txt
ok "a question as an option" diff <(head -n 1 $dir/run.txt) $dir/one.txt
$run --chat --template llama2 -n 4 -p hello --system "be kind" 2> $dir/other.err > /dev/null
ok "a system text comes before the question" [ "$(sed -n 's/.*positions 0-\([0-9]*\)[,;].*/\1/p' $dir/other.err)" -gt 40 ]

for seed in 1 1 2; do $run -n 40 --temperature 1 --top-p 0.9 --seed $seed -q > $dir/drawn$seed.txt; cat $dir/drawn$seed.txt; done > $dir/drawn
ok "a seed draws the same again" [ "$(sed -n 1p $dir/drawn)" = "$(sed -n 2p $dir/drawn)" ]
ok "another seed draws otherwise" [ "$(sed -n 1p $dir/drawn)" != "$(sed -n 3p $dir/drawn)" ]

interrupted "Ctrl-C at a question" '[a-z]{4}' '--- limit reached; 4 tokens' $run --chat --template llama2 -n 4
interrupted "Ctrl-C while the chip speaks" '[a-z]{9}' '^[0-9]* tokens; .* 0 different' $sim -n 80 -p hello --repeat 10000

echo "{}" > $dir/none
refused "no template" "got none: give -t such a tokenizer" $run --chat -p hi
refused "an unknown template" "expected chatml, .* got 'vicuna'" $run --chat --template vicuna -p hi
refused "a template whose tokens are missing" "expected the token <\|im_end\|> in the vocabulary" $run --chat --template chatml -p hi
refused "a system text without a chat" "system: expected --chat" $run --system x
refused "a conversation that is none" "expected an array of messages" $run --chat --template llama2 --messages $dir/none
refused "a conversation of two questions" "message 2: expected role assistant, got user" $run --chat --template llama2 --messages $dir/messages -p x
refused "a prompt beyond the context" "expected at most 512 tokens, the context, got" $run -p "$(yes once upon a time | head -n 300)"
refused "the same of the chip" "expected at most 100 tokens, the context, got" $sim -p "$(yes once upon a time | head -n 300)"
