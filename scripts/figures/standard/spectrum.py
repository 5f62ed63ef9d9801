"""Every percentile of the response time, at half of each model's cliff and just below it."""

import math

import numpy

from figures.labels import Labels
from figures.palette import INK, MUTED
from figures.standard.base import (Skip, at_half_load, cliff_words, common, legend_of, missing, named, subtitle, warnings,
                                   with_points)
from figures.standard.slide import Slide, percentile_axis, time_axis
from figures.words import duration, percentile_name, rate


def spectrum(run, text, name, cells):
    drawn = with_points(cells)
    halves, nears, extra = [], [], []
    for cell in drawn:
        stable = [p for p in cell.stable_points() if p.histogram is not None]
        half = at_half_load(cell, stable)
        cliff, _, _, reached = cell.estimate("cliff_per_s")
        near = [p for p in stable if 0.85 <= p.rate / cliff <= 1.02] if reached == "ok" and cliff > 0 else []
        if half:
            halves.append((cell, half))
        if near:
            nears.append((cell, max(near, key=lambda p: p.rate)))
        lacking = " or ".join(words for words, have in (("at half load", half), ("near the cliff", near)) if not have)
        if lacking:
            extra.append((cell.series, f"no stable point {lacking}; {cliff_words(cell)}"))
    if not halves and not nears:
        raise Skip("no stable point with a histogram at half load or near the cliff")
    return named(run, drawn, lambda beside: spectrum_page(run, text, name, cells, drawn, (halves, nears), extra, beside))


def spectrum_page(run, text, name, cells, drawn, panels, extra, beside):
    page = Slide(f"Every percentile of the response time: {name}", subtitle(run, text),
                 ["Response from intended arrival; open loop; histograms merged over blocks. A curve ends where fewer than 10 "
                  "requests lie above it. Half load: measured rate nearest to half of the model's own cliff (0.4 to 0.6); "
                  "near the cliff: highest stable rate from 85% to 102% of it.", missing(run, cells, extra), warnings(run)],
                 styles=legend_of(run, drawn, beside))
    curves, every_labels = {}, []
    for which in panels:
        for cell, point in which:
            curves[(cell.series, point.rate)] = tail(point.histogram)
    every = [v for xs, ys in curves.values() for v in ys]
    slos = {c.number("slo_ns") / 1e6 for c in drawn if c.number("slo_ns") > 0}
    bottom, top = min(every + list(slos)) / 1.5, max(every + list(slos)) * 1.6
    percentile = common(drawn, "slo_percentile", 99.0)
    furthest = max([max(xs) for xs, _ in curves.values()] + [1 / (1 - percentile / 100)] * bool(slos))
    size = 10 if len(drawn) <= 7 else 8.5
    names = {c.series: page.beside(run.styles[c.series].label, size) for c in drawn}
    right = page.right_of(names.values(), size)
    for at, (title, which) in enumerate(zip(("at half of its own cliff", "just below its own cliff"), panels)):
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
            style = run.styles[cell.series]
            xs, ys = curves[(cell.series, point.rate)]
            axes.plot(xs, ys, color=style.colour, ls=style.dash, lw=1.9, zorder=4)
            marks = [t for t in (2, 10, 100, 1000, 1e4, 1e5) if t <= max(xs)]
            axes.plot(marks, numpy.exp(numpy.interp(numpy.log(marks), numpy.log(xs), numpy.log(ys))), ls="none", zorder=5,
                      **style.solid(6.5))
            labels.avoid_line(xs, ys)
            labels.add(xs[-1], ys[-1], names[cell.series] + (f"\nat {rate(point.rate)}/s" if beside else ""), style.ink)
        if not which:
            axes.text(0.5, 0.5, "no stable point here", transform=axes.transAxes, ha="center", color=MUTED)
        labels.place(all_of_them=beside)
        every_labels.append(labels)
    return page, every_labels


def tail(histogram):
    """(1/(1-p), ms) of a histogram, as far as 10 requests lie above: beyond that, it is chance."""
    total = histogram.count()
    last = max(total / 10, 10)
    xs = numpy.exp(numpy.linspace(math.log(1.25), math.log(last), 160))
    ys = numpy.array([histogram.percentile(100 * (1 - 1 / x)) / 1e6 for x in xs])
    return xs, numpy.maximum(ys, 1e-6)


def whole(histogram):
    """As `tail`, to the very last request: for simulations, in which nothing is chance."""
    xs = numpy.exp(numpy.linspace(math.log(1.25), math.log(histogram.count()), 400))
    return xs, numpy.array([histogram.percentile(100 * (1 - 1 / x)) / 1e6 for x in xs])
