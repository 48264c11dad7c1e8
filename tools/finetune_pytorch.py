#!/usr/bin/env python3
"""Fine-tune the same BERT on the same GLUE task in PyTorch, with the options finetune has and the same defaults.

    finetune_pytorch.py --model DIR --task mrpc --data FOLDER [--epochs --lr --batch-size --limit ...] --json FILE

FP32, sentences padded to the longest of their batch. AdamW without decay on biases and layer norms, linear warm-up
and decay, clipping, dropout as the model's configuration says. Prints and writes the metrics after every epoch, so
that they can be set beside those of `finetune --recipe fp32`. Needs torch, transformers, scikit-learn and scipy.
"""
import argparse
import csv
import json
import random
import time

import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

# Columns of the sentence, the pair and the label; names of the classes in order.
TASKS = {
    "mrpc": ("#1 String", "#2 String", "Quality", ["0", "1"]),
    "rte": ("sentence1", "sentence2", "label", ["entailment", "not_entailment"]),
    "stsb": ("sentence1", "sentence2", "score", None),
}


def read(path, task):
    first, second, label, names = TASKS[task]
    with open(path, encoding="utf-8-sig") as source:
        rows = list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
    number = float if names is None else names.index
    return [(r[first], r[second], number(r[label])) for r in rows]


def metrics(task, logits, labels):
    if task == "stsb":
        return {"pearson": pearsonr(logits[:, 0], labels)[0], "spearman": spearmanr(logits[:, 0], labels)[0]}
    predicted = logits.argmax(1)
    result = {"accuracy": accuracy_score(labels, predicted)}
    if task == "mrpc":
        result["f1"] = f1_score(labels, predicted)
    return result


def batches(rows, size, tokenizer, max_length):
    for begin in range(0, len(rows), size):
        chosen = rows[begin:begin + size]
        batch = tokenizer([r[0] for r in chosen], [r[1] for r in chosen], truncation=True, max_length=max_length,
                          padding=True, return_tensors="pt")
        yield batch, torch.tensor([r[2] for r in chosen])


def evaluate(model, rows, options, tokenizer):
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(**batch).logits for batch, _ in
                            batches(rows, options.batch_size, tokenizer, options.max_length)])
    model.train()
    return metrics(options.task, logits.numpy(), [r[2] for r in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", choices=sorted(TASKS), required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=2e-5)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json")
    o = parser.parse_args()
    torch.manual_seed(o.seed)
    order = random.Random(o.seed)
    train, dev = read(f"{o.data}/train.tsv", o.task), read(f"{o.data}/dev.tsv", o.task)
    train = train[:o.limit] if o.limit else train
    labels = 1 if TASKS[o.task][3] is None else len(TASKS[o.task][3])
    model = AutoModelForSequenceClassification.from_pretrained(o.model, num_labels=labels)
    tokenizer = AutoTokenizer.from_pretrained(o.model)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=o.lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    steps = -(-len(train) // o.batch_size) * o.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, 0, steps)
    epochs = []
    for epoch in range(1, o.epochs + 1):
        order.shuffle(train)
        start, total = time.time(), 0.0
        for batch, target in batches(train, o.batch_size, tokenizer, o.max_length):
            target = target.float() if labels == 1 else target
            loss = model(**batch, labels=target).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += loss.item() * len(target)
        seconds = time.time() - start
        epochs.append({"loss": total / len(train), "seconds": seconds, "metrics": evaluate(model, dev, o, tokenizer)})
        print(f"epoch {epoch}: {epochs[-1]}", flush=True)
    if o.json:
        with open(o.json, "w", encoding="utf-8") as out:
            json.dump({"task": o.task, "recipe": "pytorch fp32", "seed": o.seed, "epochs": epochs}, out, indent=2)


if __name__ == "__main__":
    main()
