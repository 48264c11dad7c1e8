#!/usr/bin/env python3
"""A fine-tuning step of a BERT classifier in PyTorch and transformers, to measure ours against.

    pytorch_step.py --model DIR --precision fp32|bf16 --threads N [--steps 6 --batch 32 --length 128]
    bench_step --model DIR --rival "PyTorch fp32=python3 tools/pytorch_step.py --serve --model DIR --threads 2"

With --serve it is a rival of bench_step: each line on standard input holds the sentence lengths of a batch; it makes
one step on random tokens of these lengths, padded to the longest and masked, and answers with one line of JSON. Else
it makes --steps steps and prints the median of all but the first two. bf16 is autocast on the CPU. A step is forward
with dropout, loss, backward and AdamW; unlike ours it does not clip the gradients.
Needs torch and transformers.
"""
import argparse
import json
import statistics
import sys
import time

import torch
from transformers import AutoModelForSequenceClassification


def peak_bytes():
    """The most memory this process has held; not taken over from the parent, as ru_maxrss is."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


class Trainer:
    def __init__(self, folder, precision):
        torch.manual_seed(0)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2).float()
        self.model.train()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=2e-5)
        self.bf16 = precision == "bf16"

    def batch(self, lengths):
        longest = max(lengths)
        mask = (torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]).long()
        ids = torch.randint(1000, min(30000, self.model.config.vocab_size), mask.shape) * mask
        return {"input_ids": ids, "attention_mask": mask, "labels": torch.arange(len(lengths)) % 2}

    def step(self, lengths):
        inputs = self.batch(lengths)
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            loss = self.model(**inputs).loss
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        self.optimiser.step()
        self.optimiser.zero_grad()
        end = time.perf_counter()
        return {"forward": forward - start, "backward": backward - forward, "optimiser": end - backward,
                "peak_bytes": peak_bytes()}


def serve(trainer):
    for line in sys.stdin:
        print(json.dumps(trainer.step([int(word) for word in line.split()])), flush=True)


def measure(trainer, options):
    times = [trainer.step([options.length] * options.batch) for _ in range(options.steps)]
    middle = {part: statistics.median(t[part] for t in times[2:] or times)
              for part in ("forward", "backward", "optimiser")}
    total = statistics.median(t["forward"] + t["backward"] + t["optimiser"] for t in times[2:] or times)
    print(f"{options.precision}, {options.threads} threads, {options.batch} x {options.length}: {total:.3f} s a step "
          f"(forward {middle['forward']:.3f}, backward {middle['backward']:.3f}, optimiser {middle['optimiser']:.3f}), "
          f"{options.batch * options.length / total:.0f} tokens/s, peak {peak_bytes() / 2**20:.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trainer = Trainer(options.model, options.precision)
    if options.serve:
        serve(trainer)
    else:
        measure(trainer, options)


if __name__ == "__main__":
    main()
