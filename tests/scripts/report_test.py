#!/usr/bin/python3
"""The report in a real browser: headless Chromium opens it from file://, clicks, types and drags, at two widths.

The run is made here. Its queues are M/M/1, so what the page shows has a closed form: a response's percentile p at the
load r of a queue with the capacity m is ln(100 / (100 - p)) / (m - r), and a bound B on it is met up to m - ln(..) / B.
With a reference run the page is compared with the program itself: $PRECIPICE, else build/release/precipice.
"""

import base64
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = os.path.join(ROOT, "scripts")
PRECIPICE = os.environ.get("PRECIPICE") or os.path.join(ROOT, "build", "release", "precipice")
REFERENCE = os.path.join(ROOT, "results", "reference", "20261120T183606Z-7afd215")  # one workload, by a program without grids
SKIP = 77
try:
    import numpy
    import plotly  # noqa: F401  (the report embeds its JavaScript)
    from selenium import webdriver
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.actions import interaction
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed for {sys.executable}")
    sys.exit(SKIP)
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
for tool in (CHROMIUM, DRIVER):
    if not os.path.exists(tool):
        print(f"skipped: {tool} is not installed")
        sys.exit(SKIP)

CPU, MIXED = "cpu:work=1ms", "mixed:wait=2ms,work=500us"
POOL8, POOL64, LOOP = "fixed_pool:threads=8", "fixed_pool:threads=64", "event_loop"
LIMITS = {CPU: {POOL8: 1000.0, POOL64: 1500.0, LOOP: 2000.0}, MIXED: {POOL8: 1200.0, POOL64: 1210.0}}
SLO_NS = {CPU: 10_000_000, MIXED: 20_000_000}
BLOCKS = 9
SPREAD = {CPU: [1.0] * BLOCKS, MIXED: [1.0 + 0.01 * k for k in range(-4, 5)]}
SHARES = [0.3, 0.5, 0.6, 0.7, 0.8, 0.88, 0.94, 1.4]
REQUESTS = 1000
GRID_PERCENTILES = [50, 90, 95, 99, 99.9]
STEPS_PER_DOUBLING, GRID_STEPS = 8, range(-24, 49)


# -- a run whose answers are known ---------------------------------------------------------------


def carried(limit, p, bound_ns):
    """What an M/M/1 queue carries under a bound on a percentile, per second."""
    return limit - math.log(100 / (100 - p)) / (bound_ns / 1e9)


def index_of(value):
    doubling = max(int(value).bit_length() - 11, 0)
    return (doubling << 10) + (int(value) >> doubling)


def histogram(values):
    flat, last = [], 0
    for index, count in zip(*numpy.unique([index_of(v) for v in values], return_counts=True)):
        flat += [int(index) - last, int(count)]
        last = int(index)
    return {"overflow": 0, "buckets": flat}


def responses(limit, rate):
    """Sorted response times in ns of which every percentile p of a whole thousandth lies exactly at its closed form."""
    shares = numpy.append(numpy.arange(1, REQUESTS) / REQUESTS, 1 - 0.5 / REQUESTS)
    return -numpy.log(1 - shares) / (limit - rate) * 1e9


def estimate(value, reached="ok", spread=0.02):
    return {"value": value, "low": value and value * (1 - spread), "high": value and value * (1 + spread), "reached": reached}


def grid(workload, limit):
    """The closed form over bounds, censored outside of the rates that were measured."""
    bounds = [SLO_NS[workload] * 2 ** (step / STEPS_PER_DOUBLING) for step in GRID_STEPS]
    cliffs = []
    for p in GRID_PERCENTILES:
        found = []
        for bound in bounds:
            value, least, most = carried(limit, p, bound), SHARES[0] * limit, SHARES[-2] * limit
            found.append(estimate(least, "below") if value < least else estimate(most, "above") if value > most else estimate(value))
        cliffs.append({name: [one[name] for one in found] for name in ("value", "low", "high")} |
                      {"reached": " ".join(one["reached"] for one in found), "limited_by": " ".join("slo" if one["reached"] == "ok" else "-" for one in found)})
    return {"percentiles": GRID_PERCENTILES, "bounds_ns": bounds, "cliffs": cliffs}


