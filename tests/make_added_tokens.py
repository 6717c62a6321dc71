#!/usr/bin/env python3
"""Records what the tokenizers package makes of texts with added tokens, for test_tokenizer:
pip install tokenizers; tests/make_added_tokens.py > tests/added_tokens.json"""
import json
import random

from tokenizers import Tokenizer

CHARACTERS = "ab[]X<_é\n"
FLAGS = {"single_word": 0.3, "lstrip": 0.3, "rstrip": 0.3, "normalized": 0.4}


def tokenizer(rng, kind):
    space = "Ġ" if kind == "byte" else "▁"
    pieces = ["<unk>", space, "Ã", "©", "Ċ"] + list("ab[]X<_é")
    merges = [("a", "b"), ("[", "X"), ("a", "a"), (space, "a"), (space, space)]
    vocab = {p: i for i, p in enumerate(pieces + [a + b for a, b in merges])}
    names = {"".join(rng.choice("ab[]X <_é") for _ in range(rng.randint(1, 4))) for _ in range(4)}
    names = sorted(n for n in names if n.strip() == n and n and n not in vocab)
    added = [{"id": len(vocab) + i, "content": n, "special": False,
              **{flag: rng.random() < share for flag, share in FLAGS.items()}}
             for i, n in enumerate(names)]
    normalizer = pre = None
    if kind == "byte":
        pre = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    elif kind == "prepend":
        normalizer = {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    else:
        pre = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": kind, "split": False}
    return names, {
        "version": "1.0", "added_tokens": added, "normalizer": normalizer, "pre_tokenizer": pre,
        "model": {"type": "BPE", "unk_token": None if kind == "byte" else "<unk>",
                  "byte_fallback": kind != "byte", "vocab": vocab,
                  "merges": [f"{a} {b}" for a, b in merges]}}


def main():
    rng = random.Random(1)
    fixtures = []
    for kind in ["byte", "prepend", "always", "first", "never"] * 4:
        names, t = tokenizer(rng, kind)
        reference = Tokenizer.from_str(json.dumps(t))
        texts = ["".join(rng.choice(names + list(CHARACTERS) + [" ", "  "])
                         for _ in range(rng.randint(1, 9))) for _ in range(16)]
        fixtures.append({"vocab_size": reference.get_vocab_size(), "tokenizer": t, "cases": [
            [text, reference.encode(text, add_special_tokens=False).ids] for text in texts]})
    print("[" + ",\n".join(json.dumps(f, ensure_ascii=False) for f in fixtures) + "]")


main()
