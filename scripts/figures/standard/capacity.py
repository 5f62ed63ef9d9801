"""Cliff and saturation of every cell of a run, as dots and whiskers and as figures beside them."""

import math

from figures.fit import fitted, inches, shrink
from figures.palette import GRID, INK, MUTED, natural
from figures.standard.base import missing, subtitle, titled, warnings
from figures.standard.slide import HEIGHT, Slide, rate_axis
from figures.words import rate


def capacity(run):
    """Cliff and saturation of every cell: dots and whiskers, and the same as a table."""
    workloads = titled(run)
    rows = sum(len(cells) for _, _, cells in workloads)
    wide = rows > 14 and len(workloads) > 1  # two columns on a larger page of the same shape
    split = [[], []]
    for workload in workloads:
        sizes = [sum(len(c[2]) + 2.2 for c in column) for column in split]
        split[0 if not wide or sizes[0] <= sizes[1] else 1].append(workload)
    unmeasured = [f"{name}: {missing(run, cells)[len('Not drawn: '):]}" for _, name, cells in workloads
                  if missing(run, cells)]
    notes = ["Response from intended arrival; open loop; bars: 95% intervals over blocks. Percentages: share of the ideal for "
             "this work, where it has one. Arrows: not reached by the highest rate offered, or over the SLO at the lowest.",
             "Not measured: " + " ".join(unmeasured) if unmeasured else "", warnings(run)]
    width, height = (16.0, 9.0) if wide else (12.8, HEIGHT)
    head = 0.86  # inches of a panel that are not rows: its title and its axis

    def row_inches(page):
        room = (page.top - page.bottom) * page.height
        return min((room - head * len(column)) / sum(len(c[2]) for c in column) for column in split if column)

    title = "Where latency falls off the cliff, and what each model carries at most"
    page = Slide(title, subtitle(run), notes, height, width)
    size = 10.5 if wide else 11.5
    names = names_of_rows(run, (0.5 if wide else 1) * width, size)
    least = 0.24 if all("\n" not in name for name in names.values()) else 2.6 * size / 72  # inches of a row
    if row_inches(page) < least:  # more cells than a slide can hold: a longer page
        height += max((least - row_inches(page)) * sum(len(c[2]) for c in column) for column in split)
        page = Slide(title, subtitle(run), notes, height, width)
    inches = min(0.5, row_inches(page))
    if not wide and inches == 0.5:  # few cells: a shorter page instead of an empty one
        height = max(3.2, height - (row_inches(page) - inches) * rows)
        page = Slide(title, subtitle(run), notes, height, width)
    for at, column in enumerate(split):
        y = page.top
        for _, name, cells in column:
            models = [c.model for c in cells]
            cells = sorted(cells, key=lambda c: (models.index(c.model), natural(c.series)))
            tall = len(cells) * inches / height
            y -= 0.4 / height + tall
            capacity_panel(run, page, at * 0.5, 0.5 if wide else 1.0, y, tall, name, cells, names)
            y -= (head - 0.4) / height
    return page


def names_of_rows(run, width, size):
    """{series: name} in at most two lines that leave most of a panel, `width` inches wide, to its figures."""
    return {series: fitted(style.label, 0.27 * width, size, 2) for series, style in run.styles.items()}


def capacity_panel(run, page, left, width, bottom, tall, name, cells, rows):
    narrow = width < 1
    size = 10.5 if narrow else 11.5
    names = (max(inches(rows[c.series], size) for c in cells) + 0.25) / page.width + 0.03
    numbers = (2.75 if narrow else 4.7) / page.width
    axes = page.figure.add_axes([left + names, bottom, width - names - numbers, tall])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.grid(True, axis="x", color=GRID, lw=0.8)
    axes.spines["left"].set_visible(False)
    axes.set_yticks(range(len(cells)), [rows[c.series] for c in cells], fontsize=size)
    axes.tick_params(axis="y", length=0, pad=8)
    axes.tick_params(axis="x", labelsize=size)
    for tick, cell in zip(axes.get_yticklabels(), cells):
        tick.set_color(run.styles[cell.series].ink)
    values = [v for c in cells for key in ("cliff_per_s", "saturation_per_s") for v in c.estimate(key)[:3] if v > 0]
    logarithmic = bool(values) and max(values) > 10 * min(values)
    high = max(values, default=1) * (1.5 if logarithmic else 1.09)
    below = any(c.estimate("cliff_per_s")[3] == "below" for c in cells)
    low = min(values) / (3.5 if below else 1.5) if logarithmic else 0
    if logarithmic:
        axes.set_xscale("log")
    axes.set_xlim(low, high)
    rate_axis(axes.xaxis, logarithmic, max(low, 1e-9), high, (width - names - numbers) * page.width)
    above = bottom + tall + 0.17 / page.height
    heading = page.figure.text(left + 0.03, above, name, fontsize=14, fontweight="bold", color=INK, va="baseline")
    shrink(heading, (width - numbers - 0.03) * page.width - 1, 11.5)  # an inch is for the unit beside it
    end = left + 0.03 + inches(heading.get_text(), heading.get_fontsize(), "bold") / page.width
    page.figure.text(max(end + 0.008, left + names), above, "requests/s", fontsize=size, color=MUTED, va="baseline")
    first, second = (14, 108) if narrow else (16, 170)
    for offset, words in ((first, "● cliff"), (second, "┃ saturation")):
        axes.annotate(words, (1, 1), (offset, 0.17 * 72), xycoords="axes fraction", textcoords="offset points",
                      fontsize=size, fontweight="bold", color=INK, va="baseline", annotation_clip=False)
    for i, cell in enumerate(cells):
        style = run.styles[cell.series]
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
            axes.annotate(figure_words(cell, key, estimate, narrow), (1, i), (offset, 0),
                          xycoords=("axes fraction", "data"), textcoords="offset points", va="center_baseline",
                          fontsize=size - 0.5, color=INK, annotation_clip=False)


def figure_words(cell, key, estimate, narrow):
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
