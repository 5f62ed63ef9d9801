"""How every chart looks: colours, markers, numbers in words, the page, and labels at line ends."""

import math
import textwrap

import matplotlib
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

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
WIDTH, HEIGHT, DPI = 12.8, 7.2, 150  # inches: a 16:9 slide, 1920 x 1080

matplotlib.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 12, "axes.edgecolor": MUTED, "axes.labelcolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.axisbelow": True, "text.parse_math": False,
    "svg.hashsalt": "precipice", "pdf.fonttype": 42, "path.simplify": False,
})


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


def mix(colour, other, share):
    return tuple((1 - share) * a + share * b for a, b in zip(to_rgb(colour), to_rgb(other)))


def readable(colour):
    """The colour, darkened until text in it has a contrast of 4.5 to 1 on white (WCAG 2)."""
    for step in range(20):
        darker = mix(colour, "#000000", 0.05 * step)
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in darker]
        if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] <= 0.18:
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
    styles, unknown = {}, sorted(set(by_model) - set(MODELS))
    for model, members in by_model.items():
        base, marker, dash = MODELS.get(model) or SPARE[unknown.index(model) % len(SPARE)]
        series = sorted(members, key=natural)
        fills = ["full", "left", "bottom", "right", "top"]
        for i, one in enumerate(series):
            # Light to dark around the model's own hue.
            where = 0.0 if len(series) == 1 else -0.4 + 0.8 * i / (len(series) - 1)
            colour = mix(base, "#FFFFFF", -where) if where < 0 else mix(base, "#000000", where)
            options = ", ".join(f"{k}={v}" for k, v in sorted(members[one].options.items()))
            label = f"{model} {options}".strip() if members[one].options else (model if len(series) == 1 else one)
            styles[one] = Style(label, colour, marker, dash, fills[i % len(fills)])
    return styles


def rate(value, digits=3):
    """5234 -> 5.23k; no unit."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(float(f"{value:.{digits}g}")) >= limit:
            return f"{plain(value / limit, digits)}{unit}"
    return plain(value, digits)


def plain(value, digits=3):
    """A number without exponent or trailing zeros."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "?"
    text = f"{float(f'{value:.{digits}g}'):.10f}"
    return text.rstrip("0").rstrip(".")


def duration(ns):
    for limit, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= limit:
            return f"{plain(ns / limit)} {unit}"
    return f"{plain(ns)} ns"


def percentile_name(p):
    return "p" + plain(p, 6).replace(".", "")


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


