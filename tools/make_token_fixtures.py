#!/usr/bin/env python3
"""Writes a small vocabulary, and what BertTokenizerFast makes of texts with it, for the tests of data.

    python3 tools/make_token_fixtures.py tests/fixtures

Writes small_vocab.txt; tokens.jsonl with lines {"text", "pair", "max_length", "ids"} and, for single texts that are
not cut, "spans" (the offsets of the tokens); windows.jsonl with lines {"question", "context", "max_length",
"doc_stride", "windows": [{"ids", "spans"}]}. Needs transformers.
"""
import json
import sys
import tempfile
from pathlib import Path

from transformers import BertTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """the cat sat on mat play un want naive cafe uber angstrom istanbul strasse mask sep hello world 你 世 界
한 ひ カ я й ё σ ω 1 2 100
, . ! ? [ ] ( ) - — “ ” ’ $ % & # @ / : ; + = < > | ~ ` ^ _ * { } ' " \\ 。 、 ¿ « » ½""".split()
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
TAILS = ["##ing", "##ed", "##s", "##able", "##want", "##aff", "##я", "##й", "##σ", "##ω", "##ß", "##カ",
         "##2", "##0"]

TEXTS = [
    "", " ", "The cat sat on the mat.", "UNWANTED playing, plays!", "unwantable unaff",
    "naïve café Über Ångström", "nai\u0308ve cafe\u0301",
    "hello你好world 世界。", "한국 각 ひらがな カカ が", "😀 the👍cat ❤️", "a\u0001b\u0000c\u007fd\u0085e",
    "the\ufffdcat \ufeffmat",
    "ca\u200bt c\u00adat m\u200dat", "\u202acat\u202c \u200fمرحبا\u200e",
    "the\u00a0cat\u2003sat\u3000on\u2028the\u2029mat", "a\rb\x0bc\x0cd",
    "я" * 100, "я" * 101, "Яйё", "a" * 101, "İstanbul ISTANBUL ı", "STRASSE ẞ aß", "ΣΩΣ ΩΣ", "this[SEP]a",
    "[mask]", "[ SEP ]", "[[MASK]]",
    "[UNK][PAD][MASK]x", "[SEP", "$100.00 50% a+b=c ~x~ `y` ^z <t> |u|", "“cat’s” — ¿the? «mat»",
    "##ing ## #tag", "½ 1½ ² 122",
    "a\u166db a\u1734b a\U000111c9b a\u061db a\u2e43b", "a\u1885b \ua9bd \u0898",
    "\ue000cat\U000f0000 \u0378mat",
]
PAIRS = [("The cat", "sat on the mat."), ("", ""), ("", "cat"), ("cat", ""), ("a[SEP]b", "[CLS]")]
# Lengths of both texts and the longest allowed, special tokens counted.
CUTS = [(8, 8, 12), (7, 8, 12), (8, 7, 12), (4, 9, 12), (2, 12, 10), (12, 2, 10), (0, 12, 8), (5, 5, 3), (5, 5, 13), (5, 5, 12),
        (3, 0, 4), (9, 1, 5), (1, 9, 5), (6, 6, 9)]
SINGLE_CUTS = [(5, 2), (5, 3), (5, 6), (5, 7), (5, 8)]

# Question, context, longest window, overlap.
WINDOWS = [
    ("the cat sat", "a b c d e f g h i j k l", 12, 2), ("the cat sat", "a b c d e f g h i j k l", 12, 5),
    ("the cat sat", "a b c d e f g h i j k l", 7, 0), ("the cat sat", "a b c d e f g h i j k l", 18, 8),
    ("caf\u00e9?", "Na\u0131ve nai\u0308ve cats.\u00a0UNWANTED \u4f60\u597d playing\u2026 (100\u00bd) \U0001f600 mat", 14, 4),
    ("[SEP] who", "the [MASK] cat\u200bs  sat \ufb01 \u0130stanbul", 13, 3), ("", "unwanted cats", 6, 1),
]


def letters(count, first):
    return " ".join(chr(ord(first) + i) for i in range(count))


def cases():
    for text in TEXTS:
        yield text, None, 512
    for a, b in PAIRS:
        yield a, b, 512
    for a, b, length in CUTS:
        yield letters(a, "a"), letters(b, "m"), length
    for count, length in SINGLE_CUTS:
        yield letters(count, "a"), None, length


def ids(tokenizer, text, pair, length):
    # As a batch: called with bare strings, transformers takes an empty pair for none.
    pairs = None if pair is None else [pair]
    return tokenizer([text], pairs, truncation="longest_first", max_length=length)["input_ids"][0]


def spans(tokenizer, text):
    found = tokenizer([text], add_special_tokens=False, return_offsets_mapping=True)
    return found["offset_mapping"][0]


def windows(tokenizer, question, context, length, stride):
    found = tokenizer([question], [context], truncation="only_second", max_length=length, stride=stride,
                      return_overflowing_tokens=True, return_offsets_mapping=True)
    in_context = [[s == 1 for s in found.sequence_ids(i)] for i in range(len(found["input_ids"]))]
    return [{"ids": row, "spans": [span for span, inside in zip(offsets, inside_row) if inside]}
            for row, offsets, inside_row in zip(found["input_ids"], found["offset_mapping"], in_context)]


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8", newline="") as out:
        for line in lines:
            out.write(json.dumps(line) + "\n")


def token_line(tokenizer, text, pair, length):
    line = {"text": text, "pair": pair, "max_length": length, "ids": ids(tokenizer, text, pair, length)}
    if pair is None and length == 512:
        line["spans"] = spans(tokenizer, text)
    return line


def window_line(tokenizer, question, context, length, stride):
    return {"question": question, "context": context, "max_length": length, "doc_stride": stride,
            "windows": windows(tokenizer, question, context, length, stride)}


def main():
    folder = Path(sys.argv[1])
    vocabulary = "".join(token + "\n" for token in dict.fromkeys(SPECIAL + WORDS + LETTERS + TAILS))
    (folder / "small_vocab.txt").write_text(vocabulary, encoding="utf-8", newline="")
    with tempfile.TemporaryDirectory() as model:
        (Path(model) / "vocab.txt").write_text(vocabulary, encoding="utf-8", newline="")
        tokenizer = BertTokenizerFast.from_pretrained(model)
    write_lines(folder / "tokens.jsonl", [token_line(tokenizer, *case) for case in cases()])
    write_lines(folder / "windows.jsonl", [window_line(tokenizer, *case) for case in WINDOWS])


if __name__ == "__main__":
    main()
