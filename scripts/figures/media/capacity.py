"""Cliff and saturation of every series with their intervals, one panel per workload, for one medium."""

import math

from matplotlib.lines import Line2D

from figures.fit import fitted, inches, shrink
from figures.media.axis import axis_of
from figures.media.sheet import EDGE, Sheet
from figures.save import Built


CAPACITY = (("cliff_per_s", "cliff"), ("saturation_per_s", "saturation"))
COST = (("cost_per_million", "cost"),)


def draw(name_and_cells, medium, looks, title, subtitle, notes, figures=CAPACITY, common="requests/s"):
    """From [(workload, [(run, cell)])]; Built with a step per series. Rows are series, from the top in the looks' order. figures: the one
    that is a dot, and the one that is an upright where there is one."""
    rows = [key for key in dict.fromkeys((cell.series, run) for _, cells in name_and_cells for run, cell in cells)]
    order = list(looks)
    rows.sort(key=lambda key: order.index(key[0]))
    several = len({run for _, run in rows}) > 1
    words = [f"{looks[series].label} · {run}" if several else looks[series].label for series, run in rows]
    room = 0.45 * medium.width / min(medium.columns, len(name_and_cells))
    words = [fitted(word, room, medium.size, 3) for word in words]
    lines = max(word.count("\n") + 1 for word in words)
    left = max(inches(word, medium.size) for word in words) / (medium.size / 72) + (EDGE if medium.title else 0.4) + 0.6
    mark = {"ls": "none", "color": medium.ink, "marker": "o", "ms": medium.marker * 1.2, "mec": medium.background}
    handles = [Line2D([], [], label=figures[0][1], **mark),
               Line2D([], [], ls="none", marker="|", ms=medium.size * 1.1, mew=1.6 * medium.line, color=medium.ink, label=figures[1][1])
               ] if len(figures) > 1 else []
    heights = None if medium.height else [len(rows) * (0.3 + 1.2 * lines) * medium.size / 72] * math.ceil(len(name_and_cells) / medium.columns)
    sheet = Sheet(medium, len(name_and_cells), title, subtitle, handles, notes, left, 1.6, True, heights,
                  common=(common, ""))
    steps = {row: [] for row in rows}
    for at, ((workload, cells), axes) in enumerate(zip(name_and_cells, sheet.axes)):
        found = {(cell.series, run): cell for run, cell in cells}
        values = [v for cell in found.values() for key, _ in figures for v in cell.estimate(key)[:3] if v > 0]
        x = axis_of("rate_per_s" if figures is CAPACITY else figures[0][0], values)
        x.label = ""
        x.put(axes.xaxis, sheet.panel_inches[at][0], medium.size)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_yticks(range(len(rows)), words if sheet.first_column[at] else [""] * len(rows))
        if len(name_and_cells) > 1:
            shrink(axes.set_title(workload, loc="left", pad=0.4 * medium.size), sheet.panel_inches[at][0], medium.size)
        for i, row in enumerate(rows):
            if sheet.first_column[at]:
                tick = axes.get_yticklabels()[i]
                tick.set_color(looks[row[0]].ink)
            if row in found:
                steps[row] += draw_row(axes, i, found[row], looks[row[0]], medium, x, figures)
            else:
                steps[row].append(axes.text(x.high, i, "not measured", ha="right", va="center", color=medium.muted))
    by_series = {}
    for (series, _), artists in steps.items():
        by_series.setdefault(series, []).extend(artists)
    return Built(sheet.figure, list(by_series.values()), title)


def draw_row(axes, i, cell, look, medium, x, figures):
    each = [(kind, cell.estimate(key)) for key, kind in figures]
    ends = [estimate.value for _, estimate in each if estimate.value > 0]
    if not ends:
        return [axes.text(x.high, i, "not measured", ha="right", va="center", color=medium.muted)]
    artists, front = [], look.front
    if len(ends) > 1:
        artists += axes.plot(ends, [i, i], color=look.colour, lw=0.5 * look.width, alpha=0.5, zorder=2 + front)
    for kind, (value, low, high, reached) in each:
        if not value > 0:
            continue
        if reached == "ok" and not math.isnan(low) and not math.isnan(high):
            artists += axes.plot([max(low, x.low), min(high, x.high)], [i, i], color=look.colour, lw=2.4 * look.width, alpha=0.4,
                                 solid_capstyle="butt", zorder=3 + front)
        if reached in ("above", "below"):
            artists.append(axes.annotate("", (value, i), (2.4 * medium.marker * (1 if reached == "above" else -1), 0),
                                         textcoords="offset points", annotation_clip=False,
                                         arrowprops={"arrowstyle": "<|-", "color": look.colour, "lw": 0.8 * look.width, "shrinkA": 0,
                                                     "shrinkB": 0}))
        style = look.solid(medium.background, 1.2) if kind != "saturation" else {
            "marker": "|", "ms": medium.size * 1.1, "mew": 1.6 * medium.line, "color": look.colour}
        artists += axes.plot([value], [i], ls="none", zorder=(6 if kind != "saturation" else 5) + front, clip_on=False, **style)
    return artists
