"""The page of a standard chart, a 16:9 slide whose charts place their own panels, and the ticks of its axes."""

import math
import textwrap

from matplotlib.lines import Line2D

from figures.fit import fitted, inches
from figures.media.axis import put_ticks
from figures.media.medium import Medium
from figures.media.sheet import Page
from figures.words import plain, rate

STANDARD = Medium("standard", 12.8, 0, 7.2, 9, 19, 2, 7.5, 1, ("svg", "pdf", "png"), 150)
WIDTH, HEIGHT = STANDARD.width, STANDARD.height
MARGIN = 0.22  # of the width, at most, for names at line ends
EDGE = 0.03  # of the width, at the left and right of what is said
MOST_NOTES = 8  # lines of the footnote


class Slide(Page):
    """A slide: title, subtitle, room for axes, a legend where there is one, footnote."""

    def __init__(self, title, subtitle, notes, height=HEIGHT, width=WIDTH, styles=()):
        """styles: of the series in the legend. One that would take more than a quarter of the page makes it longer."""
        size = STANDARD.size
        policies = any(" | " in style.label for style in styles)  # longer names, and dashes that a short line would not show
        names, handle = [fitted(style.label, width / 4, size, 3 if policies else 2) for style in styles], 4.4 if policies else 2.6
        columns = int(0.95 * width / (max((inches(name, size) for name in names), default=1) + (handle + 2.36) * size / 72))
        legend = tallest(names, columns) * size / 72
        height += max(0, legend - height / 4)
        super().__init__(STANDARD, width, height, STANDARD.dpi * WIDTH / width)
        self.height, self.width = height, width
        self.head(title, subtitle, EDGE * width, (0.42, 0.78), 11.5, (13, size))
        lines = [line for note in notes if note for line in textwrap.wrap(note, int(14.6 * width))]
        if len(lines) > MOST_NOTES:
            lines[MOST_NOTES - 1:] = [f"{lines[MOST_NOTES - 1][:-40]} ... and more, which summary.json says"]
        self.footnote(lines, EDGE * width, 0.14, 1.35)
        self.bottom = (0.14 + 0.175 * len(lines) + 0.14) / height  # the top of footnote and legend, share of the page
        self.top = 1 - 1.0 / height
        if styles:
            handles = [Line2D([], [], color=style.colour, ls=style.dash, lw=STANDARD.line, **style.solid(6)) for style in styles]
            self.put_legend(handles, names, loc="lower left", bbox_to_anchor=(0.025, self.bottom), ncol=columns, handlelength=handle, labelspacing=0.35,
                            borderpad=0)
            self.bottom += (legend + 0.1) / height

    def beside(self, label, size):
        """A name in as many lines as the margin for line ends needs for it."""
        return fitted(label, MARGIN * self.width - 0.4, size, 3)

    def right_of(self, texts, size):
        """Where axes end so that the widest of these labels fits into the margin; a share of the width."""
        return 1 - min(max(0.13, (max((inches(text, size) for text in texts), default=0) + 0.4) / self.width), MARGIN)

    def axes(self, left=0.075, right=0.86, bottom=None, top=None, below=0.58):
        """Axes between shares of the page's width; `below` inches are kept for tick and axis labels."""
        low = self.bottom + below / self.height if bottom is None else bottom
        high = (self.top - 0.05 / self.height) if top is None else top
        axes = self.figure.add_axes([left, low, right - left, high - low])
        axes.grid(True, color=STANDARD.grid, linewidth=0.8)
        axes.tick_params(length=3)
        return axes


def tallest(names, columns):
    """The height of a legend in type sizes. Matplotlib fills its columns one after the other, the first ones with one name more."""
    rows, more = divmod(len(names), columns)
    starts = [at * rows + min(at, more) for at in range(columns + 1)]
    return max(sum(1.05 * (name.count("\n") + 1) + 0.35 for name in names[a:b]) for a, b in zip(starts, starts[1:]))


def rate_axis(axis, logarithmic, low, high, inches=9.0):
    """Ticks in requests/s with k; low and high are the axis's limits, inches its length."""
    decade = inches / math.log10(high / low) if logarithmic else 0
    subs = (1, 2, 5) if decade > 1.7 else (1, 3) if decade > 0.9 else (1,)
    put_ticks(axis, rate, subs=subs if logarithmic else (), most=max(3, min(8, int(inches / 0.75))))


def time_axis(axis, low, high):
    """A log axis in ms."""
    decades = math.log10(high / low)
    put_ticks(axis, plain, subs=(1, 1.5, 2, 3, 5, 7) if decades < 1 else (1, 2, 5) if decades < 2.6 else (1,),
              minor=range(2, 10) if decades >= 2 else ())


def percentile_axis(axis, highest):
    """Ticks of a 1/(1-p) log axis, up to the percentile that `highest` = 1/(1-p) stands for."""
    words = {2: "50%", 10: "90%", 100: "99%", 1000: "99.9%", 10_000: "99.99%", 100_000: "99.999%", 1_000_000: "99.9999%"}
    put_ticks(axis, lambda value: words.get(round(value), ""), [place for place in words if place <= highest])
