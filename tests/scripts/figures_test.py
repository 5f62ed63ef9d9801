#!/usr/bin/python3
"""Figures for a medium: what a paper, a talk and a page ask of the files, and what is in the pictures."""

import contextlib
import functools
import io
import itertools
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from unittest import mock

from matplotlib.colors import to_rgb
from tiny_run import REFERENCE, ROOT, digests, script, write_run  # first: it makes the modules of scripts/ found
from legible import check_page, texts, words
from figures import palette, settings, standard
from curves import rising
from figures.media import looks, medium, request
from precipice_run import RunError, load

RUN = REFERENCE[0]
LOAD = functools.cache(request.load_run)
POINTS = 72  # per inch


def plot(*arguments, **environment):
    return script("plot.py", *arguments, **environment)


def read(directory, name):
    with open(os.path.join(directory, name), "rb") as stream:
        return stream.read()


def page_sizes(pdf):
    """Inches of every page of a PDF."""
    boxes = re.findall(rb"/MediaBox \[ ?0 0 ([0-9.]+) ([0-9.]+) ?\]", pdf)
    return [(float(width) / POINTS, float(height) / POINTS) for width, height in boxes]


def type_sizes(pdf):
    """Points of all text of a PDF, from its content."""
    sizes = set()
    for stream in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL):
        try:
            content = zlib.decompressobj().decompress(stream)
        except zlib.error:
            continue
        sizes |= {float(size) for size in re.findall(rb"/F\S+ ([0-9.]+) Tf", content)}
    return sizes


def png_size(png):
    return struct.unpack(">II", png[16:24])


def built(*runs, medium_name="web", **wanted):
    """The finished figures of a request with their names, in memory: nothing is saved, so they can be looked into."""
    found = []
    with mock.patch.object(request, "save", lambda figure, out, name, formats: found.append((name, figure)) or [name]), \
            mock.patch.object(request, "load_run", LOAD):
        with tempfile.TemporaryDirectory() as out:
            request.draw_all(request.Request(medium_name, list(runs), out=out, **wanted))
    return found


def one(*runs, **wanted):
    figures = built(*runs, **wanted)
    assert figures, wanted
    return figures[0][1].figure


class Paper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        done = plot(RUN, "--for", "paper", "--out", cls.directory, "--workload", "sleep")
        assert done.returncode == 0, done.stderr
        cls.files = sorted(os.listdir(cls.directory))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def test_every_figure_comes_as_wide_as_a_column_and_as_a_page(self):
        self.assertEqual(self.files, sorted(f"{kind}-{width}in.pdf" for kind in ("response-sleep", "goodput-sleep", "capacity")
                                            for width in ("3.33", "7")))
        for name in self.files:
            (width, _), = page_sizes(read(self.directory, name))
            self.assertAlmostEqual(width, float(name.rsplit("-", 1)[1].removesuffix("in.pdf")), delta=1e-6, msg=name)

    def test_fonts_are_embedded_as_truetype(self):
        for name in self.files:
            pdf = read(self.directory, name)
            self.assertIn(b"/FontFile2", pdf, name)
            self.assertIn(b"/CIDFontType2", pdf, name)
            for other in (b"/Type3", b"/Type1", b"/FontFile3", b"/FontFile "):
                self.assertNotIn(other, pdf, f"{name} {other}")

    @unittest.skipUnless(shutil.which("pdffonts"), "pdffonts (poppler-utils) is not installed")
    def test_a_pdf_reader_agrees_on_the_fonts(self):
        for name in self.files:
            told = subprocess.run(["pdffonts", os.path.join(self.directory, name)], capture_output=True, text=True, check=True)
            rows = told.stdout.splitlines()[2:]
            self.assertTrue(rows)
            for row in rows:
                self.assertRegex(row, r"CID TrueType +Identity-H +yes")

    def test_no_type_is_smaller_than_8_points(self):
        for name in self.files:
            sizes = type_sizes(read(self.directory, name))
            self.assertTrue(sizes, name)
            self.assertGreaterEqual(min(sizes), 8, name)

    def test_no_date_is_inside(self):
        for name in self.files:
            self.assertNotIn(b"Date", read(self.directory, name), name)


