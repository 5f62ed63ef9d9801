"""Names at line ends, placed so that none covers another."""

import math

import numpy


class Labels:
    """Names at line ends, moved until none covers another, and off the curves where there is room.

    Positions are found in pixels of the page, and kept as offsets in points, so that they hold in
    every format.
    """

    ANGLES = [0, 20, -20, 40, -40, 60, -60, 90, -90, 120, -120, 150, -150, 180]
    RADII = [9, 16, 25, 36, 50, 68, 90, 115, 145, 180, 220, 265, 320, 380]
    NEAR = 17  # points: further away, a leader says whose end is meant

    def __init__(self, axes, size=11, background="white"):
        self.axes, self.size, self.items, self.fixed, self.bars, self.curves = axes, size, [], [], [], []
        self.background = background
        self.placed = []  # the drawn labels, in the order of add
        self.clear = True  # after place: every name stands by its own line's end and nothing else
        self.legible = True  # after place: no name covers another or leaves the page, and no leader crosses one or another leader

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

    def place(self, all_of_them=True):
        """Draws the labels: all, as far from their ends as it takes, or those alone that find room beside their ends."""
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
        dots = numpy.array(self.samples() or numpy.empty((0, 2)))
        anchors, sizes = [], []
        for x, y, text, _, _ in self.items:
            anchors.append(tuple(axes.transData.transform((x, y))))
            probe = figure.text(0, 0, text, fontsize=self.size, linespacing=1.15)
            box = probe.get_window_extent(renderer)
            probe.remove()
            sizes.append((box.width + 12, box.height + 6))
        chosen = self.beside_all(anchors, sizes, fixed, frame, area, dots, scale) if all_of_them \
            else self.beside_some(anchors, sizes, fixed, area, dots, scale)
        for (x, y, text, colour, _), anchor, box in zip(self.items, anchors, chosen):
            if box is None:
                continue
            at = ((box[0] + 6 - anchor[0]) / scale, ((box[1] + box[3]) / 2 - anchor[1]) / scale)
            in_column = box[0] > frame.x1
            self.clear = self.clear and self.is_clear(anchor, box, anchors, chosen, dots, self.NEAR * scale)
            far = in_column and abs((box[1] + box[3]) / 2 - anchor[1]) > 6 * scale or math.dist(nearest(anchor, box), anchor) > self.NEAR * scale
            arrow = {"arrowstyle": "-", "color": colour, "lw": 0.8, "alpha": 0.8, "shrinkA": 0, "shrinkB": 5,
                     "relpos": (0, 0.5) if in_column else relative(anchor, box)}
            self.placed.append(axes.annotate(
                text, (x, y), at, textcoords="offset points", fontsize=self.size, color=colour, va="center",
                linespacing=1.15, annotation_clip=False, zorder=9,
                bbox={"boxstyle": "square,pad=0.1", "fc": self.background, "ec": "none", "alpha": 0.85},
                arrowprops=arrow if far else None))
        words = [(box[0] + 6, box[1] + 3, box[2] - 6, box[3] - 3) for box in chosen if box]
        self.legible = (all(box[0] >= page.x0 and box[2] <= page.x1 and box[1] >= frame.y0 - 3 and box[3] <= area[3] for box in words)
                        and not any(overlap(a, b) for i, a in enumerate(words) for b in words[i + 1:] + boxes_of(boxes))
                        and not self.tangled([(anchor, box) for anchor, box in zip(anchors, chosen) if box]))

    @staticmethod
    def tangled(named):
        """Whether a leader, from a line's end to its name's box, runs through another name or across another leader."""
        leaders = [(anchor, nearest(anchor, box)) for anchor, box in named]
        return (any(crosses(*leader, box) for i, leader in enumerate(leaders) for j, (_, box) in enumerate(named) if i != j)
                or any(meet(*a, *b) for i, a in enumerate(leaders) for b in leaders[i + 1:]))

    def beside_all(self, anchors, sizes, fixed, frame, area, dots, scale):
        """The box of every label."""
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
        return chosen

    def beside_some(self, anchors, sizes, fixed, area, dots, scale):
        """The boxes of those labels that need no leader and cover nothing, None for the others. The first and the last come before the
        middle, that before the quarters, and so on: those that are left out lie between others."""
        chosen, count = [None] * len(anchors), len(anchors)
        for i in sorted(range(count), key=lambda i: (i not in (0, count - 1), -(i & -i))):
            others = fixed + [box for box in chosen if box] + [(x - 5, y - 5, x + 5, y + 5) for j, (x, y) in enumerate(anchors) if j != i]
            for radius in (r for r in self.RADII if r <= self.NEAR):
                for angle in self.ANGLES[:7]:
                    box = self.box_at(anchors[i], sizes[i], radius * scale, math.radians(angle + self.items[i][4]))
                    inside = area[0] <= box[0] and area[1] <= box[1] and box[2] <= area[2] and box[3] <= area[3]
                    if chosen[i] is None and inside and not covered(box, dots) and not any(overlap(box, other) for other in others):
                        chosen[i] = box
        return chosen

    @staticmethod
    def box_at(anchor, size, radius, turn):
        """The box whose nearest edge lies `radius` from a line's end, in a direction."""
        cos, sin = math.cos(turn), math.sin(turn)
        cx = anchor[0] + radius * cos + size[0] / 2 * (cos if abs(cos) < 0.4 else math.copysign(1, cos))
        cy = anchor[1] + radius * sin + size[1] / 2 * (sin if abs(sin) < 0.4 else math.copysign(1, sin))
        return (cx - size[0] / 2, cy - size[1] / 2, cx + size[0] / 2, cy + size[1] / 2)

    @staticmethod
    def is_clear(anchor, box, anchors, boxes, dots, reach):
        """Whether a name is within reach of its own line's end, nearer to it than to any other, and covers nothing."""
        own = math.dist(nearest(anchor, box), anchor)
        return (own <= reach and all(math.dist(nearest(other, box), other) > own for other in anchors if other is not anchor)
                and not any(overlap(box, other) for other in boxes if other is not box and other)
                and covered(box, dots) <= 1)

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
                candidates.append((radius + abs(angle) / 12, self.box_at(anchor, size, radius * scale, math.radians(angle + prefer))))
        # A column in the margin, for ends that crowd together.
        column, y = area[4] + 12 * scale + size[0] / 2, area[1] + size[1] / 2
        while y < area[3] - size[1] / 2:
            distance = math.dist((column - size[0] / 2, y), anchor) / scale
            candidates.append((20 + 0.5 * distance, (column - size[0] / 2, y - size[1] / 2, column + size[0] / 2, y + size[1] / 2)))
            y += 6 * scale
        best = (math.inf, None)
        for cost, box in candidates:
            outside = (max(0, area[0] - box[0]) + max(0, box[2] - area[2]) + max(0, area[1] - box[1])
                       + max(0, box[3] - area[3]))
            cost += 40 * outside + 900 * sum(overlap(box, other) for other in others)
            if cost < best[0]:
                cost += 14 * covered(box, dots)
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


def covered(box, dots):
    """How many dots of curves lie in a box."""
    x, y = dots[:, 0], dots[:, 1]
    return int(numpy.count_nonzero((box[0] <= x) & (x <= box[2]) & (box[1] <= y) & (y <= box[3])))


def boxes_of(extents):
    """Matplotlib's boxes as (left, low, right, top)."""
    return [(b.x0, b.y0, b.x1, b.y1) for b in extents]


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
