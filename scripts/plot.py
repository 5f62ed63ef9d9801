#!/usr/bin/python3
"""Draws the charts of a run, from its directory alone, as SVG, PDF and PNG.

    scripts/plot.py RUN_DIR [--out DIR] [--format svg,pdf,png]

Exit codes: 0 drawn, 2 what was asked for cannot be done (one line on stderr says why).
"""

import os
import sys

DEBIAN_PYTHON = "/usr/bin/python3"
sys.dont_write_bytecode = True

# Debian's packages serve Debian's interpreter, whichever python3 comes first on the PATH.
if (os.path.exists(DEBIAN_PYTHON) and os.path.realpath(sys.executable) != os.path.realpath(DEBIAN_PYTHON)
        and not os.environ.get("PRECIPICE_PLOT_PYTHON")):
    os.environ["PRECIPICE_PLOT_PYTHON"] = DEBIAN_PYTHON
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, os.path.abspath(__file__)] + sys.argv[1:])

import argparse
import math
import re

try:
    import numpy
    import matplotlib  # noqa: F401 (chartstyle needs it; named here for the message)
except ImportError as missing:
    if sys.version_info < (3, 11):
        print("plot.py: needs Python 3.11 or later", file=sys.stderr)
    else:
        print(f"plot.py: {sys.executable} has no {missing.name}: apt-get install python3-{missing.name}", file=sys.stderr)
    sys.exit(2)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chartstyle import (GRID, HEIGHT, INK, MUTED, PAST, Labels, Page, duration, mix, natural, percentile_axis,
                        percentile_name, plain, rate, rate_axis, styles_of, time_axis)
from rundata import RunError, load_run

FORMATS = ("svg", "pdf", "png")
METHOD = "Response from intended arrival; open loop; 95% intervals; points past saturation hollow"
BANDS = "bands and bars: lowest to highest block; histograms merged over blocks."


class Skip(Exception):
    """Why a chart is not drawn."""


