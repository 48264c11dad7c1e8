#!/usr/bin/env python3
"""Set the outliers of a model's linear layers before and after fine-tuning side by side, as a Markdown table.

    tools/compare_outliers.py BEFORE.json AFTER.json

The files are those of `inspect --json` with the same data and recipe. A line an input: the share of its elements above the
threshold, the columns that hold them, how many of the columns before are among those after, and the largest value.
"""
import argparse
import json
import sys


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", help="JSON of inspect")
    parser.add_argument("after", help="JSON of inspect")
    return parser.parse_args()


def inputs_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return {one["name"]: one for one in json.load(file)["inputs"]}
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"{path}: {error!r}")


def columns_of(one):
    return {column["column"] for column in one["outlier_columns"]}


def line(name, before, after):
    kept = len(columns_of(before) & columns_of(after))
    return (f"| {name.removeprefix('encoder.layer.')} | {100 * before['element_share']:.3g} | {100 * after['element_share']:.3g} "
            f"| {len(columns_of(before))} | {len(columns_of(after))} | {kept} "
            f"| {before['largest']:.3g} | {after['largest']:.3g} |")


def main():
    options = parse_options()
    before, after = inputs_of(options.before), inputs_of(options.after)
    if before.keys() != after.keys():
        sys.exit(f"{options.after}: its layers are not those of {options.before}")
    print("| input | outliers, % | after | columns | after | of them before, too | largest | after |")
    print("|:--|--:|--:|--:|--:|--:|--:|--:|")
    for name, one in before.items():
        print(line(name, one, after[name]))


if __name__ == "__main__":
    main()