def trial(limit, rate, valid=True, stable=True):
    return {"rate_per_s": rate, "goodput_per_s": min(rate, limit), "offered_per_s": rate, "loss": 0.0, "stable": stable, "valid": valid,
            "response_ns": {"mean": 1e9 / max(limit - rate, 1)}, "residence_ns": {"mean": 5e8 / limit}, "submit_ns": {"p99": 900.0},
            "context_switches_per_request": 1.5, "cpu_ns_per_request": {"model": 2e8 / limit, "generator": 900.0},
            "little": {"in_flight_mean": rate / max(limit - rate, 1)}, "peak_rss_bytes": 2 ** 25,
            "model_stats": {"threads": 8.0, "queue_depth": rate / 100}, "request": {"closed": 0, "window_ns": 1_000_000_000},
            "invalid_reasons": [] if valid else [{"cause": "host", "gate": "stall", "text": "a stall of 12 ms"}]}


def trials():
    for workload, limits in LIMITS.items():
        for series, limit in limits.items():
            for block, spread in enumerate(SPREAD[workload]):
                for share in SHARES:
                    here, rate = limit * spread, limit * share
                    stable = share < 1
                    # Past saturation a response is the backlog's, and hollow.
                    values = responses(here, rate) if stable else numpy.linspace(3e8, 9e8, REQUESTS)
                    yield {"schema": 1, "kind": "trial", "key": f"{series}|{workload}|{rate}|{block}", "series": series, "workload": workload,
                           "phase": "refine", "block": block, "attempt": 1, "used": True, "at_s": 1.0, "trial": trial(here, rate, True, stable),
                           "histogram": histogram(values), "slices": [histogram(values[k::20]) for k in range(20)] if block < 2 else []}
    yield {"schema": 1, "kind": "trial", "key": "bad", "series": POOL8, "workload": CPU, "phase": "refine", "block": 3, "attempt": 1, "used": False,
           "at_s": 2.0, "trial": trial(1000.0, 777.0, valid=False), "histogram": histogram([1e6]), "slices": []}


def cells(faster, bare):
    for workload, limits in LIMITS.items():
        for series, limit in list(limits.items()) + ([(LOOP, None)] if LOOP not in limits else []):
            model, _, option = series.partition(":")
            cell = {"series": series, "model": model, "model_options": dict([option.split("=")]) if option else {}, "workload": workload,
                    "workload_name": workload.split(":")[0], "workload_options": dict(o.split("=") for o in workload.split(":")[1].split(",")),
                    "slo_ns": SLO_NS[workload], "slo_percentile": 99, "service_time_ns": 1e6 if workload == CPU else 2.5e6, "trials": 72, "invalid": 0,
                    "cpu_ns_per_request": 1.01e6 if workload == CPU else 5.1e5, "note": "", "failure": ""}
            limit = limit and limit * (faster if series == LOOP else 1)
            cell["saturation_per_s"] = estimate(limit, "ok" if limit else "unmeasured")
            cell["cliff_per_s"] = estimate(limit and carried(limit, 99, SLO_NS[workload]), "ok" if limit else "unmeasured")
            cell["overload_retention"] = estimate(limit and 1.0, "ok" if limit else "unmeasured")
            if not bare:
                cell["slo_grid"] = grid(workload, limit) if limit else None
            if not limit:
                cell["failure"] = "the kernel has no <rings>"
            yield cell


RANKING = [{"workload": CPU, "figure": "cliff", "pairs": [
    {"a": LOOP, "b": POOL64, "ratio": 0.675, "low": 0.66, "high": 0.69, "verdict": "A higher"},
    {"a": LOOP, "b": POOL8, "ratio": 0.35, "low": 0.34, "high": 0.36, "verdict": "A higher"},
    {"a": POOL64, "b": POOL8, "ratio": 0.52, "low": 0.51, "high": 0.53, "verdict": "A higher"}]},
    {"workload": MIXED, "figure": "cliff", "pairs": [{"a": POOL64, "b": POOL8, "ratio": 0.99, "low": 0.97, "high": 1.02, "verdict": "indistinguishable"}]}]


