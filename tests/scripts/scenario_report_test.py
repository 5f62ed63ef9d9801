#!/usr/bin/python3
"""The advice of a report in a real browser, at two widths: scenarios, the curve behind an answer, and what each policy moved.

One run is simulated by the program (policy_run.py), one is of M/M/1 queues (known_run.py), one has a trigger; all have closed forms.
"""

import json
import os
import sys
import tempfile
import unittest
import urllib.parse

sys.dont_write_bytecode = True
from report_page import PATHS, PRECIPICE, Page, make, write_run  # noqa: E402  (first: exits where a tool is missing)
from known_run import CPU, LIMITS, LOOP, carried as carried_by  # noqa: E402
from policy_run import AFTER, BATCHES, HEDGED, SIZES, SLOW, SLOW_REPLIES, make_run  # noqa: E402
import trigger_run  # noqa: E402


def setUpModule():
    global scratch, SUMMARY
    scratch = tempfile.TemporaryDirectory(prefix="scenario report ")
    run = make_run(scratch.name, PRECIPICE)
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as stream:
        SUMMARY = json.load(stream)
    PATHS["one"] = make(f"{scratch.name}/one.html", run)
    PATHS["plain"] = make(f"{scratch.name}/plain.html", write_run(f"{scratch.name}/plain"))
    PATHS["trigger"] = make(f"{scratch.name}/trigger.html", trigger_run.make_run(scratch.name, PRECIPICE))


def tearDownModule():
    scratch.cleanup()


def lever(series, figure):
    """The figures of a lever in the run's summary."""
    one = next(each for each in SUMMARY["levers"] if each["series"] == series)
    return [each for each in one["figures"] if each["figure"] == figure]


