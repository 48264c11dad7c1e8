#!/usr/bin/env python3
"""Load a folder that finetune wrote in transformers and compare its logits with those predict prints in FP32.

    check_saved_folder.py --model OUT --data FILE.tsv --binary build/release/examples/predict [--rows 32]

FILE has a header with the columns text and label. Fails unless logits agree to 1e-4 and labels are the same.
Needs torch and transformers.
"""
import argparse
import csv
import os
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", type=int, default=32)
    options = parser.parse_args()
    with open(options.data, encoding="utf-8") as source:
        lines = [line.rstrip("\n") for line in source][:options.rows + 1]
    texts = [row["text"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    with tempfile.TemporaryDirectory() as scratch:
        table = os.path.join(scratch, "rows.tsv")
        with open(table, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        printed = subprocess.run([options.binary, "--model", options.model, "--data", table, "--recipe", "fp32"],
                                 stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    model = AutoModelForSequenceClassification.from_pretrained(options.model).eval()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    batch = tokenizer(texts, truncation=True, max_length=128, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**batch).logits
    worst, labels_differ = 0.0, 0
    assert len(printed) == len(texts)
    for line, row in zip(printed, logits):
        label, *values = line.split("\t")
        worst = max(worst, max(abs(float(v) - r.item()) for v, r in zip(values, row)))
        labels_differ += label != model.config.id2label[int(row.argmax())]
    print(f"{len(texts)} rows: logits differ by at most {worst:.2e}, {labels_differ} labels differ")
    sys.exit(1 if worst > 1e-4 or labels_differ else 0)


if __name__ == "__main__":
    main()
