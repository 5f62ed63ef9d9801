"""A figure's page: how panels, title, legend and footnote share it, in inches of the medium."""

import math
import textwrap

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


class Sheet:
    """Panels in rows under a title, a legend below, a footnote at the bottom. Sizes follow from the type's."""

    def __init__(self, medium, panels, title="", subtitle="", handles=(), notes="", left=5.4, right=1.4, shared=False,
                 heights=None, margin_inches=None):
        """left, right: margins in type sizes; heights: inches of each row; shared: inner panels have no own y axis."""
        self.medium, self.em = medium, medium.size / 72
        em, width = self.em, medium.width
        columns = min(medium.columns, panels)
        rows = math.ceil(panels / columns)
        left_in = margin_inches if margin_inches is not None else left * em
        self.figure = Figure(figsize=(width, 1), dpi=medium.dpi, facecolor=medium.background)
        FigureCanvasAgg(self.figure)
        legend = self.legend(handles) if handles else None
        legend_in = self.height_of(legend) + 0.3 * em if legend else 0
        # 1.9 characters of DejaVu Sans are as wide as its size is high.
        lines = textwrap.wrap(notes, int((width - 0.4) / em * 1.78)) if notes else []
        notes_in = len(lines) * 1.35 * em + (0.5 * em if lines else 0)
        head = (medium.title * 1.9 / 72 + (1.9 * em if subtitle else 0.5 * em)) if medium.title else 0.4 * em
        panel_title = 1.7 * em if panels > 1 else 0.2 * em
        below = 3.3 * em
        if medium.height:
            height = medium.height
            room = height - head - legend_in - notes_in - 0.6 * em - rows * (panel_title + below)
            tall = [room / rows] * rows
        else:
            tall = heights or [medium.panel_height] * rows
            height = head + legend_in + notes_in + 0.3 * em + sum(tall) + rows * (panel_title + below)
        self.figure.set_size_inches(width, height)
        gap = 2.0 * em if shared else left_in + 0.6 * em
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
            y -= below
        self.first_column = [i % columns == 0 for i in range(panels)]
        self.last_row = [i + columns >= panels for i in range(panels)]
        if legend:
            legend.set_bbox_to_anchor((0, (notes_in + 0.15 * em) / height, 1, legend_in / height), self.figure.transFigure)
        if lines:
            self.figure.text(0.2 / width, 0.3 * em / height, "\n".join(lines), color=medium.muted, va="bottom", linespacing=1.3)
        if medium.title and title:
            at = 0.35 * left_in / width if medium.height else 0.2 / width
            self.figure.text(at, 1 - medium.title * 1.15 / 72 / height, title, fontsize=medium.title, fontweight="bold", va="center")
            if subtitle:
                self.figure.text(at, 1 - (medium.title * 2.05 / 72 + 0.5 * em) / height, subtitle, color=medium.muted, va="center")

    def legend(self, handles):
        """In as many columns as the width has room for."""
        for columns in range(min(len(handles), 6), 0, -1):
            legend = self.figure.legend(handles=handles, loc="center", ncol=columns, borderpad=0.1, borderaxespad=0,
                                        handlelength=2.6, handletextpad=0.5, columnspacing=1.1, labelspacing=0.35)
            if columns == 1 or legend.get_window_extent(self.figure.canvas.get_renderer()).width / self.figure.dpi <= self.medium.width - 0.06:
                return legend
            legend.remove()
        return None

    def height_of(self, artist):
        return artist.get_window_extent(self.figure.canvas.get_renderer()).height / self.figure.dpi


def text_inches(medium, text, size=None):
    """How wide a line of text is, in inches."""
    figure = Figure(figsize=(1, 1), dpi=100)
    FigureCanvasAgg(figure)
    drawn = figure.text(0, 0, text, fontsize=size or medium.size)
    return drawn.get_window_extent(figure.canvas.get_renderer()).width / 100


def handle(look, medium, dash=None, line=True):
    return Line2D([], [], color=look.colour, ls=(look.dash if dash is None else dash) if line else "none", lw=look.width,
                  label=look.label, **look.solid(medium.background))
