#!/usr/bin/env python3
"""Writes tests/fixtures/study_scores.json: made-up metrics of a study's runs, with means, standard deviations and paired
losses by numpy and scipy; what a task of one seed scatters is the residual of a linear model with a mean per task. Needs
numpy and scipy."""
import json
import pathlib

import numpy as np
from scipy import stats

TASKS = {"rte": ["accuracy"], "mrpc": ["accuracy", "f1"], "stsb": ["pearson", "spearman"]}
SEEDS = {"fp32": [0, 1, 2], "rowwise": [0, 1, 2], "int8": [0, 2], "bf16": [1]}
FEWER = {("mrpc", "int8"): [2]}


def spread(function, values):
    return float(function(values)) if len(values) > 1 else None


def seeds_of(task, recipe):
    return FEWER.get((task, recipe), SEEDS[recipe])


def pooled_deviation(groups):
    """Of values around their groups' means: the residual of least squares on one indicator per group."""
    indicators = np.repeat(np.eye(len(groups)), [len(group) for group in groups], axis=0)
    values = np.concatenate(groups)
    freedom = len(values) - len(groups)
    if freedom == 0:
        return None
    solution = np.linalg.lstsq(indicators, values, rcond=None)[0]
    return float(np.linalg.norm(values - indicators @ solution) / np.sqrt(freedom))


def mean_loss(losses):
    pooled = pooled_deviation(losses)
    errors = [stats.sem(task) if len(task) > 1 else pooled for task in losses]
    return {"mean": float(np.mean([task.mean() for task in losses])),
            "error": None if pooled is None else float(np.linalg.norm(errors) / len(losses))}


def main():
    random = np.random.default_rng(6)
    metrics = {(task, recipe, seed): 100 * random.uniform(0.5, 0.9, len(names))
               for task, names in TASKS.items() for recipe in SEEDS for seed in seeds_of(task, recipe)}
    runs = [{"task": task, "recipe": recipe, "seed": seed, "metrics": list(map(float, values))}
            for (task, recipe, seed), values in metrics.items()]
    expected = []
    losses_of = {recipe: [] for recipe in SEEDS}
    for task, names in TASKS.items():
        for recipe in SEEDS:
            seeds = seeds_of(task, recipe)
            table = np.array([metrics[task, recipe, seed] for seed in seeds])
            losses = np.array([metrics[task, "fp32", seed].mean() - metrics[task, recipe, seed].mean() for seed in seeds])
            losses_of[recipe].append(losses)
            expected.append({
                "task": task, "recipe": recipe,
                "metrics": [{"mean": float(column.mean()), "deviation": spread(lambda v: np.std(v, ddof=1), column)}
                            for column in table.T],
                "score": {"mean": float(table.mean(axis=1).mean()),
                          "deviation": spread(lambda v: np.std(v, ddof=1), table.mean(axis=1))},
                "loss": {"mean": float(losses.mean()), "error": spread(stats.sem, losses)}})
    mean_losses = [{"recipe": recipe, **mean_loss(losses)} for recipe, losses in losses_of.items()]
    out = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "study_scores.json"
    out.write_text(json.dumps({"runs": runs, "expected": expected, "mean_losses": mean_losses}, indent=1) + "\n")


if __name__ == "__main__":
    main()
