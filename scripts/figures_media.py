"""What a medium asks of a figure: size, type, colours, formats; and how each series looks there.

paper: as wide as a column (3.33 in) or a page (7 in), 8 pt, no title since the caption has it, legible in grey.
talk:  a 16:9 slide, nothing below 18 pt, at most five series, light or dark.
web:   a picture in a page, SVG and PNG, light or dark.
"""

from dataclasses import dataclass

from matplotlib.colors import to_rgb

from chartstyle import MODELS, SPARE, mix, natural
from rundata import RunError


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
                       suffix=suffix, **ground)]
    return [Medium("web", 9.0, 3.6, 0, 11, 15, 1.9, 6.5, 2, ("svg", "png"), 160, direct=True, suffix=suffix, **ground)]


# -- colours -------------------------------------------------------------------------------------


def luminance(colour):
    """WCAG 2's relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour, background):
    bright, dim = sorted((luminance(colour), luminance(background)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def against(colour, background, wanted):
    """The colour, moved away from the background until it has that contrast."""
    towards = "#FFFFFF" if luminance(background) < 0.2 else "#000000"
    for step in range(20):
        moved = mix(colour, towards, 0.05 * step)
        if contrast(moved, background) >= wanted:
            return moved
    return towards


# -- series --------------------------------------------------------------------------------------

# A model's second and later series need marks of their own: fills cannot be told apart at 4 pt.
MORE_MARKERS = ("X", "P", "*", "<", ">", "d", "h", "p")
RUN_DASHES = ("-", (0, (4, 1.6)), (0, (1, 1.3)), (0, (6, 1.5, 1, 1.5)), (0, (9, 2)), (0, (3, 1, 1, 1, 1, 1)))
DASHES = ("-", (0, (5, 1.5)), (0, (8, 1.5, 2, 1.5)), (0, (2.5, 1)), (0, (11, 2)), (0, (6, 1, 1, 1, 1, 1)),
          (0, (3, 1, 1, 1)), (0, (5, 1, 2, 1, 2, 1)))


@dataclass
class Look:
    """One series in one medium. Marker and dash are its own, so that grey print tells series apart."""

    label: str
    colour: object
    ink: object  # for text
    marker: str
    dash: object
    width: float
    size: float
    front: int  # added to the z-order

    def solid(self, background, scale=1.0):
        return {"marker": self.marker, "ms": self.size * scale, "mfc": self.colour, "mec": background,
                "mew": self.size * 0.1}

    def hollow(self, background):
        return {"marker": self.marker, "ms": self.size * 0.92, "mfc": background, "mec": self.colour,
                "mew": max(self.size * 0.17, 0.7)}


def looks_of(cells, medium, highlight=()):
    """Look by series, from all cells of all runs, so that every figure of them agrees."""
    members = {}
    for cell in cells:
        members.setdefault(cell.model, {}).setdefault(cell.series, cell)
    known = [model for model in MODELS if model in members] + sorted(set(members) - set(MODELS))
    unknown = sorted(set(members) - set(MODELS))
    taken = {MODELS[model][1] for model in MODELS if model in members}
    spare = [marker for marker in MORE_MARKERS if marker not in taken]
    looks, at = {}, 0
    for model in known:
        base, marker, _ = MODELS.get(model) or SPARE[unknown.index(model) % len(SPARE)]
        series = sorted(members[model], key=natural)
        for i, one in enumerate(series):
            where = 0.0 if len(series) == 1 else -0.35 + 0.8 * i / (len(series) - 1)
            colour = mix(base, "#FFFFFF", -where) if where < 0 else mix(base, "#000000", where)
            options = ", ".join(f"{k}={v}" for k, v in sorted(members[model][one].options.items()))
            label = f"{model} {options}" if options else (model if len(series) == 1 else one)
            mark = marker if i == 0 or not spare else spare.pop(0)
            lit = not highlight or bool({model, one, label} & set(highlight))
            if not lit:
                colour = mix(medium.background, medium.ink, 0.42)
            looks[one] = Look(label, against(colour, medium.background, 2.0), against(colour, medium.background, 4.5), mark,
                              DASHES[at % len(DASHES)], medium.line * (1 if lit else 0.75) * (1.35 if highlight and lit else 1),
                              medium.marker * (1 if lit else 0.85), 20 if highlight and lit else 0)
            at += 1
    for name in highlight:
        if not any(name in (cell.model, cell.series, looks[cell.series].label) for cell in cells):
            raise RunError(f"--highlight: {name!r} is no model or series here; there are {', '.join(known)}")
    return looks