def write_run(directory, faster=1.0, bare=False):
    """The whole run, or with `bare` only what a run cannot lack: no journal, no environment, no manifest."""
    os.makedirs(directory)

    def put(name, text):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as stream:
            stream.write(text)

    put("summary.json", json.dumps({"schema": 1, "suite": "known", "blocks_done": BLOCKS, "cells": list(cells(faster, bare)), "ranking": [] if bare else RANKING}))
    columns = ["series", "workload", "phase", "block", "closed", "rate_per_s", "goodput_per_s", "stable", "used", "key"]
    put("points.csv", ",".join(columns) + "\n" + ",".join([POOL8, CPU, "refine", "0", "0", "300", "300", "true", "true", "x"]) + "\n")
    if bare:
        return directory
    put("journal.jsonl", "".join(json.dumps(t) + "\n" for t in trials()))
    put("suite.toml", 'name = "known"\nslo = "p99<10ms"\n[load]\narrivals = "poisson"\nwindow = "1s"\n')
    put("manifest.json", json.dumps({"finished": True, "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:10:00Z", "git_sha": "abc1234",
                                     "argv": ["precipice", "run", "<known>"], "seed": 20261122}))
    before = {"cpu": {"model": "Reckoner 9", "allowed": "0-1", "governor": "performance"}, "load": {"1m": 0.1}, "memory": {"MemTotal_bytes": 25276502016, "most": 2 ** 60 + 1}}
    put("environment.before.json", json.dumps(before))
    put("environment.after.json", json.dumps({**before, "cpu": {**before["cpu"], "governor": "powersave"}, "load": {"1m": 2.0}}))
    return directory


def make(out, *runs, program=PRECIPICE):
    done = subprocess.run([os.path.join(SCRIPTS, "report.py"), *runs, "-o", out, "--precipice", program], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    return out


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


# -- the browser ---------------------------------------------------------------------------------


class Page(unittest.TestCase):
    size = (1280, 900)

    @classmethod
    def setUpClass(cls):
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(flag)
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.driver = webdriver.Chrome(service=webdriver.chrome.service.Service(DRIVER), options=options)
        cls.driver.set_script_timeout(20)
        width, height = cls.size
        cls.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        if width < 600:
            cls.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()

    def tearDown(self):
        wrong = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual(wrong, [], "the console is not clean")

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def until(self, code, *arguments, what=None):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.js(code, *arguments):
                return
            time.sleep(0.03)
        self.fail(f"never came: {what or code}")

    def open(self, path=None, fragment="", again=True):
        """Loads a page; where it is open already and `again` allows it, only its address is changed."""
        address = "file://" + urllib.parse.quote(path or PATHS["one"])
        if again and self.driver.current_url.split("#")[0] == address:
            self.js("document.querySelectorAll('dialog[open]').forEach(d => d.close()); document.activeElement.blur(); scrollTo(0, 0);"
                    "history.replaceState(null, '', arguments[0] || location.pathname); dispatchEvent(new HashChangeEvent('hashchange'))", fragment)
            self.settle()
            return
        self.driver.get("about:blank")
        self.driver.get(address + fragment)
        self.until("return document.documentElement.dataset.ready === '1'", what="the page drawn")

    def settle(self):
        """Two frames and what they drew. A frame that never comes of itself is asked for by a picture, which needs one."""
        for _ in range(3):
            try:
                self.driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))")
                return
            except TimeoutException:
                print("no frame for 20 s", file=sys.stderr)
                self.driver.get_screenshot_as_png()
        self.fail("the browser draws no frames")

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return " ".join(self.js("return document.querySelector(arguments[0]).textContent", selector).split())

    def click(self, selector):
        self.js("document.querySelector(arguments[0]).scrollIntoView({block: 'center', inline: 'center'})", selector)
        self.find(selector).click()
        self.settle()

    def keys(self, *keys):
        self.js("document.activeElement.blur()")
        ActionChains(self.driver).send_keys(*keys).perform()
        self.settle()

    def type_slo(self, text):
        box = self.find("#slo")
        self.js("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus(); arguments[0].select()", box)
        box.send_keys(text)
        box.send_keys(Keys.ENTER)
        self.settle()

    def traces(self, chart, meta):
        return self.js("return (document.getElementById(arguments[0]).data || []).filter(t => t.meta === arguments[1])"
                       ".map(t => ({x: t.x, y: t.y, id: t.customdata, symbol: t.marker && t.marker.symbol}))", chart, meta)

    def row(self, series, run=0):
        found = self.js("const r = [...document.querySelectorAll('#capacity tbody tr')].find(r => r.dataset.series === arguments[0] && r.dataset.run == arguments[1]);"
                        "return r ? {...r.dataset, text: r.textContent} : null", series, run)
        return found

    def state(self):
        return urllib.parse.parse_qs(self.js("return location.hash.slice(1)"))

    def assert_carries(self, p, bound_ns, workload=CPU, within=0.005):
        """Every model's capacity in the table and its mark in the chart, against the closed form."""
        marks = {t["id"]: t["x"][0] for t in self.traces("response", "cliff")}
        share = self.state().get("x") == ["share"]
        for series, limit in LIMITS[workload].items():
            expected = carried(limit, p, bound_ns)
            row = self.row(series)
            self.assertEqual(row["reached"], "ok", series)
            self.assertAlmostEqual(float(row["capacity"]) / expected, 1, delta=within, msg=f"{series}, p{p} <= {bound_ns / 1e6} ms")
            self.assertAlmostEqual(marks[series] * (limit if share else 1) / expected, 1, delta=within)


