#!/usr/bin/python3
"""The charts as a process: what a tiny run's directory gives, and what a wrong one is told."""

import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scripts")
sys.dont_write_bytecode = True
sys.path.insert(0, SCRIPTS)
import precipice_run
from figures.cells import load_run

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


def write_run(directory, schema=1, journal=True):
    """Two pools measured in two blocks, and one model that could not be."""
    cells, rows, lines = [], [], []
    for threads, capacity in (("8", 4000.0), ("64", 50000.0)):
        series = f"fixed_pool:threads={threads}"
        cells.append({"series": series, "model": "fixed_pool", "model_options": {"threads": threads}, "workload": WORKLOAD,
                      "workload_name": "cpu", "slo_ns": 2e6, "slo_percentile": 99, "saturation_per_s": estimate(capacity),
                      "cliff_per_s": estimate(capacity * 0.8), "saturation_of_ideal": estimate(0.9), "cliff_of_ideal": None})
        for block in (0, 1):
            for share in (0.2, 0.4, 0.6, 0.8, 1.2):
                rate, stable = capacity * share, share < 1
                key = f"{series}|{rate}|{block}"
                rows.append({"series": series, "workload": WORKLOAD, "phase": "refine", "block": block, "closed": 0,
                             "rate_per_s": rate, "goodput_per_s": min(rate, capacity), "p99_ns": 4e5, "loss": 0,
                             "stable": str(stable).lower(), "used": "true", "key": key})
                base = int(2e5 * (1 + share) if stable else 3e8) + 1000 * block
                lines.append(journal_line(key, [base + 5000 * i for i in range(200)]))
    cells.append({"series": "io_uring", "model": "io_uring", "model_options": {}, "workload": WORKLOAD, "workload_name": "cpu",
                  "slo_ns": None, "cliff_per_s": estimate(None, "unmeasured"), "failure": "the kernel has no rings"})
    with open(os.path.join(directory, "summary.json"), "w") as stream:
        json.dump({"schema": schema, "suite": "tiny", "blocks_done": 2, "cells": cells}, stream)
    with open(os.path.join(directory, "points.csv"), "w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    if journal:
        with open(os.path.join(directory, "journal.jsonl"), "w") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
            stream.write('{"kind":"trial","key":"torn')


def plot(*arguments, interpreter=("/usr/bin/python3",)):
    command = [*interpreter, os.path.join(SCRIPTS, "plot.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def digests(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as stream:
            found[name] = hashlib.sha256(stream.read()).hexdigest()
    return found


class Histogram(unittest.TestCase):
    def test_every_bucket_reports_its_highest_value(self):
        for value in (0, 1, 2047, 2048, 2049, 4095, 4096, 123_456_789, 3_600_000_000_000):
            highest = int(precipice_run.bucket_highest(index_of(value)))
            self.assertGreaterEqual(highest, value)
            self.assertEqual(index_of(highest), index_of(value))
            self.assertEqual(index_of(highest + 1), index_of(value) + 1)

    def test_merging_is_not_averaging(self):
        quick, slow = precipice_run.Histogram({100: 99, 200: 1}), precipice_run.Histogram({1000: 100})
        both = precipice_run.Histogram.merged([quick, slow])
        self.assertEqual(both.count(), 200)
        self.assertEqual(both.percentile(50), 200)
        self.assertEqual(both.percentile(99), 1000)

    def test_overflow_counts(self):
        self.assertEqual(precipice_run.Histogram({10: 1}, overflow=1).percentile(99), precipice_run.HIGHEST_NS + 1)


class Curve(unittest.TestCase):
    def test_points_past_saturation_are_kept_apart(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            cell = load_run(directory).workloads[0][2][0]
            self.assertEqual([p.stable for p in cell.points], [True] * 4 + [False])
            self.assertEqual([p.blocks for p in cell.points], [2] * 5)

    def test_without_a_journal_the_rows_stand_in(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory, journal=False)
            run = load_run(directory)
            self.assertEqual(run.workloads[0][2][0].points[0].response_ns, 4e5)
            self.assertTrue(any("journal" in warning for warning in run.warnings))


class Charts(unittest.TestCase):
    def test_all_formats_appear_and_two_draws_are_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            first = plot(directory)
            self.assertEqual(first.returncode, 0, first.stderr)
            second = plot(directory, "--out", os.path.join(directory, "again"))
            self.assertEqual(second.returncode, 0, second.stderr)
            drawn = digests(os.path.join(directory, "figures"))
            names = ("capacity", "response-cpu", "goodput-cpu", "spectrum-cpu", "pool-threads-cpu")
            self.assertEqual(set(drawn), {f"{name}.{form}" for name in names for form in ("svg", "pdf", "png")})
            self.assertEqual(drawn, digests(os.path.join(directory, "again")))

    def test_any_interpreter_on_the_path_will_do(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            done = plot(directory, "--format", "svg", interpreter=("/usr/bin/env", "python3"))
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_chart_without_data_is_skipped_with_its_reason(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory, journal=False)
            done = plot(directory, "--format", "svg")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("skipped spectrum-cpu: ", done.stdout)

    def test_what_cannot_be_drawn_is_one_line_and_exit_code_2(self):
        with tempfile.TemporaryDirectory() as directory:
            missing = os.path.join(directory, "nowhere")
            empty = os.path.join(directory, "empty")
            os.mkdir(empty)
            newer = os.path.join(directory, "newer")
            os.mkdir(newer)
            write_run(newer, schema=9)
            cases = {"no such directory": (missing,), "not a run's directory": (empty,), "schema 9 is unknown": (newer,),
                     "none of svg, pdf, png": (newer, "--format", "gif")}
            for words, arguments in cases.items():
                done = plot(*arguments)
                self.assertEqual(done.returncode, 2, words)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