class Grey(unittest.TestCase):
    """Without colour a reader has marker, dash and how dark a line is."""

    @classmethod
    def setUpClass(cls):
        cls.cells = [cell for _, run in request.load_named([RUN], request.load_run) for _, _, cells in run.workloads for cell in cells]

    def test_no_two_series_have_the_same_marker_or_dash(self):
        for one_medium in medium.media("paper") + medium.media("talk") + medium.media("web", dark=True):
            found = looks.looks_of(self.cells, one_medium)
            found = {series: found[series] for series in {cell.series for cell in self.cells}}
            self.assertGreater(len(found), 5)
            for (a, first), (b, second) in itertools.combinations(found.items(), 2):
                self.assertNotEqual(first.marker, second.marker, f"{a} {b}")
                self.assertNotEqual(str(first.dash), str(second.dash), f"{a} {b}")

    def test_lines_stand_out_from_the_page_and_names_can_be_read(self):
        for one_medium in medium.media("paper") + medium.media("talk") + medium.media("talk", True) + medium.media("web", True):
            for highlight in ((), ("io_uring",)):
                for series, look in looks.looks_of(self.cells, one_medium, highlight).items():
                    self.assertGreaterEqual(palette.contrast(look.colour, one_medium.background), 2.0, series)
                    self.assertGreaterEqual(palette.contrast(look.ink, one_medium.background), 4.5, series)

    def test_sizes_of_one_pool_differ_in_how_dark_they_are(self):
        found = looks.looks_of(self.cells, medium.media("paper")[0])
        shades = sorted(palette.luminance(look.colour) for series, look in found.items() if series.startswith("fixed_pool:"))
        self.assertGreaterEqual(len(shades), 3)
        for darker, lighter in itertools.pairwise(shades):
            self.assertGreater((lighter + 0.05) / (darker + 0.05), 1.4)


class Talk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.done = plot(RUN, "--for", "talk", "--reveal", "--format", "pdf,png", "--out", cls.directory, "--workload", "sleep")
        assert cls.done.returncode == 0, cls.done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def test_a_slide_is_16_to_9(self):
        for name in os.listdir(self.directory):
            content = read(self.directory, name)
            for width, height in page_sizes(content) if name.endswith("pdf") else [png_size(content)]:
                self.assertAlmostEqual(width / height, 16 / 9, delta=0.01, msg=name)

    def test_no_type_is_smaller_than_18_points(self):
        for name in os.listdir(self.directory):
            if name.endswith(".pdf"):
                self.assertGreaterEqual(min(type_sizes(read(self.directory, name))), 18, name)

    def test_at_most_five_series_and_says_which_are_left_out(self):
        self.assertRegex(self.done.stdout, r"at most 5 series; left out: fixed_pool:threads=8, fixed_pool:threads=64")
        for name, figure in built(RUN, medium_name="talk", workload="sleep"):
            self.assertEqual(len(figure.steps), 5, name)
        six = [flag for size in (8, 64, 512) for flag in ("--series", f"fixed_pool:threads={size}")]
        for model in ("io_uring", "event_loop", "work_stealing"):
            six += ["--series", model]
        refused = plot(RUN, "--for", "talk", "--out", self.directory, *six)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("a slide has at most 5", refused.stderr)

    def test_a_highlighted_series_is_never_left_out(self):
        figures = built(RUN, medium_name="talk", workload="sleep", highlight=("fixed_pool:threads=8",))
        self.assertIn("fixed_pool threads=8", words(figures[0][1].figure))

    def test_a_build_up_has_a_frame_per_series_and_one_before_and_ends_with_the_whole(self):
        for name in ("response-sleep", "goodput-sleep", "capacity-sleep"):
            frames = [read(self.directory, f"{name}-reveal-{step}of5.png") for step in range(6)]
            self.assertEqual(len(set(frames)), 6, name)
            self.assertEqual(frames[-1], read(self.directory, f"{name}.png"), name)
            self.assertEqual(len(page_sizes(read(self.directory, f"{name}-reveal.pdf"))), 6, name)
        self.assertFalse(os.path.exists(os.path.join(self.directory, "response-sleep-reveal-6of5.png")))

    def test_axes_stay_where_they_are_while_it_builds_up(self):
        for name, figure in built(RUN, medium_name="talk", workload="cpu"):
            seen = {tuple((*axes.get_position().bounds, *axes.get_xlim(), *axes.get_ylim()) for axes in frame.axes)
                    for _, frame in figure.frames()}
            self.assertEqual(len(seen), 1, name)

    def test_dark_slides_are_dark(self):
        for name, figure in built(RUN, medium_name="talk", workload="sleep", dark=True):
            self.assertTrue(name.endswith("-dark"))
            self.assertLess(palette.luminance(figure.figure.get_facecolor()[:3]), 0.05)
            for text in texts(figure.figure):
                self.assertGreater(palette.contrast(to_rgb(text.get_color()), figure.figure.get_facecolor()[:3]), 3, text.get_text())


