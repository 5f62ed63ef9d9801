#!/usr/bin/python3
"""The report beside the program ($PRECIPICE, else build/release/precipice), whose figures it shows, and as a command."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from report_page import PATHS, PRECIPICE, ROOT, SCRIPTS, Page, make, setUpModule, tearDownModule  # noqa: E402, F401  (first: exits where a tool is missing)
from known_run import GRID_PERCENTILES  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402

REFERENCE = os.path.join(ROOT, "results", "reference", "20261120T183606Z-7afd215")  # one workload, by a program without grids


def shown_by_program(run):
    return json.loads(subprocess.run([PRECIPICE, "show", run, "--json"], capture_output=True, text=True, check=True).stdout)


def estimated_under(run, slo_ns):
    """What the program estimates for the cells of a run under another SLO: the cliffs by series."""
    with tempfile.TemporaryDirectory() as copy:
        for name in ("manifest.json", "suite.toml"):
            shutil.copy(os.path.join(run, name), copy)
        with open(os.path.join(run, "journal.jsonl"), encoding="utf-8") as old, open(os.path.join(copy, "journal.jsonl"), "w", encoding="utf-8") as new:
            for line in map(json.loads, old):
                new.write(json.dumps(line | {"slo_ns": slo_ns} if line["kind"] == "trial" else line) + "\n")
        return {cell["series"]: cell["cliff_per_s"] for cell in shown_by_program(copy)["cells"]}


@unittest.skipUnless(os.access(PRECIPICE, os.X_OK), f"{PRECIPICE} is not built")
class Program(Page):
    """A run without grids, whose figures the program makes again: page and program say the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = make(os.path.join(PATHS["directory"], "reference.html"), REFERENCE)
        cls.cells = {cell["series"]: cell for cell in shown_by_program(REFERENCE)["cells"]}
        cls.slo = next(iter(cls.cells.values()))["slo_ns"]

    def check(self, slo_ns):
        """Every cell's row at the SLO that the page has; returns how many were on a bound and how many between two."""
        fresh, on, between = estimated_under(REFERENCE, slo_ns), 0, 0
        for series, cell in self.cells.items():
            row, says = self.row(series), f"{series} under {slo_ns} ns"
            bounds, cliffs = cell["slo_grid"]["bounds_ns"], cell["slo_grid"]["cliffs"][GRID_PERCENTILES.index(99)]
            reached, at = cliffs["reached"].split(), [k for k, bound in enumerate(bounds) if abs(bound / slo_ns - 1) < 5e-5]
            if at:
                on += 1
                self.assertEqual((row["reached"], f"{float(row['capacity']):.4g}"), (reached[at[0]], f"{cliffs['value'][at[0]]:.4g}"), says)
                self.assertEqual((row["reached"], f"{float(row['capacity']):.4g}"), (fresh[series]["reached"], f"{fresh[series]['value']:.4g}"), says)
                continue
            after = next((k for k, bound in enumerate(bounds) if bound > slo_ns), 0)
            if not after or {reached[after - 1], reached[after]} != {"ok"}:
                self.assertNotEqual(row["reached"], "ok", says)
                continue
            between += 1
            value, low, high = (float(row[name]) for name in ("capacity", "low", "high"))
            self.assertTrue(cliffs["value"][after - 1] <= value <= cliffs["value"][after], says)
            self.assertTrue(low <= fresh[series]["value"] <= high, says)
            self.assertAlmostEqual(value / fresh[series]["value"], 1, delta=0.06, msg=says)
        return on, between

    def test_OnABoundOfTheGridThePageSaysWhatTheProgramSays(self):
        self.open(self.path)
        self.assertEqual(self.check(self.slo)[0], len(self.cells))
        for halves in (-1, 1):
            slo = self.slo * 2 ** (halves / 2)  # in every grid whose steps are even to the doubling
            self.type_slo(f"{slo / 1e6}ms")
            self.assertGreater(self.check(slo)[0], 3)

    def test_BetweenTwoBoundsItInterpolatesTheProgramsFigures(self):
        self.open(self.path)
        for shift in (-0.291, -0.13):
            slo = float(f"{self.slo * 2 ** shift:.6g}")
            self.type_slo(f"{slo / 1e6}ms")
            self.assertGreater(self.check(slo)[1], 3)
        self.js("document.getElementById('response').scrollIntoView({block: 'center'})")
        self.settle()
        ActionChains(self.driver, duration=20).move_to_element(self.find("#slo-line")).click_and_hold().move_by_offset(0, 12).release().perform()
        self.settle()
        slo = float(self.state()["slo"][0].split("=")[-1])
        self.assertLess(slo, self.slo * 2 ** -0.15)
        self.check(slo)

    def test_TheTableIsTheProgramsAtTheRunsOwnSlo(self):
        self.open(self.path)
        for series, cell in self.cells.items():
            if cell["cliff_per_s"]["reached"] == "ok":
                self.assertEqual(float(self.row(series)["low"]), float(f"{cell['cliff_per_s']['low']:.7g}"))
        self.assertIn(shown_by_program(REFERENCE)["verdict"][0]["text"], self.text("#verdict"))


class Command(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run([os.path.join(SCRIPTS, "report.py"), *arguments], capture_output=True, text=True)

    def test_WritesBesideTheRunAndTheSameBytesTwice(self):
        first = self.run_it(PATHS["run"])
        self.assertEqual(first.returncode, 0, first.stderr)
        out = os.path.join(PATHS["run"], "report.html")
        with open(out, "rb") as stream:
            before = stream.read()
        self.assertEqual(self.run_it(PATHS["run"]).returncode, 0)
        with open(out, "rb") as stream:
            self.assertEqual(stream.read(), before)

    def test_ANameIsNoPartOfThePage(self):
        sys.path.insert(0, SCRIPTS)
        import report
        made = report.page({"runs": [{"name": "{{STYLE}}<b>"}]})
        self.assertIn("<title>precipice: {{STYLE}}&lt;b&gt;</title>", made)

    def test_SaysInOneLineWhatIsWrong(self):
        for arguments, says in ((["/nowhere"], "no such directory"), ([PATHS["run"], PATHS["run"]], "named twice"),
                                ([PATHS["run"], "-o", "/nowhere/x.html"], "cannot be written")):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
