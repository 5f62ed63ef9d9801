"""What a policy's knob trades: saturation against the response at half of it, one curve over the knob's values."""

from figures.frontier import families
from figures.labels import Labels
from figures.policies import spoken_policy
from figures.standard.base import SMALL, Skip, common, missing, subtitle, warnings, with_points
from figures.standard.slide import Slide, rate_axis, time_axis
from figures.words import percentile_name


def frontier(run, text, name, cells):
    if not any(cell.policy for cell in with_points(cells)):
        raise Skip("no policy stands before a model")
    curves, without = families(cells, run.knobs)
    if sum(len(spots) for spots in curves) < 2:
        raise Skip("fewer than two series have a saturation and a stable rate near half of it")
    percentile = percentile_name(common(cells, "slo_percentile", 99.0))
    lacking = missing(run, [], [(cell.series, why) for cell, why in without])
    styles = {id(spots): style_of(run, spots) for spots in curves}
    knobs = sorted({spots[0].place.knob for spots in curves if spots[0].place.knob})
    page = Slide(f"{percentile} response at half load against saturation: {name}", subtitle(run, text),
                 [("Along a line only the option varies that its marks are labelled with. " if knobs else "") + "Better is further right, and lower. "
                  "Half load: half of the series' own saturation, interpolated between the measured rates beside it; response from intended arrival. "
                  "Bars: across, 95% intervals; upright, lowest to highest block.", lacking, warnings(run)],
                 styles=list(styles.values()))
    axes = page.axes(right=0.97)
    spots = [spot for curve in curves for spot in curve]
    across(axes, [v for spot in spots for v in spot.saturation[:3] if v > 0])
    axes.set_yscale("log")
    heights = [value / 1e6 for spot in spots for value in spot.response]
    axes.set_ylim(min(heights) / 1.5, max(heights) * 1.5)
    time_axis(axes.yaxis, *axes.get_ylim())
    axes.set_ylabel(f"{percentile} response at half load (ms)")
    labels = Labels(axes, 11 if len(spots) <= 16 else SMALL)
    for curve in curves:
        draw(run, axes, labels, curve, styles[id(curve)])
    labels.place()
    return page


def style_of(run, spots):
    """Of a line: that of the mark in its middle, with the label of them all."""
    return run.styles[spots[len(spots) // 2].cell.series].called(spots[0].place.family)


def across(axes, rates):
    logarithmic = max(rates) > 5 * min(rates)
    room = 1.35 if logarithmic else 0.15 * max(rates)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(min(rates) / room, max(rates) * room)
    else:
        axes.set_xlim(max(0, min(rates) - room), max(rates) + room)
    rate_axis(axes.xaxis, logarithmic, max(axes.get_xlim()[0], 1e-9), axes.get_xlim()[1])
    axes.set_xlabel("saturation (requests/s)")


def draw(run, axes, labels, spots, line):
    xs, ys = [spot.saturation.value for spot in spots], [spot.response[0] / 1e6 for spot in spots]
    for spot, x, y in zip(spots, xs, ys):
        style = run.styles[spot.cell.series]
        bars = {"color": style.colour, "lw": 4, "alpha": 0.35, "zorder": 3}
        if spot.saturation.low > 0 and spot.saturation.high > 0:
            axes.plot([spot.saturation.low, spot.saturation.high], [y, y], solid_capstyle="butt", **bars)
            labels.avoid_line([spot.saturation.low, spot.saturation.high], [y, y])
        axes.vlines(x, spot.response[1] / 1e6, spot.response[2] / 1e6, **bars)
        if spot.place.knob:
            labels.add(x, y, f"{spot.place.knob}={spot.place.text}", style.ink, 45)
            axes.plot([x], [y], ls="none", zorder=6, **style.solid(10))
        else:  # a larger, hollow mark: it may lie under one of a line
            labels.add(x, y, spoken_policy(spot.cell.policy) or "no policy", style.ink, 225)
            axes.plot([x], [y], ls="none", zorder=5, **style.hollow(15))
    if len(spots) > 1:
        axes.plot(xs, ys, color=line.colour, ls=line.dash, lw=2, zorder=4)
    labels.avoid_line(xs, ys)
