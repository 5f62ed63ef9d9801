#!/usr/bin/python3
"""The report of a run of policies in a real browser, at two widths: what a knob trades, what attempts and a million requests cost.

The run is simulated by the program (policy_run.py), and its figures have a closed form.
"""

import sys
import tempfile
import unittest
from itertools import combinations

sys.dont_write_bytecode = True
from report_page import PATHS, PRECIPICE, Page, make, write_run  # noqa: E402  (first: exits where a tool is missing)
from policy_run import AFTER, BATCHES, HEDGED, SERIES, SIZES, SLOW, SLOW_REPLIES, carried, make_run  # noqa: E402


def setUpModule():
    global scratch
    scratch = tempfile.TemporaryDirectory(prefix="policy report ")
    PATHS["one"] = make(f"{scratch.name}/one.html", make_run(scratch.name, PRECIPICE))
    PATHS["plain"] = make(f"{scratch.name}/plain.html", write_run(f"{scratch.name}/plain"))


def tearDownModule():
    scratch.cleanup()


class Both:
    def setUp(self):
        self.open()

    def test_NothingIsWiderThanTheScreen(self):
        self.all_drawn()
        self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), self.size[0])

    def test_DashIsThePolicyAndAModelWithoutOneIsSolid(self):
        self.drawn("response")
        dashes = dict(self.js("return document.getElementById('response').data.reduce((found, t, i, all) => t.meta === 'curve' ?"
                              "[...found, [t.customdata, all[i - 1].line.dash]] : found, [])"))
        self.assertEqual(set(dashes), set(SERIES))
        self.assertEqual({dashes[BATCHES], dashes[SLOW_REPLIES]}, {"solid"})
        self.assertEqual(len(set(dashes.values())), len(SERIES) - 1)  # but for the two without a policy
        chips = self.js("return [...document.querySelectorAll('.chip')].map(c => [c.textContent, c.querySelector('path[stroke]').getAttribute('stroke-dasharray')])")
        self.assertEqual(len(chips), len(SERIES))
        for name, dash in chips:
            self.assertEqual(dash is None, "|" not in name, name)

    def test_ALineJoinsAKnobsValuesAtWhatTheyCarry(self):
        line, = [t for t in self.traces("frontier", "knob") if len(t["x"]) == len(SIZES)]
        for size, rate in zip(SIZES, line["x"]):
            self.assertAlmostEqual(rate / carried(size), 1, delta=0.03, msg=f"size {size}")
        spots = {t["id"]: t for t in self.traces("frontier", "spot")}
        self.assertEqual(set(spots), set(SERIES))
        # A hedge's answer comes 3 ms after it was sent; without one the slow reply counts.
        for series, expected in ((SLOW_REPLIES, 43e6), (HEDGED[0], 13e6), (HEDGED[1], 23e6)):
            self.assertAlmostEqual(spots[series]["y"][0] / expected, 1, delta=0.005, msg=series)
        said = self.js("return document.getElementById('frontier').layout.annotations.map(a => a.text)")
        short = self.size[0] < 600
        self.assertEqual(sorted(said), sorted([("" if short else "size=") + str(size) for size in SIZES] + [("" if short else "after=") + one for one in AFTER] +
                                              ["no policy", "no policy", "spared"]))

    def test_WordsBesideMarksCoverNoOther(self):
        self.drawn("frontier")
        boxes = self.js("return [...document.querySelectorAll('#frontier .annotation-text')].map(e => { const b = e.getBoundingClientRect();"
                        "return [e.textContent, b.left, b.top, b.right, b.bottom]; })")
        self.assertEqual(len(boxes), len(SERIES))
        frame = self.js("const b = document.getElementById('frontier').getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]")
        for text, left, top, right, bottom in boxes:
            self.assertTrue(left >= frame[0] and top >= frame[1] and right <= frame[2] and bottom <= frame[3], text)
        for a, b in combinations(boxes, 2):
            self.assertFalse(min(a[3], b[3]) - max(a[1], b[1]) > 3 and min(a[4], b[4]) - max(a[2], b[2]) > 3, f"{a[0]} covers {b[0]}")

    def test_AttemptsAndWasteAreThoseOfTheClosedForm(self):
        for chart, expected in (("work-attempts", 1 + SLOW), ("work-wasted", SLOW / (1 + SLOW))):
            curves = {t["id"]: t for t in self.traces(chart, "curve")}
            self.assertEqual(set(curves), {series for series in SERIES if "|" in series}, chart)
            for series in HEDGED[:2]:
                self.assertAlmostEqual(curves[series]["y"][0], expected, delta=0.02, msg=f"{chart} {series}")
        self.assertIn("No CPU time was measured", self.text("#work-note"))

    def test_CostsAreInOrderCheapestAtTheTop(self):
        rows = sorted(self.traces("cost", "cost"), key=lambda t: t["y"][0], reverse=True)
        self.assertEqual([row["x"][0] for row in rows], sorted(row["x"][0] for row in rows))
        self.assertEqual({row["id"] for row in rows}, set(SERIES))
        self.assertEqual(rows[0]["id"], f"{BATCHES}|batched:size={SIZES[-1]}")

    def test_AHiddenSeriesLeavesTheChartsOfPolicies(self):
        self.click(f'.chip[data-series="{HEDGED[0]}"]')
        for chart, meta in (("frontier", "spot"), ("work-attempts", "curve"), ("cost", "cost")):
            self.assertNotIn(HEDGED[0], {t["id"] for t in self.traces(chart, meta)}, chart)

    def test_WithoutPoliciesTheSectionIsHidden(self):
        self.assertTrue(self.find("#s-policies").is_displayed())
        self.open(PATHS["plain"])
        self.assertFalse(self.find("#s-policies").is_displayed())
        self.assertEqual(self.js("return document.querySelectorAll('.chip path[stroke]').length"), 0)


class Desktop(Both, Page):
    size = (1280, 900)


class Phone(Both, Page):
    size = (390, 844)


if __name__ == "__main__":
    unittest.main()
