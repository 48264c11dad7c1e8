#!/usr/bin/env python3
"""Compares the tokenize program with Hugging Face's BertTokenizerFast, on awkward texts and on TSV files.

    python3 tools/check_tokens.py --model DIR --binary build/release/examples/tokenize FILES...

Every field of a row is compared, and every two fields next to each other as a pair, whole and cut to 16 ids.
Prints the number of lines compared and of mismatches per file; exits with 1 if there is any mismatch.
Needs transformers.
"""
import argparse
import itertools
import subprocess
import sys
from pathlib import Path

from transformers import BertTokenizerFast

LENGTHS = (512, 16)
SHOWN = 5  # mismatches printed per file

AWKWARD = [
    "", " ", "Hello, World!", "naïve café Ångström ÀÉÎÕÜ", "cafe\u0301 n\u0303 a\u0316\u0301",
    "\u0301lone mark",
    "你好,世界 中文abc中文", "\U00020000\U0002a6df \U0002b820\U0002b91f\U0002b920\U0002cea1 \uf900",
    "ひらがな カタカナ がぎぐ ガ",
    "한국어 각 힣", "😀 👩‍👩‍👧 ❤️ 🇩🇪 ok👍ok", "a\u0001b\u0000c\u007fd\u0085e\u009ff", "a\ufffdb \ufeffbom",
    "zero\u200bwidth \u200djoiner\u200c soft\u00adhyphen", "\u202aשלום\u202c \u200fمرحبا\u200e عَرَبِيّ",
    "हिन्दी ไทยภาษา தமிழ்",
    "no\u00a0break\u2003em\u3000wide\u1680ogham\u2028line\u2029para\u180emongol",
    "tab-less\rreturn \x0b\x0c feeds",
    "я" * 100, "я" * 101, "Я" * 99 + "ё", "й" * 100, "a" * 100, "a" * 101, "İstanbul IĞDIR ı",
    "STRASSE ẞ ß ſ", "ΣΊΣΥΦΟΣ ΟΔΥΣΣΕΎΣ Σ",
    "ǅ ǲ ﬁ ﬂ K Å Ω", "this[SEP]a", "[CLS] x [SEP]", "[mask]", "[ SEP ]", "[[MASK]]", "[UNK][PAD][MASK]x",
    "[SEP", "a[SEP]́b",
    "$1,000.00 50% a+b=c ~x~ `y` ^z <t> |u|", "don't can’t “quoted” — dash… «fr» ¿es? ¡si!",
    "##ing ## #tag", "e-mail@x.y http://a.b/c?d=e",
    "½ ² ³ ① Ⅳ № ™ ©", "ᲀ\u1c89 \ua7cb Ა ა Ꭰ ꭰ",
    "\u166d \u1734 \u1885 \ua9bd \u061d \u2e43 \u0898 \U000111c9 \U00011938",
    "a\u1dfb\u0316 a\u1df6\u0316 \u0344 \u0340", "\ue000\U000f0000private \u0378unassigned\U000e0001tag",
    "Ờ Ữ ậ ǖ",
    "word " * 600, "supercalifragilisticexpialidocious antidisestablishmentarianism zzzzqqqqxxxx",
]


def awkward_lines():
    pairs = itertools.pairwise(AWKWARD)
    return list(AWKWARD) + [a + "\t" + b for a, b in pairs]


def character_lines():
    """Every code point between two letters, but line feed, tab and surrogates."""
    codes = (c for c in range(0x110000) if c not in (0x09, 0x0A) and not 0xD800 <= c < 0xE000)
    return [f"a{chr(c)}b {chr(c)}" for c in codes]


def table_lines(path):
    lines = set()
    for row in Path(path).read_bytes().decode("utf-8", "replace").split("\n"):
        fields = row.split("\t")
        lines.update(fields)
        lines.update("\t".join(pair) for pair in itertools.pairwise(fields))
    return sorted(lines)


def ours(arguments, lines, length):
    command = [arguments.binary, "--model", arguments.model, "--max-length", str(length)]
    data = "".join(line + "\n" for line in lines).encode()
    out = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")
    return [[int(x) for x in line.split()] for line in out[:-1]]


def reference(tokenizer, lines, length):
    texts = [tuple(line.split("\t")) if "\t" in line else line for line in lines]
    cut = {"truncation": "longest_first", "max_length": length, "padding": False}
    ids = [None] * len(lines)
    for is_pair in (False, True):
        places = [i for i, text in enumerate(texts) if isinstance(text, tuple) == is_pair]
        chosen = [texts[i] for i in places]
        if is_pair and chosen:
            found = tokenizer([a for a, _ in chosen], [b for _, b in chosen], **cut)
        elif chosen:
            found = tokenizer(chosen, **cut)
        for i, row in zip(places, found["input_ids"] if chosen else []):
            ids[i] = row
    return ids


def mismatches(arguments, tokenizer, name, lines):
    count = 0
    for length in LENGTHS:
        mine = ours(arguments, lines, length)
        theirs = reference(tokenizer, lines, length)
        if len(mine) != len(lines):
            sys.exit(f"{name}: {len(lines)} lines in, {len(mine)} out")
        for line, a, b in zip(lines, mine, theirs):
            if a == b:
                continue
            count += 1
            if count <= SHOWN:
                print(f"{name}: {line[:80]!r}\n  ours   {a[:40]}\n  theirs {b[:40]}")
    print(f"{name}: {len(lines)} lines, {count} mismatches")
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--every-character", action="store_true",
                        help="also every code point (a few minutes)")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    tokenizer = BertTokenizerFast.from_pretrained(arguments.model)
    total = mismatches(arguments, tokenizer, "awkward texts", awkward_lines())
    if arguments.every_character:
        total += mismatches(arguments, tokenizer, "every character", character_lines())
    for path in arguments.files:
        total += mismatches(arguments, tokenizer, path, table_lines(path))
    print(f"{total} mismatches")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
