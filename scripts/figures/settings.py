"""What every figure asks of matplotlib, whatever it shows."""

import matplotlib
from matplotlib import font_manager

from figures import glyphs
from figures.palette import INK, MUTED

SETTINGS = {
    "font.family": glyphs.FONT, "font.size": 12, "axes.edgecolor": MUTED, "axes.labelcolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.axisbelow": True, "text.parse_math": False,
    # The same data gives the same bytes, with fonts that a printer can use.
    "svg.hashsalt": "precipice", "pdf.fonttype": 42, "path.simplify": False,
}


def apply():
    matplotlib.rcParams.update(SETTINGS)
    font_manager.fontManager.ttflist.clear()
    for file in glyphs.files():
        font_manager.fontManager.addfont(file)
