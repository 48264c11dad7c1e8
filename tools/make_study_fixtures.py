#!/usr/bin/env python3
"""Writes tests/fixtures/study_scores.json: made-up metrics of a study's runs, with means, standard deviations and paired
losses by numpy and scipy. Needs numpy and scipy."""
import json
import pathlib

import numpy as np
from scipy import stats

TASKS = {"rte": ["accuracy"], "mrpc": ["accuracy", "f1"], "stsb": ["pearson", "spearman"]}
SEEDS = {"fp32": [0, 1, 2], "rowwise": [0, 1, 2], "int8": [0, 2], "bf16": [1]}


def spread(function, values):
    return float(function(values)) if len(values) > 1 else None


def main():
    random = np.random.default_rng(6)
    metrics = {(task, recipe, seed): 100 * random.uniform(0.5, 0.9, len(names))
               for task, names in TASKS.items() for recipe, seeds in SEEDS.items() for seed in seeds}
    runs = [{"task": task, "recipe": recipe, "seed": seed, "metrics": list(map(float, values))}
            for (task, recipe, seed), values in metrics.items()]
    expected = []
    for task, names in TASKS.items():
        for recipe, seeds in SEEDS.items():
            table = np.array([metrics[task, recipe, seed] for seed in seeds])
            losses = np.array([metrics[task, "fp32", seed].mean() - metrics[task, recipe, seed].mean() for seed in seeds])
            expected.append({
                "task": task, "recipe": recipe,
                "metrics": [{"mean": float(column.mean()), "deviation": spread(lambda v: np.std(v, ddof=1), column)}
                            for column in table.T],
                "score": {"mean": float(table.mean(axis=1).mean()),
                          "deviation": spread(lambda v: np.std(v, ddof=1), table.mean(axis=1))},
                "loss": {"mean": float(losses.mean()), "error": spread(stats.sem, losses)}})
    mean_losses = []
    for recipe in SEEDS:
        own = [entry["loss"] for entry in expected if entry["recipe"] == recipe]
        errors = [loss["error"] for loss in own if loss["error"] is not None]
        mean_losses.append({"recipe": recipe, "mean": float(np.mean([loss["mean"] for loss in own])),
                            "error": float(np.linalg.norm(errors) / len(own)) if errors else None})
    out = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "study_scores.json"
    out.write_text(json.dumps({"runs": runs, "expected": expected, "mean_losses": mean_losses}, indent=1) + "\n")


if __name__ == "__main__":
    main()
