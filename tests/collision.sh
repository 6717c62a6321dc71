#!/bin/sh
# Nothing relies on what a memory gives when it is read in the clock of a write: with wrappers that give X then,
# every tensor is the same, in Icarus. So must be seen: a wrapper that gives X after a read of one word that was
# written a clock before, which the design does rely on. tests/collision.sh; prints TAP.
set -eu
dir=build/test/collision
rm -rf $dir
root=$(pwd)
PYTHONPATH=tests python3 tests/family_model.py qwen3-layers $dir
build/hardwire quantize $dir/model -o $dir/q.safetensors -q --nearest

home() { # NAME: a place with templates of its own
    mkdir -p $dir/$1
    ln -s "$root/sim" "$root/build" $dir/$1
    cp -r rtl_templates $dir/$1
}
put() { # NAME FILE FROM TO: an edit that must change the file
    sed -i "s/$3/$4/" $dir/$1/rtl_templates/$2
    ! cmp -s $dir/$1/rtl_templates/$2 rtl_templates/$2 || echo "not ok $1: the edit of $2 matches nothing"
}
simulate() { # NAME
    HARDWIRE_HOME=$root/$dir/$1 build/hardwire sim $dir/q.safetensors -t $dir/tok -o $dir/$1/design --rows 8 --cols 8 --vec 4 \
        --att-pos 4 --count 6 --icarus --quiet > $dir/words 2>&1
}

home undefined
put undefined ram.v 'word <= mem\[raddr\];' \
    "word <= we[g] \&\& waddr === raddr ? {W{1'bx}} : mem[raddr];"
put undefined ram_one.v 'if (reads)' 'if (re \&\& !reads)\n                    word <= {W{1'"'"'bx}};\n                else if (reads)'
if simulate undefined && grep -q ', 0 different' $dir/words; then
    echo "ok X where a read meets a write: no tensor differs"
else
    echo "not ok X where a read meets a write: no tensor differs"
fi
grep 'tensor values\|^MISMATCH\|error' $dir/words | head -3 | sed 's/^/# /'

# the same a clock later: words that were written just before
home late
put late ram.v 'always @(posedge clk) begin' 'reg [ADDR_W-1:0] last; reg wrote;\n            always @(posedge clk) begin\n                {wrote, last} <= {we[g], waddr};'
put late ram.v 'word <= mem\[raddr\];' "word <= wrote \&\& last === raddr ? {W{1'bx}} : mem[raddr];"
if simulate late || ! grep -q '^MISMATCH' $dir/words; then
    echo "not ok a memory that is undefined for longer is seen"
else
    echo "ok a memory that is undefined for longer is seen"
fi
grep -m 3 '^MISMATCH\|error' $dir/words | sed 's/^/# /'
