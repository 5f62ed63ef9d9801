"""What policies cost the machine: attempts for each request, the wasted share of them, and CPU time, against offered load."""

from figures.labels import Labels
from figures.palette import INK, MUTED
from figures.standard.base import Skip, draw_curve, limits_x, missing, subtitle, wants_logarithm, warnings, with_points
from figures.standard.slide import Slide
from figures.media.axis import put_ticks
from figures.words import plain, rate

PANELS = (("attempts per request", "attempts_per_request", 1.0), ("wasted share of attempts", "wasted", 0.01),
          ("model's CPU per request (µs)", "cpu_model_ns", 1e3))  # title, column, unit of the axis
SIZE = 11


def work(run, text, name, cells):
    drawn = with_points(cells)
    if not any(cell.policy for cell in drawn):
        raise Skip("no policy stands before a model")
    if not any(p.median("attempts_per_request")[0] > 0 for cell in drawn for p in cell.points):
        raise Skip("points.csv has no attempts_per_request: the run is of an older version")
    panels = [panel for panel in PANELS if panel[1] == "wasted" or any(p.median(panel[1])[0] > 0 for c in drawn for p in c.points)]
    page = Slide(f"What policies cost: {name}", subtitle(run, text),
                 ["An attempt is what a policy hands to the model: a batch, a request, or a further try of one. Wasted: begun, and not what ended its "
                  "request. Dashed: one attempt for each. CPU time includes losers. Medians over blocks; bands and bars: lowest to highest block; hollow: past saturation."
                  + ("" if len(panels) == len(PANELS) else " The virtual clock measures no CPU time."), missing(run, cells), warnings(run)],
                 styles=[run.styles[c.series] for c in drawn])
    wide = (0.975 - 0.06) / len(panels)
    for at, (title, column, unit) in enumerate(panels):
        axes = page.axes(0.06 + at * wide, 0.06 + (at + 1) * wide - 0.045, top=page.top - 0.42 / page.height)
        axes.set_title(title, loc="left", fontsize=13, color=INK, pad=10)
        panel(run, axes, drawn, column, unit, wide * page.width)
    return page


def panel(run, axes, drawn, column, unit, inches):
    logarithmic = wants_logarithm(drawn)
    limits_x(axes, drawn, logarithmic, [p.rate for c in drawn for p in c.points])
    put_ticks(axes.xaxis, rate, subs=(1, 3) if logarithmic else (), most=max(3, int(inches / 0.9)))
    axes.set_xlabel("offered load (requests/s)" if inches > 3.4 else "offered requests/s")
    values = [v / unit for c in drawn for p in c.points for v in p.median(column) if v >= 0]
    positive = [v for v in values if v > 0]
    if column != "wasted" and positive and max(positive) > 10 * min(positive):
        axes.set_yscale("log")
        axes.set_ylim(min(positive) / 1.4, max(positive) * 1.4)
        put_ticks(axes.yaxis, plain, subs=(1, 2, 5))
    else:
        top = 1.12 * max(positive, default=1.0)
        axes.set_ylim(-0.04 * top, top)  # marks at 0 are whole
        put_ticks(axes.yaxis, lambda v: plain(v) + ("%" if column == "wasted" else ""), most=6)
    if column == "attempts_per_request":
        axes.axhline(1, color=MUTED, lw=1.2, ls=(0, (5, 4)), zorder=1)
    labels = Labels(axes, SIZE)
    for cell in drawn:
        draw_curve(run, axes, labels, cell, [p for p in cell.points if p.median(column)[0] >= 0], *(
            lambda p, k=k: p.median(column)[k] / unit for k in range(3)))