class Both:
    """What holds at either width."""

    def test_IsOneFileThatFetchesNothing(self):
        self.assertLess(os.path.getsize(PATHS["one"]), 5_000_000)
        self.open(again=False)
        self.assertEqual(self.js("return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:') && !n.startsWith('blob:'))"), [])

    def test_NothingIsWiderThanTheScreen(self):
        self.open()
        for workload in range(2):
            self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), self.size[0])
            self.keys("w")

    def test_SaysWhoCarriesMostByHowMuchAndWhatIsTied(self):
        self.open()
        cpu = self.text(f'article[data-workload="{CPU}"] .main')
        self.assertIn("event_loop carries most under p99 ≤ 10 ms: 1539/s [1509, 1570], 1.48 [1.45, 1.52] times what", cpu)
        mixed = self.text(f'article[data-workload="{MIXED}"]')
        self.assertIn("cannot be told apart under p99 ≤ 20 ms", mixed)
        self.assertIn("Not measured: event_loop (the kernel has no <rings>)", mixed)
        self.assertEqual(self.text("#valid"), "360 valid trials")
        self.assertIn("1 invalid trial,", self.text("#invalid-count"))

    def test_TypedSloFindsEveryCapacityAgain(self):
        self.open()
        self.assert_carries(99, 10e6)
        self.type_slo("25ms")
        self.assert_carries(99, 25e6)
        self.assertEqual(self.state()["slo"], [f"{CPU}=25000000"])
        self.assertIn("under p99 ≤ 25 ms", self.text(f'article[data-workload="{CPU}"] .main'))
        self.click("#slo-reset")
        self.assert_carries(99, 10e6)
        self.assertNotIn("slo", self.state())

    def test_AWordThatIsNoTimeChangesNothing(self):
        self.open()
        box = self.find("#slo")
        box.send_keys("soon")
        self.settle()
        self.assertEqual(box.get_attribute("aria-invalid"), "true")
        self.assert_carries(99, 10e6)

    def test_DraggedLineFindsEveryCapacityAgain(self):
        self.open()
        self.js("document.getElementById('response').scrollIntoView({block: 'center'})")
        self.settle()
        line = self.find("#slo-line")
        axis = self.js("const f = document.getElementById('response')._fullLayout; return {range: f.yaxis.range, height: f._size.h}")
        up = 35
        expected = 10e6 * 10 ** (up / axis["height"] * (axis["range"][1] - axis["range"][0]))
        pointer = ActionChains(self.driver, duration=20)
        if self.size[0] < 600:
            pointer.w3c_actions.pointer_action.source.parameters = {"pointerType": interaction.POINTER_TOUCH}
        pointer.move_to_element(line).click_and_hold().move_by_offset(0, -20).move_by_offset(0, 20 - up).release().perform()
        self.settle()
        slo = self.js("return Number(document.getElementById('slo-line').getAttribute('aria-valuenow'))") * 1e3
        self.assertAlmostEqual(slo / expected, 1, delta=0.02)
        self.assert_carries(99, slo, within=0.006)

    def test_PercentileIsChosen(self):
        self.open()
        Select(self.find("#percentile")).select_by_visible_text("p50")
        self.settle()
        self.type_slo("4ms")
        self.assert_carries(50, 4e6)
        self.assertEqual(self.state()["p"], ["50"])

    def test_IntervalComesFromTheGridToo(self):
        self.open(fragment="#" + urllib.parse.urlencode({"w": MIXED}))
        for slo in (SLO_NS[MIXED], SLO_NS[MIXED] * 2 ** (1 / 16)):  # on a bound, and half way to the next
            self.type_slo(f"{slo / 1e6}ms")
            row = self.row(POOL8)
            value = float(row["capacity"])
            self.assertAlmostEqual(value / carried(LIMITS[MIXED][POOL8], 99, slo), 1, delta=0.001)
            self.assertAlmostEqual(float(row["low"]) / value, 0.98, delta=1e-4)
            self.assertAlmostEqual(float(row["high"]) / value, 1.02, delta=1e-4)

    def test_BesideACensoredBoundTheFigureIsALimit(self):
        self.open()
        # 300/s, the lowest rate, is reached under 6.6 ms; 940/s, the highest that is stable, under 77 ms. The grid: 1.25 to 640 ms.
        for slo, reached in ((0.6, "below"), (2, "below"), (6.8, "below"), (7.5, "ok"), (75, "above"), (600, "above"), (1280, "above")):
            self.type_slo(f"{slo}ms")
            self.assertEqual(self.row(POOL8)["reached"], reached, f"{slo} ms")

    def test_ModelIsToggledEverywhereAndTheAddressKeepsIt(self):
        self.open()
        self.click(f'.chip[data-series="{LOOP}"]')
        for chart, meta in (("response", "curve"), ("response", "cliff"), ("goodput", "curve"), ("spectrum", "spectrum"), ("intervals", "cliff"), ("why-switches", "curve")):
            self.assertEqual({t["id"] for t in self.traces(chart, meta)}, {POOL8, POOL64}, chart)
        self.assertIsNone(self.row(LOOP))
        self.assertNotIn("event_loop carries", self.text(f'article[data-workload="{CPU}"]'))
        self.assertNotIn(LOOP, self.js("return [...document.querySelectorAll('#map [data-winner]')].map(c => c.dataset.winner)"))
        fragment = "#" + self.js("return location.hash.slice(1)")
        self.assertEqual(self.state()["off"], [LOOP])
        self.open(fragment=fragment, again=False)
        self.assertIsNone(self.row(LOOP))
        self.assertEqual(self.find(f'.chip[data-series="{LOOP}"]').get_attribute("aria-pressed"), "false")
        self.click(f'.chip[data-series="{LOOP}"]')
        self.assert_carries(99, 10e6)

    def test_AddressBringsEverythingBack(self):
        wish = {"w": MIXED, "p": "90", "slo": f"{MIXED}=15000000", "x": "share", "load": "70", "theme": "dark", "a": "1ms|0ms|100|10ms|0"}
        self.open(fragment="#" + urllib.parse.urlencode(wish), again=False)
        self.assertEqual(self.find("#workloads [aria-selected=true]").text, "mixed")
        self.assertEqual(self.find("#percentile").get_attribute("value"), "90")
        self.assertEqual(self.find("#slo").get_attribute("value"), "15ms")
        self.assertEqual(self.find("#axis").get_attribute("value"), "share")
        self.assertEqual(self.find("#load").get_attribute("value"), "70")
        self.assertEqual(self.js("return document.documentElement.dataset.theme"), "dark")
        self.assertEqual(self.find("#a-rate").get_attribute("value"), "100")
        self.assertFalse(self.find("#a-human").is_selected())
        self.assert_carries(90, 15e6, MIXED, within=0.01)

    def test_AdviceComesFromTheCurves(self):
        self.open()
        self.wish("1ms", "0", "1200", "10ms", True)
        self.assertEqual(self.answer(), ("full", LOOP))  # alone under 10 ms at 1200/s
        expected = carried(2000, 99, 10e6) / 1200
        self.assertIn(f"a margin of {expected:.3g} times your rate", self.text("#answer"))
        self.assertIn(f"p99 {math.log(100) / (2000 - 1200) * 1e3:.3g} ms at 1200/s", self.text("#answer"))
        self.assertIn("a burst or a slower day", self.text("#answer"))  # the margin is 1.28
        # Twice the work at half the rate is the same queue, slower.
        self.wish("2ms", "0", "600", "20ms", True)
        self.assertEqual(self.answer(), ("full", LOOP))
        self.assertIn(f"a margin of {expected:.3g} times", self.text("#answer"))
        self.wish("1ms", "0", "5000", "10ms", True)
        self.assertEqual(self.answer(), ("full", ""))
        self.assertIn("No model measured carries this", self.text("#answer"))
        self.assertIn(f"{1539.5 / 5000:.2g}"[2:] + "% of your rate", self.text("#answer"))

    def test_AdviceSaysWhatTheDataDoesNotCover(self):
        self.open()
        self.wish("30us", "400ms", "100", "1s", False)
        self.assertEqual(self.answer(), ("none", ""))
        self.assertIn("does not cover", self.text("#answer"))
        self.assertIn("mixed:work=30us,wait=400ms", self.text("#answer"))
        self.wish("soon", "2ms", "100", "1s", False)
        self.assertEqual(self.find("#a-work").get_attribute("aria-invalid"), "true")
        self.assertEqual(self.find("#answer").get_attribute("data-answer"), "")

    def wish(self, work, wait, rate, slo, human):
        for name, value in (("work", work), ("wait", wait), ("rate", rate), ("slo", slo)):
            box = self.find(f"#a-{name}")
            self.js("arguments[0].scrollIntoView({block: 'center'}); arguments[0].select()", box)
            box.send_keys(value)
        if self.find("#a-human").is_selected() != human:
            self.click("#a-human")
        self.settle()

    def answer(self):
        host = self.find("#answer")
        return host.get_attribute("data-covered"), host.get_attribute("data-answer")


