"""Curves of any column against any other, in panels, for one medium."""

import math
from dataclasses import dataclass, field

from matplotlib.lines import Line2D

from figures.labels import Labels
from figures.media.axis import axis_of, words_of
from figures.media.looks import RUN_DASHES
from figures.media.select import PERCENTILES, RESPONSE, option_number
from figures.media.sheet import Sheet, handle, text_inches
from figures.palette import PAST
from figures.save import Built
from figures.words import duration, percentile_name, rate


@dataclass
class Panel:
    title: str
    curves: list
    slos: list = field(default_factory=list)  # ns, of the cells in it


@dataclass
class Plan:
    """One figure: what it is called, its panels and its axes."""

    name: str
    title: str
    subtitle: str
    panels: list
    x: str
    y: str
    runs: list  # names, in the order of their dashes
    notes: str = ""
    x_scale: str = "auto"
    y_scale: str = "auto"
    shared: bool = False  # panels of one workload have the same limits


def percentile_of(panel):
    values = {c.cell.number("slo_percentile") for c in panel.curves} - {math.nan}
    values = sorted(v for v in values if not math.isnan(v))
    return values[0] if values else 99.0


def shows_slo(plan, panel):
    """Whether y is the response that the SLO bounds."""
    return plan.y == RESPONSE or PERCENTILES.get(plan.y) == percentile_of(panel)


def limits(plan, panel, extra=()):
    """(x axis, y axis) of one panel's curves."""
    dots = [d for c in panel.curves for d in c.dots]
    ys = [v for d in dots for v in (d.y, d.low, d.high) if not math.isnan(v)]
    top = None
    slos = panel.slos if shows_slo(plan, panel) else []
    if plan.y.endswith("_ns"):
        # The backlog of an overload grows with the window and would squeeze everything else out of sight.
        carried = [v for d in dots if d.stable for v in (d.y, d.high) if v > 0] + [20 * slo for slo in slos]
        if carried and max(ys) > 2 * max(carried):
            top = 1.6 * max(carried)
    is_duration = any(option_text(c, plan.y) for c in panel.curves)
    y = axis_of(plan.y, ys + slos, plan.y_scale, percentile_of(panel), is_duration, top)
    seen = [d for c in panel.curves for d in up_to(c.dots, top)]
    xs = [d.x for d in seen]
    if slos and plan.x in ("rate_per_s", "load"):
        xs += [v for c in panel.curves for v in [cliff_on(plan, c)[0]] if v > 0]
    x = axis_of(plan.x, xs + list(extra), plan.x_scale, percentile_of(panel), any(option_text(c, plan.x) for c in panel.curves))
    return x, y


def option_text(curve, column):
    """Whether a column is an option that is a time, such as `wait=5ms`."""
    for options in (curve.cell.row.get("model_options"), curve.cell.row.get("workload_options")):
        text = str((options or {}).get(column, ""))
        if text and text[-1] == "s" and not math.isnan(option_number(text)):
            return True
    return False


def up_to(dots, top):
    """A curve's dots as far as they are on the page, and the first that is not."""
    if top is None:
        return dots
    for i, dot in enumerate(dots):
        if not dot.stable and dot.y > top:
            return dots[:i + 1]
    return dots


def cliff_on(plan, curve):
    """The cliff and its interval on the x axis; NaN where x is no load or there is none."""
    value, low, high, reached = curve.cell.estimate("cliff_per_s")
    if reached != "ok":
        return math.nan, math.nan, math.nan
    if plan.x == "load":
        return value / curve.saturation, low / curve.saturation, high / curve.saturation
    return (value, low, high) if plan.x == "rate_per_s" else (math.nan,) * 3


