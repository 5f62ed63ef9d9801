#!/usr/bin/python3
"""The charts as a process: what a tiny run's directory gives, and what a wrong one is told."""

import json
import os
import tempfile
import unittest

from tiny_run import digests, index_of, script, write_run  # first: it makes the modules of scripts/ found
import precipice_run
from figures.cells import load_run


def plot(*arguments, **options):
    return script("plot.py", *arguments, **options)


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
            names = ("verdict", "capacity", "response-cpu", "goodput-cpu", "spectrum-cpu", "pool-threads-cpu")
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

    def test_of_a_run_in_which_nothing_is_valid_the_reason_is_said(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            path = os.path.join(directory, "summary.json")
            with open(path, encoding="utf-8") as stream:
                summary = json.load(stream)
            summary["nothing_valid"] = "Nothing was measured: none of 30 trials is valid."
            with open(path, "w", encoding="utf-8") as stream:
                json.dump(summary, stream)
            done = plot(directory)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("none of 30 trials is valid", done.stderr)
            self.assertFalse(os.path.exists(os.path.join(directory, "figures")))

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