class Both:
    def pick(self, scenario):
        self.click(f'#scenarios [data-scenario="{scenario}"]')

    def answer(self):
        host = self.find("#answer")
        return host.get_attribute("data-covered"), host.get_attribute("data-answer")

    def field(self, name):
        return self.find(f"#a-{name}").get_attribute("value")

    def fill(self, name, value):
        box = self.find(f"#a-{name}")
        self.js("arguments[0].scrollIntoView({block: 'center'}); arguments[0].select()", box)
        box.send_keys(value)
        self.settle()

    def test_LogsAreCarriedByTheLargestBatches(self):
        self.open()
        self.pick("logs")
        self.assertEqual(self.answer(), ("full", f"{BATCHES}|batched:size={SIZES[-1]}"))
        said = self.text("#scenario-says")
        for words in ("a fixed time for each batch", "p99 at most 100 times", "how much is carried", "because nobody waits for a record"):
            self.assertIn(words, said)
        self.assertIn("1 ms for each batch and 100 µs for each request in it", self.text("#answer"))
        self.assertIn("room to grow decides", self.text("#answer"))
        self.assertFalse(self.find("#a-human").is_selected())
        self.assertEqual(self.field("slo"), "110ms")
        # The lever: what batches carry against single requests, as the program says it, along the knob.
        cliff, = lever(f"{BATCHES}|batched:size={SIZES[-1]}", "cliff_per_s")
        self.assertIn(f"{cliff['ratio']['value']:.3g} times [", self.text("#lever"))
        self.assertIn("Its knob is size", self.text("#lever"))

    def test_AnInteractiveApiTakesTheHedgeAndSaysWhatItMoved(self):
        self.open()
        self.pick("api")
        covered, series = self.answer()
        self.assertEqual((covered, series), ("full", HEDGED[0]))
        self.assertIn("a human waits", self.text("#answer"))
        self.assertIn("the response at your rate, because a person waits", self.text("#scenario-says"))
        self.assertIn("The lever is its policy. Against the same model without one, hedged, after=10ms moves p99 at", self.text("#lever"))
        attempts, = lever(HEDGED[0], "attempts_per_request")
        self.assertAlmostEqual(attempts["ratio"]["value"], 1 + SLOW, delta=0.01)
        self.assertEqual(attempts["without"]["value"], 1)
        self.assertIn(f"attempts a request {attempts['ratio']['value']:.3g} times [", self.text("#lever"))

    def test_TheTableHasEachPolicyWithRatiosAndTheirIntervals(self):
        self.open()
        self.pick("api")
        rows = self.js("return Object.fromEntries([...document.querySelectorAll('.levers tr[data-series]')].map(r => [r.dataset.series, "
                       "Object.fromEntries([...r.querySelectorAll('td')].map(c => [c.dataset.figure, [c.className, c.innerText]]))]))")
        self.assertEqual(set(rows), set(HEDGED))
        for series in HEDGED[:2]:
            kind, text = rows[series]["attempts_per_request"]
            self.assertEqual(kind, "worse")
            ratio = lever(series, "attempts_per_request")[0]["ratio"]
            self.assertTrue(text.startswith(f"{ratio['value']:.3g}× [{ratio['low']:.3g}, {ratio['high']:.3g}]"), text)
            kind, text = rows[series]["p99_ns"]
            self.assertEqual(kind, "better")
            # A hedge's answer comes 3 ms after it was sent; without one the slow reply of 43 ms counts.
            self.assertRegex(text, "43 ms → " + {AFTER[0]: "13", AFTER[1]: "23"}[series.rpartition("=")[2]] + r"(\.\d)? ms at ")
        self.assertIn("95% interval", self.text("#answer"))

    def test_WhereNoWorkHasTheShapeItSaysSoAndNamesASuite(self):
        self.open()
        self.pick("orders")
        self.assertEqual(self.answer(), ("", ""))
        self.assertIn("no work of that shape", self.text("#answer"))
        self.assertIn("No request in it only computes", self.text("#answer"))
        self.assertIn("precipice run quick.toml", self.text("#answer"))
        self.assertFalse(self.find("#advice-figure").is_displayed())
        self.open(PATHS["plain"])
        self.pick("logs")
        self.assertIn("precipice run tradeoff_linger.toml", self.text("#answer"))

    def test_ModelsAloneAnswerToo(self):
        self.open(PATHS["plain"])
        self.pick("orders")
        # Twenty times 1 ms at p99.9: an M/M/1 queue carries m - ln(1000) / 20 ms.
        most = carried_by(LIMITS[CPU][LOOP], 99.9, 20e6)
        self.assertEqual(self.answer(), ("full", LOOP))
        self.assertEqual((self.field("work"), self.field("wait"), self.field("slo")), ("1ms", "0ms", "20ms"))
        self.assertIn("p999 ≤ 20 ms", self.text("#answer"))
        self.assertIn(f"carries {most:.4g}/s", self.text("#answer"))
        self.assertEqual(self.js("return document.querySelectorAll('.levers').length"), 0)
        self.pick("video")
        self.assertIn("names no price_per_cpu_hour", self.text("#answer"))
        self.pick("api")
        self.assertIn("mixed", self.text("#answer"))
        self.assertEqual(self.field("wait"), "2ms")

    def test_TheCurveBehindTheAnswerIsDrawnInTheReadersTimes(self):
        self.open(PATHS["plain"])
        self.pick("orders")
        lead, = self.traces("advice-curve", "lead")
        self.assertEqual(lead["id"], LOOP)
        before = lead["x"], lead["y"]
        # Twice the time of a request is half the load and twice the response.
        self.fill("work", "2ms")
        lead, = self.traces("advice-curve", "lead")
        for old, new in zip(before[0], lead["x"]):
            self.assertAlmostEqual(new / old, 0.5, delta=1e-3)
        for old, new in zip(before[1], lead["y"]):
            self.assertAlmostEqual(new / old, 2, delta=1e-3)
        lines = self.js("return document.getElementById('advice-curve').layout.shapes.map(s => [s.y0, s.x0])")
        self.assertEqual(lines[0][0], 20e6)
        self.assertEqual(self.state()["sc"], ["orders"])  # the scenario stays: what matters and its percentile are its own

    def test_BesideAPolicyStandsTheSameModelWithoutOne(self):
        self.open()
        self.pick("api")
        drawn = {t["id"] for meta in ("lead", "other") for t in self.traces("advice-curve", meta)}
        self.assertTrue({HEDGED[0], SLOW_REPLIES} <= drawn, drawn)
        self.assertLessEqual(len(drawn), 5)

    def test_TheAddressKeepsTheScenario(self):
        self.open()
        self.pick("logs")
        self.fill("rate", "50")
        fragment = "#" + self.js("return location.hash.slice(1)")
        self.open(fragment=fragment, again=False)
        self.assertEqual(self.find('#scenarios [data-scenario="logs"]').get_attribute("aria-pressed"), "true")
        self.assertEqual(self.field("rate"), "50")
        self.pick("")
        self.assertNotIn("sc", self.state())
        self.assertFalse(self.find("#scenario-says").is_displayed())
        self.open(fragment="#" + urllib.parse.urlencode({"sc": "nonsense"}), again=False)
        self.assertEqual(self.find('#scenarios [data-scenario=""]').get_attribute("aria-pressed"), "true")

    def test_OnesOwnWorkIsAnsweredFromASimulatedQueue(self):
        self.open()
        self.pick("")
        for name, value in (("work", "0"), ("wait", "5ms"), ("rate", "1k"), ("slo", "30ms")):
            self.fill(name, value)
        self.assertEqual(self.answer(), ("full", HEDGED[0]))
        self.assertIn("does not tell computing from waiting", self.text("#answer"))

    def test_AHiddenPolicyIsNotAdvised(self):
        self.open()
        self.pick("api")
        self.click(f'.chip[data-series="{HEDGED[0]}"]')
        self.assertNotEqual(self.answer()[1], HEDGED[0])
        self.assertEqual(self.js("return [...document.querySelectorAll('.levers tr[data-series]')].map(r => r.dataset.series)"), HEDGED[1:])

    def test_NothingIsWiderThanTheScreen(self):
        for page in ("one", "plain", "trigger"):
            self.open(PATHS[page])
            for scenario in ("api", "orders", "logs", "video", ""):
                self.pick(scenario)
                self.all_drawn()
                self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), self.size[0], f"{page} {scenario}")
                wide = self.js("const t = document.querySelector('.levers'); return t ? [t.getBoundingClientRect().right, t.parentElement.getBoundingClientRect().right] : [0, 0]")
                if self.size[0] < 600:
                    self.assertLessEqual(wide[0], wide[1] + 1, f"{page} {scenario}: the table scrolls")

    def test_ATriggersSlicesAreDrawn(self):
        self.open(PATHS["trigger"])
        goodput = {t["id"]: t for t in self.traces("timeline-goodput", "slice")}
        self.assertEqual(len(goodput), 2)
        for series, trace in goodput.items():
            self.assertEqual(len(trace["x"]), 50)
            during = [y for x, y in zip(trace["x"], trace["y"]) if trigger_run.STALL_AT + 0.6 < x < trigger_run.STALL_AT + trigger_run.STALL_FOR - 0.6]
            self.assertEqual(set(during), {0}, series)
            before = [y for x, y in zip(trace["x"], trace["y"]) if x < trigger_run.STALL_AT - 0.6]
            self.assertAlmostEqual(sum(before) / len(before) / trigger_run.RATE, 1, delta=0.2)
        self.assertIn("Stall 2s at 5s, 200 requests/s offered", self.text("#timeline-lead"))
        self.assertIn("Within the SLO again", self.text("#timeline-lead"))
        self.assertTrue(self.traces("timeline-attempts", "slice"))
        self.open()
        self.assertFalse(self.find("#s-timeline").is_displayed())


class Desktop(Both, Page):
    size = (1280, 900)


class Phone(Both, Page):
    size = (390, 844)


if __name__ == "__main__":
    unittest.main()