class Axes(unittest.TestCase):
    def test_a_line_of_responses_never_falls_and_the_dots_stay(self):
        for found, expected in zip(rising([1, 4, 1, 8], [1, 1, 1, 1]), [1, 2, 2, 8]):  # on the logarithm
            self.assertAlmostEqual(found, expected)
        self.assertAlmostEqual(rising([8, 1], [2, 1])[0], 4)
        axes = one(RUN, workload="sleep", series=("event_loop",)).axes[0]
        dots = [line for line in axes.get_lines() if line.get_linestyle() == "None" and len(line.get_xdata()) > 3]
        lines = [line for line in axes.get_lines() if line.get_linestyle() not in ("None", ":") and len(line.get_xdata()) > 3]
        falls = [any(b < a for a, b in zip(each, each[1:])) for each in (list(line.get_ydata()) for line in dots)]
        self.assertIn(True, falls)  # else this shows nothing
        for line in lines:
            self.assertEqual(sorted(line.get_ydata()), list(line.get_ydata()))
        self.assertTrue(lines)

    def test_any_column_against_any_other(self):
        for x, y, across, up in (("load", "p999_ns", "load, share", "p999 response"), ("goodput_per_s", "context_switches_per_request", "goodput", "context"),
                                 ("rate_per_s", "peak_rss_bytes", "offered load", "(MiB)"), ("threads", "saturation_per_s", "threads", "saturation")):
            axes = one(RUN, workload="sleep", x=x, y=y).axes[0]
            self.assertIn(across, axes.get_xlabel())
            self.assertIn(up, axes.get_ylabel())

    def test_dots_are_what_the_summary_says(self):
        axes = one(RUN, workload="sleep", x="threads", y="saturation_per_s").axes[0]
        drawn = {(round(x), y) for line in axes.get_lines() for x, y in zip(line.get_xdata(), line.get_ydata())}
        said = {(int(cell["model_options"]["threads"]), cell["saturation_per_s"]["value"]) for cell in load(RUN).cells
                if cell["workload_name"] == "sleep" and "threads" in cell["model_options"]}
        self.assertGreaterEqual(len(said), 3)
        self.assertLessEqual(said, drawn)

    def test_a_column_that_is_not_there_is_told_with_those_that_are(self):
        with self.assertRaisesRegex(RunError, "'p98_ns' is no numeric column.*p99_ns"):
            built(RUN, y="p98_ns")
        with self.assertRaisesRegex(RunError, "'block' is no numeric column"):
            built(RUN, x="block")
        with self.assertRaisesRegex(RunError, "one figure per cell"):
            built(RUN, x="rate_per_s", y="cliff_per_s")

    def test_facets_are_panels(self):
        for facet, titles in (("workload", {"cpu work=1ms", "sleep wait=5ms"}), ("model", {"io_uring", "fixed_pool"})):
            figure = one(RUN, facet=facet, x="load", y="p99_ns")
            self.assertLessEqual(titles, {axes.get_title(loc="left") for axes in figure.axes})
        with self.assertRaisesRegex(RunError, "none of workload"):
            built(RUN, facet="weather")

    def test_what_is_highlighted_alone_keeps_its_colour(self):
        figure = built(RUN, workload="sleep", highlight=("io_uring",))[0][1]
        self.assertEqual(len(figure.steps), 7)
        coloured = 0
        for step in figure.steps:
            lines = [artist for artist in step if hasattr(artist, "get_xdata") and artist.get_linestyle() != "None"]
            shades = [to_rgb(line.get_color()) for line in lines]
            coloured += any(max(shade) - min(shade) > 0.15 for shade in shades)
        self.assertEqual(coloured, 1)
        with self.assertRaisesRegex(RunError, "no model or series"):
            built(RUN, highlight=("io_urink",))

    def test_runs_lie_over_each_other_told_apart_by_their_dash(self):
        figure = one(f"before={RUN}", f"after={REFERENCE[1]}", workload="mixed", series=("io_uring",))
        self.assertLessEqual({"before", "after"}, set(words(figure)))
        dashes = {line.get_linestyle() for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2 and line.get_linestyle() not in ("None", ":")}
        self.assertEqual(len(dashes), 2)
        capacity = dict(built(f"before={RUN}", f"after={REFERENCE[1]}", workload="mixed", series=("io_uring",)))["capacity"]
        self.assertLessEqual({"io_uring · before", "io_uring · after"}, set(words(capacity.figure)))