def draw(plan, medium, looks):
    """The figure as Built."""
    series = list(dict.fromkeys(c.series for p in plan.panels for c in p.curves))
    series.sort(key=list(looks).index)
    steps = {one: [] for one in series}
    several_runs = len(plan.runs) > 1
    direct = medium.direct and len(plan.panels) == 1 and not several_runs
    names = {one: looks[one].label for one in series}
    handles, right = [], 1.4
    if not direct:
        handles = [handle(looks[one], medium, line=not several_runs) for one in series]
        if several_runs:
            handles += [Line2D([], [], color=medium.ink, ls=RUN_DASHES[i % len(RUN_DASHES)], lw=medium.line, label=run)
                        for i, run in enumerate(plan.runs)]
        if any(not d.stable for p in plan.panels for c in p.curves for d in c.dots):
            grey = looks[series[0]]
            handles.append(Line2D([], [], ls=PAST, lw=0.7 * medium.line, label="past saturation", color=medium.muted,
                                  marker="o", ms=0.9 * grey.size, mfc=medium.background, mec=medium.muted, mew=0.7 * medium.line))
    else:
        widest = max(text_inches(medium, line) for one in series for line in end_words(plan, medium, names[one], None).split("\n"))
        right = widest / (medium.size / 72) + 2.6
    sheet = Sheet(medium, len(plan.panels), plan.title, plan.subtitle, handles, plan.notes, right=right, shared=plan.shared)
    axes_of = [limits(plan, panel) for panel in plan.panels]
    if plan.shared:
        together = limits(plan, Panel("", [c for p in plan.panels for c in p.curves], plan.panels[0].slos))
        axes_of = [together] * len(plan.panels)
    for at, (panel, axes, (x, y)) in enumerate(zip(plan.panels, sheet.axes, axes_of)):
        wide, tall = sheet.panel_inches[at]
        x.put(axes.xaxis, wide, medium.size)
        y.put(axes.yaxis, tall, medium.size)
        if plan.shared and not sheet.first_column[at]:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
        elif not sheet.first_column[at] and same_label(axes_of, at):
            axes.set_ylabel("")
        if plan.shared and not sheet.last_row[at]:
            axes.set_xlabel("")
        if len(plan.panels) > 1:
            axes.set_title(panel.title, loc="left", pad=0.4 * medium.size)
        labels = Labels(axes, medium.size, medium.background)
        if shows_slo(plan, panel):
            draw_slo(axes, medium, panel, x, y, labels, direct)
        if plan.y == "goodput_per_s" and plan.x in ("rate_per_s", "offered_per_s"):
            draw_offered(axes, medium, x, y)
        named = []
        for curve in panel.curves:
            look = looks[curve.series]
            dash = RUN_DASHES[plan.runs.index(curve.run) % len(RUN_DASHES)] if several_runs else look.dash
            artists, end = draw_curve(axes, plan, panel, curve, look, dash, medium, x, y, labels)
            steps[curve.series] += artists
            if direct and end:
                labels.add(*end, end_words(plan, medium, look.label, curve), look.ink)
                named.append(curve.series)
        if direct:
            labels.place()
            for one, artist in zip(named, labels.placed):
                steps[one].append(artist)
    return Built(sheet.figure, [steps[one] for one in series], plan.title)


def same_label(axes_of, at):
    return axes_of[at][1].label == axes_of[at - 1][1].label


def end_words(plan, medium, label, curve):
    """What stands at a line's end: in a talk the name alone, on the web with its cliff or saturation."""
    if medium.name != "web" or plan.x not in ("rate_per_s", "load"):
        return label
    key = {RESPONSE: "cliff_per_s", "goodput_per_s": "saturation_per_s"}.get(plan.y)
    if key is None:
        return label
    word = key.split("_")[0]
    if curve is None:  # how wide it may become
        return f"{label}\n{word} not reached"
    value, _, _, reached = curve.cell.estimate(key)
    return label + "\n" + {"ok": f"{word} {rate(value)}/s", "above": f"{word} not reached",
                           "below": "over the SLO"}.get(reached, f"{word} not measured")


def draw_slo(axes, medium, panel, x, y, labels, direct):
    for slo in sorted(set(panel.slos)):
        at = y.of(slo)
        axes.axhline(at, color=medium.ink, lw=0.7 * medium.line, zorder=3)
        # Above the line at its left end no curve has business: at low load all are below it.
        words = axes.annotate(f"SLO {percentile_name(percentile_of(panel))} ≤ {duration(slo)}", (0, at), (0.4 * medium.size, 0.25 * medium.size),
                              xycoords=("axes fraction", "data"), textcoords="offset points", va="bottom", ha="left", zorder=9)
        labels.avoid_text(words)
        if direct:
            labels.avoid_line([max(x.low, 1e-9), x.high], [at, at])


