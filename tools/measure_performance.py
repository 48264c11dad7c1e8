#!/usr/bin/env python3
"""Run the benchmark programs, PyTorch beside them, and write docs/performance.md with tables and plots.

    tools/measure_performance.py --bert-base DIR --minilm DIR --data GLUE [--python PYTHON] [--quick]
    tools/measure_performance.py ... --render-only        # the page again, from the results of the last run

DIR is a Hugging Face folder of that model; without one its steps are left out. GLUE is a folder with RTE and QNLI.
PYTHON runs PyTorch and transformers; without them the rivals are left out. matplotlib draws the plots; without it
there are none. What is written between the `by hand` marks of the page is kept. About 25 minutes on two cores, with
about 14 GB for BERT-base beside PyTorch; --quick takes a few, and writes a page of its own that says its numbers mean
nothing.
"""
import argparse
import json
import os
import re
import subprocess
import sys

from performance import jobs, machine, page, plots
from performance.results import Results

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="build folder")
    parser.add_argument("--bert-base", help="folder of BERT-base")
    parser.add_argument("--minilm", help="folder of MiniLM")
    parser.add_argument("--data", help="folder of the GLUE tasks RTE and QNLI")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--threads", default="1,2", help="thread counts, comma between (default 1,2)")
    parser.add_argument("--results", help="folder of the results (default: build/performance; --quick has its own)")
    parser.add_argument("--page", help="page to write (default: docs/performance.md; with --quick among the results)")
    parser.add_argument("--only", default="", help="run only jobs whose names match this expression")
    parser.add_argument("--quick", action="store_true", help="only see that everything runs")
    parser.add_argument("--render-only", action="store_true", help="write the page from the results as they are")
    options = parser.parse_args()
    options.results = options.results or os.path.join(ROOT, "build", "performance" + "-quick" * options.quick)
    options.page = options.page or os.path.join(options.results if options.quick else os.path.join(ROOT, "docs"),
                                                "performance.md")
    options.threads = [int(word) for word in options.threads.split(",")]
    return options


def pytorch_seconds(options, environment):
    """The step of PyTorch FP32 as its own program says it, in this environment; none if it cannot run."""
    command = [options.python, os.path.join(ROOT, "tools", "pytorch_step.py"),
               "--model", options.minilm or options.bert_base, "--threads", str(max(options.threads)),
               "--batch", "8", "--steps", "5"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    found = re.search(r": ([\d.]+) s a step", done.stdout)
    return float(found.group(1)) if found else None


def choose_pytorch_environment(options):
    """How long PyTorch's idle threads should spin here: as it comes, or shortly, as ours do; the faster of the two.

    Spinning is faster on an idle machine and several times slower on a busy one.
    """
    spinning, resting = {"GOMP_SPINCOUNT": "300000"}, {"GOMP_SPINCOUNT": "10000"}
    if options.quick:
        return resting
    times = [(pytorch_seconds(options, environment), environment) for environment in (resting, spinning)]
    return min((t for t in times if t[0]), key=lambda t: t[0], default=(0, resting))[1]


def has_pytorch(options):
    check = [options.python, "-c", "import torch, transformers"]
    found = subprocess.run(check, capture_output=True, check=False).returncode == 0
    if not found:
        print(f"notice: {options.python} has no PyTorch and transformers; measuring without rivals", file=sys.stderr)
    return found


def settings_file(options):
    return os.path.join(options.results, "settings.json")


def measure(options):
    os.makedirs(options.results, exist_ok=True)
    options.pytorch = bool(options.bert_base or options.minilm) and has_pytorch(options)
    options.pytorch_environment = choose_pytorch_environment(options) if options.pytorch else {}
    options.machine = machine.facts(options.build, options.python)
    with open(settings_file(options), "w", encoding="utf-8") as target:
        json.dump({"pytorch": options.pytorch, "pytorch_environment": options.pytorch_environment,
                   "quick": options.quick, "machine": options.machine}, target, indent=1)
    for job in jobs.all_jobs(options):
        if re.search(options.only, job.name):
            jobs.run(options, job, os.path.join(options.results, job.name + ".json"))


def restore_settings(options):
    try:
        with open(settings_file(options), encoding="utf-8") as source:
            vars(options).update(json.load(source))
    except OSError:
        sys.exit(f"{settings_file(options)}: there are no results yet; run without --render-only first")


def main():
    options = parse_options()
    if options.render_only:
        restore_settings(options)
    else:
        measure(options)
    results = Results(options.results)
    options.plots = plots.draw(results, options, os.path.splitext(options.page)[0])
    if options.plots is None:
        print("notice: matplotlib is missing; the page has no plots", file=sys.stderr)
    page.write(results, options, jobs.all_jobs(options), options.page)
    print(f"wrote {options.page}")


if __name__ == "__main__":
    main()
