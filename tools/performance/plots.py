"""The plots of the page, as SVG; none where matplotlib is missing."""
import os

from .targets import DENSITIES

RECIPES = ("fp32", "bf16", "int8", "approach1", "approach2", "rowwise")
COLOURS = {"fp32": "#8c8c8c", "bf16": "#5b8db8", "int8": "#d8a657", "approach1": "#b0703c", "approach2": "#6f9e5a",
           "rowwise": "#b5474d", "PyTorch fp32": "#c9c9c9", "PyTorch bf16": "#a9c4dc"}


def load_matplotlib():
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("svg")
    from matplotlib import pyplot
    # No dates and fixed names inside, so that equal numbers give equal files.
    pyplot.rcParams.update({"svg.hashsalt": "fixtune", "svg.fonttype": "none", "font.size": 9, "axes.grid": True,
                            "grid.alpha": 0.3, "axes.axisbelow": True, "axes.spines.top": False,
                            "axes.spines.right": False, "figure.constrained_layout.use": True})
    return pyplot


def legend_above(axes):
    axes.legend(fontsize=7, ncols=3, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)


def grouped_bars(axes, groups, series):
    """One group of bars a group name; `series` maps a name to its values, None where there is none."""
    width = 0.8 / max(1, len(series))
    for i, (name, values) in enumerate(series.items()):
        places = [g + (i - (len(series) - 1) / 2) * width for g in range(len(groups))]
        bars = axes.bar(places, [v or 0 for v in values], width, label=name, color=COLOURS.get(name))
        axes.bar_label(bars, labels=[f"{v:.2f}" if v else "" for v in values], fontsize=6, padding=1)
    axes.set_xticks(range(len(groups)), groups)


def plot_products(plot, results, settings):
    groups, series = [], {"INT8": [], "BF16": []}
    for threads in settings.threads:
        for model in ("BERT-base", "MiniLM"):
            for record in results.records(f"gemm-{threads}", "Products, geometric means", model=model):
                if not record["over"].endswith("tokens"):
                    continue
                groups.append(f"{model}\n{record['over']}\n{threads} thr.")
                series["INT8"].append(record["INT8 ratio"])
                series["BF16"].append(record["BF16 ratio"])
    if not groups:
        return None
    figure, axes = plot.subplots(figsize=(max(6, 0.75 * len(groups)), 3.2))
    grouped_bars(axes, groups, series)
    axes.set_ylabel("best FP32's time / this one's")
    axes.tick_params(axis="x", labelsize=6)
    legend_above(axes)
    return figure


def plot_layers(plot, results, settings):
    groups, series = [], {recipe: [] for recipe in RECIPES}
    for threads in settings.threads:
        for record in results.records(f"linear-{threads}", "A whole layer, FP32's time", layer="geometric mean"):
            groups.append(f"{record['model']}, {threads} thread{'s' if threads > 1 else ''}")
            for recipe in RECIPES:
                series[recipe].append(record.get(recipe))
    if not groups:
        return None
    figure, axes = plot.subplots(figsize=(8, 3.2))
    grouped_bars(axes, groups, series)
    axes.set_ylabel("FP32's time / the recipe's")
    legend_above(axes)
    return figure


def plot_outliers(plot, results, settings):
    threads = max(settings.threads)
    shares = [0.0, *DENSITIES.values()]
    figure, axes = plot.subplots(figsize=(6, 3.2))
    drawn = False
    for recipe in RECIPES[2:]:
        for record in results.records(f"density-{threads}", "Forward by share", model="BERT-base",
                                      layer="geometric mean", recipe=recipe):
            axes.plot([100 * p for p in shares], [1.0] + [record[c] for c in DENSITIES], marker="o", label=recipe,
                      color=COLOURS[recipe])
            drawn = True
    for recipe, slope in (("approach2", 1), ("approach1", 4)):
        axes.plot([100 * p for p in shares], [1.05 + slope * p for p in shares], "--", color=COLOURS[recipe],
                  linewidth=1, label=f"target of {recipe}")
    axes.set_xlabel("% of columns with outliers (BERT-base layers, geometric mean)")
    axes.set_ylabel("forward's time / with none")
    legend_above(axes)
    return figure if drawn else None