class Desktop(Both, Page):
    size = (1280, 900)

    def test_PointsPastSaturationAreHollowAndApart(self):
        self.open()
        for trace in self.traces("response", "past"):
            limit = LIMITS[CPU][trace["id"]]
            self.assertEqual([round(x / limit, 3) for x in trace["x"]], [1.4])
            self.assertTrue(all(s.endswith("-open") for s in trace["symbol"]), trace["symbol"])
        for trace in self.traces("response", "curve"):
            self.assertLess(max(trace["x"]), LIMITS[CPU][trace["id"]])
        ticks = {t["id"]: t["x"][0] for t in self.traces("response", "saturation")}
        self.assertEqual(ticks, LIMITS[CPU])

    def test_CurveIsTheMeasuredPercentile(self):
        self.open()
        curve = next(t for t in self.traces("response", "curve") if t["id"] == POOL64)
        for x, y in zip(curve["x"], curve["y"]):
            self.assertAlmostEqual(y / (math.log(100) / (1500 - x) * 1e9), 1, delta=0.002)

    def test_LoadAsAShareOfTheOwnSaturation(self):
        self.open()
        Select(self.find("#axis")).select_by_value("share")
        self.settle()
        for trace in self.traces("response", "curve"):
            self.assertEqual([round(x, 3) for x in trace["x"]], SHARES[:-1])
        self.assertEqual({t["x"][0] for t in self.traces("response", "saturation")}, {1})

    def test_KeysWork(self):
        self.open()
        self.keys("1")
        self.assertIsNone(self.row(self.js("return document.querySelector('.chip').dataset.series")))
        self.keys("0")
        self.assert_carries(99, 10e6)
        self.keys("x")
        self.assertEqual(self.state()["x"], ["share"])
        self.keys("p")
        self.assertEqual(self.state()["p"], ["99.9"])
        self.keys("r")
        self.assertNotIn("p", self.state())
        self.keys("w")
        self.assertEqual(self.state()["w"], [MIXED])
        self.keys("w", "x", "s")
        self.assertEqual(self.js("return document.activeElement.id"), "slo")
        self.find("#slo").send_keys(Keys.ESCAPE)
        line = self.find("#slo-line")
        self.js("arguments[0].focus()", line)
        line.send_keys(Keys.ARROW_UP)
        self.settle()
        self.assert_carries(99, 10.1e6)
        self.keys("?")
        self.assertTrue(self.js("return document.getElementById('keys').open"))

    def test_LightAndDark(self):
        self.open()
        ground = "return getComputedStyle(document.body).backgroundColor"
        seen = set()
        for _ in range(3):
            self.keys("t")
            seen.add(self.js(ground))
        self.assertEqual(seen, {"rgb(255, 255, 255)", "rgb(20, 23, 27)"})

    def test_SpectrumFollowsTheLoad(self):
        self.open()
        for load, share in ((50, 0.5), (80, 0.8)):
            self.js("const e = document.getElementById('load'); e.value = arguments[0]; e.dispatchEvent(new Event('input', {bubbles: true}))", load)
            self.settle()
            trace = next(t for t in self.traces("spectrum", "spectrum") if t["id"] == LOOP)
            at = min(range(len(trace["x"])), key=lambda i: abs(trace["x"][i] - 10))  # 100 / (100 - 90)
            self.assertAlmostEqual(trace["y"][at] / (math.log(10) / (2000 * (1 - share)) * 1e9), 1, delta=0.005)

    def test_HeatMapHoldsEveryRequest(self):
        self.open()
        Select(self.find("#heat-series")).select_by_value(f"0|{POOL8}")
        self.settle()
        Select(self.find("#heat-rate")).select_by_value("500")
        self.settle()
        total = self.js("return document.getElementById('heat').data[0].z.flat().filter(v => v !== null).reduce((a, v) => a + 10 ** v, 0)")
        self.assertAlmostEqual(total, 2 * REQUESTS, delta=1)  # two blocks have slices
        self.assertEqual(self.js("return document.getElementById('heat').data[0].x.length"), 40)

    def test_ThreadCountsAreCompared(self):
        self.open()
        lines = self.js("return document.getElementById('threads').data.map(t => [t.name, t.x, t.y])")
        self.assertIn(["saturation", [8, 64], [1000, 1500]], lines)
        self.click(f'.chip[data-series="{POOL8}"]')
        self.assertFalse(self.find("#threads").is_displayed())
        self.assertIn("Nothing to compare", self.text("#threads-note"))

    def test_MapNamesTheFastest(self):
        self.open()
        winners = self.js("return [...document.querySelectorAll('#map tbody tr')].map(r => [...r.querySelectorAll('td')].map(c => c.dataset.winner || c.textContent))")
        self.assertEqual(winners[0][2:6], [LOOP] * 4)  # cpu: the shares from 40% to 80% of the best
        self.assertIn("waits", self.text("#map tbody tr:nth-child(2) th"))

    def test_WhyIsDrawnFromCounters(self):
        self.open()
        self.assertEqual(set(self.traces("why-switches", "curve")[0]["y"]), {1.5})
        self.assertEqual(set(self.traces("why-engine-threads", "curve")[0]["y"]), {8})
        self.assertIn("run-queue wait alone is not in this run's data", self.text("#why-note"))

    def test_MachineMethodAndInvalidTrials(self):
        self.open()
        self.assertIn("Reckoner 9", self.text("#environment"))
        for whole in ("25276502016", str(2 ** 60 + 1)):
            self.assertIn(whole, self.text("#environment"))
        self.assertIn("20261122", self.text("#method"))
        self.assertIn("1 setting differed between before and after: whatbeforeafter cpu.governorperformancepowersave".replace(" ", ""),
                      self.text("#environment").replace(" ", ""))
        self.assertIn("precipice run '<known>'", self.text("#method"))
        self.assertIn("1 trial of 361: 1 by the host (stall)", self.text("#invalid"))
        self.assertIn("a stall of 12 ms", self.text("#invalid"))

    def test_PrintsInLightAndComesBack(self):
        self.open(fragment="#theme=dark")
        pdf = base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})["data"])
        self.assertTrue(pdf.startswith(b"%PDF"))
        self.settle()
        self.assertEqual(self.js("return document.documentElement.dataset.theme"), "dark")
        self.js("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.js("return document.documentElement.dataset.theme"), "light")
        widths = self.js("return [...document.querySelectorAll('.plot .main-svg')].map(s => s.getBoundingClientRect().width)")
        self.assertLessEqual(max(widths), 700)
        self.js("dispatchEvent(new Event('afterprint'))")

    def test_TwoRunsAreLaidOverEachOther(self):
        self.open(PATHS["two"])
        self.assertEqual(len(self.traces("response", "curve")), 6)
        changed = self.js("return [...document.querySelectorAll('#changed tbody tr')].map(r => [r.dataset.series, r.dataset.figure, r.textContent])")
        ratios = {(series, figure): text for series, figure, text in changed if text.startswith("cpu")}
        self.assertIn("1.3 [1.26, 1.34]", ratios[(LOOP, "saturation")])
        self.assertIn("1 [0.972, 1.03]", ratios[(POOL8, "saturation")])
        self.assertIn("precipice compare", self.text("#changed-lead"))
        self.click('.chip[data-run="1"]')
        self.assertEqual(len(self.traces("response", "curve")), 3)
        self.assertEqual(self.state()["run-off"], ["1"])

    def test_WhatIsMissingIsSaidInWords(self):
        self.open(PATHS["bare"])
        self.assertIn("no comparison, which the program makes", self.text("#verdict"))
        self.assertIn("cliffs are known at the run's own SLO alone, since /nowhere/precipice cannot be run", self.text("#method"))
        self.assertIn("Under another SLO nothing is known", self.text("#capacity-note"))
        self.type_slo("25ms")
        self.assertIn("Not known under p99 ≤ 25 ms: the run has cliffs at its own SLO alone", self.text("#verdict"))
        self.assertIn("holds no environment", self.text("#environment"))
        self.assertIn("journal.jsonl cannot be read", self.text("#method"))
        self.assertIn("Nothing to compare", self.text("#threads-note"))
        for chart in ("s-response", "s-goodput", "s-spectrum", "s-heat", "s-why", "s-map"):
            self.assertRegex(self.text("#" + chart), "no model is shown|no valid trial|none was measured|no time slices|no measured rate|holds no|Nothing to explain", chart)


class Phone(Both, Page):
    size = (390, 844)

    def test_AFingerOnAChartScrollsThePage(self):
        self.open()
        self.js("document.getElementById('goodput').scrollIntoView({block: 'center'})")
        self.settle()
        box = self.js("const r = document.getElementById('goodput').getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2, scrollY]")
        finger = lambda kind, *points: self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})
        finger("touchStart", (box[0], box[1]))
        for step in range(1, 13):
            finger("touchMove", (box[0], box[1] - 10 * step))
        finger("touchEnd")
        self.settle()
        self.assertGreater(self.js("return scrollY"), box[2] + 60)


@unittest.skipUnless(os.access(PRECIPICE, os.X_OK), f"{PRECIPICE} is not built")
class Program(Page):
    """A run without grids, whose figures the program makes again: page and program say the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = make(os.path.join(scratch.name, "reference.html"), REFERENCE)
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
        self.assertIn("cannot be told apart", self.text("#verdict"))


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


PATHS = {}


def setUpModule():
    global scratch
    scratch = tempfile.TemporaryDirectory(prefix="report test ")
    at = lambda name: os.path.join(scratch.name, name)
    PATHS["run"] = write_run(at("run"))
    other, bare = write_run(at("other"), faster=1.3), write_run(at("bare"), bare=True)
    PATHS["one"] = make(at("one.html"), PATHS["run"])
    PATHS["two"] = make(at("two.html"), PATHS["run"], other)
    PATHS["bare"] = make(at("bare.html"), bare, program="/nowhere/precipice")


def tearDownModule():
    scratch.cleanup()


if __name__ == "__main__":
    unittest.main()
