"""What the charts of trade-offs share: the page with its key, and how a measured point, a closed form and a published figure look."""

from matplotlib.lines import Line2D

from figures.palette import INK, MUTED, readable
from figures.standard.slide import EDGE, Slide

# Smaller than a standard chart's page, so that its type is still read where the page is 700 pixels wide.
WIDTH, HEIGHT = 9.6, 6.0
SIZE, SMALL = 11, 10
FIRST, SECOND, THIRD, FOURTH, FIFTH = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#4D4D4D"
FORM = (0, (5, 2.5))  # the dash of closed forms

# Lines of the key.
MEASURED = ("measured", {"ls": "none", "marker": "o", "ms": 8, "mfc": INK, "mec": "white"})
BARS = ("measured", {"ls": "none", "marker": "s", "ms": 9, "mfc": INK, "mec": "white"})
CLOSED = ("closed form", {"ls": FORM, "lw": 1.8, "color": INK})
PUBLISHED = ("published", {"ls": "none", "marker": "*", "ms": 14, "mfc": "white", "mec": INK, "mew": 1.2})


class Page(Slide):
    """A slide with a key of the marks that it has, below the subtitle."""

    def __init__(self, title, setup, notes, *kinds):
        super().__init__(title, f"{setup}  ·  simulated", notes, height=HEIGHT, width=WIDTH)
        self.top = 1 - 1.32 / HEIGHT
        self.put_key(kinds or (MEASURED, CLOSED))

    def put_key(self, kinds):
        handles = [Line2D([], [], label=words, **look) for words, look in kinds]
        self.figure.legend(handles=handles, loc="center left", bbox_to_anchor=(EDGE - 0.005, 1 - 1.1 / HEIGHT), ncol=len(handles), frameon=False,
                           fontsize=SMALL, labelcolor=MUTED, borderpad=0, borderaxespad=0, handlelength=2.4, columnspacing=1.6)

    def panels(self, count, left=0.09, right=0.97, gap=0.1, titles=(), shares=None):
        """Axes side by side; `shares` of the width that they have, alike where not given."""
        wide = right - left - gap * (count - 1)
        shares, found = shares or [1 / count] * count, []
        for at, share in enumerate(shares):
            axes = self.axes(left, left + wide * share, top=self.top - (0.3 / HEIGHT if titles else 0.05 / HEIGHT))
            left += wide * share + gap
            if titles:
                axes.set_title(titles[at], loc="left", fontsize=SIZE, color=INK, pad=8)
            found.append(axes)
        return found


# -- marks -----------------------------------------------------------------------------------------


def dots(axes, xs, ys, colour, marker="o", size=9, **more):
    axes.plot(xs, ys, ls="none", marker=marker, ms=size, mfc=colour, mec="white", mew=0.9, zorder=6, **more)


def hollow(axes, xs, ys, colour, marker="o", size=9):
    axes.plot(xs, ys, ls="none", marker=marker, ms=size, mfc="white", mec=colour, mew=1.6, zorder=6)


def form(axes, xs, ys, colour):
    axes.plot(xs, ys, color=colour, lw=1.8, ls=FORM, zorder=4)


def joined(axes, xs, ys, colour):
    """A thin line through points of which there is no closed form."""
    axes.plot(xs, ys, color=colour, lw=1.2, alpha=0.55, zorder=3)


def star(axes, x, y, colour="white"):
    """What was published; a measured point at the same place is drawn inside it."""
    axes.plot([x], [y], ls="none", marker="*", ms=18, mfc=colour, mec=INK, mew=1.1, zorder=5, clip_on=False)


def say(axes, x, y, text, colour=INK, dx=0, dy=0, ha="left", va="center", size=SIZE, weight="bold", coords="data"):
    """Words at (x, y), so many points away."""
    return axes.annotate(text, (x, y), (dx, dy), xycoords=coords, textcoords="offset points", ha=ha, va=va, fontsize=size, fontweight=weight,
                         color=readable(colour), linespacing=1.15, annotation_clip=False, zorder=9)


def upright(axes, x, colour=MUTED):
    axes.axvline(x, color=colour, lw=1.3, ls=FORM, zorder=2)


# -- rows of bars ----------------------------------------------------------------------------------


def rows(axes, names, shown=True):
    """An upright axis with a name for each row, the first at the top."""
    axes.set_yticks(range(len(names)), names if shown else [""] * len(names), fontsize=SIZE)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")


def bar(axes, row, value, words, colour, tall=0.56, inside=False):
    """A bar with words at its end: before it in white, or past it and past a closed form near it."""
    axes.barh(row, value, height=tall, color=colour, zorder=3)
    at = say(axes, value, row, words, INK, dx=-7 if inside else 8, ha="right" if inside else "left", size=SMALL, weight="normal")
    if inside:
        at.set_color("white")


def tick_of_form(axes, row, value, tall=0.56):
    """A closed form's value across a row."""
    axes.plot([value, value], [row - tall / 2 - 0.12, row + tall / 2 + 0.12], color=INK, lw=2.2, ls=(0, (2.2, 1)), zorder=7)


def form_of_all(axes, value):
    """A closed form's value of all rows."""
    axes.plot([value, value], axes.get_ylim(), color=INK, lw=1.8, ls=FORM, zorder=5)


# -- values of trials, in ms -----------------------------------------------------------------------


def of(trial, name):
    return trial["response_ns"][name] / 1e6


def of_kind(trial, number, name):
    """Of a class of requests."""
    return trial["classes"][number]["response_ns"][name] / 1e6