def stacked_bars(axes, names, parts):
    left = [0.0] * len(names)
    for label, values in parts.items():
        axes.barh(names, values, left=left, label=label)
        left = [a + b for a, b in zip(left, values)]
    axes.invert_yaxis()
    legend_above(axes)


def bars_by_model(plot, results, settings, table, what, parts_of):
    """One chart a model: a stacked bar for each record of that table."""
    threads = max(settings.threads)
    found = [(name, results.records(f"{job}-{threads}", table)) for name, job in
             (("BERT-base", "step-bert-base"), ("MiniLM", "step-minilm"))]
    found = [(name, records) for name, records in found if records]
    if not found:
        return None
    figure, all_axes = plot.subplots(1, len(found), figsize=(5 * len(found), 3.2), squeeze=False)
    for axes, (name, records) in zip(all_axes[0], found):
        stacked_bars(axes, [r[what] for r in records], parts_of(records))
        axes.set_xlabel(f"seconds a step, {name}, {threads} threads")
    return figure


def plot_steps(plot, results, settings):
    return bars_by_model(plot, results, settings, "A fine-tuning step", "what", lambda records: {
        part: [r[f"{part} s"] for r in records] for part in ("forward", "backward", "optimiser")})


def plot_parts(plot, results, settings):
    parts = ("quantising W", "linear forward", "other forward", "linear backward", "other backward", "optimiser")
    return bars_by_model(plot, results, settings, "Where the step", "recipe", lambda records: {
        part: [max(0.0, r[part]) for r in records] for part in parts})


def plot_growth(plot, results, _settings):
    sweeps = (("Time per token by tokens a step", "tokens", "tokens a step"),
              ("Time per token by tokens a sentence", "tokens a sentence", "tokens a sentence"))
    if not results.table("growth-minilm", sweeps[0][0]):
        return None
    figure, all_axes = plot.subplots(1, 2, figsize=(8, 3.2))
    for axes, (title, column, label) in zip(all_axes, sweeps):
        for recipe in ("fp32", "rowwise"):
            records = results.records("growth-minilm", title, recipe=recipe)
            axes.plot([r[column] for r in records], [r["us/token"] for r in records], marker="o", label=recipe,
                      color=COLOURS[recipe])
        axes.set_xscale("log", base=2)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(label)
        axes.set_ylabel("forward and backward, us a token")
        legend_above(axes)
    return figure


def plot_memory(plot, results, _settings):
    peaks = results.records("memory-bert-base", "Peak") or results.records("memory-minilm", "Peak")
    steps = results.records("resident-minilm", "Resident memory")
    if not peaks or not steps:
        return None
    figure, (left, right) = plot.subplots(1, 2, figsize=(8, 3.2))
    left.barh([r["what"] for r in peaks], [r["peak MiB"] for r in peaks], label="peak")
    left.barh([r["what"] for r in peaks], [r["saved MiB"] or 0 for r in peaks], height=0.4,
              label="held for the backward")
    left.invert_yaxis()
    left.set_xlabel("MiB")
    legend_above(left)
    right.plot([r["step"] for r in steps], [r["resident MiB"] for r in steps], marker="o", color=COLOURS["rowwise"])
    right.set_ylim(bottom=0)
    right.set_xlabel("steps, every length from 3 to 128, MiniLM")
    right.set_ylabel("resident MiB")
    return figure


PLOTS = {"products": plot_products, "layers": plot_layers, "outliers": plot_outliers, "steps": plot_steps,
         "parts": plot_parts, "growth": plot_growth, "memory": plot_memory}


def draw(results, settings, folder):
    """Draws what the results allow; the names of the files drawn."""
    plot = load_matplotlib()
    if plot is None:
        return None
    os.makedirs(folder, exist_ok=True)
    names = []
    for name, function in PLOTS.items():
        figure = function(plot, results, settings)
        path = os.path.join(folder, name + ".svg")
        if figure is not None:
            figure.savefig(path, metadata={"Date": None})
            names.append(name)
        elif os.path.exists(path):
            os.remove(path)
        plot.close("all")
    return names
