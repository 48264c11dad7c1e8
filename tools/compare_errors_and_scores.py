#!/usr/bin/env python3
"""Set the error that a study's recipes make in one step beside the loss of score that fine-tuning with them ends at.

    tools/compare_errors_and_scores.py STUDY.json --make-list LIST.json
    ablate --recipes LIST.json --json ERRORS.json ...
    tools/compare_errors_and_scores.py STUDY.json --errors ERRORS.json --task stsb --model minilm [--svg FILE]

The first writes the study's recipes as a list for `ablate`. The last prints a Markdown table, a line a recipe, smallest
gradient error first: the errors, and FP32's score less the recipe's in points, mean over the seeds that both have run. A
score is the mean of the task's metrics after the last epoch. Results are read from the folder STUDY. The plot needs
matplotlib.
"""
import argparse
import json
import os
import re
import statistics
import sys

from performance.plots import load_matplotlib

PRESETS = ("bf16", "int8", "approach1", "approach2", "rowwise")
NAMED_FROM = 0.1  # error of gradients from which a recipe is named in the plot


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="file of the study")
    parser.add_argument("--make-list", metavar="FILE", help="write the recipes for ablate, and stop")
    parser.add_argument("--errors", metavar="FILE", help="JSON of ablate")
    parser.add_argument("--task", help="task of the study")
    parser.add_argument("--model", help="model of the study")
    parser.add_argument("--svg", metavar="FILE", help="file for the plot")
    options = parser.parse_args()
    if not options.make_list and not (options.errors and options.task and options.model):
        parser.error("give --make-list, or --errors, --task and --model")
    return options


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: {error}")


def make_list(study, path):
    recipes = {name: name for name in PRESETS} | study["recipes"]
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"group": "study", "name": name, "recipe": recipe} for name, recipe in recipes.items()], file, indent=1)
        file.write("\n")


def scores(folder, task, model):
    """Score of (recipe, seed), in percent."""
    found = {}
    for name in sorted(os.listdir(folder)):
        match = re.fullmatch(rf"{re.escape(task)}-(.+)-(\d+)-{re.escape(model)}\.json", name)
        if match:
            metrics = read(os.path.join(folder, name))["figures"]["epochs"][-1]["metrics"]
            found[match.group(1), int(match.group(2))] = 100 * statistics.mean(metrics.values())
    return found


def losses(found):
    """Recipe to FP32's score less its own, of each seed that both have run."""
    by_recipe = {}
    for (recipe, seed), score in found.items():
        if recipe != "fp32" and ("fp32", seed) in found:
            by_recipe.setdefault(recipe, []).append(found["fp32", seed] - score)
    return by_recipe


def draw(lines, options):
    plot = load_matplotlib()
    if plot is None:
        sys.exit("--svg: matplotlib is missing")
    figure, axes = plot.subplots(figsize=(6.4, 3.4))
    axes.scatter([line["gradient"] for line in lines], [line["loss"] for line in lines], s=14, color="#b5474d")
    named = [line for line in lines if line["gradient"] >= NAMED_FROM]
    for i, line in enumerate(named):  # above and below by turns: neighbours lie close
        axes.annotate(line["name"], (line["gradient"], line["loss"]), xytext=(0, 5 if i % 2 == 0 else -10), ha="center",
                      textcoords="offset points", fontsize=7)
    axes.margins(x=0.15)
    axes.axhline(0, color="#8c8c8c", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("relative error of the encoder's gradients, one step")
    axes.set_ylabel(f"{options.task}: FP32's score less\nthe recipe's, points")
    figure.savefig(options.svg, format="svg", metadata={"Date": None})


def main():
    options = parse_options()
    study = read(options.study)
    if options.make_list:
        return make_list(study, options.make_list)
    by_recipe = losses(scores(os.path.splitext(options.study)[0], options.task, options.model))
    lines = [{"name": one["name"], "hidden": one["hidden_error"], "gradient": one["gradient_error"],
              "loss": statistics.mean(by_recipe[one["name"]]), "seeds": len(by_recipe[one["name"]])}
             for one in read(options.errors)["recipes"] if one["name"] in by_recipe]
    if not lines:
        sys.exit(f"{options.errors}: none of its recipes has been run on {options.task} by {options.model}")
    lines.sort(key=lambda line: line["gradient"])
    print("| recipe | hidden states | encoder gradients | loss, points (seeds) |")
    print("|:--|--:|--:|--:|")
    for line in lines:
        print(f"| {line['name']} | {line['hidden']:.3g} | {line['gradient']:.3g} | {line['loss']:.1f} ({line['seeds']}) |")
    if options.svg:
        draw(lines, options)


if __name__ == "__main__":
    main()
