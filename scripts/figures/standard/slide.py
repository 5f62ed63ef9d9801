"""The page of a standard chart: a 16:9 slide with title, subtitle and footnote, and the ticks of its axes."""

import math
import textwrap

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from figures.fit import fitted, inches, shrink
from figures.palette import GRID, INK, MUTED
from figures.words import plain, rate

WIDTH, HEIGHT, DPI = 12.8, 7.2, 150  # inches: 1920 x 1080
MARGIN = 0.22  # of the width, at most, for names at line ends
LEGEND_SIZE = 9  # points
MOST_NOTES = 8  # lines of the footnote


class Page:
    """A slide: title, subtitle, room for axes, a legend where there is one, footnote."""

    def __init__(self, title, subtitle, notes, height=HEIGHT, width=WIDTH, styles=()):
        """styles: of the series in the legend. One that would take more than a quarter of the page makes it longer."""
        names = [fitted(style.label, width / 4, LEGEND_SIZE, 2) for style in styles]
        columns = int(0.95 * width / (max((inches(name, LEGEND_SIZE) for name in names), default=1) + 0.62))
        rows, lines = math.ceil(len(names) / columns), max((name.count("\n") + 1 for name in names), default=0)
        legend = rows * (1.05 * lines + 0.35) * LEGEND_SIZE / 72
        height += max(0, legend - height / 4)
        self.figure = Figure(figsize=(width, height), dpi=DPI * WIDTH / width, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.height, self.width = height, width
        self.figure.text(0.03, 1 - 0.42 / height, title, fontsize=19, fontweight="bold", color=INK, va="center")
        self.figure.text(0.03, 1 - 0.78 / height, subtitle, fontsize=11.5, color=MUTED, va="center")
        for text, least in zip(self.figure.texts, (13, 9)):
            shrink(text, 0.94 * width, least)
        lines = [line for note in notes if note for line in textwrap.wrap(note, int(14.6 * width))]
        if len(lines) > MOST_NOTES:
            lines[MOST_NOTES - 1:] = [f"{lines[MOST_NOTES - 1][:-40]} ... and more, which summary.json says"]
        self.figure.text(0.03, 0.14 / height, "\n".join(lines), fontsize=9, color=MUTED, va="bottom", linespacing=1.35)
        self.bottom = (0.14 + 0.175 * len(lines) + 0.14) / height  # the top of footnote and legend, share of the page
        self.top = 1 - 1.0 / height
        if styles:
            self.legend(styles, names, columns)
            self.bottom += (legend + 0.1) / height

    def legend(self, styles, names, columns):
        handles = [Line2D([], [], color=style.colour, ls=style.dash, lw=2, **style.solid(6)) for style in styles]
        # Matplotlib leaves out what begins with an underscore, so names are put in afterwards.
        made = self.figure.legend(handles, ["-"] * len(names), loc="lower left", bbox_to_anchor=(0.025, self.bottom), ncol=columns, frameon=False,
                                  fontsize=LEGEND_SIZE, handlelength=2.6, handletextpad=0.5, columnspacing=1.1, labelspacing=0.35, borderpad=0,
                                  borderaxespad=0)
        for text, name in zip(made.get_texts(), names):
            text.set_text(name)

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
        axes.grid(True, color=GRID, linewidth=0.8)
        axes.tick_params(length=3)
        return axes


def rate_axis(axis, logarithmic, low, high, inches=9.0):
    """Ticks in requests/s with k; low and high are the axis's limits, inches its length."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: rate(value)))
    axis.set_minor_formatter(NullFormatter())
    if not logarithmic:
        axis.set_major_locator(MaxNLocator(max(3, min(8, int(inches / 0.75))), steps=[1, 2, 2.5, 5, 10]))
        return
    decades = math.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if inches / decades > 1.7 else (1, 3) if inches / decades > 0.9 else (1,), numticks=30))
    axis.set_minor_locator(NullLocator())


def time_axis(axis, low, high):
    """A log axis in ms."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_formatter(NullFormatter())
    decades = math.log10(high / low)
    subs = (1, 1.5, 2, 3, 5, 7) if decades < 1 else (1, 2, 5) if decades < 2.6 else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=30))
    if decades >= 2:
        axis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=100))
    else:
        axis.set_minor_locator(NullLocator())


def percentile_axis(axis, highest):
    """Ticks of a 1/(1-p) log axis, up to the percentile that `highest` = 1/(1-p) stands for."""
    ticks = [(2, "50%"), (10, "90%"), (100, "99%"), (1e3, "99.9%"), (1e4, "99.99%"), (1e5, "99.999%"), (1e6, "99.9999%")]
    ticks = [tick for tick in ticks if tick[0] <= highest]
    axis.set_major_locator(FixedLocator([t for t, _ in ticks]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: dict(ticks).get(round(value), "")))
    axis.set_minor_locator(NullLocator())
