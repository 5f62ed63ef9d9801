#!/usr/bin/python3
"""The chart of a trigger: what the slices of a trial say is what is drawn, and such trials enter no other chart."""

import os
import sys
import tempfile
import unittest
from unittest import mock

from tiny_run import script  # noqa: F401  (first: it makes the modules of scripts/ found)
from legible import check_page
from trigger_run import RATE, STALL_AT, make_run
from figures import settings, standard, triggers
from figures.cells import load_run
from figures.media import request
from figures.standard import timeline
from precipice_run import RunError


def setUpModule():
    global scratch, RUN
    settings.apply()
    scratch = tempfile.TemporaryDirectory(prefix="timeline ")
    RUN = load_run(make_run(scratch.name, os.environ["PRECIPICE"]))


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
        self.assertEqual(triggers.lasts("stall 2s at 5s"), (5.0, 7.0))
        self.assertEqual(triggers.lasts("step 1.4x for 500ms at 2s"), (2.0, 2.5))
        self.assertEqual(triggers.lasts("step 1.4x at 2s"), (2.0, float("inf")))

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

    def test_in_every_medium_the_slices_are_drawn_and_legible(self):
        for wanted in ({"medium": "paper", "width": 3.33}, {"medium": "paper", "width": 7.0}, {"medium": "talk"},
                       {"medium": "talk", "dark": True}, {"medium": "web"}):
            found = {}
            with mock.patch.object(request, "save", lambda figure, out, name, formats: found.update({name: figure}) or [name]), \
                    mock.patch.object(request, "load_run", lambda path: RUN):
                request.draw_all(request.Request(runs=[RUN.directory], out=scratch.name, charts=("timeline",), **wanted))
            (name, figure), = found.items()
            self.assertTrue(name.startswith("timeline-empty"), name)
            check_page(self, figure.figure, f"{wanted}")
            self.assertEqual(len(figure.steps), 2)
            panels = [[line for line in axes.get_lines() if len(line.get_ydata()) == 50] for axes in figure.figure.axes]
            self.assertEqual(len(panels), 2 if wanted["medium"] == "talk" else 3)  # a slide has room for two
            lines = [[float(y) for y in line.get_ydata()] for line in panels[0]]
            for _, _, one in timeline.timelines(RUN, "empty").values():
                self.assertIn([float(value) for value in one["goodput_per_s"]], lines)

    def test_of_a_run_without_a_trigger_the_reason_is_said(self):
        bare = load_run(RUN.directory)
        bare.raw.trials = lambda: iter(())
        with mock.patch.object(request, "load_run", lambda path: bare), self.assertRaisesRegex(RunError, "no series that was asked for has a trial with a trigger"):
            request.draw_all(request.Request("web", [RUN.directory], out=scratch.name, charts=("timeline",)))

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