class Labels:
    """Names at line ends, moved until none covers another, and off the curves where there is room.

    Positions are found in pixels of the page, and kept as offsets in points, so that they hold in
    every format.
    """

    ANGLES = [0, 20, -20, 40, -40, 60, -60, 90, -90, 120, -120, 150, -150, 180]
    RADII = [9, 16, 25, 36, 50, 68, 90, 115, 145, 180, 220, 265, 320, 380]

    def __init__(self, axes, size=11, background="white"):
        self.axes, self.size, self.items, self.fixed, self.bars, self.curves = axes, size, [], [], [], []
        self.background = background
        self.placed = []  # the drawn labels, in the order of add

    def add(self, x, y, text, colour, prefer=0):
        """A label for the line that ends at (x, y) in data; `prefer` is the best direction in degrees."""
        self.items.append((x, y, text, colour, prefer))

    def avoid_text(self, artist):
        self.fixed.append(artist)

    def forbid(self, x, low, high):
        """An upright mark from low to high, in data, that no label may cover."""
        self.bars.append((x, low, high))

    def avoid_line(self, xs, ys):
        """Curves, in data, that labels should not cover."""
        self.curves.append((list(xs), list(ys)))

    def place(self):
        figure, axes = self.axes.figure, self.axes
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        scale = figure.dpi / 72
        boxes = [artist.get_window_extent(renderer) for artist in self.fixed]
        fixed = [(b.x0 - 4, b.y0 - 3, b.x1 + 4, b.y1 + 3) for b in boxes]
        for x, low, high in self.bars:
            (middle, y0), (_, y1) = axes.transData.transform([(x, low), (x, high)])
            fixed.append((middle - 8, y0 - 8, middle + 8, y1))
        frame, page = axes.get_window_extent(renderer), figure.bbox
        area = (frame.x0 + 4, frame.y0 + 4, page.x1 - 10, frame.y1 + 8, frame.x1)
        dots = self.samples()
        anchors, sizes = [], []
        for x, y, text, _, _ in self.items:
            anchors.append(tuple(axes.transData.transform((x, y))))
            probe = figure.text(0, 0, text, fontsize=self.size, linespacing=1.15)
            box = probe.get_window_extent(renderer)
            probe.remove()
            sizes.append((box.width + 12, box.height + 6))
        chosen = [None] * len(self.items)
        crowd = [i for i in range(len(self.items)) if anchors[i][0] > frame.x0 + 0.8 * frame.width and not self.items[i][4]]
        if len(crowd) >= 3:
            crowd = self.column(crowd, anchors, sizes, chosen, fixed, frame, 12 * scale)
            fixed = fixed + [chosen[i] for i in crowd]
        order = sorted((i for i in range(len(self.items)) if chosen[i] is None),
                       key=lambda i: (-anchors[i][0], -anchors[i][1]))
        for _ in range(4):  # later passes move what an earlier label had no reason to avoid
            for i in order:
                others = {j: chosen[j] for j in order if j != i and chosen[j]}
                leaders = [(anchors[j], nearest(anchors[j], box)) for j, box in others.items()]
                chosen[i] = self.best(anchors[i], sizes[i], self.items[i][4], area, fixed + list(others.values()), dots,
                                      scale, [anchors[j] for j in range(len(anchors)) if j != i], leaders)
        for (x, y, text, colour, _), anchor, box in zip(self.items, anchors, chosen):
            at = ((box[0] + 6 - anchor[0]) / scale, ((box[1] + box[3]) / 2 - anchor[1]) / scale)
            in_column = box[0] > frame.x1
            far = in_column and abs((box[1] + box[3]) / 2 - anchor[1]) > 6 * scale or math.dist(nearest(anchor, box), anchor) > 17 * scale
            arrow = {"arrowstyle": "-", "color": colour, "lw": 0.8, "alpha": 0.8, "shrinkA": 0, "shrinkB": 5,
                     "relpos": (0, 0.5) if in_column else relative(anchor, box)}
            self.placed.append(axes.annotate(
                text, (x, y), at, textcoords="offset points", fontsize=self.size, color=colour, va="center",
                linespacing=1.15, annotation_clip=False, zorder=9,
                bbox={"boxstyle": "square,pad=0.1", "fc": self.background, "ec": "none", "alpha": 0.85},
                arrowprops=arrow if far else None))

    @staticmethod
    def column(crowd, anchors, sizes, chosen, fixed, frame, gap):
        """Stacks the labels of ends that crowd at the right in the margin, each as near its end's height as can be."""
        left = frame.x1 + gap
        order = sorted(crowd, key=lambda i: (-round(anchors[i][1] / 6), -anchors[i][0]))
        walls = sorted((box for box in fixed if box[2] > left), key=lambda box: -box[3])

        def stack():
            tops = []
            for i in order:  # from the top, below what is there already
                top = min(anchors[i][1] + sizes[i][1] / 2, frame.y1 + 6, tops[-1][1] if tops else math.inf)
                for wall in walls:
                    if top > wall[1] and top - sizes[i][1] < wall[3]:
                        top = wall[1]
                tops.append((top, top - sizes[i][1]))
            floor = frame.y0
            for k in range(len(order) - 1, -1, -1):  # from the bottom, half-way back up so that a stack centres on its ends
                height = sizes[order[k]][1]
                wanted = tops[k][1] if k == len(order) - 1 else max(tops[k][1], floor)
                low = max(wanted, floor)
                for wall in reversed(walls):
                    if low < wall[3] and low + height > wall[1]:
                        low = wall[3]
                tops[k] = (low + height, low)
                floor = low + height
            for i, (top, low) in zip(order, tops):
                chosen[i] = (left, low, left + sizes[i][0], top)

        def tangle():
            ends = [(anchors[i], (left, (chosen[i][1] + chosen[i][3]) / 2)) for i in order]
            return (sum(meet(*a, *b) for k, a in enumerate(ends) for b in ends[k + 1:])
                    + sum(beside(*ends[k], anchors[j]) for k, i in enumerate(order) for j in crowd
                          if math.dist(anchors[i], anchors[j]) > gap))

        stack()
        for _ in range(len(order)):
            changed = False
            for k in range(len(order) - 1):
                before = tangle()
                order[k], order[k + 1] = order[k + 1], order[k]
                stack()
                if tangle() < before:
                    changed = True
                else:
                    order[k], order[k + 1] = order[k + 1], order[k]
                    stack()
            if not changed:
                break
        return order

    def samples(self):
        dots = []
        for xs, ys in self.curves:
            ends = [tuple(self.axes.transData.transform((x, y))) for x, y in zip(xs, ys)]
            dots += ends
            for a, b in zip(ends, ends[1:]):
                steps = int(min(math.dist(a, b), 4000) // 7)
                dots += [(a[0] + (b[0] - a[0]) * k / (steps + 1), a[1] + (b[1] - a[1]) * k / (steps + 1))
                         for k in range(1, steps + 1)]
        return dots

    def best(self, anchor, size, prefer, area, others, dots, scale, ends, leaders):
        candidates = []
        for radius in self.RADII:
            for angle in self.ANGLES:
                turn = math.radians(angle + prefer)
                cos, sin = math.cos(turn), math.sin(turn)
                # The box's nearest edge lies `radius` from the line's end.
                cx = anchor[0] + radius * scale * cos + size[0] / 2 * (cos if abs(cos) < 0.4 else math.copysign(1, cos))
                cy = anchor[1] + radius * scale * sin + size[1] / 2 * (sin if abs(sin) < 0.4 else math.copysign(1, sin))
                candidates.append((radius + abs(angle) / 12, cx, cy))
        # A column in the margin, for ends that crowd together.
        column, y = area[4] + 12 * scale + size[0] / 2, area[1] + size[1] / 2
        while y < area[3] - size[1] / 2:
            distance = math.dist((column - size[0] / 2, y), anchor) / scale
            candidates.append((20 + 0.5 * distance, column, y))
            y += 6 * scale
        best = (math.inf, None)
        for cost, cx, cy in candidates:
            box = (cx - size[0] / 2, cy - size[1] / 2, cx + size[0] / 2, cy + size[1] / 2)
            outside = (max(0, area[0] - box[0]) + max(0, box[2] - area[2]) + max(0, area[1] - box[1])
                       + max(0, box[3] - area[3]))
            cost += 40 * outside + 900 * sum(overlap(box, other) for other in others)
            if cost < best[0]:
                cost += 14 * sum(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in dots)
            if cost < best[0]:
                own = nearest(anchor, box)
                cost += 400 * sum(crosses(anchor, own, other) for other in others)
                cost += 400 * sum(crosses(start, end, box) for start, end in leaders)
                cost += 250 * sum(meet(anchor, own, start, end) for start, end in leaders)
                # A leader that touches another line's end would name that one.
                cost += 250 * sum(beside(anchor, own, point) for point in ends if math.dist(anchor, point) > 9 * scale)
            if cost < best[0]:
                cost += 150 * sum(box[0] - 8 <= x <= box[2] + 8 and box[1] - 8 <= y <= box[3] + 8 for x, y in ends)
            if cost < best[0]:
                best = (cost, box)
        return best[1]


def nearest(anchor, box):
    """The point of a box that is nearest to a line's end: there its leader starts."""
    return min(max(anchor[0], box[0]), box[2]), min(max(anchor[1], box[1]), box[3])


def relative(anchor, box):
    """That point in shares of the box."""
    x, y = nearest(anchor, box)
    return ((x - box[0]) / (box[2] - box[0]), (y - box[1]) / (box[3] - box[1]))


def overlap(a, b):
    """0, or 1 and more the larger the shared area."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return 1 + width * height / 1000 if width > 0 and height > 0 else 0


def crosses(start, end, box):
    """Whether a leader runs through a box."""
    steps = int(math.dist(start, end) // 6) + 1
    return any(box[0] < start[0] + (end[0] - start[0]) * k / steps < box[2]
               and box[1] < start[1] + (end[1] - start[1]) * k / steps < box[3] for k in range(1, steps + 1))


def beside(start, end, point):
    """Whether a leader passes within a marker's size of a point."""
    length = math.dist(start, end) ** 2
    if length == 0:
        return False
    along = ((point[0] - start[0]) * (end[0] - start[0]) + (point[1] - start[1]) * (end[1] - start[1])) / length
    along = min(max(along, 0), 1)
    return math.dist(point, (start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1]))) < 12


def meet(a, b, c, d):
    """Whether the segments ab and cd cross."""
    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]) > 0

    return side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b)
