"""The page of a standard chart: a 16:9 slide with title, subtitle and footnote, and the ticks of its axes."""

import math
import textwrap

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from figures.palette import GRID, INK, MUTED
from figures.words import plain, rate

WIDTH, HEIGHT, DPI = 12.8, 7.2, 150  # inches: 1920 x 1080


class Page:
    """A slide: title, subtitle, room for axes, footnote."""

    def __init__(self, title, subtitle, notes, height=HEIGHT, width=WIDTH):
        self.figure = Figure(figsize=(width, height), dpi=DPI * WIDTH / width, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.height, self.width = height, width
        self.figure.text(0.03, 1 - 0.42 / height, title, fontsize=19, fontweight="bold", color=INK, va="center")
        self.figure.text(0.03, 1 - 0.78 / height, textwrap.shorten(subtitle, 150, placeholder=" ..."),
                         fontsize=11.5, color=MUTED, va="center")
        lines = [line for note in notes if note for line in textwrap.wrap(note, int(14.6 * width))]
        self.figure.text(0.03, 0.14 / height, "\n".join(lines), fontsize=9, color=MUTED, va="bottom", linespacing=1.35)
        self.bottom = (0.14 + 0.175 * len(lines) + 0.14) / height  # the footnote's top, share of the page
        self.top = 1 - 1.0 / height

    def right_of(self, texts, size, most=0.22):
        """Where axes end so that the widest of these labels fits into the margin; a share of the width."""
        longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
        return 1 - min(max(0.13, (longest * size * 0.6 / 72 + 0.4) / self.width), most)

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
