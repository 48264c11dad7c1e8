#!/usr/bin/env python3
"""Takes the code samples out of Markdown pages, for the tests to compile and run, and checks the pages' links.

    doc_samples.py --out DIR PAGE...     # DIR/PAGE_N.cpp (and .txt: what it prints), .json, .cmake; lists the files
    doc_samples.py --check-links PAGE...

A ```cpp block that defines no main becomes the body of one, its includes in front. A ```text block right after it is
what the program prints. A ```json block is a recipe, or a list of recipes; a ```cmake block is for the project of a
program called my_program.
"""
import argparse
import os
import re
import sys

FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n?", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def program(code):
    if re.search(r"\bint main\(", code):
        return code
    lines = code.splitlines()
    includes = [line for line in lines if line.startswith("#include")]
    body = ["  " + line for line in lines if not line.startswith("#include")]
    return "\n".join(includes + ["", "int main() {", *body, "}", ""])


def samples(text):
    """(kind, content, what it prints or None), in the page's order."""
    blocks = list(FENCE.finditer(text))
    for block, following in zip(blocks, blocks[1:] + [None]):
        kind, content = block.group(1), block.group(2)
        if kind in ("json", "cmake"):
            yield kind, content, None
        if kind != "cpp":
            continue
        prints = None
        if following is not None and following.group(1) == "text" and not text[block.end():following.start()].strip():
            prints = following.group(2)
        yield kind, program(content), prints


def write(path, content):
    """Leaves a file of that content as it is, so that nothing is compiled anew."""
    if os.path.exists(path) and open(path, encoding="utf-8").read() == content:
        return
    with open(path, "w", encoding="utf-8") as target:
        target.write(content)


def extract(pages, out):
    os.makedirs(out, exist_ok=True)
    for page in pages:
        name = os.path.splitext(os.path.basename(page))[0].lower()
        with open(page, encoding="utf-8") as source:
            found = list(samples(source.read()))
        for number, (kind, content, prints) in enumerate(found, 1):
            path = os.path.join(out, f"{name}_{number}.{kind}")
            write(path, content)
            print(path)
            if prints is not None:
                write(os.path.splitext(path)[0] + ".txt", prints)


def dead_links(page):
    with open(page, encoding="utf-8") as source:
        text = FENCE.sub("", source.read())
    for target in LINK.findall(text):
        path = target.split("#")[0]
        if path and not re.match(r"\w+:", target) and not os.path.exists(os.path.join(os.path.dirname(page), path)):
            yield target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", help="folder for the samples")
    parser.add_argument("--check-links", action="store_true")
    parser.add_argument("pages", nargs="+")
    options = parser.parse_args()
    if options.out:
        extract(options.pages, options.out)
    if options.check_links:
        dead = [f"{page}: {target}" for page in options.pages for target in dead_links(page)]
        if dead:
            sys.exit("dead links:\n" + "\n".join(dead))


if __name__ == "__main__":
    main()