def draw_offered(axes, medium, x, y):
    ends = [max(x.low, y.low), min(x.high, y.high)]
    axes.plot(ends, ends, color=medium.muted, lw=0.7 * medium.line, ls=(0, (5, 3)), zorder=1)


def draw_curve(axes, plan, panel, curve, look, dash, medium, x, y, labels):
    """(artists, the end in data): carried dots joined in the series' dash, the others hollow and dotted."""
    dots = [d for d in curve.dots if x.shows(d.x) and y.shows(d.y)]
    good, past = [d for d in dots if d.stable], [d for d in dots if not d.stable]
    artists, front, background = [], look.front, medium.background
    spread = [d for d in good if not (math.isnan(d.low) or math.isnan(d.high))]
    floor = y.low

    def bound(value):
        return max(y.of(value), floor) if not math.isnan(value) else math.nan

    cells = plan.x not in ("load",) and all(d.blocks == 0 for d in dots)
    if cells:
        artists += [axes.vlines([x.of(d.x) for d in spread], [bound(d.low) for d in spread], [bound(d.high) for d in spread],
                                color=look.colour, lw=1.6 * look.width, alpha=0.45, zorder=3 + front)] if spread else []
    elif len(spread) > 1 and any(d.blocks > 1 for d in spread):
        artists.append(axes.fill_between([x.of(d.x) for d in spread], [bound(d.low) for d in spread],
                                         [bound(d.high) for d in spread], color=look.colour, alpha=0.15 if not medium.dark else 0.22,
                                         lw=0, zorder=2 + front))
    artists += axes.plot([x.of(d.x) for d in good], [y.of(d.y) for d in good], color=look.colour, ls=dash, lw=look.width, zorder=4 + front)
    if past:
        bridge = [d for d in good if d.rate < past[0].rate][-1:] + past
        artists += axes.plot([x.of(d.x) for d in bridge], [y.of(d.y) for d in bridge], color=look.colour, ls=PAST,
                             lw=0.7 * look.width, zorder=3 + front)
        artists += axes.plot([x.of(d.x) for d in past], [y.of(d.y) for d in past], ls="none", zorder=5 + front, **look.hollow(background))
    artists += axes.plot([x.of(d.x) for d in good], [y.of(d.y) for d in good], ls="none", zorder=6 + front, **look.solid(background))
    for dot in dots:
        if dot.reached in ("above", "below"):
            artists.append(axes.annotate("", (x.of(dot.x), y.of(dot.y)), (0, (2 if dot.reached == "above" else -2) * look.size),
                                         textcoords="offset points", annotation_clip=False,
                                         arrowprops={"arrowstyle": "<|-", "color": look.colour, "lw": 0.8 * look.width, "shrinkA": 0,
                                                     "shrinkB": 0.6 * look.size}))
    artists += draw_cliff(axes, plan, panel, curve, look, medium, x, y)
    labels.avoid_line([x.of(d.x) for d in dots], [min(y.of(d.y), y.high) for d in dots])
    on_page = [d for d in dots if y.of(d.y) <= y.high and x.of(d.x) <= x.high * 1.0001]
    end = max(on_page, key=lambda d: d.x, default=None)
    return artists, (x.of(end.x), y.of(end.y)) if end else None


def draw_cliff(axes, plan, panel, curve, look, medium, x, y):
    """The cliff on the SLO line: a larger mark, and its interval as a bar."""
    if not shows_slo(plan, panel):
        return []
    value, low, high = cliff_on(plan, curve)
    slo = curve.cell.number("slo_ns")
    if not value > 0 or not slo > 0 or not x.low <= x.of(value) <= x.high:
        return []
    artists = []
    if not math.isnan(low) and not math.isnan(high):
        artists += axes.plot([max(x.of(low), x.low), min(x.of(high), x.high)], [y.of(slo)] * 2, color=look.colour, lw=2.4 * look.width,
                             alpha=0.5, solid_capstyle="butt", zorder=6 + look.front)
    return artists + axes.plot([x.of(value)], [y.of(slo)], ls="none", zorder=8 + look.front, **look.solid(medium.background, 1.45))


def title_of(x, y, percentile):
    """`p99 response against offered load`."""
    above, across = words_of(y, percentile), words_of(x, percentile)
    return f"{above[0].upper() if not above.startswith('p9') else above[0]}{above[1:]} against {across}".replace(" (requests/s)", "")
