"""Around a trigger, slice by slice of one trial, for one medium: goodput, p99 and attempts over time."""

import math

from figures.fit import shrink
from figures.media.axis import axis_of, put_ticks
from figures.media.sheet import Sheet, handle
from figures.save import Built
from figures.standard.timeline import timelines, values_of
from figures.triggers import lasts
from figures.words import plain, rate

PANELS = (("goodput_per_s", "goodput (requests/s)"), ("p99_ns", "p99 response"), ("attempts_per_s", "attempts (per second)"))
GAP = 9  # slices between marks, which tell series apart in grey


def has_triggers(named):
    return any(row.get("trigger") for _, run in named for row in run.raw.points)


def shown_in(run, text, name, selection):
    """{series: (rate, trigger, timeline)}, and the cells in the order of the run; of the series that a request takes."""
    shown = timelines(run, text)
    cells = [cell for other, _, cells in run.workloads if other == text for cell in cells
             if cell.series in shown and selection.takes(cell, text, name)]
    return shown, cells


def panels_of(shown, cells, medium):
    """Those that have values. A slide has room for two: attempts tell more than p99 where there are any."""
    present = [panel for panel in PANELS if any(value > 0 for cell in cells for value in values_of(shown[cell.series][2], panel[0]))]
    return [panel for panel in present if panel[0] != "p99_ns"] if medium.most and len(present) > 2 else present


def draw(shown, cells, medium, looks, title, subtitle, notes):
    """Built, with a step for each series."""
    panels = panels_of(shown, cells, medium)
    offered, trigger = shown[cells[0].series][:2]
    slo = max((cell.number("slo_ns") for cell in cells), default=math.nan)
    axes_of = [axis_for(column, label, shown, cells, slo if column == "p99_ns" else offered) for column, label in panels]
    left = max(5.4, *(y.widest(medium) + 2.9 for y in axes_of))
    sheet = Sheet(medium, len(panels), title, subtitle, [handle(looks[cell.series], medium) for cell in cells], notes, left)
    steps = [list(sheet.legend_entry(at)) for at in range(len(cells))]
    begin, until = lasts(trigger)
    for at, ((column, label), y, axes) in enumerate(zip(panels, axes_of, sheet.axes)):
        wide, tall = sheet.panel_inches[at]
        y.put(axes.yaxis, tall, medium.size)
        axes.set_ylabel("")
        shrink(axes.set_title(y.label, loc="left", pad=0.4 * medium.size, color=medium.ink), wide, medium.size)
        end = 0.0
        for nth, cell in enumerate(cells):
            own, look = shown[cell.series][2], looks[cell.series]
            values, step = [y.of(value) for value in values_of(own, column)], own["slice_s"]
            xs = [(i + 0.5) * step for i in range(len(values))]
            kept = [value if y.shows(value) else math.nan for value in values]  # a slice in which nothing ended breaks the line
            steps[nth] += axes.plot(xs, kept, color=look.colour, ls=look.dash, lw=look.width, zorder=4 + look.front,
                                    markevery=(3 * nth % GAP, GAP), **look.solid(medium.background))
            end = max(end, len(values) * step)
        axes.axvspan(begin, min(until, end), color=medium.muted, alpha=0.3, lw=0, zorder=1)
        reference = y.of(slo if column == "p99_ns" else offered)
        if reference > 0:
            axes.axhline(reference, color=medium.muted, lw=0.6 * medium.line, ls=(0, (5, 4)), zorder=2)
        axes.set_xlim(0, end)
        put_ticks(axes.xaxis, plain, most=max(2, min(7, int(wide * 72 / medium.size / 3.6))))
        axes.set_xlabel("time in the window (s)" if sheet.lowest[at] else "")
    return Built(sheet.figure, steps, title)


def axis_for(column, label, shown, cells, reference):
    values = [value for cell in cells for value in values_of(shown[cell.series][2], column) if math.isfinite(value)]
    y = axis_of("goodput_per_s" if column == "attempts_per_s" else column, values + [reference] * (reference > 0),
                "auto" if column == "p99_ns" else "linear")
    if column != "p99_ns":
        y.label, y.low = label, -0.03 * y.high
    return y


def title_of(trigger, offered):
    return f"{trigger[0].upper() + trigger[1:]}, {rate(offered)} requests/s offered"
