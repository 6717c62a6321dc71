#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The float model beside implementations that are none of hardwire's, on the small random checkpoints of
tests/family_model.py:
    tests/family_logits.py transformers|llama DIR
DIR/model and DIR/model.gguf are what the library reads, DIR/each is a file of `run --perplexity --float
--each`. Every float nll and likeliest token must be that of the library's logits.
Exit status 1 where an nll is off by more than 2e-4, or too few positions passed the window."""
import json
import sys

import numpy as np

MOST = 2e-4


def of_transformers(path, config):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(f"{path}/model"),
                                             attn_implementation="eager").float().eval()
    missing, unexpected = model.load_state_dict(load_file(f"{path}/model/model.safetensors"), strict=False)
    assert not unexpected and set(missing) <= ({"lm_head.weight"} if config["tie_word_embeddings"] else set())
    model.tie_weights()

    def logits(tokens):
        with torch.no_grad():
            return model(torch.tensor([tokens]), use_cache=False).logits[0].double().numpy()
    return logits


def of_llama(path, config):
    import llama_cpp

    kept = llama_cpp.GGML_TYPE_F32
    model = llama_cpp.Llama(f"{path}/model.gguf", n_ctx=config["max_position_embeddings"], logits_all=True,
                            type_k=kept, type_v=kept, flash_attn=False, n_gpu_layers=0, verbose=False)

    def logits(tokens):
        model.reset()
        model.eval(tokens)
        return np.array(model.scores[:len(tokens)], dtype=np.float64)
    return logits


def main():
    engine, path = sys.argv[1:]
    with open(f"{path}/model/config.json", encoding="ascii") as file:
        config = json.load(file)
    logits_of = {"transformers": of_transformers, "llama": of_llama}[engine](path, config)
    with open(f"{path}/each", encoding="ascii") as file:
        rows = [line.split() for line in file]
    context, off, gap = config["max_position_embeddings"], 0.0, 0.0
    for first in range(0, len(rows), context):
        part = rows[first:first + context]
        logits = logits_of([int(r[0]) for r in part])
        after, ours, likeliest = ([int(r[1]) for r in part], np.array([float(r[4]) for r in part]),
                                  [int(r[5]) for r in part])
        top, at = logits.max(-1), np.arange(len(part))
        nll = np.log(np.exp(logits - top[:, None]).sum(-1)) + top - logits[at, after]
        off = max(off, np.abs(nll - ours).max())
        gap = max(gap, (top - logits[at, likeliest]).max()) # 0 but where two are as good as equal
    print(f"{len(rows)} positions: float nll off by at most {off:.2g}, likeliest token by {gap:.2g}")
    return not (len(rows) >= context and off < MOST and gap < MOST)


if __name__ == "__main__":
    sys.exit(main())
