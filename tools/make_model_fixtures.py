#!/usr/bin/env python3
"""Write the tiny BERTs that tests/models reads: folders, and one step's logits and gradients by transformers.

    make_model_fixtures.py tests/fixtures

Makes FIXTURES/tiny_bert (1 layer, hidden 8, 2 heads, vocabulary 40, 16 positions, fixed seed) with a classifier and
FIXTURES/tiny_bert_qa with a span head, and tiny_bert_step.json and tiny_bert_qa_step.json, dropout off. Needs torch and
transformers.
"""
import json
import os
import sys

import torch
from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification

SENTENCES = [[2, 7, 8, 9, 3], [2, 10, 3, 11, 12, 3]]
SEGMENTS = [[0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
LABELS = [1, 0]
FIRST, LAST = [2, 0], [3, 0]  # of the answers; the second has none


def tiny_model(kind):
    torch.manual_seed(7)
    config = BertConfig(vocab_size=40, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                        max_position_embeddings=16, type_vocab_size=2, initializer_range=0.5, num_labels=2)
    model = kind(config).eval()
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
    return {"ids": SENTENCES, "segments": SEGMENTS, "labels": LABELS, "logits": out.logits.flatten().tolist(),
            "loss": out.loss.item(), "gradients": gradients(model)}


def span_step(model):
    """Each window alone: transformers takes padding into the softmax."""
    logits, loss = [], 0.0
    for ids, segments, first, last in zip(SENTENCES, SEGMENTS, FIRST, LAST):
        out = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments]),
                    start_positions=torch.tensor([first]), end_positions=torch.tensor([last]))
        logits += torch.stack([out.start_logits[0], out.end_logits[0]], dim=1).flatten().tolist()
        loss = loss + out.loss / len(SENTENCES)
    loss.backward()
    return {"ids": SENTENCES, "segments": SEGMENTS, "first": FIRST, "last": LAST, "logits": logits, "loss": loss.item(),
            "gradients": gradients(model)}


def gradients(model):
    return {name.removeprefix("bert."): p.grad.flatten().tolist() for name, p in model.named_parameters()}


def write(fixtures, name, model, step):
    folder = os.path.join(fixtures, name)
    model.save_pretrained(folder)
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as out:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"w{i}" for i in range(35)]
        out.write("\n".join(words) + "\n")
    with open(os.path.join(fixtures, name + "_step.json"), "w", encoding="utf-8") as out:
        json.dump(step(model), out)
        out.write("\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(sys.argv[1], "tiny_bert", tiny_model(BertForSequenceClassification), step)
    write(sys.argv[1], "tiny_bert_qa", tiny_model(BertForQuestionAnswering), span_step)


if __name__ == "__main__":
    main()
