"""A run's directory made up for tests of the scripts, and a command of scripts/ as a process."""

import csv
import glob
import hashlib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCRIPTS = os.path.join(ROOT, "scripts")
REFERENCE = sorted(glob.glob(os.path.join(ROOT, "results", "reference", "2*")), reverse=True)  # the newest first: it has all workloads
sys.dont_write_bytecode = True
sys.path.insert(0, SCRIPTS)

try:
    import matplotlib  # noqa: F401
    import numpy  # noqa: F401
except ImportError as missing:
    print(f"skipped: {sys.executable} has no {missing.name}: apt-get install python3-{missing.name}")
    sys.exit(77)

WORKLOAD = "cpu:work=200us"


def index_of(value):
    """The bucket of a value: written from the layout's definition, not from the reader's inverse."""
    doubling = max(value.bit_length() - 11, 0)
    return (doubling << 10) + (value >> doubling)


def journal_line(key, values):
    flat, last = [], 0
    for value in sorted(values):
        flat += [index_of(value) - last, 1]
        last = index_of(value)
    return {"kind": "trial", "key": key, "histogram": {"overflow": 0, "buckets": flat}, "slices": []}


def estimate(value, reached="ok"):
    return {"value": value, "low": value and value * 0.95, "high": value and value * 1.05, "reached": reached}


POOLS = (("fixed_pool", {"threads": "8"}, 4000.0), ("fixed_pool", {"threads": "64"}, 50000.0))


def write_run(directory, schema=1, journal=True, measured=POOLS, suite="tiny", workload=WORKLOAD):
    """Models with options and capacities measured in two blocks, and one that could not be."""
    cells, rows, lines = [], [], []
    for model, options, capacity in measured:
        series = model + ":" + ",".join(f"{key}={value}" for key, value in options.items())
        cells.append({"series": series, "model": model, "model_options": options, "workload": workload,
                      "workload_name": "cpu", "slo_ns": 2e6, "slo_percentile": 99, "saturation_per_s": estimate(capacity),
                      "cliff_per_s": estimate(capacity * 0.8), "saturation_of_ideal": estimate(0.9), "cliff_of_ideal": None})
        for block in (0, 1):
            for share in (0.2, 0.4, 0.6, 0.8, 1.2):
                rate, stable = capacity * share, share < 1
                key = f"{series}|{rate}|{block}"
                rows.append({"series": series, "workload": workload, "phase": "refine", "block": block, "closed": 0,
                             "rate_per_s": rate, "goodput_per_s": min(rate, capacity), "p99_ns": 4e5, "loss": 0,
                             "stable": str(stable).lower(), "used": "true", "key": key})
                base = int(2e5 * (1 + share) if stable else 3e8) + 1000 * block
                lines.append(journal_line(key, [base + 5000 * i for i in range(200)]))
    cells.append({"series": "io_uring", "model": "io_uring", "model_options": {}, "workload": workload, "workload_name": "cpu",
                  "slo_ns": None, "cliff_per_s": estimate(None, "unmeasured"), "failure": "the kernel has no rings"})
    rows_of = [{"series": cell["series"], "cliff_per_s": cell["cliff_per_s"], "groups": "a", "share": 1, "reached": "ok", "apart": False}
               for cell in cells[-2::-1]]
    verdict = {"workload": workload, "text": "cpu: fixed_pool 64, fixed_pool 8 alike", "kind": "alike", "best": rows_of, "rest": [],
               "none_holds": [], "unmeasured": ["io_uring"]}
    with open(os.path.join(directory, "summary.json"), "w") as stream:
        json.dump({"schema": schema, "suite": suite, "blocks_done": 2, "cells": cells, "verdict": [verdict]}, stream)
    with open(os.path.join(directory, "points.csv"), "w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    if journal:
        with open(os.path.join(directory, "journal.jsonl"), "w") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
            stream.write('{"kind":"trial","key":"torn')


def script(name, *arguments, interpreter=("/usr/bin/python3",), cwd=None, **environment):
    command = [*interpreter, os.path.join(SCRIPTS, name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=os.environ | environment)


def digests(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as stream:
            found[name] = hashlib.sha256(stream.read()).hexdigest()
    return found
