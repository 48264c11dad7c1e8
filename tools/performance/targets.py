"""The targets, and what was reached of each."""
import dataclasses
import math

from .results import shown

LARGE_LAYERS = (("BERT-base", "attention"), ("BERT-base", "up"), ("BERT-base", "down"), ("MiniLM", "up"))  # N >= 768
DENSITIES = {"0.5 %": 0.005, "1 %": 0.01, "2 %": 0.02, "5 %": 0.05}


@dataclasses.dataclass
class Target:
    row: str                   # name, to which the hand-written words refer
    words: str
    wanted: float | None       # None: to be reported only
    at_least: bool             # or at most
    threads: str
    reached: float | None

    def verdict(self):
        if self.reached is None:
            return "not measured"
        if self.wanted is None:
            return "reported"
        met = self.reached >= self.wanted if self.at_least else self.reached <= self.wanted
        return "met" if met else "short"

    def cells(self, quick):
        sign = ("at least " if self.at_least else "at most ") if self.wanted is not None else ""
        return [self.row, self.words, self.threads, sign + shown(self.wanted), shown(self.reached),
                "-" if quick else self.verdict()]


def largest(values):
    values = [v for v in values if v is not None]
    return max(values) if values else None


def geometric_mean(values):
    values = [v for v in values if v is not None]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def excess(results, threads, recipe, per_share):
    """How far the forward with outliers is above 1 + per_share * p, at its worst, for layers with N >= 768."""
    rows = [r for model, layer in LARGE_LAYERS
            for r in results.records(f"density-{threads}", "Forward by share", model=model, layer=layer, recipe=recipe)]
    return largest([r[column] - 1 - per_share * p for r in rows for column, p in DENSITIES.items() if column in r])


def quantising(results, threads, what):
    rows = results.records(f"quantize-{threads}", "Quantising", rows=16384, columns=3072)
    return largest([r["times memcpy"] for r in rows if r["what"] == what])


def resident_growth(results):
    """The most memory over all steps over that of the warm-up, in which every length comes once."""
    rows = results.records("resident-minilm", "Resident memory")
    warm = [r["peak MiB"] for r in rows if r["step"] >= 126]
    return max(warm) / warm[0] if warm else None


def product_targets(results, threads):
    wanted = {1: (3.7, 3.4, 3.1), 2: (3.5, 3.1, 2.8)}.get(threads, (None,) * 3)
    job, layer = f"linear-{threads}", "A whole layer, FP32's time"
    mean = "geometric mean"
    t = str(threads)
    return [
        Target("products", "INT8 product against the best oneDNN FP32, geometric mean, W packed in the call", wanted[0],
               True, t,
               results.value(f"gemm-{threads}", "Products, geometric means", "INT8 ratio", model="both", over="all")),
        Target("products", "the same, W packed beforehand on both sides", wanted[0], True, t,
               results.value(f"gemm-{threads}", "Products with W", "INT8 ratio", model="both", form="all forms")),
        Target("layer, BERT-base", "whole layer against FP32, `rowwise`, 4096 tokens, geometric mean", wanted[1],
               True, t, results.value(job, layer, "rowwise", model="BERT-base", layer=mean)),
        Target("layer, MiniLM", "the same", wanted[2], True, t,
               results.value(job, layer, "rowwise", model="MiniLM", layer=mean)),
        Target("outliers, approach2", "forward's time over none, above 1 + p, at worst", 0.05, False, t,
               excess(results, threads, "approach2", 1)),
        Target("outliers, approach1", "forward's time over none, above 1 + 4p, at worst", 0.05, False, t,
               excess(results, threads, "approach1", 4)),
        Target("quantising", "X by rows, digits found on the way, 192 MiB, times memcpy", 1.3, False, t,
               quantising(results, threads, "rowwise, outliers in 1 % of columns")),
        Target("quantising", "the same as a layer's operand, its digits in groups", None, False, t,
               quantising(results, threads, "rowwise, the same, as a layer's operand")),
    ]


def step_targets(results, threads):
    t = str(threads)
    targets = []
    for name, job, wanted in (("BERT-base", "step-bert-base", (2.5, 2.0, 5.0)),
                              ("MiniLM", "step-minilm", (2.0, 1.7, 3.5))):
        for rival, least in zip(("fp32", "PyTorch bf16", "PyTorch fp32"), wanted):
            words = f"step of 32 x 128 tokens, `rowwise`, against {'our own FP32' if rival == 'fp32' else rival}"
            targets.append(Target(f"step, {name}", words, least, True, t, results.value(
                f"{job}-{threads}", "A fine-tuning step", f"{rival} / this", what="rowwise")))
    return targets


def held_layers(results, kernel, threads):
    return geometric_mean([results.value(f"{kernel}-{threads}", "A whole layer, FP32's time", "rowwise", model=model,
                                         layer="geometric mean") for model in ("BERT-base", "MiniLM")])


def whole_targets(results, threads):
    t = str(threads)
    memory = {what: results.value("memory-bert-base", "Peak", "peak MiB", what=what)
              for what in ("rowwise", "PyTorch fp32")}
    share = memory["rowwise"] / memory["PyTorch fp32"] if all(memory.values()) else None
    text = [Target(f"real text, {task}", f"tokens a second, `rowwise`, MiniLM, against {rival}", None, True, t,
                   results.value(f"text-{task.lower()}", "A fine-tuning step", f"{rival} / this", what="rowwise"))
            for task in ("RTE", "QNLI") for rival in ("PyTorch fp32", "PyTorch bf16")]
    return text + [
        Target("memory", "peak of the BERT-base step, `rowwise`, share of PyTorch FP32's", 0.5, False, t, share),
        Target("flat in tokens", "time a token, 2048 to 16384 tokens a step, over the smallest, at worst", 1.15,
               False, t, largest([r["over the smallest"] for r in results.records(
                   "growth-minilm", "Time per token by tokens a step", recipe="rowwise")])),
        Target("flat in length", "time a token, 16 to 512 tokens a sentence, over base + attention, at worst", 1.15,
               False, t, largest([r["over base + attention"] for r in results.records(
                   "growth-minilm", "Time per token by tokens a sentence", recipe="rowwise")])),
        Target("resident memory", "500 steps, every length 3 to 128 in turn: peak over that of the first 150", 1.05,
               False, t, resident_growth(results)),
        Target("AVX2", "whole layer against FP32, `rowwise`, both held to AVX2, geometric mean", 1.3, True, t,
               held_layers(results, "avx2", threads)),
    ] + ([
        Target("AVX-VNNI", "the same with the AVX-VNNI kernel, FP32 held to AVX2", None, True, t,
               held_layers(results, "avx_vnni", threads)),
    ] if results.records(f"avx_vnni-{threads}", "A whole layer") else [])


def all_targets(results, thread_counts):
    targets = []
    for threads in thread_counts:
        targets += product_targets(results, threads) + step_targets(results, threads)
    return targets + whole_targets(results, max(thread_counts))