class Legible(unittest.TestCase):
    """No text leaves the page, and none covers another."""

    def check(self, *runs, **wanted):
        for name, figure in built(*runs, **wanted):
            check_page(self, figure.figure, f"{wanted} {name}")

    def standard(self, directory):
        """The standard charts of a run, in memory."""
        pages = {}
        with mock.patch.object(standard, "save", lambda figure, out, name, formats: pages.update({name: figure.figure})):
            standard.draw(LOAD(directory), directory, ())
        return pages

    def test_forty_series(self):
        with tempfile.TemporaryDirectory() as run:
            write_run(run, measured=[("oracle", {"mean": "1ms", "servers": str(n), "service": "exponential"}, 1000.0 * n) for n in range(1, 41)])
            names = {f"oracle servers={n}" for n in range(1, 41)}
            for name, page in self.standard(run).items():
                check_page(self, page, name)
                self.assertLessEqual(names, set(words(page)), name)
            for name, figure in built(run, medium_name="web"):
                self.assertLessEqual(names, set(words(figure.figure)), name)
                check_page(self, figure.figure, name)
            self.check(run, medium_name="paper", width=3.33)

    def test_names_that_no_column_holds(self):
        with tempfile.TemporaryDirectory() as run:
            shapes = ("exponential", "bimodal(0.912345678,0.5,5.5)", "lognormal(" + "1" * 90 + ")", "lognormal(" + "2" * 90 + ")")
            write_run(run, measured=[("oracle", {"discipline": order, "service": shape, "stall_for": "100ms"}, 1000.0 * (at + 1))
                                     for at, (order, shape) in enumerate(itertools.product(("fcfs", "ps"), shapes))],
                      workload="cpu:work=200us,dist=" + "x" * 200, suite="s" * 200)
            for name, page in self.standard(run).items():
                check_page(self, page, name)
            self.check(run, medium_name="paper", width=3.33)
            self.check(run, medium_name="talk")
            self.check(run, medium_name="web")

    def test_names_that_matplotlib_would_hide_or_read_as_formulas(self):
        with tempfile.TemporaryDirectory() as run:
            write_run(run)
            names = ("_old", "$x_1$", "50%", r"\alpha")
            figure = one(*(f"{name}={run}" for name in names), medium_name="web")
            self.assertLessEqual(set(names), set(words(figure)))
            self.assertFalse(any(text.get_parse_math() for text in texts(figure)))

    def test_on_paper(self):
        self.check(RUN, medium_name="paper")

    def test_on_slides(self):
        self.check(RUN, medium_name="talk")

    def test_on_pages(self):
        self.check(RUN, medium_name="web")

    def test_long_names_in_a_column(self):
        with tempfile.TemporaryDirectory() as out:
            run = os.path.join(out, "run")
            os.makedirs(run)
            write_run(run)
            for name in os.listdir(run):
                with open(os.path.join(run, name), encoding="utf-8") as file:
                    text = file.read()
                with open(os.path.join(run, name), "w", encoding="utf-8") as file:
                    long = "fixed_pool:queue=1000,steal=false,threads=8,policy=first"
                    if name == "points.csv":
                        text = text.replace("fixed_pool:threads=8,", f'"{long}",')  # a comma in a field is quoted
                    file.write(text.replace("fixed_pool:threads=8", long))
            self.check(run, medium_name="paper")

    def test_in_panels_and_of_several_runs(self):
        self.check(RUN, medium_name="paper", facet="workload", x="load", y="p99_ns")
        self.check(RUN, medium_name="talk", facet="workload", x="load", y="p99_ns", series=("io_uring", "event_loop"))
        self.check(RUN, medium_name="talk", facet="series", workload="cpu")
        self.check(f"before={RUN}", f"after={REFERENCE[1]}", medium_name="talk", workload="mixed")
        self.check(RUN, medium_name="web", x="goodput_per_s", y="context_switches_per_request")


