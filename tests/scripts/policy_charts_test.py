#!/usr/bin/python3
"""Charts of policies: colour is the model, dash the policy; what a knob trades, what attempts and a million requests cost."""

import os
import tempfile
import unittest
from types import SimpleNamespace
from unittest import mock

from tiny_run import digests, script, write_run  # first: it makes the modules of scripts/ found
from legible import check_page, words
from policy_run import AFTER, BATCHES, HEDGED, PRICE, SERIES, SERVERS, SIZES, SLOW, SLOW_REPLIES, carried, make_run
from figures import frontier, palette, policies, settings, standard
from figures.cells import load_run
from figures.fit import fitted, inches
from figures.media import medium, looks, request
from precipice_run import RunError, estimate


def setUpModule():
    global scratch, RUN
    settings.apply()
    scratch = tempfile.TemporaryDirectory(prefix="policy charts ")
    RUN = load_run(make_run(scratch.name))


def tearDownModule():
    scratch.cleanup()


def cell_of(series):
    return next(cell for cell in RUN.workloads[0][2] if cell.series == series)


def pages(run, *wanted):
    """The standard charts of a run, in memory."""
    found = {}
    with mock.patch.object(standard, "save", lambda figure, out, name, formats: found.update({name: figure.figure})):
        standard.draw(run, "", (), wanted)
    return found


def built(name, **wanted):
    """The figures of a medium, in memory."""
    found = {}
    with mock.patch.object(request, "save", lambda figure, out, name, formats: found.update({name: figure.figure}) or [name]), \
            mock.patch.object(request, "load_run", lambda path: RUN), tempfile.TemporaryDirectory() as out:
        request.draw_all(request.Request(name, [RUN.directory], out=out, **wanted))
    return found


def dots(axes):
    """Every (x, y) that is drawn, rounded."""
    return {(float(f"{x:.5g}"), float(f"{y:.5g}")) for line in axes.get_lines() for x, y in zip(line.get_xdata(), line.get_ydata())}


def cells_like(*series):
    def options(one):
        return dict(part.split("=") for part in one.partition("|")[0].partition(":")[2].split(",") if part)
    return [SimpleNamespace(series=one, model=policies.model_name(one), options=options(one)) for one in series]


class Names(unittest.TestCase):
    def test_a_label_is_the_model_and_behind_a_bar_its_policy(self):
        names = palette.styles_of(cells_like("event_loop", "event_loop|hedged", "event_loop|batched:linger=5ms,size=8", "fixed_pool:threads=8|hedged",
                                             "fixed_pool:threads=64"))
        self.assertEqual([style.label for style in names.values()],
                         ["event_loop", "event_loop | batched linger=5ms size=8", "event_loop | hedged", "fixed_pool threads=8 | hedged",
                          "fixed_pool threads=64"])

    def test_a_long_label_is_broken_before_its_policy(self):
        self.assertEqual(fitted("fixed_pool threads=8 | hedged after=5ms", 1.9, 9, 2).split("\n"), ["fixed_pool threads=8", "| hedged after=5ms"])
        for line in fitted("fixed_pool threads=8 | hedged after=5ms", 0.9, 9, 3).split("\n"):
            self.assertLessEqual(inches(line, 9), 0.9)

    def test_a_knob_is_the_numeric_option_with_most_values(self):
        def places(*chains):
            return policies.places_of({f"m|{chain}": "m" for chain in chains})
        found = places("b:linger=5ms,size=8", "b:linger=5ms,size=32", "b:linger=5ms,size=128", "b:linger=1ms,size=8", "b:linger=1ms,size=32", "b:size=auto")
        self.assertEqual([(place.family, place.knob, place.value) for place in found.values()][1:5],
                         [("m | b linger=5ms", "size", 32), ("m | b linger=5ms", "size", 128), ("m | b linger=1ms", "size", 8), ("m | b linger=1ms", "size", 32)])
        self.assertEqual(found["m|b:size=auto"].knob, "")
        found = places("h:after=p95", "h:after=p99")
        self.assertEqual([place.value for place in found.values()], [95, 99])
        self.assertEqual(places("h:after=10ms")["m|h:after=10ms"].family, "m | h after=10ms")


