#!/usr/bin/env python3
"""Scores made-up predictions of a SQuAD file here and with the evaluate program; every digit must agree.

    check_squad_score.py --task squad|squad2 --data dev.json --binary build/release/examples/evaluate [--rounds 3]

The definition of the official scripts in other words: an answer's words are what is left of its lower case without ASCII
punctuation and without the words a, an, the; exact match compares them, F1 is the harmonic mean of precision and recall
of the words as multisets, the best right answer counts, the means are over the questions. squad2: no words on one side
make F1 the exact match, and a question without answers has the empty one. Predictions are right answers, cut, joined,
decorated with marks of all kinds, emptied, or left out. Python alone.
"""
import argparse
import collections
import json
import os
import random
import re
import string
import subprocess
import sys
import tempfile

DECORATIONS = ["the ", "A ", " an", ".", ", ", "\u2013", "\u2014the ", "\u00a0", "\u3000", "\u200b", "\u2019s", "_", "$", "\u00b2",
               "\u4f60", "\u0301", "\u0130", "\u03a3", " \u039f\u03a3", "\u1e9e", "\U0001f600", "\x1f", "\x85", "\u0663",
               "\u2167", "\u00bd", "a\u0301 ", "\"", "\\", "\n", "THE", "-a-", "\u0e01", "\u00ad"]


def words(answer):
    kept = "".join(c for c in answer.lower() if c not in string.punctuation)
    return re.sub(r"\b(?:the|an|a)\b", " ", kept).split()


def overlap(answer, right):
    shared = sum(min(count, right.count(word)) for word, count in collections.Counter(answer).items())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(answer), shared / len(right)
    return 2 * precision * recall / (precision + recall)


def score(task, answer, rights):
    """Best exact match and best F1, each on its own."""
    answer = words(answer)
    rights = [words(right) for right in rights]
    if task == "squad2":
        rights = [right for right in rights if right] or [[]]
    exact = [float(answer == right) for right in rights]
    f1 = [e if task == "squad2" and not (answer and right) else overlap(answer, right) for e, right in zip(exact, rights)]
    return max(exact), max(f1)


def percent(scores):
    total = 0.0
    for value in scores:
        total += value
    return 100.0 * total / len(scores)


def metrics(task, questions, predictions):
    scores = [score(task, predictions[name], rights) if name in predictions else (0.0, 0.0) for name, rights in questions]
    result = {"exact_match": percent([e for e, _ in scores]), "f1": percent([f for _, f in scores])}
    if task == "squad":
        return result
    result["total"] = len(scores)
    for part, wanted in (("HasAns", True), ("NoAns", False)):
        chosen = [s for s, (_, rights) in zip(scores, questions) if bool(rights) == wanted]
        if chosen:
            result |= {f"{part}_exact": percent([e for e, _ in chosen]), f"{part}_f1": percent([f for _, f in chosen]),
                       f"{part}_total": len(chosen)}
    return result


def made_up(rights, context, random_numbers):
    kind = random_numbers.randrange(8)
    if kind == 0 or (not rights and kind < 4):
        return ""
    text = random_numbers.choice(rights) if rights else context[:random_numbers.randrange(40)]
    if kind == 1:
        return text
    if kind == 2:
        begin = random_numbers.randrange(len(context))
        return context[begin:begin + random_numbers.randrange(60)]
    if kind == 3:
        return text[:random_numbers.randrange(len(text) + 1)]
    if kind == 4:
        return " ".join(random_numbers.choices(text.split() or ["x"], k=5))
    if kind == 5:
        return text.upper()
    for _ in range(random_numbers.randrange(4)):
        at = random_numbers.randrange(len(text) + 1)
        text = text[:at] + random_numbers.choice(DECORATIONS) + text[at:]
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, choices=["squad", "squad2"])
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with open(options.data, encoding="utf-8") as source:
        rows = [(q["id"], [a["text"] for a in q["answers"]], p["context"]) for article in json.load(source)["data"]
                for p in article["paragraphs"] for q in p["qas"]]
    questions = [(name, rights) for name, rights, _ in rows]
    failures = 0
    for seed in range(options.rounds):
        random_numbers = random.Random(seed)
        predictions = {name: made_up(rights, context, random_numbers) for name, rights, context in rows
                       if random_numbers.random() > 0.01}
        with tempfile.TemporaryDirectory() as folder:
            made, scored = os.path.join(folder, "predictions.json"), os.path.join(folder, "scores.json")
            with open(made, "w", encoding="utf-8") as out:
                json.dump(predictions, out)
            subprocess.run([options.binary, "--task", options.task, "--data", options.data, "--predictions", made, "--json",
                            scored], check=True, stdout=subprocess.DEVNULL)
            with open(scored, encoding="utf-8") as source:
                found = json.load(source)
        expected = metrics(options.task, questions, predictions)
        failures += found != expected
        print(f"seed {seed}: {'equal' if found == expected else 'DIFFERENT'} {found}")
        if found != expected:
            print(f"expected {expected}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
