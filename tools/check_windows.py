#!/usr/bin/env python3
"""Compares the windows of a SQuAD file with BertTokenizerFast's, and maps every first right answer back to its text.

    check_windows.py --model DIR --data dev-v1.1.json --binary build/release/examples/tokenize

Token ids, and the offsets of the context's tokens, must be equal in every window. An answer comes back if the text from
its first to its last token is the answer; those that do not are printed with what surrounds them. Fails if a window
differs or an answer does not come back that starts and ends where tokens do. Needs transformers.
"""
import argparse
import itertools
import json
import subprocess
import sys

from transformers import BertTokenizerFast


def questions_of(path):
    with open(path, encoding="utf-8") as source:
        articles = json.load(source)["data"]
    return [(q["id"], q["question"], p["context"], q["answers"][:1]) for a in articles for p in a["paragraphs"]
            for q in p["qas"]]


def reference(tokenizer, questions, length, stride):
    """Windows of each question: ids, and the offsets of the context's tokens."""
    found = tokenizer([q[1] for q in questions], [q[2] for q in questions], truncation="only_second", max_length=length,
                      stride=stride, return_overflowing_tokens=True, return_offsets_mapping=True)
    windows = {q[0]: [] for q in questions}
    for i, sample in enumerate(found["overflow_to_sample_mapping"]):
        spans = [list(o) for o, s in zip(found["offset_mapping"][i], found.sequence_ids(i)) if s == 1]
        windows[questions[sample][0]].append((found["input_ids"][i], spans))
    return windows


def ours(options):
    command = [options.binary, "--model", options.model, "--squad", options.data, "--max-length", str(options.max_length),
               "--doc-stride", str(options.doc_stride)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        yield from map(json.loads, process.stdout)
    if process.returncode:
        sys.exit(process.returncode)


def starts_and_ends_with_tokens(window, answer):
    begins, ends = {s[0] for s in window["spans"]}, {s[1] for s in window["spans"]}
    return answer["answer_start"] in begins and answer["answer_start"] + len(answer["text"]) in ends


def check_question(question, windows, expected):
    """Whether its windows are equal, its answer comes back, and its answer could."""
    _, _, context, answers = question
    equal = [(w["ids"], w["spans"]) for w in windows] == expected
    if not answers:
        return equal, None, None
    back = [w["answer"] for w in windows if w["answer"] is not None]
    returned = bool(back) and all(text == answers[0]["text"] for text in back)
    if not returned:
        at = answers[0]["answer_start"]
        print(f"{question[0]}: {answers[0]['text']!r} comes back as {back[:1]} in "
              f"{context[max(0, at - 10):at + len(answers[0]['text']) + 10]!r}")
    return equal, returned, any(starts_and_ends_with_tokens(w, answers[0]) for w in windows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--model", "--data", "--binary"):
        parser.add_argument(option, required=True)
    parser.add_argument("--max-length", type=int, default=384)
    parser.add_argument("--doc-stride", type=int, default=128)
    options = parser.parse_args()
    tokenizer = BertTokenizerFast.from_pretrained(options.model)
    questions = questions_of(options.data)
    produced = itertools.groupby(ours(options), key=lambda window: window["id"])
    counts = dict(windows=0, differ=0, answers=0, returned=0, lost=0)
    for begin in range(0, len(questions), 256):
        chunk = questions[begin:begin + 256]
        expected = reference(tokenizer, chunk, options.max_length, options.doc_stride)
        for question in chunk:
            name, group = next(produced)
            windows = list(group)
            equal, returned, could = check_question(question, windows, expected[question[0]])
            counts["windows"] += len(windows)
            counts["differ"] += not equal or name != question[0]
            if returned is not None:
                counts["answers"] += 1
                counts["returned"] += returned
                counts["lost"] += could and not returned
    print(f"{len(questions)} questions, {counts['windows']} windows, {counts['differ']} questions differ; "
          f"{counts['returned']} of {counts['answers']} answers come back, {counts['lost']} lost for no reason")
    return 1 if counts["differ"] or counts["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
