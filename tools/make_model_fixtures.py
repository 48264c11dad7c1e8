#!/usr/bin/env python3
"""Write the tiny BERT that tests/models reads: a folder, and one step's logits and gradients by transformers.

    make_model_fixtures.py tests/fixtures

Makes FIXTURES/tiny_bert (1 layer, hidden 8, 2 heads, vocabulary 40, 16 positions, fixed seed) and
FIXTURES/tiny_bert_step.json for classification and regression, dropout off. Needs torch and transformers.
"""
import json
import os
import sys

import torch
from transformers import BertConfig, BertForSequenceClassification

SENTENCES = [[2, 7, 8, 9, 3], [2, 10, 3, 11, 12, 3]]
SEGMENTS = [[0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
LABELS = [1, 0]


def tiny_model():
    torch.manual_seed(7)
    config = BertConfig(vocab_size=40, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                        max_position_embeddings=16, type_vocab_size=2, initializer_range=0.5, num_labels=2)
    model = BertForSequenceClassification(config).eval()
    # Biases and layer norms start at 0 and 1, which would hide a mix-up of theirs.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "LayerNorm" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def step(model):
    longest = max(map(len, SENTENCES))
    pad = lambda rows: torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    out = model(input_ids=pad(SENTENCES), token_type_ids=pad(SEGMENTS),
                attention_mask=pad([[1] * len(s) for s in SENTENCES]), labels=torch.tensor(LABELS))
    out.loss.backward()
    gradients = {name.removeprefix("bert."): p.grad.flatten().tolist() for name, p in model.named_parameters()}
    return {"ids": SENTENCES, "segments": SEGMENTS, "labels": LABELS, "logits": out.logits.flatten().tolist(),
            "loss": out.loss.item(), "gradients": gradients}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = os.path.join(sys.argv[1], "tiny_bert")
    model = tiny_model()
    model.save_pretrained(folder)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as out:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(35)]
        out.write("\n".join(words) + "\n")
    with open(os.path.join(sys.argv[1], "tiny_bert_step.json"), "w", encoding="utf-8") as out:
        json.dump(step(model), out)
        out.write("\n")


if __name__ == "__main__":
    main()
