#!/usr/bin/python3
"""The chart of a trigger: what the slices of a trial say is what is drawn, and such trials enter no other chart."""

import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from tiny_run import script  # noqa: F401  (first: it makes the modules of scripts/ found)
from figures import settings, standard
from figures.cells import load_run
from figures.standard import timeline

RATE, CAPACITY, STALL_AT = 200, 300, 5.0
SUITE = f"""
schema = 1
name   = "trigger"
blocks = 1
slo    = "p99 < 300ms"
rates  = [{RATE}]
[load]
clock   = "virtual"
window  = "30s"
coarse_window = "10s"
trigger = "stall 2s at 5s"
[search]
refine   = [0.9]
overload = [1.2]
grid     = []
[[policy]]
name  = "retry"
chain = "retry:timeout=500ms,tries=2"
[[model]]
use     = "oracle"
servers = 3
mean    = "10ms"
service = "exponential"
policy  = ["none", "retry"]
[[workload]]
use = "empty"
"""


def setUpModule():
    global scratch, RUN
    settings.apply()
    scratch = tempfile.TemporaryDirectory(prefix="timeline ")
    suite = os.path.join(scratch.name, "trigger.toml")
    with open(suite, "w", encoding="utf-8") as stream:
        stream.write(SUITE)
    subprocess.run([os.environ["PRECIPICE"], "run", suite, "--out", scratch.name], check=True, capture_output=True)
    there = os.path.join(scratch.name, "trigger")
    RUN = load_run(os.path.join(there, sorted(os.listdir(there))[-1]))


def tearDownModule():
    scratch.cleanup()


class Timeline(unittest.TestCase):
    def drawn(self):
        found = {}
        with mock.patch.object(standard, "save", lambda figure, out, name, formats: found.update({name: figure.figure})):
            standard.draw(RUN, "", (), ("timeline",))
        self.assertEqual(list(found), ["timeline-empty"])
        return found["timeline-empty"].axes

    def test_a_stall_lasts_as_long_as_it_says(self):
        self.assertEqual(timeline.lasts("stall 2s at 5s"), (5.0, 7.0))
        self.assertEqual(timeline.lasts("step 1.4x for 500ms at 2s"), (2.0, 2.5))
        self.assertEqual(timeline.lasts("step 1.4x at 2s"), (2.0, float("inf")))

    def test_it_draws_the_slices_of_each_series(self):
        shown = timeline.timelines(RUN, "empty")
        self.assertEqual(len(shown), 2)
        axes = self.drawn()[0]
        lines = [[float(y) for y in line.get_ydata()] for line in axes.get_lines() if len(line.get_ydata()) == 50]
        for rate, trigger, one in shown.values():
            self.assertEqual((rate, trigger.split()[0]), (RATE, "stall"))
            self.assertIn([float(value) for value in one["goodput_per_s"]], lines)

    def test_what_it_draws_is_what_happened(self):
        shown = timeline.timelines(RUN, "empty")
        for series, (_, _, one) in shown.items():
            during = one["goodput_per_s"][int((STALL_AT + 1) / one["slice_s"])]
            self.assertEqual(during, 0, series)
            before = one["goodput_per_s"][:int(STALL_AT / one["slice_s"]) - 1]
            self.assertAlmostEqual(sum(before) / len(before) / RATE, 1, delta=0.2)
        bare = next(one for series, (_, _, one) in shown.items() if "|" not in series)
        self.assertGreater(bare["recovered_after_s"], 2)
        self.assertFalse(bare["attempts_per_s"])

    def test_its_trials_are_in_no_curve(self):
        self.assertTrue(any(row["trigger"] for row in RUN.raw.points))
        for _, _, cells in RUN.workloads:
            for cell in cells:
                self.assertTrue(cell.points)
                self.assertNotIn(float(RATE), [point.rate for point in cell.points])


if __name__ == "__main__":
    if "PRECIPICE" not in os.environ:
        sys.exit("PRECIPICE names no program")
    unittest.main()
