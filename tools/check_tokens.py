#!/usr/bin/env python3
"""Compare the tokenize program with transformers' BertTokenizerFast, line by line.

    check_tokens.py --model DIR --binary build/release/examples/tokenize [FILE ...]

Every field of every line of the FILEs is a sentence, and every two neighbouring fields are a pair; a list of awkward
texts comes first. Prints the number of texts and of differences; exits 1 if there is one.
"""
import argparse
import subprocess
import sys

from transformers import BertTokenizerFast

from make_token_fixtures import AWKWARD

# A tab separates sentences and a newline ends them.
AWKWARD_LINES = [text.replace("\n", " ").replace("\t", " ") for text in AWKWARD]


def texts(files):
    yield from AWKWARD_LINES
    yield from ("\t".join(pair) for pair in zip(AWKWARD_LINES, AWKWARD_LINES[1:]))
    for name in files:
        with open(name, "rb") as source:
            for raw in source.read().decode("utf-8", "replace").split("\n"):
                fields = raw.rstrip("\r").split("\t")
                yield from fields
                yield from ("\t".join(pair) for pair in zip(fields, fields[1:]))


def reference_ids(tokenizer, lines, max_length):
    """Ids of each line; pairs in the list form, where an empty second sentence is a sentence."""
    ids = [None] * len(lines)
    for paired in (False, True):
        chosen = [number for number, line in enumerate(lines) if ("\t" in line) == paired]
        if not chosen:
            continue
        columns = zip(*(lines[number].split("\t", 1) for number in chosen))
        found = tokenizer(*map(list, columns), truncation=True, max_length=max_length).input_ids
        for number, one in zip(chosen, found):
            ids[number] = one
    return ids


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    reference = BertTokenizerFast.from_pretrained(options.model)
    lines = list(texts(options.files))
    result = subprocess.run([options.binary, "--model", options.model, "--max-length", str(options.max_length)],
                            input="".join(line + "\n" for line in lines).encode("utf-8"), stdout=subprocess.PIPE,
                            check=True)
    ours = result.stdout.decode().split("\n")[:-1]
    assert len(ours) == len(lines), (len(ours), len(lines))
    differences = 0
    for line, mine, ids in zip(lines, ours, reference_ids(reference, lines, options.max_length)):
        if " ".join(map(str, ids)) != mine:
            differences += 1
            if differences <= 10:
                print(f"{line!r}\n  theirs {ids}\n  ours   {mine}")
    print(f"{len(lines)} texts, {differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