class Looks(unittest.TestCase):
    SOME = ("event_loop", "event_loop|hedged", "event_loop|batched:size=8", "io_uring", "io_uring|hedged", "fixed_pool:threads=8",
            "fixed_pool:threads=8|hedged", "fixed_pool:threads=64", "fixed_pool:threads=64|hedged")

    def test_colour_is_the_model_and_dash_the_policy(self):
        styles = palette.styles_of(cells_like(*self.SOME))
        for looks_here in (styles, looks.looks_of(cells_like(*self.SOME), medium.media("paper")[0])):
            for series in self.SOME:
                bare, policy = policies.split_series(series)
                self.assertEqual(palette.parts(looks_here[series].colour), palette.parts(looks_here[bare].colour), series)
                self.assertEqual(looks_here[series].dash, looks_here[f"event_loop|{policy}" if policy else "event_loop"].dash, series)
                self.assertEqual(looks_here[series].dash == "-", not policy, series)
            self.assertNotEqual(looks_here["event_loop|hedged"].dash, looks_here["event_loop|batched:size=8"].dash)
            self.assertNotEqual(palette.parts(looks_here["fixed_pool:threads=8"].colour), palette.parts(looks_here["fixed_pool:threads=64"].colour))
        self.assertEqual(palette.mix(styles["io_uring"].colour, "#000000", 0), palette.parts(palette.MODELS["io_uring"][0]))

    def test_without_policies_a_model_keeps_its_dash(self):
        styles = palette.styles_of(cells_like("event_loop", "io_uring", "fixed_pool:threads=8", "fixed_pool:threads=64"))
        for series, style in styles.items():
            self.assertEqual((style.marker, style.dash), palette.MODELS[policies.model_name(series)][1:])

    def test_values_of_a_knob_run_from_light_to_dark(self):
        series = [f"event_loop|batched:size={size}" for size in SIZES]
        styles = palette.styles_of(cells_like("event_loop", *series))
        shades = [palette.luminance(styles[one].colour) for one in series]
        self.assertEqual(shades, sorted(shades, reverse=True))
        self.assertEqual(len(set(shades)), len(SIZES))
        self.assertEqual(len({str(styles[one].dash) for one in ["event_loop", *series]}), len(SIZES) + 1)

    def test_the_legend_has_one_entry_for_each_series(self):
        for name, page in pages(RUN, "response", "goodput", "work").items():
            legend, = page.legends
            said = [" ".join(text.get_text().split()) for text in legend.get_texts()]
            self.assertEqual(sorted(said), sorted(RUN.styles[series].label for series in SERIES), name)


class Frontier(unittest.TestCase):
    def test_a_curve_joins_a_knob_s_values_at_what_they_carry(self):
        page = pages(RUN, "frontier")["frontier-empty"]
        lines = [line for line in page.axes[0].get_lines() if len(line.get_xdata()) == len(SIZES)]
        self.assertEqual(len(lines), 1)
        for size, rate in zip(SIZES, lines[0].get_xdata()):
            self.assertAlmostEqual(rate / carried(size), 1, delta=0.03, msg=f"size {size}")
        said = set(words(page))
        self.assertLessEqual({f"size={size}" for size in SIZES} | {f"after={after}" for after in AFTER} | {"no policy", "spared"}, said)

    def test_each_series_stands_at_its_saturation_and_its_response_at_half_of_it(self):
        drawn = dots(pages(RUN, "frontier")["frontier-empty"].axes[0])
        for series in SERIES:
            cell = cell_of(series)
            middle = cell.estimate("saturation_per_s").value / 2
            near = [p for p in cell.stable_points() if 0.5 * middle < p.rate < 1.5 * middle]
            response, _, _ = frontier.at_half(cell)
            self.assertLessEqual(min(p.response_ns for p in near), response * 1.000001, series)
            self.assertGreaterEqual(max(p.response_ns for p in near), response * 0.999999, series)
            self.assertIn((float(f"{2 * middle:.5g}"), float(f"{response / 1e6:.5g}")), drawn, series)
        # Half of the slow replies' load: a hedge's answer comes 3 ms after it was sent, and without one the slow reply counts.
        for series, expected in ((SLOW_REPLIES, 43), (HEDGED[0], 13), (HEDGED[1], 23)):
            self.assertAlmostEqual(frontier.at_half(cell_of(series))[0] / 1e6 / expected, 1, delta=0.01, msg=series)

    def test_between_two_rates_the_response_is_interpolated_on_the_logarithm(self):
        def cell(*points):
            points = [SimpleNamespace(rate=rate, response_ns=ns, response_low=ns / 2, response_high=2 * ns) for rate, ns in points]
            return SimpleNamespace(estimate=lambda name: estimate({"s": 1000.0}, "s"), stable_points=lambda: points)
        for found, expected in zip(frontier.at_half(cell((400, 1e6), (600, 4e6))), (2e6, 1e6, 4e6)):
            self.assertAlmostEqual(found / expected, 1)
        self.assertEqual(frontier.at_half(cell((650, 3e6), (800, 9e6)))[0], 3e6)
        self.assertIsNone(frontier.at_half(cell((100, 3e6), (900, 9e6))))


