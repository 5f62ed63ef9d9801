"""A figure's page: how panels, title, legend and footnote share it, in inches of the medium."""

import math
import textwrap

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.fit import fitted, inches, shrink

LEFT, RIGHT = 5.4, 1.4  # margins in type sizes: room for ticks and a label; for half a tick's label
EDGE = 1.6  # where a title starts


class Page:
    """A figure with what can stand around its panels, in a medium's type and colours: title and subtitle, legend, footnote."""

    def __init__(self, medium, width, height, dpi):
        self.medium = medium
        self.figure = Figure(figsize=(width, height), dpi=dpi, facecolor=medium.background)
        FigureCanvasAgg(self.figure)

    def head(self, title, subtitle, margin, down, size, least):
        """margin: inches at the left and right; down: inches from the top to the middle of title and subtitle; size: points of the
        subtitle; least: points down to which each shrinks before it is cut."""
        width, height = self.figure.get_size_inches()
        for text, at, smallest, look in ((title, down[0], least[0], {"fontsize": self.medium.title, "fontweight": "bold", "color": self.medium.ink}),
                                         (subtitle, down[1], least[1], {"fontsize": size, "color": self.medium.muted})):
            if text:
                shrink(self.figure.text(margin / width, 1 - at / height, text, va="center", **look), width - 2 * margin, smallest)

    def footnote(self, lines, margin, up, spacing):
        width, height = self.figure.get_size_inches()
        self.figure.text(margin / width, up / height, "\n".join(lines), fontsize=self.medium.size, color=self.medium.muted, va="bottom",
                         linespacing=spacing)

    def put_legend(self, handles, words, **where):
        # Matplotlib leaves out what begins with an underscore, so names are put in afterwards.
        legend = self.figure.legend(handles, ["-"] * len(handles), fontsize=self.medium.size, frameon=False, borderaxespad=0, handletextpad=0.5,
                                    columnspacing=1.1, **where)
        for text, name in zip(legend.get_texts(), words):
            text.set_text(name)
        return legend


class Sheet(Page):
    """Panels in rows under a title, a legend below, a footnote at the bottom. Sizes follow from the type's."""

    def __init__(self, medium, panels, title="", subtitle="", handles=(), notes="", left=LEFT, right=RIGHT, shared=False,
                 heights=None, beside=False, common=("", "")):
        """left, right: margins in type sizes; heights: inches of each row; shared: inner panels have no own y axis;
        beside: the legend stands at the right instead of below; common: the labels of x and y that all panels share."""
        super().__init__(medium, medium.width, 1, medium.dpi)
        self.em = medium.size / 72
        em, width = self.em, medium.width
        columns = min(medium.columns if panels < 5 or not medium.height else 3, panels)
        rows = math.ceil(panels / columns)
        left_in = left * em
        self.legend = self.make_legend(handles, beside) if handles else None
        extent = self.legend.get_window_extent(self.figure.canvas.get_renderer()) if self.legend else None
        legend_in = extent.height / self.figure.dpi + 0.3 * em if self.legend and not beside else 0
        if self.legend and beside:
            right += extent.width / self.figure.dpi / em + 0.9
        self.first_column = [i % columns == 0 for i in range(panels)]
        self.lowest = [i + columns >= panels for i in range(panels)]  # only these need to name the x axis
        # 1.9 characters of DejaVu Sans are as wide as its size is high.
        lines = textwrap.wrap(notes, int((width - 2 * EDGE * em) / em * 1.9)) if notes else []
        notes_in = len(lines) * 1.35 * em + (0.9 * em if lines else 0)
        head = (medium.title * 1.9 / 72 + (1.9 * em if subtitle else 0.5 * em)) if medium.title else 0.4 * em
        panel_title = 1.7 * em if panels > 1 else 0.2 * em
        below = [3.3 * em if not common[0] and any(self.lowest[row * columns:(row + 1) * columns]) else 2.2 * em for row in range(rows)]
        below[-1] += 1.1 * em if common[0] else 0
        if medium.height:
            height = medium.height
            room = height - head - legend_in - notes_in - 0.6 * em - rows * panel_title - sum(below)
            tall = [room / rows] * rows
        else:
            tall = heights or [medium.panel_height * (1 if rows == 1 else 0.8)] * rows
            height = head + legend_in + notes_in + 0.3 * em + sum(tall) + rows * panel_title + sum(below)
        self.figure.set_size_inches(width, height)
        # Where all have one label, only the outermost axes show it.
        gap = 2.2 * em if shared else left_in - (0.6 * em if common[1] else -0.6 * em)
        wide = (width - left_in - right * em - gap * (columns - 1)) / columns
        self.panel_inches = [(wide, tall[i // columns]) for i in range(panels)]
        self.axes = []
        y = height - head
        for row in range(rows):
            y -= panel_title + tall[row]
            for column in range(min(columns, panels - row * columns)):
                x = left_in + column * (wide + gap)
                axes = self.figure.add_axes([x / width, y / height, wide / width, tall[row] / height])
                axes.grid(True, color=medium.grid, linewidth=0.07 * medium.size)
                self.axes.append(axes)
            y -= below[row]
        first, last = self.axes[0].get_position(), self.axes[-1].get_position()
        if common[0]:
            self.figure.text((left_in + (width - right * em)) / 2 / width, last.y0 - 2.9 * em / height, common[0], ha="center", va="center")
        if common[1]:
            self.figure.text(1.4 * em / width, (first.y1 + last.y0) / 2, common[1], rotation=90, ha="center", va="center")
        if self.legend and beside:
            self.legend.set_bbox_to_anchor((1 - 0.8 * em / width, (height - head) / height), self.figure.transFigure)
        elif self.legend:
            self.legend.set_bbox_to_anchor((0, (notes_in + 0.15 * em) / height, 1, legend_in / height), self.figure.transFigure)
        if lines:
            self.footnote(lines, EDGE * em, 0.5 * em, 1.3)
        if medium.title and title:
            down = (medium.title * 1.15 / 72, medium.title * 2.05 / 72 + 0.5 * em)
            self.head(title, subtitle, EDGE * em, down, medium.size, (medium.size, medium.size))

    def make_legend(self, handles, beside):
        """One column beside the axes, or below them as many as the width has room for."""
        medium = self.medium
        length = 0.9 if all(one.get_linestyle() == "None" for one in handles) else 2.6  # in type sizes
        room = (0.3 if beside else 1) * medium.width - (length + 1.5) * self.em
        words = [fitted(one.get_label(), room, medium.size, 3) for one in handles]
        wide = max(inches(text, medium.size) for text in words) + (length + 0.5 + 1.1) * self.em
        columns = 1 if beside else max(1, min(len(handles), int((medium.width - 0.06) / wide)))
        return self.put_legend(handles, words, loc="upper right" if beside else "center", ncol=columns, borderpad=0.1, handlelength=length,
                               labelspacing=0.6 if beside else 0.35)

    def legend_entry(self, at):
        """The mark and the words of one entry."""
        return [self.legend.get_lines()[at], self.legend.get_texts()[at]] if self.legend else []


def handle(look, medium, dash=None, line=True):
    return Line2D([], [], color=look.colour, ls=(look.dash if dash is None else dash) if line else "none", lw=look.width,
                  label=look.label, **look.solid(medium.background))
