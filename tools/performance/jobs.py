"""Which benchmark programs are run, with which options."""
import dataclasses
import os
import shlex
import subprocess
import sys
import time

from . import machine

# CPUs without AVX-512, by kernel: what both sides are held to is oneDNN's own switch, and that of the library's kernels.
# AVX-VNNI has no FP32 instruction of its own.
HELD = {"avx2": "Held to AVX2", "avx_vnni": "Held to AVX-VNNI, FP32 to AVX2"}


@dataclasses.dataclass
class Job:
    name: str
    program: str
    arguments: list
    environment: dict = dataclasses.field(default_factory=dict)
    rivals: dict = dataclasses.field(default_factory=dict)


def pytorch_command(settings, model, precision, threads):
    script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pytorch_step.py")
    environment = [f"{key}={value}" for key, value in settings.pytorch_environment.items()]
    return shlex.join(["env", *environment, settings.python, script, "--serve", "--model", model,
                       "--precision", precision, "--threads", str(threads)])


def rivals(settings, model, threads, precisions=("fp32", "bf16")):
    if not settings.pytorch:
        return {}
    return {f"PyTorch {p}": pytorch_command(settings, model, p, threads) for p in precisions}


def product_jobs(settings, threads):
    quick = settings.quick
    t = ["--threads", str(threads)]
    return [
        Job(f"gemm-{threads}", "bench_gemm", t + (["--rounds", "1", "--tokens", "128,512"] if quick else [])),
        Job(f"quantize-{threads}", "bench_quantize", t + (["--rounds", "3"] if quick else [])),
        Job(f"linear-{threads}", "bench_linear",
            [*t, "--section", "whole,parts", *(["--rounds", "1", "--tokens", "512"] if quick else ["--rounds", "9"])]),
        # A target of 5 % at the worst of many cells: fewer rounds would show the noise of each.
        Job(f"density-{threads}", "bench_linear",
            [*t, "--section", "density", *(["--rounds", "1", "--tokens", "512"] if quick else ["--rounds", "31"])]),
    ]


def held_job(settings, kernel, threads):
    return Job(f"{kernel}-{threads}", "bench_linear",
               ["--threads", str(threads), "--section", "whole", "--recipes", "fp32,int8,rowwise"]
               + (["--rounds", "1", "--tokens", "512"] if settings.quick else ["--rounds", "3"]),
               {"ONEDNN_MAX_CPU_ISA": "AVX2", "FIXTUNE_KERNEL": kernel})


def outlier_job(settings, threads):
    return Job(f"outliers-{threads}", "bench_outliers",
               ["--threads", str(threads)] + (["--rounds", "1", "--tokens", "256"] if settings.quick else []))


def step_job(settings, name, model, threads, recipes, rounds, more=(), with_rivals=True):
    rounds = 1 if settings.quick else rounds
    return Job(name, "bench_step",
               ["--model", model, "--threads", str(threads), "--recipes", recipes, "--rounds", str(rounds), *more],
               rivals=rivals(settings, model, threads) if with_rivals else {})


def small(settings):
    """A smaller step where only the running is tried."""
    return ["--batch", "4", "--length", "32"] if settings.quick else []


def step_jobs(settings, threads):
    jobs = []
    if settings.bert_base:
        jobs.append(step_job(settings, f"step-bert-base-{threads}", settings.bert_base, threads, "fp32,bf16,rowwise",
                             5 if threads == max(settings.threads) else 3, small(settings)))
    if settings.minilm:
        all_recipes = "fp32,bf16,int8,approach1,approach2,rowwise"
        jobs.append(step_job(settings, f"step-minilm-{threads}", settings.minilm, threads,
                             all_recipes if threads == max(settings.threads) else "fp32,bf16,rowwise", 5,
                             small(settings)))
    return jobs


def text_jobs(settings, threads):
    """Sentences of all lengths; PyTorch pads them."""
    if not (settings.minilm and settings.data):
        return []
    return [step_job(settings, f"text-{task.lower()}", settings.minilm, threads, "fp32,bf16,rowwise", 7,
                     ["--task", task.lower(), "--data", os.path.join(settings.data, task)])
            for task in ("RTE", "QNLI") if os.path.isdir(os.path.join(settings.data, task))]


def memory_job(settings, model, name, threads):
    return Job(f"memory-{name}", "bench_step",
               ["--model", model, "--threads", str(threads), "--section", "memory", "--recipes", "fp32,bf16,rowwise",
                *small(settings)], rivals=rivals(settings, model, threads))


def growth_jobs(settings, threads):
    if not settings.minilm:
        return []
    model = ["--model", settings.minilm, "--threads", str(threads)]
    rounds = ["--rounds", "1" if settings.quick else "5"]
    sweep = ["--section", "tokens,sentences", "--sweep-tokens", "512" if settings.quick else "4096"]
    if settings.quick:
        sweep.append("--benchmark_filter=step of (2048|4096)|sentences")
    return [
        Job("growth-minilm", "bench_step", model + rounds + sweep),
        Job("resident-minilm", "bench_step",
            model + ["--section", "resident", "--lengths", "every", "--batch", "2" if settings.quick else "16",
                     "--steps", "100" if settings.quick else "500"]),
    ]


def all_jobs(settings):
    most = max(settings.threads)
    jobs = []
    for threads in settings.threads:
        jobs += product_jobs(settings, threads) + step_jobs(settings, threads)
    jobs += [outlier_job(settings, most), held_job(settings, "avx2", most)]
    if machine.has("avx_vnni"):
        jobs.append(held_job(settings, "avx_vnni", most))
    if settings.bert_base:
        jobs.append(step_job(settings, f"recipes-bert-base-{most}", settings.bert_base, most,
                             "fp32,int8,approach1,approach2", 5, small(settings), with_rivals=False))
        jobs.append(memory_job(settings, settings.bert_base, "bert-base", most))
    if settings.minilm:
        jobs.append(memory_job(settings, settings.minilm, "minilm", most))
    return jobs + text_jobs(settings, most) + growth_jobs(settings, most)


def command(settings, job, result):
    rival_options = [part for name, line in job.rivals.items() for part in ("--rival", f"{name}={line}")]
    return [os.path.join(settings.build, "bench", job.program), *job.arguments, *rival_options, "--json", result]


def readable_command(settings, job):
    """The command as a reader would type it, with words for the places of this machine."""
    words = {settings.bert_base: "BERT_BASE", settings.minilm: "MINILM", settings.data: "GLUE",
             settings.python: "python3",
             os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep: ""}
    environment = [f"{key}={value}" for key, value in job.environment.items()]
    text = shlex.join([*environment, os.path.join("build/release/bench", job.program), *job.arguments,
                       *[part for name, line in job.rivals.items() for part in ("--rival", f"{name}={line}")]])
    for place in sorted((p for p in words if p), key=len, reverse=True):
        text = text.replace(place, words[place])
    return text


def run(settings, job, result):
    """Runs a job; its closing tables are then in `result`. True if it succeeded."""
    start = time.monotonic()
    print(f"{job.name} ...", end="", flush=True)
    with open(result[:-len("json")] + "log", "w", encoding="utf-8") as log:
        code = subprocess.run(command(settings, job, result), stdout=log, stderr=subprocess.STDOUT,
                              env={**os.environ, **job.environment}, check=False).returncode
    print(f" {time.monotonic() - start:.0f} s" if code == 0 else f" failed with code {code}: see {log.name}")
    if code != 0:
        print(f"notice: {job.name} will be missing from the page", file=sys.stderr)
    return code == 0
