#!/usr/bin/python3
"""The studies of trade-offs, and the field's sentences about them: each of their suites is run, and its claims hold. On the virtual clock, so a verdict repeats.
Those on the real clock are the user's to run, as their verdict depends on the machine: here they are read, and their claims with them.

    tradeoffs_test.py PRECIPICE SOURCE_DIR
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

PRECIPICE, SOURCE = sys.argv.pop(1), sys.argv.pop(1)
try:
    import matplotlib  # noqa: F401
    import numpy  # noqa: F401
    DRAWS = True
except ImportError:
    DRAWS = False

STUDIES = sorted(glob.glob(os.path.join(SOURCE, "workloads", "suites", "tradeoff_*.toml")))
REAL = [suite for suite in STUDIES if suite.endswith("_real.toml")]
SUITES = [suite for suite in STUDIES if suite not in REAL]
SENTENCES = os.path.join(SOURCE, "workloads", "suites", "claims_tradeoffs.toml")
# A run writes each trial to the disk before the next, which takes longer than the trial.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def precipice(*words):
    return subprocess.run([PRECIPICE, *words], capture_output=True, text=True, check=False)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def said(svg):
    """The words of a chart, which Matplotlib repeats as comments."""
    return re.findall(r"<!-- (.*?) -->", svg)


class Tradeoffs(unittest.TestCase):
    def test_the_claims_of_every_study_hold(self):
        self.assertGreaterEqual(len(SUITES), 21)
        for suite in [*SUITES, SENTENCES]:
            name = os.path.basename(suite).removesuffix(".toml")
            with self.subTest(name), tempfile.TemporaryDirectory(dir=MEMORY) as out:
                done = precipice("run", suite, "--out", out)
                self.assertEqual(done.returncode, 0, done.stderr)
                checked = precipice("check", os.path.join(out, name), "--json")
                claims = json.loads(checked.stdout)["claims"]
                self.assertGreaterEqual(len(claims), 2)
                self.assertEqual([each for each in claims if each["outcome"] != "holds"], [])
                self.assertEqual(checked.returncode, 0)

    def test_the_studies_on_the_real_clock_are_read_and_short(self):
        self.assertGreaterEqual(len(REAL), 2)
        for suite in REAL:
            with self.subTest(os.path.basename(suite)):
                resolved = precipice("run", suite, "--dry-run")
                self.assertEqual(resolved.returncode, 0, resolved.stderr)
                text = resolved.stdout
                self.assertNotIn('clock = "virtual"', text)
                minutes = re.search(r"trials, about (?:(\d+) min)?", text).group(1) or 0
                self.assertLess(int(minutes), 3)
                self.assertGreaterEqual(text.count("[[claim]]"), 2)
                self.assertEqual(text.count("[[claim]]"), text.count("that = "))

    def test_every_study_is_on_the_page_with_its_chart(self):
        page = read(os.path.join(SOURCE, "docs", "tradeoffs.md"))
        charts = {os.path.basename(path).removesuffix(".svg") for path in glob.glob(os.path.join(SOURCE, "docs", "tradeoffs", "*.svg"))}
        for suite in STUDIES:
            self.assertIn(os.path.basename(suite), page)
            if suite in SUITES:
                self.assertIn(os.path.basename(suite).removeprefix("tradeoff_").removesuffix(".toml"), charts)
        for name in charts:
            self.assertRegex(page, rf"!\[[^\]]+\]\(tradeoffs/{name}\.svg\)")

    @unittest.skipUnless(DRAWS, "matplotlib or numpy is not there")
    def test_charts_say_what_the_page_shows_and_are_drawn_alike_again(self):
        # Those that need no run of a suite and few trials.
        studies = ("hedging", "tail_at_scale", "tied", "stages", "pool_size")
        with tempfile.TemporaryDirectory(dir=MEMORY) as out:
            for place in ("once", "again"):
                done = subprocess.run([os.path.join(SOURCE, "scripts", "studies", "tradeoffs.py"), *studies, "--precipice", PRECIPICE, "--out", out,
                                       "--charts", os.path.join(out, place)], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
            for study in studies:
                svg = read(os.path.join(out, "once", f"{study}.svg"))
                self.assertEqual(svg, read(os.path.join(out, "again", f"{study}.svg")))
                self.assertLess(len(svg), 120_000)
                self.assertEqual(said(svg), said(read(os.path.join(SOURCE, "docs", "tradeoffs", f"{study}.svg"))), study)

    @unittest.skipUnless(DRAWS, "matplotlib or numpy is not there")
    def test_no_text_of_a_chart_covers_another_or_leaves_the_page(self):
        sys.path.insert(0, os.path.join(SOURCE, "scripts"))
        from figures import settings
        from legible import check_page
        from studies import tradeoff_charts
        from studies.tradeoff_program import Program
        settings.apply()
        for study in ("hedging", "tied", "breaker"):
            check_page(self, tradeoff_charts.CHARTS[study](Program(PRECIPICE, MEMORY)).figure, study)


if __name__ == "__main__":
    unittest.main()
