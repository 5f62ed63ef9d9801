"""Who carries most under the SLO: the run's verdicts, with cliffs as dots, 95% intervals as bars and a bracket around those not told apart."""

from figures.fit import fitted, inches, shrink
from figures.palette import GRID, INK, MUTED
from figures.standard.base import Skip, subtitle, warnings
from figures.standard.slide import Slide, rate_axis
from figures.words import rate

WIDTH, ROW, HEAD, SIZE = 12.8, 0.27, 0.92, 11  # inches of the page, of a row, and of a panel that are not rows; points
BRACKET = 0.16  # inches for a bracket


def verdict(run):
    panels = [(one, rows_of(run, one)) for one in run.summary.get("verdict") or []]
    panels = [(one, rows) for one, rows in panels if rows]
    if not panels:
        raise Skip("summary.json has no verdict: `precipice show` of the run prints it" if not run.summary.get("verdict") else "no model has a cliff")
    height = 1.3 + sum(HEAD + ROW * len(rows) for _, rows in panels)
    notes = ["Cliffs in requests/s with 95% intervals; arrows: bounds. A bracket joins models that are not told apart, where Holm's correction covers all pairs "
             "of a workload.", warnings(run)]
    page = Slide("Who carries most under the SLO", subtitle(run), notes, height, WIDTH)
    y = page.top
    for one, rows in panels:
        tall = ROW * len(rows) / page.height
        y -= 0.42 / page.height + tall
        panel(run, page, y, tall, one, rows)
        y -= (HEAD - 0.42) / page.height
    return page


def rows_of(run, one):
    """(style, estimate, letters) of every model with a cliff or a bound, highest first."""
    rows = []
    for row in (one.get("best") or []) + (one.get("rest") or []) + (one.get("none_holds") or []):
        cliff = row.get("cliff_per_s") or {}
        if row.get("series") in run.styles and (cliff.get("value") or 0) > 0:
            rows.append((run.styles[row["series"]], cliff, row.get("groups") or ""))
    return rows


def panel(run, page, bottom, tall, one, rows):
    names = [fitted(style.label, 0.27 * WIDTH, SIZE, 1) for style, _, _ in rows]
    left = 0.055 + max(inches(name, SIZE) for name in names) / WIDTH
    letters = [letter for letter in sorted(set("".join(groups for _, _, groups in rows)))
               if sum(letter in groups for _, _, groups in rows) > 1]
    right = 1 - (0.3 + BRACKET * len(letters) + max(inches(words(cliff), SIZE) for _, cliff, _ in rows)) / WIDTH
    axes = page.figure.add_axes([left, bottom, right - left, tall])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(True, axis="x", color=GRID, lw=0.8)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(range(len(rows)), names, fontsize=SIZE)
    axes.tick_params(axis="y", length=0, pad=8)
    values = [v for _, cliff, _ in rows for v in (cliff["value"], cliff.get("low"), cliff.get("high")) if v and v > 0]
    logarithmic = max(values) > 10 * min(values)
    low, high = (min(values) / 1.6, max(values) * 1.6) if logarithmic else (0, max(values) * 1.06)
    if logarithmic:
        axes.set_xscale("log")
    axes.set_xlim(low, high)
    rate_axis(axes.xaxis, logarithmic, max(low, 1e-9), high, (right - left) * WIDTH)
    heading = page.figure.text(0.03, bottom + tall + 0.14 / page.height, one.get("text") or "", fontsize=13, fontweight="bold", color=INK)
    shrink(heading, (1 - 0.06) * WIDTH, 9)
    for i, (style, cliff, _) in enumerate(rows):
        axes.get_yticklabels()[i].set_color(style.ink)
        if cliff.get("reached") == "ok" and cliff.get("low") and cliff.get("high"):
            axes.plot([cliff["low"], cliff["high"]], [i, i], color=style.colour, lw=4.5, alpha=0.4, solid_capstyle="butt", zorder=3)
        if cliff.get("reached") in ("above", "below"):
            axes.annotate("", (cliff["value"], i), (26 if cliff["reached"] == "above" else -26, 0), textcoords="offset points", annotation_clip=False,
                          arrowprops={"arrowstyle": "<|-", "color": style.colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0})
        axes.plot([cliff["value"]], [i], ls="none", zorder=6, clip_on=False, **style.solid(8))
        axes.annotate(words(cliff), (1, i), (72 * (0.14 + BRACKET * len(letters)), 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      va="center_baseline", fontsize=SIZE - 0.5, color=INK, annotation_clip=False)
    wide = (right - left) * WIDTH
    for k, letter in enumerate(letters):
        members = [i for i, (_, _, groups) in enumerate(rows) if letter in groups]
        x = 1 + (0.1 + BRACKET * k + 0.08) / wide
        bracket = {"transform": axes.get_yaxis_transform(), "color": MUTED, "lw": 1.5, "clip_on": False}
        axes.plot([x, x], [members[0] - 0.2, members[-1] + 0.2], **bracket)
        for i in members:
            axes.plot([x - 0.06 / wide, x], [i, i], **bracket)


def words(cliff):
    value, low, high, reached = (cliff.get(name) for name in ("value", "low", "high", "reached"))
    if reached in ("above", "below"):
        return f"{'>' if reached == 'above' else '<'} {rate(value)}"
    return f"{rate(value)} [{rate(low)}, {rate(high)}]" if low is not None and high is not None else rate(value)
