"""Which colour, marker and dash a series has, in every picture of every run. Needs no library."""

from typing import NamedTuple

from figures.names import model_names, names_of
from figures.policies import places_of, policy_of, split_series

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
# In a run with policies a dash means the policy, on whichever model; a model without one is solid.
POLICY_DASHES = ((0, (5, 1.5)), (0, (8, 1.5, 2, 1.5)), (0, (2.5, 1)), (0, (11, 2)), (0, (6, 1, 1, 1, 1, 1)), (0, (3, 1, 1, 1)),
                 (0, (5, 1, 2, 1, 2, 1)))
POLICY_MARKERS = (">", "<", "p", "h", "d", "*")  # fewer than dashes by one: together they recur late
PAST = (0, (1, 2.2))  # joins points past saturation
INK, MUTED, GRID = "#1A1A1A", "#5A5A5A", "#E3E3E3"


class Style:
    """Colour, marker, fill and label of one series."""

    def __init__(self, label, colour, marker, dash, fill):
        self.label, self.colour, self.marker, self.dash, self.fill = label, colour, marker, dash, fill
        self.ink = readable(colour)

    def grown(self, size):
        """A star has less area than other marks as wide as it is."""
        return 1.5 * size if self.marker == "*" and self.dash in POLICY_DASHES else size

    def called(self, label):
        """The same look under another label."""
        return Style(label, self.colour, self.marker, self.dash, self.fill)

    def solid(self, size=7.5):
        """Line2D arguments for a point that the model carried."""
        size = self.grown(size)
        if self.fill == "full":
            return {"marker": self.marker, "ms": size, "mfc": self.colour, "mec": "white", "mew": 0.8}
        return {"marker": self.marker, "ms": size, "fillstyle": self.fill, "mfc": self.colour,
                "markerfacecoloralt": "white", "mec": self.colour, "mew": 1.2}

    def hollow(self, size=7.5):
        return {"marker": self.marker, "ms": self.grown(size), "mfc": "white", "mec": self.colour, "mew": 1.4}


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


class Rank(NamedTuple):
    """Where a series stands in a run with policies."""

    policy: int  # among the run's policies; -1 for none
    variant: int  # among the options of its model
    shade: float  # 0, light, to 1, dark: by the options of its model, or where those are all alike by the policy's knob


def ranks_in(cells):
    """{series: Rank} of a run's cells; empty without policies, where every series has a dash of its own."""
    models = {cell.series: cell.model for cell in cells}
    policies = sorted({policy_of(series) for series in models} - {""}, key=natural)
    if not policies:
        return {}
    knobs, ranks = places_of(model_names(cells)), {}
    for series, model in models.items():
        bare, policy = split_series(series)
        variants = sorted({split_series(other)[0] for other, its in models.items() if its == model}, key=natural)
        row, at = variants, bare
        if len(variants) == 1:
            row, at = sorted({place.value for place in knobs.values() if place.family == knobs[series].family}), knobs[series].value
        shade = row.index(at) / (len(row) - 1) if len(row) > 1 else 0.5
        ranks[series] = Rank(policies.index(policy) if policy else -1, variants.index(bare), shade)
    return ranks


def shaded(base, where):
    """Light, below 0, to dark around a model's own hue."""
    return mix(base, "#FFFFFF", -where) if where < 0 else mix(base, "#000000", where)


def styles_of(cells):
    """Style by series, from all cells of a run. Series of one model share hue and marker; those of one policy share marker and dash."""
    cells = list(cells)
    by_model = {}
    for cell in cells:
        by_model.setdefault(cell.model, {}).setdefault(cell.series, cell)
    styles, unknown, names, ranks = {}, sorted(set(by_model) - set(MODELS)), names_of(cells), ranks_in(cells)
    fills = ["full", "left", "bottom", "right", "top"]
    for model, members in by_model.items():
        base, marker, dash = MODELS.get(model) or SPARE[unknown.index(model) % len(SPARE)]
        series = sorted(members, key=natural)
        for i, one in enumerate(series):
            if one in ranks:
                rank = ranks[one]
                own = (marker, "-") if rank.policy < 0 else (POLICY_MARKERS[rank.policy % len(POLICY_MARKERS)],
                                                              POLICY_DASHES[rank.policy % len(POLICY_DASHES)])
                styles[one] = Style(names[one], shaded(base, 0.8 * rank.shade - 0.4), *own, fills[rank.variant % len(fills)])
            else:
                where = 0.0 if len(series) == 1 else -0.4 + 0.8 * i / (len(series) - 1)
                styles[one] = Style(names[one], shaded(base, where), marker, dash, fills[i % len(fills)])
    return styles
