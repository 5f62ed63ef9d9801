#!/usr/bin/python3
"""The guided path's command, on the lessons that need no machine: they are run and drawn.

    learn_test.py PRECIPICE SOURCE_DIR
"""

import os
import subprocess
import sys
import tempfile
import unittest

PRECIPICE, SOURCE = sys.argv.pop(1), sys.argv.pop(1)
try:
    import matplotlib  # noqa: F401
    import numpy  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing.name} is not there", file=sys.stderr)
    sys.exit(77)

# A run writes each trial to the disk before the next, which takes longer than the trial.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def learn(*words):
    return subprocess.run([os.path.join(SOURCE, "scripts", "learn.py"), *words], capture_output=True, text=True, check=False)


class Learn(unittest.TestCase):
    def test_simulated_lessons_run_hold_their_claims_and_are_drawn(self):
        with tempfile.TemporaryDirectory() as out:
            done = learn("knee", "omission", "--precipice", PRECIPICE, "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            for lesson in ("knee", "omission"):
                run = os.path.join(out, f"learn_{lesson}", os.listdir(os.path.join(out, f"learn_{lesson}"))[0])
                for form, least in (("png", 20_000), ("svg", 10_000)):
                    self.assertGreater(os.path.getsize(os.path.join(run, "figures", f"learn-{lesson}.{form}")), least)
                checked = subprocess.run([PRECIPICE, "check", run], capture_output=True, text=True, check=False)
                self.assertEqual(checked.returncode, 0, checked.stdout)
            with open(os.path.join(run, "figures", "learn-omission.svg"), encoding="utf-8") as file:
                svg = file.read()
            # The stall of 100 ms delays a tenth of a second's requests: at 1,000/s p99 of 5 s lies near 100 - 50 x 0.5 ms.
            self.assertIn("p99 = 75.", svg)
            self.assertIn("p99 = 0.5 ms", svg)
            again = learn("omission", "--draw-only", "--out", out)
            self.assertEqual(again.returncode, 0, again.stderr)
            # Without the histograms nothing can be shown, and with fields of another type nothing either.
            os.remove(os.path.join(run, "journal.jsonl"))
            gone = learn("omission", "--draw-only", "--out", out)
            self.assertEqual((gone.returncode, gone.stderr.count("\n")), (2, 1), gone.stderr)
            self.assertIn("no stable point of the open loop with a histogram", gone.stderr)
            summary = os.path.join(run, "summary.json")
            with open(summary, encoding="utf-8") as file:
                text = file.read()
            with open(summary, "w", encoding="utf-8") as file:
                file.write(text.replace('"value":', '"value": "x", "was":'))
            typed = learn("omission", "--draw-only", "--out", out)
            self.assertEqual((typed.returncode, typed.stderr.count("\n")), (2, 1), typed.stderr)

    def test_lessons_on_policies_draw_what_was_measured_beside_the_closed_form(self):
        # What a chart has to say: the closed form's value, and a measured one that lies where it should.
        said = {"batch": ("A batch carries 6.8 times as much",), "hedge": ("closed form 16.8 ms", "7.2% more attempts"), "fan": ("(closed form 1%)",),
                "retry": ("again after 11.6 s", "asks once more: not again", "(closed form: never)"), "pipeline": ("2/s: 255 ms",),
                "shed": ("no bound", "0/s")}
        with tempfile.TemporaryDirectory(dir=MEMORY) as out:
            done = learn(*said, "--precipice", PRECIPICE, "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            for lesson, words in said.items():
                run = os.path.join(out, f"learn_{lesson}", os.listdir(os.path.join(out, f"learn_{lesson}"))[0])
                with open(os.path.join(run, "figures", f"learn-{lesson}.svg"), encoding="utf-8") as file:
                    svg = file.read()
                for one in words:
                    self.assertIn(one, svg, lesson)
                if lesson == "retry":  # a single block has no intervals, so no claims either
                    continue
                checked = subprocess.run([PRECIPICE, "check", run], capture_output=True, text=True, check=False)
                self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_what_is_wrong_is_said_in_a_line(self):
        self.assertEqual(learn("nonsense").returncode, 2)
        with tempfile.TemporaryDirectory() as out:
            nothing = learn("knee", "--draw-only", "--out", out)
            self.assertEqual(nothing.returncode, 2)
            self.assertIn("knee", nothing.stderr)
            unbuilt = learn("knee", "--precipice", os.path.join(out, "none"))
            self.assertEqual(unbuilt.returncode, 2)
            self.assertIn("build it first", unbuilt.stderr)


if __name__ == "__main__":
    unittest.main()