class Charts:
    def __init__(self, run):
        self.run = run
        self.styles = styles_of([cell for _, _, cells in run.workloads for cell in cells])

    # -- words ---------------------------------------------------------------------------------

    def subtitle(self, workload=None):
        cpu = self.run.environment.get("cpu")
        if isinstance(cpu, dict):
            allowed = f"CPUs {cpu['allowed']}" if cpu.get("allowed") else ""
            cpu = ", ".join(part for part in (cpu.get("model"), allowed) if part)
        load = self.run.suite.get("load") if isinstance(self.run.suite.get("load"), dict) else {}
        parts = [f"workload {workload}" if workload else "", str(cpu or ""),
                 f"suite {self.run.summary.get('suite') or self.run.suite.get('name') or '?'}"]
        if self.run.blocks is not None:
            parts.append(f"{self.run.blocks} block" + ("" if self.run.blocks == 1 else "s"))
        if load.get("window"):
            parts.append(f"window {load['window']}")
        return "  ·  ".join(part for part in parts if part)

    def missing(self, cells, extra=()):
        """The footnote's sentence about cells that are not, or not wholly, in the chart."""
        said = [f"{self.styles[c.series].label} ({c.reason})" for c in cells if c.reason]
        said += [f"{self.styles[series].label} ({why})" for series, why in extra]
        return "Not drawn: " + "; ".join(said) + "." if said else ""

    def warnings(self):
        return " ".join(warning + "." for warning in self.run.warnings)

    def method(self, bands):
        if self.run.blocks == 1:
            return f"{METHOD}; a single block, so no bands."
        return f"{METHOD}; {BANDS}" if bands else f"{METHOD}."

    def cliff_words(self, cell):
        value, _, _, reached = cell.estimate("cliff_per_s")
        return {"ok": f"cliff {rate(value)}/s", "above": f"cliff not reached by {rate(value)}/s",
                "below": f"over the SLO at {rate(value)}/s already"}.get(reached, "cliff not measured")

    # -- shared drawing ------------------------------------------------------------------------

    @staticmethod
    def logarithmic(cells):
        """One linear axis cannot show models whose saturations lie more than ten times apart."""
        tops = [c.estimate("saturation_per_s")[0] for c in cells if c.points]
        tops = [top for top in tops if top > 0] or [p.rate for c in cells for p in c.points]
        return max(tops) > 10 * min(tops)

    @staticmethod
    def up_to_edge(points, edge_ms):
        """The points of a curve up to the first past saturation that lies beyond an axis's edge."""
        for i, point in enumerate(points):
            if not point.stable and point.response_ns / 1e6 > edge_ms:
                return points[:i + 1] + [p for p in points[i + 1:] if p.stable]
        return points

    @staticmethod
    def limits_x(axes, cells, logarithmic, rates):
        rates = list(rates)
        rates += [c.estimate("cliff_per_s")[0] for c in cells if c.points and c.estimate("cliff_per_s")[0] > 0]
        if logarithmic:
            low, high = min(rates) / 1.15, max(rates) * 1.25
            axes.set_xscale("log")
        else:
            low, high = 0, max(rates) * 1.04
        axes.set_xlim(low, high)
        rate_axis(axes.xaxis, logarithmic, max(low, 1e-9), high)
        axes.set_xlabel("offered load (requests/s)")

    def curve(self, axes, labels, cell, points, y, low, high):
        """A cell's points: carried ones joined in the model's dash, the others hollow and dotted."""
        style = self.styles[cell.series]
        zero = axes.get_yscale() == "linear"  # a collapse to nothing shows, where the axis has a zero
        usable = [p for p in points if y(p) > 0 or (zero and y(p) == 0)]
        good, past = [p for p in usable if p.stable], [p for p in usable if not p.stable]
        if len(good) > 1 and any(p.blocks > 1 for p in good):
            axes.fill_between([p.rate for p in good], [low(p) for p in good], [high(p) for p in good],
                              color=style.colour, alpha=0.16, lw=0, zorder=2)
        axes.plot([p.rate for p in good], [y(p) for p in good], color=style.colour, ls=style.dash, lw=2, zorder=4)
        axes.plot([p.rate for p in good], [y(p) for p in good], ls="none", zorder=5, **style.solid())
        if past:
            bridge = [p for p in good if p.rate < past[0].rate][-1:] + past
            axes.plot([p.rate for p in bridge], [y(p) for p in bridge], color=style.colour, ls=PAST, lw=1.2, zorder=3)
            axes.vlines([p.rate for p in past], [low(p) for p in past], [high(p) for p in past], color=style.colour,
                        lw=1.2, alpha=0.7, zorder=3)
            axes.plot([p.rate for p in past], [y(p) for p in past], ls="none", zorder=5, **style.hollow())
        labels.avoid_line([p.rate for p in usable], [y(p) for p in usable])
        return max(usable, key=lambda p: p.rate) if usable else None

    # -- the charts ----------------------------------------------------------------------------

    def response(self, text, name, cells):
        drawn = self.with_points(cells)
        percentile = self.common(drawn, "slo_percentile", 99.0)
        slos = sorted({c.number("slo_ns") for c in drawn if c.number("slo_ns") > 0})
        values = [v / 1e6 for c in drawn for p in c.points for v in (p.response_low, p.response_high) if v > 0]
        values += [slo / 1e6 for slo in slos]
        bottom, top = min(values) / 1.6, max(values) * 1.5
        # The backlog of an overload grows with the window and would squeeze the cliff out of sight.
        carried = [v / 1e6 for c in drawn for p in c.stable_points() for v in (p.response_high, 20 * (slos or [0])[-1])]
        if carried and top > 1.5 * max(carried):
            top = 1.5 * max(carried)
        edge = top / (top / bottom) ** 0.06
        shown = {c.series: self.up_to_edge(c.points, edge) for c in drawn}
        beyond = any(p.response_ns / 1e6 > edge for points in shown.values() for p in points)
        marks = ("Filled mark on the SLO line: the cliff and its 95% interval. " if slos else "")
        marks += "Marks with an arrow lie beyond the upper edge, as do higher rates: backlog grows with the window." if beyond else ""
        page = Page(f"{percentile_name(percentile)} response time against offered load: {name}", self.subtitle(text),
                    [self.method(True), marks, self.missing(cells), self.warnings()])
        size = 11 if len(drawn) <= 7 else 9
        axes = page.axes(right=page.right_of([self.styles[c.series].label for c in drawn] + ["SLO p99 ≤ 10 ms"], size))
        labels = Labels(axes, size)
        axes.set_yscale("log")
        self.limits_x(axes, drawn, self.logarithmic(drawn), [p.rate for points in shown.values() for p in points])
        axes.set_ylim(bottom, top)
        time_axis(axes.yaxis, bottom, top)
        axes.set_ylabel(f"{percentile_name(percentile)} response (ms)")
        for slo in slos:
            axes.axhline(slo / 1e6, color=INK, lw=1.3, zorder=3)
            labels.avoid_line(axes.get_xlim() if axes.get_xscale() == "log" else (1e-9, axes.get_xlim()[1]), [slo / 1e6] * 2)
            labels.avoid_text(axes.annotate(f"SLO {percentile_name(percentile)} ≤ {duration(slo)}", (1, slo / 1e6), (6, 0),
                                            xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=11,
                                            fontweight="bold", color=INK, va="center", annotation_clip=False))
        for cell in drawn:
            style = self.styles[cell.series]
            end = self.curve(axes, labels, cell, shown[cell.series], lambda p: min(p.response_ns / 1e6, edge),
                             lambda p: min(p.response_low / 1e6, edge), lambda p: min(p.response_high / 1e6, edge))
            for p in shown[cell.series]:
                if p.response_ns / 1e6 > edge:
                    labels.forbid(p.rate, edge, top)
                    axes.annotate("", (p.rate, edge), (0, 17), textcoords="offset points", annotation_clip=False,
                                  arrowprops={"arrowstyle": "<|-", "color": style.colour, "lw": 1.2, "shrinkA": 0, "shrinkB": 6})
            value, low, high, reached = cell.estimate("cliff_per_s")
            slo = cell.number("slo_ns") / 1e6
            if reached == "ok" and slo > 0:
                axes.vlines(value, bottom, slo, color=style.colour, lw=1.1, alpha=0.55, ls=(0, (4, 3)), zorder=2)
                if low > 0 and high > 0:
                    axes.plot([low, high], [slo, slo], color=style.colour, lw=5, alpha=0.5, solid_capstyle="butt", zorder=6)
                axes.plot([value], [slo], ls="none", clip_on=False, zorder=8, **style.solid(11))
            labels.add(end.rate, min(end.response_ns / 1e6, edge), style.label + "\n" + self.cliff_words(cell), style.ink)
        labels.place()
        return page

    def goodput(self, text, name, cells):
        drawn = self.with_points(cells)
        goods = [v for c in drawn for p in c.points for v in (p.goodput_low, p.goodput_high) if v > 0]
        if not goods:
            raise Skip("no request of it completed with the right digest")
        logarithmic = self.logarithmic(drawn)
        nothing = [self.styles[c.series].label for c in drawn if logarithmic and any(p.goodput == 0 for p in c.points)]
        page = Page(f"Goodput against offered load: {name}", self.subtitle(text),
                    [self.method(True), "Goodput: completed inside the window with the right digest; median over blocks.",
                     self.missing(cells), f"Points without any goodput, off the axis: {', '.join(nothing)}." if nothing else "",
                     self.warnings()])
        size = 11 if len(drawn) <= 7 else 9
        axes = page.axes(right=page.right_of([self.styles[c.series].label for c in drawn] + ["SLO p99 ≤ 10 ms"], size))
        labels = Labels(axes, size)
        self.limits_x(axes, drawn, logarithmic, [p.rate for c in drawn for p in c.points])
        low, high = axes.get_xlim()
        ceiling = max(goods) * (1.6 if logarithmic else 1.15)
        floor = min(goods) / 1.3 if logarithmic else 0
        if logarithmic:
            axes.set_yscale("log")
        axes.set_ylim(floor, ceiling)
        rate_axis(axes.yaxis, logarithmic, max(floor, 1e-9), ceiling)
        axes.set_ylabel("goodput (requests/s)")
        axes.plot([low, high], [low, high], color=MUTED, lw=1.2, ls=(0, (5, 4)), zorder=1)
        end = min(high, ceiling) * 0.985
        labels.add(end, end, "all that is offered", MUTED, 180 if end < high * 0.9 else 0)
        labels.avoid_line([max(low, floor, 1e-9), end], [max(low, floor, 1e-9), end])
        for cell in drawn:
            style = self.styles[cell.series]
            end = self.curve(axes, labels, cell, cell.points, lambda p: p.goodput, lambda p: p.goodput_low, lambda p: p.goodput_high)
            if end is None:
                continue
            value, _, _, reached = cell.estimate("saturation_per_s")
            words = {"ok": f"saturates at {rate(value)}/s", "above": f"saturation not reached by {rate(value)}/s"}
            labels.add(end.rate, end.goodput, style.label + "\n" + words.get(reached, "saturation not measured"), style.ink)
        labels.place()
        return page

    def capacity(self):
        """Cliff and saturation of every cell: dots and whiskers, and the same as a table."""
        workloads = titled(self.run)
        rows = sum(len(cells) for _, _, cells in workloads)
        wide = rows > 14  # two columns on a larger page of the same shape
        split = [[], []]
        for workload in workloads:
            sizes = [sum(len(c[2]) + 2.2 for c in column) for column in split]
            split[0 if not wide or sizes[0] <= sizes[1] else 1].append(workload)
        unmeasured = [f"{name}: {self.missing(cells)[len('Not drawn: '):]}" for _, name, cells in workloads
                      if self.missing(cells)]
        notes = ["Response from intended arrival; open loop; bars: 95% intervals over blocks. Percentages: share of the ideal for "
                 "this work, where it has one. Arrows: not reached by the highest rate offered, or over the SLO at the lowest.",
                 "Not measured: " + " ".join(unmeasured) if unmeasured else "", self.warnings()]
        width, height = (16.0, 9.0) if wide else (12.8, HEIGHT)
        head = 0.86  # inches of a panel that are not rows: its title and its axis

        def row_inches(page):
            room = (page.top - page.bottom) * page.height
            return min((room - head * len(column)) / sum(len(c[2]) for c in column) for column in split if column)

        title = "Where latency falls off the cliff, and what each model carries at most"
        page = Page(title, self.subtitle(), notes, height, width)
        if row_inches(page) < 0.24:  # more cells than a slide can hold: a longer page
            height += max((0.24 - row_inches(page)) * sum(len(c[2]) for c in column) for column in split)
            page = Page(title, self.subtitle(), notes, height, width)
        inches = min(0.5, row_inches(page))
        if not wide and inches == 0.5:  # few cells: a shorter page instead of an empty one
            height = max(3.2, height - (row_inches(page) - inches) * rows)
            page = Page(title, self.subtitle(), notes, height, width)
        for at, column in enumerate(split):
            y = page.top
            for _, name, cells in column:
                models = [c.model for c in cells]
                cells = sorted(cells, key=lambda c: (models.index(c.model), natural(c.series)))
                tall = len(cells) * inches / height
                y -= 0.4 / height + tall
                self.capacity_panel(page, at * 0.5, 0.5 if wide else 1.0, y, tall, name, cells)
                y -= (head - 0.4) / height
        return page

    def capacity_panel(self, page, left, width, bottom, tall, name, cells):
        narrow = width < 1
        size = 10.5 if narrow else 11.5
        longest = max(len(self.styles[c.series].label) for c in cells)
        names = min(longest * size * 0.63 / 72 + 0.25, 2.6) / page.width + 0.03
        numbers = (2.75 if narrow else 4.7) / page.width
        axes = page.figure.add_axes([left + names, bottom, width - names - numbers, tall])
        inches = (width - names - numbers) * page.width
        axes.set_ylim(len(cells) - 0.4, -0.6)
        axes.grid(True, axis="x", color=GRID, lw=0.8)
        axes.spines["left"].set_visible(False)
        axes.set_yticks(range(len(cells)), [self.styles[c.series].label for c in cells], fontsize=size)
        axes.tick_params(axis="y", length=0, pad=8)
        axes.tick_params(axis="x", labelsize=size)
        for tick, cell in zip(axes.get_yticklabels(), cells):
            tick.set_color(self.styles[cell.series].ink)
        values = [v for c in cells for key in ("cliff_per_s", "saturation_per_s") for v in c.estimate(key)[:3] if v > 0]
        logarithmic = bool(values) and max(values) > 10 * min(values)
        high = max(values, default=1) * (1.5 if logarithmic else 1.09)
        below = any(c.estimate("cliff_per_s")[3] == "below" for c in cells)
        low = min(values) / (3.5 if below else 1.5) if logarithmic else 0
        if logarithmic:
            axes.set_xscale("log")
        axes.set_xlim(low, high)
        rate_axis(axes.xaxis, logarithmic, max(low, 1e-9), high, inches)
        above = bottom + tall + 0.17 / page.height
        heading = page.figure.text(left + 0.03, above, name, fontsize=14 if len(name) < 24 else 11.5, fontweight="bold", color=INK, va="baseline")
        page.figure.canvas.draw()
        end = heading.get_window_extent().x1 / page.figure.bbox.width
        page.figure.text(max(end + 0.008, left + names), above, "requests/s", fontsize=size, color=MUTED, va="baseline")
        first, second = (14, 108) if narrow else (16, 170)
        for offset, words in ((first, "● cliff"), (second, "┃ saturation")):
            axes.annotate(words, (1, 1), (offset, 0.17 * 72), xycoords="axes fraction", textcoords="offset points",
                          fontsize=size, fontweight="bold", color=INK, va="baseline", annotation_clip=False)
        for i, cell in enumerate(cells):
            style = self.styles[cell.series]
            cliff, saturation = cell.estimate("cliff_per_s"), cell.estimate("saturation_per_s")
            if cliff[0] > 0 and saturation[0] > 0:
                axes.plot([cliff[0], saturation[0]], [i, i], color=style.colour, lw=1, alpha=0.45, zorder=2)
            for key, estimate, offset in (("cliff", cliff, first), ("saturation", saturation, second)):
                value, lower, upper, reached = estimate
                if value > 0:
                    if lower > 0 and upper > 0 and reached == "ok":
                        axes.plot([lower, upper], [i, i], color=style.colour, lw=4.5, alpha=0.4, solid_capstyle="butt", zorder=3)
                    if reached in ("above", "below"):
                        axes.annotate("", (value, i), (26 if reached == "above" else -26, 0), textcoords="offset points",
                                      annotation_clip=False, arrowprops={"arrowstyle": "<|-", "color": style.colour, "lw": 1.6,
                                                                         "shrinkA": 0, "shrinkB": 0})
                    if key == "cliff":
                        axes.plot([value], [i], ls="none", zorder=6, clip_on=False, **style.solid(9))
                    else:
                        axes.plot([value], [i], ls="none", marker="|", ms=15, mew=3, color=style.colour, zorder=5, clip_on=False)
                axes.annotate(self.figure_words(cell, key, estimate, narrow), (1, i), (offset, 0),
                              xycoords=("axes fraction", "data"), textcoords="offset points", va="center_baseline",
                              fontsize=size - 0.5, color=INK, annotation_clip=False)

    def figure_words(self, cell, key, estimate, narrow):
        value, low, high, reached = estimate
        if reached == "above":
            return f"> {rate(value)}" if narrow else f"not reached by {rate(value)}"
        if reached == "below":
            return f"< {rate(value)}"
        if reached != "ok":
            return "not measured"
        words = rate(value)
        if low > 0 and high > 0 and not narrow:
            words += f" [{rate(low)}, {rate(high)}]"
        share = cell.estimate(f"{key}_of_ideal")[0]
        if not math.isnan(share):
            words += f" · {round(100 * share)}%"
        return words

    def spectrum(self, text, name, cells):
        drawn = self.with_points(cells)
        halves, nears, extra = [], [], []
        for cell in drawn:
            stable = [p for p in cell.stable_points() if p.histogram is not None]
            half = self.at_half_load(cell, stable)
            cliff, _, _, reached = cell.estimate("cliff_per_s")
            near = [p for p in stable if 0.85 <= p.rate / cliff <= 1.02] if reached == "ok" and cliff > 0 else []
            if half:
                halves.append((cell, half))
            if near:
                nears.append((cell, max(near, key=lambda p: p.rate)))
            lacking = " or ".join(words for words, have in (("at half load", half), ("near the cliff", near)) if not have)
            if lacking:
                extra.append((cell.series, f"no stable point {lacking}; {self.cliff_words(cell)}"))
        if not halves and not nears:
            raise Skip("no stable point with a histogram at half load or near the cliff")
        page = Page(f"Every percentile of the response time: {name}", self.subtitle(text),
                    ["Response from intended arrival; open loop; histograms merged over blocks. A curve ends where fewer than 10 "
                     "requests lie above it. Half load: measured rate nearest to half of the model's own cliff (0.4 to 0.6); "
                     "near the cliff: highest stable rate from 85% to 102% of it.", self.missing(cells, extra), self.warnings()])
        curves = {}
        for which in (halves, nears):
            for cell, point in which:
                curves[(cell.series, point.rate)] = self.tail(point.histogram)
        every = [v for xs, ys in curves.values() for v in ys]
        slos = {c.number("slo_ns") / 1e6 for c in drawn if c.number("slo_ns") > 0}
        bottom, top = min(every + list(slos)) / 1.5, max(every + list(slos)) * 1.6
        furthest = max(max(xs) for xs, _ in curves.values())
        percentile = self.common(drawn, "slo_percentile", 99.0)
        size = 10 if len(drawn) <= 7 else 8.5
        right = page.right_of([self.styles[c.series].label for c in drawn], size)
        for at, (title, which) in enumerate((("at half of its own cliff", halves), ("just below its own cliff", nears))):
            axes = page.axes(0.07 + 0.475 * at, right - 0.475 * (1 - at), top=page.top - 0.42 / page.height)
            axes.set_title(title, loc="left", fontsize=13, color=INK, pad=10)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlim(1.25, furthest * 1.1)
            axes.set_ylim(bottom, top)
            percentile_axis(axes.xaxis, furthest * 1.1)
            time_axis(axes.yaxis, bottom, top)
            axes.set_xlabel("percentile of requests")
            axes.set_ylabel("response (ms)" if at == 0 else "")
            labels = Labels(axes, size)
            for slo in sorted(slos):
                bound = 1 / (1 - percentile / 100)
                axes.plot([bound], [slo], marker="_", ms=26, mew=2.5, color=INK, zorder=7)
                labels.avoid_text(axes.annotate(f"SLO {percentile_name(percentile)} ≤ {duration(slo * 1e6)}", (bound, slo), (0, 5),
                                                textcoords="offset points", ha="center", va="bottom", fontsize=9.5,
                                                fontweight="bold", color=INK, zorder=8,
                                                bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}))
            for cell, point in which:
                style = self.styles[cell.series]
                xs, ys = curves[(cell.series, point.rate)]
                axes.plot(xs, ys, color=style.colour, ls=style.dash, lw=1.9, zorder=4)
                marks = [t for t in (2, 10, 100, 1000, 1e4, 1e5) if t <= max(xs)]
                axes.plot(marks, numpy.exp(numpy.interp(numpy.log(marks), numpy.log(xs), numpy.log(ys))), ls="none", zorder=5,
                          **style.solid(6.5))
                labels.avoid_line(xs, ys)
                labels.add(xs[-1], ys[-1], f"{style.label}\nat {rate(point.rate)}/s", style.ink)
            if not which:
                axes.text(0.5, 0.5, "no stable point here", transform=axes.transAxes, ha="center", color=MUTED)
            labels.place()
        return page

    @staticmethod
    def tail(histogram):
        """(1/(1-p), ms) of a histogram, as far as 10 requests lie above: beyond that, it is chance."""
        total = histogram.count()
        last = max(total / 10, 10)
        xs = numpy.exp(numpy.linspace(math.log(1.25), math.log(last), 160))
        ys = numpy.array([histogram.percentile(100 * (1 - 1 / x)) / 1e6 for x in xs])
        return xs, numpy.maximum(ys, 1e-6)

    def pool_threads(self, text, name, cells):
        pools = {}
        for cell in cells:
            threads = cell.options.get("threads", "")
            if cell.model == "fixed_pool" and threads.isdigit() and cell.points:
                pools.setdefault(int(threads), cell)
        if len(pools) < 2:
            raise Skip("fewer than two measured fixed_pool series that differ in `threads`")
        sizes = sorted(pools)
        lacking = [c for c in cells if c.model == "fixed_pool"]
        extra = []
        carried = {"saturation": ("saturation_per_s", self.tone(0.25)), "cliff": ("cliff_per_s", self.tone(-0.3))}
        latency = {}
        for size in sizes:
            cell = pools[size]
            half = self.at_half_load(cell, cell.stable_points())
            if half:
                latency[size] = half
            else:
                extra.append((cell.series, f"no stable point at half load; {self.cliff_words(cell)}"))
        percentile = self.common(list(pools.values()), "slo_percentile", 99.0)
        page = Page(f"What the size of fixed_pool does: {name}", self.subtitle(text),
                    ["Response from intended arrival; open loop. Left: 95% intervals; arrows: not reached. Right: the measured rate "
                     "nearest to half of each pool's own cliff (0.4 to 0.6); bars: lowest to highest block.",
                     self.missing(lacking, extra), self.warnings()])
        marker = self.styles[pools[sizes[0]].series].marker
        left = page.axes(0.075, 0.4, top=page.top - 0.42 / page.height)
        left.set_title("throughput", loc="left", fontsize=13, color=INK, pad=10)
        labels = Labels(left, 11)
        for words, (key, colour) in carried.items():
            each = [(size, *pools[size].estimate(key)) for size in sizes if pools[size].estimate(key)[0] > 0]
            if not each:
                continue
            xs, ys = [e[0] for e in each], [e[1] for e in each]
            left.plot(xs, ys, color=colour, lw=2, marker=marker, ms=8, mec="white", ls="-" if words == "saturation" else (0, (5, 2)))
            for size, value, low, high, reached in each:
                if reached == "ok" and low > 0 and high > 0:
                    left.vlines(size, low, high, color=colour, lw=5, alpha=0.35)
                elif reached in ("above", "below"):
                    left.annotate("", (size, value * (1.12 if reached == "above" else 0.88)), (size, value),
                                  arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0})
            labels.avoid_line(xs, ys)
            labels.add(xs[-1], ys[-1], words, mix(colour, "#000000", 0.2))
        self.threads_axis(left, sizes)
        left.set_ylim(0, left.get_ylim()[1] * 1.06)
        rate_axis(left.yaxis, False, 0, 1)
        left.set_ylabel("requests/s")
        labels.place()
        right = page.axes(0.565, 0.89, top=page.top - 0.42 / page.height)
        right.set_title("response at half of its own cliff", loc="left", fontsize=13, color=INK, pad=10)
        right.set_yscale("log")
        labels = Labels(right, 11)
        seen = []
        lines = [(percentile_name(percentile), lambda p: p.response_ns, self.tone(0.25), "-")]
        if all(p.histogram is not None for p in latency.values()):
            lines.append(("p50", lambda p: p.histogram.percentile(50), self.tone(-0.3), (0, (5, 2))))
        for words, value, colour, dash in lines:
            if not latency:
                break
            xs = sorted(latency)
            ys = [value(latency[size]) / 1e6 for size in xs]
            right.plot(xs, ys, color=colour, lw=2, marker=marker, ms=8, mec="white", ls=dash)
            seen += ys
            if words != "p50":
                right.vlines(xs, [latency[s].response_low / 1e6 for s in xs], [latency[s].response_high / 1e6 for s in xs],
                             color=colour, lw=5, alpha=0.35)
                seen += [v / 1e6 for s in xs for v in (latency[s].response_low, latency[s].response_high)]
            labels.avoid_line(xs, ys)
            labels.add(xs[-1], ys[-1], words, mix(colour, "#000000", 0.2))
        self.threads_axis(right, sizes)
        if seen:
            bottom, top = min(seen) / 1.5, max(seen) * 1.5
            right.set_ylim(bottom, top)
            time_axis(right.yaxis, bottom, top)
        else:
            right.text(0.5, 0.5, "no stable point here", transform=right.transAxes, ha="center", color=MUTED)
        right.set_ylabel("response (ms)")
        labels.place()
        return page

    # -- small helpers -------------------------------------------------------------------------

    @staticmethod
    def at_half_load(cell, points):
        """The point nearest to half of the cell's cliff, from 0.4 to 0.6 of it; None where there is none."""
        cliff, _, _, reached = cell.estimate("cliff_per_s")
        if reached != "ok" or not cliff > 0:
            return None
        near = [p for p in points if 0.4 <= p.rate / cliff <= 0.6]
        return min(near, key=lambda p: abs(p.rate / cliff - 0.5), default=None)

    @staticmethod
    def tone(share):
        return mix("#0072B2", "#000000" if share > 0 else "#FFFFFF", abs(share))

    @staticmethod
    def threads_axis(axes, sizes):
        axes.set_xscale("log", base=2)
        axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_xlabel("threads in the pool")

    @staticmethod
    def common(cells, name, default):
        values = [c.number(name) for c in cells if not math.isnan(c.number(name))]
        return values[0] if values else default

    @staticmethod
    def with_points(cells):
        drawn = [cell for cell in cells if cell.points]
        if not drawn:
            raise Skip("no cell of it has a valid open-loop trial")
        return sorted(drawn, key=lambda cell: natural(cell.series))


