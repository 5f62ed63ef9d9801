"""Which colour, marker and dash a series has, in every picture of every run. Needs no library."""

from figures.names import names_of

# Okabe and Ito's palette: told apart with every common colour-vision deficiency. A model keeps its
# hue, marker and dash in every chart of every run.
MODELS = {
    "thread_per_request": ("#D55E00", "s", (0, (6, 1.5))),
    "fixed_pool": ("#0072B2", "o", "-"),
    "event_loop": ("#009E73", "D", (0, (9, 1.5, 2, 1.5))),
    "io_uring": ("#CC79A7", "^", (0, (4, 1))),
    "work_stealing": ("#E69F00", "v", (0, (12, 2))),
    "inline": ("#000000", "X", (0, (3, 1, 1, 1))),
    "oracle": ("#56B4E9", "P", (0, (7, 1, 1, 1, 1, 1))),
}
SPARE = [("#7F7F7F", "*", "-"), ("#56B4E9", "h", (0, (5, 2))), ("#4D4D4D", "p", (0, (8, 2, 1, 2)))]
PAST = (0, (1, 2.2))  # joins points past saturation
INK, MUTED, GRID = "#1A1A1A", "#5A5A5A", "#E3E3E3"


class Style:
    """Colour, marker, fill and label of one series."""

    def __init__(self, label, colour, marker, dash, fill):
        self.label, self.colour, self.marker, self.dash, self.fill = label, colour, marker, dash, fill
        self.ink = readable(colour)

    def solid(self, size=7.5):
        """Line2D arguments for a point that the model carried."""
        if self.fill == "full":
            return {"marker": self.marker, "ms": size, "mfc": self.colour, "mec": "white", "mew": 0.8}
        return {"marker": self.marker, "ms": size, "fillstyle": self.fill, "mfc": self.colour,
                "markerfacecoloralt": "white", "mec": self.colour, "mew": 1.2}

    def hollow(self, size=7.5):
        return {"marker": self.marker, "ms": size, "mfc": "white", "mec": self.colour, "mew": 1.4}


def parts(colour):
    """Red, green and blue from 0 to 1, of `#RRGGBB` or of such parts."""
    return tuple(int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)) if isinstance(colour, str) else tuple(colour)


def mix(colour, other, share):
    return tuple((1 - share) * a + share * b for a, b in zip(parts(colour), parts(other)))


def luminance(colour):
    """WCAG 2's relative luminance, 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour, background):
    """WCAG 2's contrast ratio, 1 to 21."""
    bright, dim = sorted((luminance(colour), luminance(background)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def readable(colour):
    """The colour, darkened until text in it has a contrast of 4.5 to 1 on white (WCAG 2)."""
    for step in range(20):
        darker = mix(colour, "#000000", 0.05 * step)
        if luminance(darker) <= 0.18:
            return darker
    return darker


def natural(series):
    """Sort key that puts threads=8 before threads=64."""
    parts, number = [], ""
    for character in series + " ":
        if character.isdigit():
            number += character
            continue
        if number:
            parts.append((0, int(number), ""))
            number = ""
        parts.append((1, 0, character))
    return parts


def styles_of(cells):
    """Style by series, from all cells of a run. Series of one model share hue, marker and dash."""
    by_model = {}
    for cell in cells:
        by_model.setdefault(cell.model, {}).setdefault(cell.series, cell)
    styles, unknown, names = {}, sorted(set(by_model) - set(MODELS)), names_of(cells)
    for model, members in by_model.items():
        base, marker, dash = MODELS.get(model) or SPARE[unknown.index(model) % len(SPARE)]
        series = sorted(members, key=natural)
        fills = ["full", "left", "bottom", "right", "top"]
        for i, one in enumerate(series):
            # Light to dark around the model's own hue.
            where = 0.0 if len(series) == 1 else -0.4 + 0.8 * i / (len(series) - 1)
            colour = mix(base, "#FFFFFF", -where) if where < 0 else mix(base, "#000000", where)
            styles[one] = Style(names[one], colour, marker, dash, fills[i % len(fills)])
    return styles
