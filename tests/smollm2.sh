#!/bin/bash
# SmolLM2 against implementations that share no code with this one: its tokens over man pages in seven
# languages and generated text, its float logits, and the integer machine beside them. Prints TAP:
#     tests/smollm2.sh MODEL.gguf Q.safetensors DIR
# DIR keeps the texts, and the packages gguf, tokenizers and numpy unless PYTHON is one that has them.
set -u
gguf=$1
q=$2
dir=$3
text=../shared/text/tinystories_valid.txt
[ -f $text ] || text=README.md
mkdir -p $dir/man
export OPENBLAS_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

if [ -z "${PYTHON:-}" ]; then
    PYTHON=$dir/venv/bin/python
    [ -x $PYTHON ] || { python3 -m venv $dir/venv && $PYTHON -m pip install -q numpy==2.4.6 gguf==0.19.0 tokenizers==0.23.3; } ||
        { echo "not ok packages"; exit 1; }
fi
for language in de es fr ja pl ru zh; do
    [ -d $dir/man/$language ] && continue
    (cd $dir/man && apt-get download -qq manpages-$language && dpkg-deb -x manpages-$language*.deb $language &&
        rm manpages-$language*.deb) > $dir/words 2>&1 || { cat $dir/words; echo "not ok man pages"; exit 1; }
done

check() { # NAME COMMAND...
    local name=$1
    shift
    "$@" > $dir/words 2>&1 && echo "ok $name" || { echo "not ok $name"; failed=1; }
    sed 's/^/# /' $dir/words
}
failed=0
check tokens $PYTHON tests/smollm2_tokens.py "$gguf" $dir/man/*/usr/share/man/*/man1 "$text"
check logits $PYTHON tests/smollm2_logits.py "$gguf" "$q" "$text" 400
exit $failed
