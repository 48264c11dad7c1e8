#!/usr/bin/env python3
"""Train the same model in the same order with finetune (FP32) and with PyTorch, and compare where both end.

    check_training.py --model DIR --data FILE.tsv --binary build/release/examples/finetune [--rows 256 --epochs 2]

FILE has the columns text and label. Dropout is off, the head is the one finetune draws, the order of examples is that
of the library (Fisher and Yates over its counter-based generator, written again here). Then only the arithmetic can
differ: the check fails unless every epoch's mean loss agrees to 1e-3 and the weights of both have moved alike, their
distance at most 5 % of the way they went. Needs torch, transformers and safetensors.
"""
import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

BATCH, RATE, M32, M64 = 32, 1e-4, (1 << 32) - 1, (1 << 64) - 1


def mix32(x):
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> shift)) * factor & M32
    return x ^ (x >> 16)


def mix64(x):
    x = x + 0x9E3779B97F4A7C15 & M64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & M64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & M64
    return x ^ (x >> 31)


def order_of(count, seed, epoch):
    name = 0xCBF29CE484222325
    for byte in b"order of examples":
        name = (name ^ byte) * 0x100000001B3 & M64
    key = mix64(mix64(mix64(mix64(seed) ^ epoch) ^ 0) ^ name)
    low, high, counter = key & M32, key >> 32, 0
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        while True:
            draw = mix32((mix32((counter & M32) ^ low) + high) & M32)
            counter += 1
            if draw < (1 << 32) // (i + 1) * (i + 1):
                break
        j = draw % (i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def run_finetune(o, model, out, epochs, table, figures):
    subprocess.run([o.binary, "--model", model, "--task", "text", "--data", table, "--eval-data", table, "--eval-limit",
                    "8", "--recipe", "fp32", "--epochs", str(epochs), "--lr", str(RATE), "--batch-size", str(BATCH),
                    "--out", out, "--json", figures], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def train_in_pytorch(folder, rows, epochs):
    model = AutoModelForSequenceClassification.from_pretrained(folder).train()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, 0, -(-len(rows) // BATCH) * epochs)
    losses = []
    for epoch in range(1, epochs + 1):
        order, total = order_of(len(rows), 0, epoch), 0.0
        for begin in range(0, len(rows), BATCH):
            chosen = [rows[i] for i in order[begin:begin + BATCH]]
            batch = tokenizer([r["text"] for r in chosen], truncation=True, max_length=128, padding=True,
                              return_tensors="pt")
            labels = torch.tensor([model.config.label2id[r["label"]] for r in chosen])
            loss = model(**batch, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += loss.item() * len(chosen)
        losses.append(total / len(rows))
    return losses, model.state_dict()


def norm(tensors):
    return torch.sqrt(sum((t.double() ** 2).sum() for t in tensors)).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=2)
    o = parser.parse_args()
    with open(o.data, encoding="utf-8") as source:
        lines = [line.rstrip("\n") for line in source][:o.rows + 1]
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    with tempfile.TemporaryDirectory() as scratch:
        place = lambda name: os.path.join(scratch, name)
        shutil.copytree(o.model, place("model"))
        with open(place("model/config.json"), encoding="utf-8") as source:
            config = json.load(source)
        config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        with open(place("model/config.json"), "w", encoding="utf-8") as out:
            json.dump(config, out)
        with open(place("rows.tsv"), "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        run_finetune(o, place("model"), place("start"), 0, place("rows.tsv"), place("start.json"))
        run_finetune(o, place("start"), place("end"), o.epochs, place("rows.tsv"), place("end.json"))
        start = load_file(place("start/model.safetensors"))
        ours = load_file(place("end/model.safetensors"))
        with open(place("end.json"), encoding="utf-8") as source:
            our_losses = [epoch["loss"] for epoch in json.load(source)["epochs"]]
        losses, theirs = train_in_pytorch(place("start"), rows, o.epochs)
    way = norm([theirs[n] - start[n] for n in start])
    apart = norm([theirs[n] - ours[n] for n in start])
    difference = max(abs(a - b) for a, b in zip(losses, our_losses))
    print(f"losses {[round(x, 5) for x in our_losses]}, PyTorch {[round(x, 5) for x in losses]}")
    print(f"the weights went {way:.4f}; both end {apart:.6f} apart ({100 * apart / way:.3f} %)")
    sys.exit(1 if difference > 1e-3 or apart > 0.05 * way else 0)


if __name__ == "__main__":
    main()
