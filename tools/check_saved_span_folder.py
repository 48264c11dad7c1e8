#!/usr/bin/env python3
"""Load a folder that finetune --task squad wrote in transformers and compare its answers with those of predict in FP32.

    check_saved_span_folder.py --model OUT --data dev-v1.1.json --binary build/release/examples/predict [--questions 32]

Windows by BertTokenizerFast, logits by BertForQuestionAnswering, every span of a window's context up to 30 tokens tried.
Fails unless the scores (sums of a start and an end logit) of the 20 best answers and that of no answer agree to 1e-4 and
the answers are the same. Needs torch and transformers.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from transformers import AutoTokenizer, BertForQuestionAnswering

MAX_LENGTH, STRIDE, LONGEST, KEPT = 384, 128, 30, 20


def first_questions(path, count):
    """The file cut to its first questions, and these with their contexts."""
    with open(path, encoding="utf-8") as source:
        document = json.load(source)
    chosen = []
    for article in document["data"]:
        for paragraph in article["paragraphs"]:
            paragraph["qas"] = paragraph["qas"][:count - len(chosen)]
            chosen += [(q["id"], q["question"], paragraph["context"]) for q in paragraph["qas"]]
    return document, chosen


def ours(options, document):
    with tempfile.TemporaryDirectory() as scratch:
        data, best = os.path.join(scratch, "data.json"), os.path.join(scratch, "best.json")
        with open(data, "w", encoding="utf-8") as out:
            json.dump(document, out)
        printed = subprocess.run([options.binary, "--model", options.model, "--task", "squad", "--data", data, "--recipe",
                                  "fp32", "--max-length", str(MAX_LENGTH), "--doc-stride", str(STRIDE), "--n-best", best,
                                  "--n-best-size", str(KEPT)], stdout=subprocess.PIPE, check=True).stdout
        with open(best, encoding="utf-8") as source:
            return json.loads(printed), json.load(source)


def spans_of(model, tokenizer, question, context):
    """Scores and texts of all answers of all windows, best first, and the lowest score of no answer."""
    windows = tokenizer(question, context, truncation="only_second", max_length=MAX_LENGTH, stride=STRIDE,
                        return_overflowing_tokens=True, return_offsets_mapping=True)
    spans, none = [], float("inf")
    for i, ids in enumerate(windows["input_ids"]):
        with torch.no_grad():
            out = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([windows["token_type_ids"][i]]))
        starts, ends = out.start_logits[0].double().tolist(), out.end_logits[0].double().tolist()
        none = min(none, starts[0] + ends[0])
        inside = [t for t, s in enumerate(windows.sequence_ids(i)) if s == 1]
        offsets = windows["offset_mapping"][i]
        spans += [(starts[a] + ends[b], context[offsets[a][0]:offsets[b][1]]) for a in inside
                  for b in range(a, min(a + LONGEST, inside[-1] + 1))]
    return sorted(spans, key=lambda span: -span[0]), none


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--model", "--data", "--binary"):
        parser.add_argument(option, required=True)
    parser.add_argument("--questions", type=int, default=32)
    options = parser.parse_args()
    document, questions = first_questions(options.data, options.questions)
    answers, best = ours(options, document)
    model = BertForQuestionAnswering.from_pretrained(options.model).eval()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    worst, different = 0.0, 0
    for name, question, context in questions:
        spans, none = spans_of(model, tokenizer, question, context)
        found = best[name]
        assert len(found["answers"]) == min(KEPT, len(spans))
        worst = max([worst, abs(found["no_answer_difference"] - (none - spans[0][0]))] +
                    [abs(mine["score"] - score) for mine, (score, _) in zip(found["answers"], spans)])
        different += answers[name] != spans[0][1]
    print(f"{len(questions)} questions: scores differ by at most {worst:.2e}, {different} answers differ")
    return 1 if worst > 1e-4 or different else 0


if __name__ == "__main__":
    sys.exit(main())
