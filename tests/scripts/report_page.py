"""The report in a headless Chromium, opened from file://; for the tests of what it shows and does."""

import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = os.path.join(ROOT, "scripts")
PRECIPICE = os.environ.get("PRECIPICE") or os.path.join(ROOT, "build", "release", "precipice")
SKIP = 77
try:
    import numpy  # noqa: F401  (the known run is made with it)
    import plotly  # noqa: F401  (the report embeds its JavaScript)
    from selenium import webdriver
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed for {sys.executable}")
    sys.exit(SKIP)
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
for tool in (CHROMIUM, DRIVER):
    if not os.path.exists(tool):
        print(f"skipped: {tool} is not installed")
        sys.exit(SKIP)
from known_run import LIMITS, CPU, carried, write_run  # noqa: E402  (needs numpy)


def make(out, *runs, program=PRECIPICE):
    done = subprocess.run([os.path.join(SCRIPTS, "report.py"), *runs, "-o", out, "--precipice", program], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    return out


class Paths(dict):
    """Of known runs and the pages made from them, by what is in them; each is made when it is asked for first."""

    def at(self, name):
        return os.path.join(self["directory"], name)

    def __missing__(self, name):
        if name == "run":
            made = write_run(self.at("run"))
        elif name == "one":
            made = make(self.at("one.html"), self["run"])
        elif name == "two":
            made = make(self.at("two.html"), self["run"], write_run(self.at("other"), faster=1.3))
        elif name == "bare":
            made = make(self.at("bare.html"), write_run(self.at("bare"), bare=True), program="/nowhere/precipice")
        else:
            raise KeyError(name)
        self[name] = made
        return made


PATHS = Paths()


def setUpModule():
    global scratch
    scratch = tempfile.TemporaryDirectory(prefix="report test ")
    PATHS["directory"] = scratch.name


def tearDownModule():
    scratch.cleanup()


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
        cls.driver.set_script_timeout(60)
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
        end = time.monotonic() + 60
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
                print("no frame for 60 s", file=sys.stderr)
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

    def drawn(self, chart):
        """Scrolls to a chart that is far away, where its drawing waits, until it is drawn."""
        if self.waits(chart):
            self.js("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", chart)
            self.until("return document.getElementById(arguments[0]).ariaBusy !== 'true'", chart)

    def waits(self, chart):
        return self.js("return document.getElementById(arguments[0])?.ariaBusy === 'true'", chart)

    def all_drawn(self):
        """Returns when no chart that has room on the page waits to be drawn."""
        self.until("return ![...document.querySelectorAll('.plot[aria-busy=true]')].some(box => box.clientHeight > 0)", what="all charts drawn")

    def traces(self, chart, meta):
        self.drawn(chart)
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