def titled(run):
    """(workload, how to name it, cells): the short name where that says which one is meant."""
    names = [name for _, name, _ in run.workloads]
    return [(text, name if names.count(name) == 1 else text, cells) for text, name, cells in run.workloads]


def slug(text):
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "workload"


def save(page, directory, name, formats):
    """Writes beside and renames, with no date inside: the same data gives the same bytes."""
    metadata = {"svg": {"Date": None, "Creator": "precipice"}, "png": {"Software": "precipice"},
                "pdf": {"CreationDate": None, "Creator": "precipice", "Producer": None}}
    for form in formats:
        path = os.path.join(directory, f"{name}.{form}")
        page.figure.savefig(path + ".part", format=form, metadata=metadata[form])
        os.replace(path + ".part", path)


def draw(run, directory, formats):
    """Draws all charts; returns (names drawn, reasons for those left out)."""
    charts = Charts(run)
    jobs = [("capacity", charts.capacity)]
    for text, title, cells in titled(run):
        short = slug(title)
        for kind, chart in (("response", charts.response), ("goodput", charts.goodput), ("spectrum", charts.spectrum),
                            ("pool-threads", charts.pool_threads)):
            jobs.append((f"{kind}-{short}", lambda chart=chart, text=text, title=title, cells=cells: chart(text, title, cells)))
    drawn, skipped = [], []
    for name, job in jobs:
        try:
            page = job()
        except Skip as reason:
            skipped.append(f"{name}: {reason}")
            continue
        save(page, directory, name, formats)
        drawn.append(name)
    return drawn, skipped