class Page(unittest.TestCase):
    """docs/figures.md: every command on it does what it is there for."""

    def test_its_commands_work(self):
        import plot as command_line  # in this process: most of their time would go into starting
        with open(os.path.join(ROOT, "docs", "figures.md"), encoding="utf-8") as stream:
            commands = re.findall(r"^    scripts/plot\.py (.*)$", stream.read(), re.MULTILINE)
        self.assertGreater(len(commands), 12)
        for command in commands:
            with tempfile.TemporaryDirectory() as out:
                arguments = command.replace("results/reference", os.path.dirname(RUN)).replace("$RUN", RUN).split()
                with mock.patch.object(request, "load_run", LOAD), mock.patch.object(request, "save", lambda *asked: [asked[2]]), \
                        mock.patch.object(request, "save_reveal", lambda *asked: [asked[2]]), \
                        mock.patch.object(sys, "argv", ["plot.py", *arguments, "--out", out]), \
                        contextlib.redirect_stderr(io.StringIO()) as told, contextlib.redirect_stdout(io.StringIO()):
                    self.assertEqual(command_line.main(), 0, f"{command}: {told.getvalue()}")


class Files(unittest.TestCase):
    def test_the_same_data_gives_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            for arguments in (("paper",), ("talk", "--reveal", "--dark"), ("web", "--format", "svg,pdf,png")):
                drawn = []
                for seed, zone, epoch in (("1", "UTC", "0"), ("77", "Asia/Tokyo", "1700000000")):
                    out = os.path.join(directory, f"out-{arguments[0]}-{seed}")
                    done = plot(directory, "--for", *arguments, "--out", out, PYTHONHASHSEED=seed, TZ=zone, SOURCE_DATE_EPOCH=epoch)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    drawn.append(digests(out))
                self.assertGreaterEqual(len(drawn[0]), 6)
                self.assertEqual(*drawn)

    def test_what_does_not_fit_together_is_one_line_and_exit_code_2(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            cases = {"--reveal: builds up": ("--for", "paper", "--reveal"), "paper is white": ("--for", "paper", "--dark"),
                     "--width: 5 is none of 3.33, 7": ("--for", "paper", "--width", "5"), "needs --for": ("--x", "load"),
                     "no series or model here": ("--for", "web", "--series", "nginx"), "nothing to draw": ("--for", "web", "--workload", "none"),
                     "none of svg, pdf, png": ("--for", "web", "--format", "gif")}
            for said, arguments in cases.items():
                done = plot(directory, *arguments)
                self.assertEqual(done.returncode, 2, said)
                self.assertIn(said, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    settings.apply()
    unittest.main()
