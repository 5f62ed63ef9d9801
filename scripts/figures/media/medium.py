"""What a medium asks of a figure: size, type, ground and formats.

paper: as wide as a column (3.33 in) or a page (7 in), 8 pt, no title since the caption has it, legible in grey.
talk:  a 16:9 slide, nothing below 18 pt, at most five series, light or dark.
web:   a picture in a page, SVG and PNG, light or dark.
"""

from dataclasses import dataclass

from figures.palette import luminance
from precipice_run import RunError


@dataclass(frozen=True)
class Medium:
    name: str
    width: float  # inches
    panel_height: float  # inches of one row of axes; where `height` is set, what is left of it
    height: float  # inches of the whole figure; 0: as high as it needs
    size: float  # points, the smallest type
    title: float  # points; 0: none
    line: float  # points
    marker: float  # points
    columns: int  # panels side by side, at most
    formats: tuple
    dpi: int  # of the PNG
    most: int = 0  # series; 0: any number
    direct: bool = False  # names at line ends instead of a legend, where there is one panel and one run
    legend_beside: bool = False  # of a single panel, at the right instead of below
    background: str = "#FFFFFF"
    ink: str = "#1A1A1A"
    muted: str = "#5A5A5A"
    grid: str = "#E3E3E3"
    suffix: str = ""  # of the files, where a medium has several sizes

    @property
    def dark(self):
        return luminance(self.background) < 0.2

    def rc(self):
        """matplotlib's settings; all type is at least `size`."""
        return {"font.size": self.size, "axes.labelsize": self.size, "axes.titlesize": self.size,
                "xtick.labelsize": self.size, "ytick.labelsize": self.size, "legend.fontsize": self.size,
                "axes.edgecolor": self.muted, "axes.labelcolor": self.ink, "text.color": self.ink,
                "axes.facecolor": self.background, "xtick.color": self.muted, "ytick.color": self.muted,
                "xtick.labelcolor": self.ink, "ytick.labelcolor": self.ink, "axes.linewidth": 0.1 * self.size,
                "xtick.major.size": 0.35 * self.size, "ytick.major.size": 0.35 * self.size,
                "xtick.major.width": 0.08 * self.size, "ytick.major.width": 0.08 * self.size,
                "xtick.minor.size": 0.2 * self.size, "ytick.minor.size": 0.2 * self.size,
                "xtick.minor.width": 0.06 * self.size, "ytick.minor.width": 0.06 * self.size,
                "axes.labelpad": 0.3 * self.size, "xtick.major.pad": 0.3 * self.size, "ytick.major.pad": 0.3 * self.size,
                "legend.frameon": False, "legend.labelcolor": self.ink}


PAPER = {
    3.33: Medium("paper", 3.33, 1.75, 0, 8, 0, 1.0, 3.8, 1, ("pdf",), 300, suffix="-3.33in"),
    7.0: Medium("paper", 7.0, 2.1, 0, 8, 0, 1.1, 4.2, 3, ("pdf",), 300, suffix="-7in"),
}
DARK = {"background": "#14171C", "ink": "#F2F2F2", "muted": "#A8ADB5", "grid": "#31363E"}


def media(name, dark=False, width=None):
    """The medium in its sizes. RunError for a size or a ground that it does not have."""
    if width is not None and name != "paper":
        raise RunError(f"--width: is a paper's; {name} has one size")
    if name == "paper":
        if dark:
            raise RunError("--dark: paper is white; talk and web can be dark")
        if width is not None and width not in PAPER:
            raise RunError(f"--width: {width:g} is none of {', '.join(f'{w:g}' for w in PAPER)} (inches)")
        return [medium for inches, medium in PAPER.items() if width in (None, inches)]
    ground = DARK if dark else {}
    suffix = "-dark" if dark else ""
    if name == "talk":
        return [Medium("talk", 13.333, 0, 7.5, 18, 28, 3.2, 11, 2, ("pdf", "png", "svg"), 144, most=5, direct=True,
                       legend_beside=True, suffix=suffix, **ground)]
    return [Medium("web", 9.0, 3.6, 0, 11, 15, 1.9, 6.5, 2, ("svg", "png"), 160, direct=True, suffix=suffix, **ground)]
