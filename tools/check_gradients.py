#!/usr/bin/env python3
"""Hold the FP32 forward and backward against PyTorch and transformers on sentences of a text file.

    check_gradients.py --model DIR --data FILE.tsv --binary build/release/examples/dump_gradients [--rows 32]

Runs the program that writes logits and every gradient of one FP32 step without dropout as safetensors, runs the same
step in transformers with the same head weights, and fails unless logits agree to 2e-4 and every gradient's cosine
exceeds 0.99999 where its norm exceeds 1e-6 of the global norm (elsewhere: difference below 1e-6 of the global norm).
Needs torch, transformers and safetensors.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import BertForSequenceClassification


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([options.binary, "--model", options.model, "--data", options.data, "--rows",
                        str(options.rows), "--out", scratch], check=True)
        ours = load_file(os.path.join(scratch, "step.safetensors"))
        with open(os.path.join(scratch, "batch.json"), encoding="utf-8") as source:
            batch = json.load(source)
        model = BertForSequenceClassification.from_pretrained(os.path.join(scratch, "model"),
                                                              attn_implementation="eager").float()
    model.eval()
    longest = max(len(s) for s in batch["ids"])
    pad = lambda rows: torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    ids, segments = pad(batch["ids"]), pad(batch["segments"])
    mask = pad([[1] * len(row) for row in batch["ids"]])
    out = model(input_ids=ids, token_type_ids=segments, attention_mask=mask,
                labels=torch.tensor(batch["labels"], dtype=torch.long))
    out.loss.backward()
    sys.exit(compare(ours, out.logits.detach(), model))


def compare(ours, logits, model):
    difference = (ours["logits"] - logits).abs().max().item()
    print(f"logits: largest difference {difference:.2e}")
    wanted = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    total = torch.sqrt(sum((g.double() ** 2).sum() for g in wanted.values())).item()
    failed = difference > 2e-4
    worst_name, worst_cosine, worst_absolute = "", 1.0, 0.0
    for name, gradient in wanted.items():
        a = ours["grad." + name].double().flatten()
        b = gradient.double().flatten()
        if b.norm().item() > 1e-6 * total:
            cosine = (a @ b / (a.norm() * b.norm())).item()
            if cosine < worst_cosine:
                worst_name, worst_cosine = name, cosine
            failed |= cosine <= 0.99999
        else:
            absolute = (a - b).norm().item() / total
            worst_absolute = max(worst_absolute, absolute)
            failed |= absolute >= 1e-6
    print(f"{len(wanted)} gradients: worst cosine {worst_cosine:.8f} ({worst_name}); "
          f"vanishing ones differ by at most {worst_absolute:.1e} of the global norm")
    print("FAILED" if failed else "passed")
    return 1 if failed else 0


if __name__ == "__main__":
    main()