def main():
    parser = argparse.ArgumentParser(prog="plot.py", description="Draws the charts of a run from its directory alone.")
    parser.add_argument("run", metavar="RUN_DIR")
    parser.add_argument("--out", metavar="DIR", help="where to write (default: RUN_DIR/figures)")
    parser.add_argument("--format", default=",".join(FORMATS), help="any of svg,pdf,png (default: all)")
    arguments = parser.parse_args()
    formats = [form.strip() for form in arguments.format.split(",") if form.strip()]
    try:
        for form in formats:
            if form not in FORMATS:
                raise RunError(f"--format: {form!r} is none of svg, pdf, png")
        if not formats:
            raise RunError("--format: names nothing; any of svg,pdf,png")
        try:
            run = load_run(arguments.run)
        except (AttributeError, TypeError, KeyError) as error:
            raise RunError(f"{arguments.run}: a field of summary.json or points.csv has the wrong type: {error}") from error
        out = arguments.out or os.path.join(arguments.run, "figures")
        try:
            os.makedirs(out, exist_ok=True)
            drawn, skipped = draw(run, out, formats)
        except OSError as error:
            raise RunError(f"{error.filename or out}: cannot be written: {error.strerror}") from error
    except RunError as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    for reason in skipped:
        print(f"skipped {reason}")
    print(f"{len(drawn)} charts as {', '.join(formats)} in {out}: {', '.join(drawn)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
