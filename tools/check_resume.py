#!/usr/bin/env python3
"""Kill finetune with SIGKILL at random moments, resume it until it is finished, and compare every file it leaves.

    check_resume.py --model DIR --data FILE.tsv --binary build/release/examples/finetune [--kills 30 --recipe rowwise]

FILE has the columns text and label. One run is left alone; another is killed and resumed, and when it is finished and
kills are left, a further one. A third of the kills wait until something is being saved. Fails unless every resumed run
goes on from a whole checkpoint (or from the start where none was complete yet) and all end with the same files as the
first, byte for byte: model, configuration, vocabulary, optimiser's moments, the predictions of predict; the JSON files
but for seconds and memory. Needs nothing but Python.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

MEASURED = {"seconds", "epoch_seconds", "tokens_per_second", "peak_memory_bytes"}


class Runs:
    def __init__(self, options):
        self.options = options
        self.tree = os.path.join(options.scratch, "runs")
        shutil.rmtree(self.tree, ignore_errors=True)
        os.makedirs(self.tree)
        self.data = os.path.join(self.tree, "rows.tsv")
        with open(options.data, encoding="utf-8") as source, open(self.data, "w", encoding="utf-8") as rows:
            rows.writelines(line for _, line in zip(range(options.examples + 1), source))

    def folder(self, name):
        return os.path.join(self.tree, name)

    def start(self, name):
        o = self.options
        command = [o.binary, "--model", o.model, "--task", "text", "--data", self.data, "--eval-data",
                   self.data, "--eval-limit", "16", "--batch-size", "4", "--epochs", "2",
                   "--lr", "1e-4", "--warmup", "0.1", "--max-length", str(o.max_length), "--recipe", o.recipe,
                   "--threads", "1", "--checkpoint-every", str(o.every), "--resume", "--out", self.folder(name),
                   "--json", self.folder(name) + ".json"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def predict(self, name):
        o = self.options
        return subprocess.run([os.path.join(os.path.dirname(o.binary), "predict"), "--model", self.folder(name),
                               "--data", self.data, "--threads", "1"], stdout=subprocess.PIPE, check=True).stdout


def is_saving(process, folder):
    """True while the process writes a file or folder, or where it was killed over it."""
    places = [p for p in (folder, os.path.join(folder, "checkpoints")) if os.path.isdir(p)]
    return any(name.endswith(f".partial-{process.pid}") for place in places for name in os.listdir(place))


def wait_to_kill(process, folder, seconds, saving):
    """Lets the process run for up to `seconds`, or into something being saved."""
    if not saving:
        time.sleep(random.uniform(0, seconds))
        return
    while process.poll() is None and not is_saving(process, folder):
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.4))


def without_measurements(value):
    if isinstance(value, dict):
        return {key: without_measurements(v) for key, v in value.items() if key not in MEASURED}
    return [without_measurements(v) for v in value] if isinstance(value, list) else value


def contents(folder):
    """Every file by name; JSON without what is measured, checksums.json left out where it covers measurements."""
    files = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as source:
                content = source.read()
            if name.endswith(".json"):
                document = without_measurements(json.loads(content))
                if name == "checksums.json":
                    document.pop("state.json")
                content = json.dumps(document)
            files[os.path.relpath(path, folder)] = content
    return files


def compare(runs, name, expected, expected_predictions):
    files = contents(runs.folder(name))
    wrong = sorted(f for f in expected.keys() | files.keys() if expected.get(f) != files.get(f))
    if runs.predict(name) != expected_predictions:
        wrong.append("predictions")
    figures = [without_measurements(json.load(open(runs.folder(n) + ".json"))) for n in ("unkilled", name)]
    if figures[0] != figures[1]:
        wrong.append("figures")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--scratch", default="/tmp/fixtune-check-resume", help="folder to work in")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--recipe", default="rowwise")
    parser.add_argument("--examples", type=int, default=48)
    parser.add_argument("--every", type=int, default=3, help="steps between checkpoints")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    random.seed(options.seed)
    runs = Runs(options)

    began = time.time()
    process = runs.start("unkilled")
    errors = process.communicate()[1]
    assert process.returncode == 0, errors
    seconds = time.time() - began
    expected, predictions = contents(runs.folder("unkilled")), runs.predict("unkilled")

    kills = while_saving = from_checkpoint = anew = finished = 0
    failures = []
    while kills < options.kills or finished == 0:
        name = f"killed-{finished}"
        kill = kills < options.kills
        process = runs.start(name)
        if kill:
            wait_to_kill(process, runs.folder(name), seconds, saving=kills % 3 == 0)
            process.send_signal(signal.SIGKILL)
        errors = process.communicate()[1]
        if "not whole" in errors or process.returncode not in (0, -signal.SIGKILL):
            failures.append(errors)
            break
        if re.search("going on from .*step", errors):
            from_checkpoint += 1
        else:
            anew += 1
        if process.returncode == -signal.SIGKILL:
            kills += 1
            while_saving += is_saving(process, runs.folder(name))
        else:
            failures += compare(runs, name, expected, predictions)
            shutil.rmtree(runs.folder(name))
            finished += 1
    print(f"{options.recipe}: {kills} kills, {while_saving} of them while saving; {from_checkpoint} starts from a checkpoint, "
          f"{anew} anew or killed before; {finished} finished runs, {len(failures)} differences from the unkilled one "
          f"({len(expected)} files, {seconds:.0f} s)")
    for failure in failures:
        print("  ", failure)
    if not failures:
        shutil.rmtree(runs.tree)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
