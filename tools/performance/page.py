"""Writes docs/performance.md; what stands between its hand-written marks is kept."""
import re

from .jobs import HELD, readable_command
from .results import Table
from .targets import all_targets

MARK = re.compile(r"<!-- by hand: ([\w-]+) -->\n(.*?)<!-- end -->", re.DOTALL)
STUBS = {"summary": "(What these numbers say, in a few sentences.)\n",
         "limits": "(For each row of the table: what limits it, and what more it would take.)\n"}
CAPTIONS = {"products": "INT8 and BF16 products against the best FP32", "layers": "A whole layer in every recipe",
            "outliers": "The forward by share of columns with outliers", "steps": "A fine-tuning step",
            "parts": "Where the step's time goes", "growth": "Time per token", "memory": "Memory"}


def kept_words(page):
    """The hand-written parts of the page as it stands."""
    try:
        with open(page, encoding="utf-8") as source:
            return {**STUBS, **dict(MARK.findall(source.read()))}
    except OSError:
        return dict(STUBS)


def by_hand(words, name):
    return f"<!-- by hand: {name} -->\n{words[name]}<!-- end -->\n"


def machine_section(settings):
    facts = settings.machine
    return "## Machine\n\n" + "".join(f"- {word}: {value}\n" for word, value in facts)


def target_section(results, settings):
    table = Table({"title": "", "note": "", "columns": ["row", "what", "threads", "target", "reached", ""],
                   "rows": [t.cells(settings.quick) for t in all_targets(results, settings.threads)]})
    return ("## Target and reached\n\nRatios of medians from one run in which both sides took turns.\n\n"
            + table.markdown())


def picture(settings, name):
    return f"![{CAPTIONS[name]}](performance/{name}.svg)\n\n" if name in (settings.plots or []) else ""


def tables_of(results, job, threads, titles, folded=False):
    """The job's tables whose titles begin so."""
    text = ""
    for title in titles:
        table = results.table(job, title)
        if table is None:
            continue
        heading = f"{table.title}, {threads} thread{'s' if threads > 1 else ''}"
        text += (f"<details><summary>{heading}</summary>\n\n{table.markdown()}\n</details>\n\n" if folded
                 else f"**{heading}**\n\n{table.markdown()}\n")
    return text


def per_thread(results, settings, job, titles, folded=False):
    return "".join(tables_of(results, f"{job}-{t}", t, titles, folded) for t in settings.threads)


def product_section(results, settings):
    return ("## Products\n\n" + picture(settings, "products")
            + per_thread(results, settings, "gemm", ["Products, geometric means", "Register peaks"])
            + per_thread(results, settings, "gemm", ["Products against", "Products with W", "INT8 back ends"],
                         folded=True))


def layer_section(results, settings):
    most = max(settings.threads)
    return ("## A linear layer\n\n" + picture(settings, "layers")
            + per_thread(results, settings, "linear", ["A whole layer, FP32's time"])
            + per_thread(results, settings, "linear", ["A whole layer, forward", "A layer's parts"], folded=True)
            + "### Outliers\n\n" + picture(settings, "outliers")
            + per_thread(results, settings, "density", ["Forward by share"], folded=True)
            + tables_of(results, f"outliers-{most}", most, ["Ways to join"])
            + "### Quantising\n\n" + per_thread(results, settings, "quantize", ["Quantising"])
            + "".join(f"### {title}\n\n" + tables_of(results, f"{kernel}-{most}", most, ["A whole layer, FP32's time"])
                      for kernel, title in HELD.items() if results.records(f"{kernel}-{most}", "A whole layer")))


def step_section(results, settings):
    most = max(settings.threads)
    titles = ["A fine-tuning step"]
    return ("## A fine-tuning step\n\nOurs clips the gradients; PyTorch's does not. "
            "PyTorch pads sentences of different lengths.\n\n"
            + picture(settings, "steps")
            + per_thread(results, settings, "step-bert-base", titles)
            + tables_of(results, f"recipes-bert-base-{most}", most, titles)
            + per_thread(results, settings, "step-minilm", titles)
            + "".join(tables_of(results, f"text-{task}", most, titles) for task in ("rte", "qnli"))
            + "### Where the time goes\n\n" + picture(settings, "parts")
            + "".join(tables_of(results, f"step-{model}-{most}", most, ["Where the step"])
                      for model in ("bert-base", "minilm"))
            + "### Growth\n\n" + picture(settings, "growth")
            + tables_of(results, "growth-minilm", most,
                        ["Time per token by tokens a step", "Time per token by tokens a sentence"])
            + "### Memory\n\n" + picture(settings, "memory")
            + "".join(tables_of(results, job, most, ["Peak", "Resident"]) for job in
                      ("memory-bert-base", "memory-minilm", "resident-minilm")))


def command_section(settings, jobs):
    lines = "\n".join("    " + readable_command(settings, job) for job in jobs)
    return ("## Commands\n\nAll of this page, with BERT_BASE and MINILM Hugging Face folders and GLUE the folder "
            "of the tasks:\n\n    tools/measure_performance.py --bert-base BERT_BASE --minilm MINILM --data GLUE\n\n"
            "which runs, each with `--json FILE`:\n\n" + lines + "\n")


def write(results, settings, jobs, page):
    words = kept_words(page)
    quick = "**From a quick run: it shows that everything runs, not how fast.**\n\n" if settings.quick else ""
    sections = ["# Performance\n\n" + quick + by_hand(words, "summary"),
                target_section(results, settings),
                "## What limits each row\n\n" + by_hand(words, "limits"),
                machine_section(settings), product_section(results, settings), layer_section(results, settings),
                step_section(results, settings), command_section(settings, jobs)]
    text = "\n".join(section.rstrip("\n") + "\n" for section in sections)
    with open(page, "w", encoding="utf-8") as target:
        target.write(text)