class Work(unittest.TestCase):
    def test_attempts_and_waste_are_those_of_the_closed_form(self):
        axes = pages(RUN, "work")["work-empty"].axes
        self.assertEqual([one.get_title(loc="left") for one in axes], ["attempts per request", "wasted share of attempts"])  # no CPU time is simulated
        attempts, wasted = dots(axes[0]), dots(axes[1])
        for series in HEDGED[:2]:
            first = cell_of(series).points[0]
            self.assertAlmostEqual(first.median("attempts_per_request")[0], 1 + SLOW, delta=0.02, msg=series)
            self.assertAlmostEqual(first.median("wasted")[0], SLOW / (1 + SLOW), delta=0.02, msg=series)
            for drawn, column, unit in ((attempts, "attempts_per_request", 1), (wasted, "wasted", 0.01)):
                self.assertIn((float(f"{first.rate:.5g}"), float(f"{first.median(column)[0] / unit:.5g}")), drawn, series)
        full = cell_of(f"{BATCHES}|batched:size=4").points[-1]
        self.assertAlmostEqual(full.median("attempts_per_request")[0], 0.25, delta=0.002)
        self.assertLessEqual(cell_of(HEDGED[2]).points[0].median("attempts_per_request")[0], 1.011)  # its budget is 1%

    def test_of_a_run_without_the_columns_the_reason_is_said(self):
        without = load_run(RUN.directory)
        for row in without.raw.points:
            row.pop("attempts_per_request")
        self.assertRaisesRegex(standard.Skip, "no attempts_per_request", standard.work.work, without, *standard.titled(without)[0])


class Cost(unittest.TestCase):
    def test_rows_are_the_summary_s_costs_cheapest_first(self):
        page = pages(RUN, "cost")["cost-empty"]
        rows = sorted((cell.estimate("cost_per_million").value, series) for series in SERIES for cell in [cell_of(series)])
        axes = page.axes[0]
        self.assertEqual([" ".join(label.get_text().split()) for label in axes.get_yticklabels()][0], RUN.styles[rows[0][1]].label)
        self.assertLessEqual({(float(f"{value:.5g}"), at) for at, (value, _) in enumerate(rows)}, dots(axes))
        for series, servers in ((BATCHES, 1), (SLOW_REPLIES, SERVERS)):
            self.assertAlmostEqual(cell_of(series).estimate("cost_per_million").value,
                                   PRICE * servers / 3600 * 1e6 / cell_of(series).estimate("cliff_per_s").value, delta=1e-9)


class Files(unittest.TestCase):
    def test_charts_are_drawn_where_the_run_has_policies_and_the_same_bytes_twice(self):
        out = os.path.join(scratch.name, "out")
        for again in ("", "2"):
            done = script("plot.py", RUN.directory, "--out", out + again, "--format", "svg")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual({"frontier-empty.svg", "work-empty.svg", "cost-empty.svg"}, set(digests(out)))
        self.assertEqual(digests(out), digests(out + "2"))
        with tempfile.TemporaryDirectory() as other:
            write_run(other)
            self.assertEqual([name for name in pages(load_run(other)) if name.split("-")[0] in ("frontier", "work", "cost")], [])

    def test_one_chart_is_drawn_alone(self):
        self.assertEqual(list(pages(RUN, "frontier", "cost-empty")), ["frontier-empty", "cost-empty"])
        self.assertEqual(set(built("web", charts=("frontier", "work"))), {"frontier-empty", "work-attempts-empty", "work-wasted-empty"})
        with self.assertRaisesRegex(RunError, "'frontie' is none of .*frontier"):
            pages(RUN, "frontie")
        with self.assertRaisesRegex(RunError, "axes of its own"):
            built("web", charts=("frontier",), x="load")
        with tempfile.TemporaryDirectory() as other:
            write_run(other)
            done = script("plot.py", other, "--chart", "frontier", "--out", other)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn("no policy stands before a model", done.stderr)

    def test_a_knob_is_an_axis_of_its_own(self):
        page, = built("web", x="size", y="saturation_per_s").values()
        rates = {(size, float(f"{cell_of(f'{BATCHES}|batched:size={size}').estimate('saturation_per_s').value:.5g}")) for size in SIZES}
        self.assertLessEqual(rates, dots(page.axes[0]))

    def test_none_names_the_model_without_a_policy(self):
        page, = built("web", charts=("cost",), series=(f"{BATCHES}|none",)).values()
        self.assertEqual([label.get_text() for label in page.axes[0].get_yticklabels()], ["oracle fixed=1ms item=100us"])


class Legible(unittest.TestCase):
    """No text leaves the page, and none covers another: also in a column of a paper, which is as wide as a phone."""

    def test_standard_charts(self):
        for name, page in pages(RUN).items():
            check_page(self, page, name)

    def test_in_every_medium(self):
        for wanted in ({"name": "paper", "width": 3.33}, {"name": "paper", "width": 7.0}, {"name": "talk"}, {"name": "talk", "dark": True}, {"name": "web"}):
            figures = built(**wanted)
            self.assertTrue(any(name.startswith("frontier-empty") for name in figures), wanted)
            for name, page in figures.items():
                check_page(self, page, f"{wanted} {name}")


if __name__ == "__main__":
    unittest.main()
