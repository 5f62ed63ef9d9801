"""What a million requests cost at the cliff, cheapest first, with 95% intervals."""

from figures.fit import fitted, inches
from figures.media.axis import put_ticks
from figures.palette import GRID, INK
from figures.standard.base import Skip, missing, subtitle, warnings
from figures.standard.slide import Slide
from figures.words import plain

WIDTH, ROW, SIZE = 12.8, 0.34, 11.5  # inches of the page and of a row; points


def cost(run, text, name, cells):
    rows = sorted((c for c in cells if c.estimate("cost_per_million").value > 0), key=lambda c: c.estimate("cost_per_million").value)
    if not rows:
        raise Skip("the suite names no price_per_cpu_hour" if not run.suite.get("price_per_cpu_hour") else "no series has a cliff")
    names = [fitted(run.styles[c.series].label, 0.3 * WIDTH, SIZE, 2) for c in rows]
    tall = ROW if all("\n" not in one for one in names) else 2.6 * SIZE / 72
    without = [(c.series, c.reason or "no cliff, or it breaks the SLO at any load") for c in cells if c not in rows]
    page = Slide(f"Cost of a million requests at the cliff: {name}", subtitle(run, text),
                 [f"The price of all CPUs of the model, {plain(float(run.suite.get('price_per_cpu_hour') or 0), 6)} per CPU hour, over the requests that are "
                  "carried under the SLO. Bars: 95% intervals. Arrow: a bound, where the cliff is one.", missing(run, [], without), warnings(run)],
                 max(3.0, 2.45 + tall * len(rows) + 0.175), WIDTH)
    left = 0.05 + max(inches(one, SIZE) for one in names) / WIDTH
    words = [figure_words(c.estimate("cost_per_million")) for c in rows]
    right = 1 - (0.45 + max(inches(one, SIZE) for one in words)) / WIDTH
    axes = page.axes(left, right, top=page.top)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x", color=GRID, lw=0.8)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(range(len(rows)), names, fontsize=SIZE)
    axes.tick_params(axis="y", length=0, pad=8)
    values = [v for c in rows for v in c.estimate("cost_per_million")[:3] if v > 0]
    logarithmic = max(values) > 10 * min(values)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 1.5, max(values) * 1.5)
    else:
        axes.set_xlim(0, max(values) * 1.08)
    put_ticks(axes.xaxis, plain, subs=(1, 2, 5) if logarithmic else ())
    axes.set_xlabel("cost of a million requests, in the suite's currency")
    for at, (cell, said) in enumerate(zip(rows, words)):
        style, (value, low, high, reached) = run.styles[cell.series], cell.estimate("cost_per_million")
        axes.get_yticklabels()[at].set_color(style.ink)
        if reached == "ok" and low > 0 and high > 0:
            axes.plot([low, high], [at, at], color=style.colour, lw=5, alpha=0.4, solid_capstyle="butt", zorder=3)
        if reached in ("above", "below"):
            axes.annotate("", (value, at), (26 if reached == "above" else -26, 0), textcoords="offset points", annotation_clip=False,
                          arrowprops={"arrowstyle": "<|-", "color": style.colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0})
        axes.plot([value], [at], ls="none", zorder=6, clip_on=False, **style.solid(9))
        axes.annotate(said, (1, at), (12, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center_baseline",
                      fontsize=SIZE - 0.5, color=INK, annotation_clip=False)
    return page


def figure_words(estimate):
    value, low, high, reached = estimate
    if reached in ("above", "below"):
        return f"{'>' if reached == 'above' else '<'} {plain(value)}"
    return f"{plain(value)} [{plain(low)}, {plain(high)}]" if low > 0 and high > 0 else plain(value)
