"""Curves of any column against any other, in panels, for one medium."""

import math

from matplotlib.lines import Line2D

from curves import rising
from figures.fit import fitted, inches, shrink
from figures.labels import Labels
from figures.media.looks import RUN_DASHES
from figures.media.plan import cliff_on, percentile_of, shows_slo
from figures.media.select import PERCENTILES, RESPONSE
from figures.media.sheet import LEFT, RIGHT, Sheet, handle
from figures.palette import PAST
from figures.save import Built
from figures.words import duration, percentile_name, rate


FEW = 5  # names of more never find room


def draw(plan, medium, looks):
    """The figure as Built: names at line ends where each can stand by its own, a legend elsewhere."""
    marked = any(d.words for p in plan.panels for c in p.curves for d in c.dots)  # names of dots leave no room for those of lines
    if medium.direct and not marked and len(plan.panels) == 1 and len(plan.runs) == 1 and len(plan.series()) <= FEW:
        return Drawing(plan, medium, looks, True).built() or Drawing(plan, medium, looks, False).built()
    return Drawing(plan, medium, looks, False).built()


class Drawing:
    def __init__(self, plan, medium, looks, direct):
        self.plan, self.medium, self.looks, self.direct = plan, medium, looks, direct
        self.series = sorted(plan.series(), key=list(looks).index)
        self.several_runs = len(plan.runs) > 1
        self.steps = {one: [] for one in self.series}  # what a build-up adds with each

    def built(self):
        """None where names at line ends would be in each other's way."""
        plan, medium = self.plan, self.medium
        limits = plan.axes()
        handles = [] if self.direct or self.one_each() else self.handles()
        self.left = max([LEFT] + [y.widest(medium) + 2.9 for _, y in limits])
        self.sheet = Sheet(medium, len(plan.panels), plan.title, plan.subtitle, handles, plan.notes, self.left,
                           right=self.right(limits[0]) if self.direct else RIGHT, shared=plan.shared,
                           beside=medium.legend_beside and len(plan.panels) == 1, common=self.common(limits))
        for at, one in enumerate(self.series if handles else []):
            self.steps[one] += self.sheet.legend_entry(at)
        for at, (panel, axes, (x, y)) in enumerate(zip(plan.panels, self.sheet.axes, limits)):
            self.frame(at, axes, x, y, self.common(limits))
            if len(plan.panels) > 1:
                look = self.looks[panel.curves[0].series]
                shrink(axes.set_title(look.label if panel.title == panel.curves[0].series else panel.title, loc="left", pad=0.4 * medium.size,
                                      color=look.ink if self.one_each() else medium.ink), self.sheet.panel_inches[at][0], medium.size)
            if not self.fill(panel, axes, x, y):
                return None
        return Built(self.sheet.figure, list(self.steps.values()), plan.title)

    def one_each(self):
        """Whether each panel has one series and is named for it, which no legend need say again."""
        return len(self.plan.panels) > 1 and not self.several_runs and all(
            len({c.series for c in p.curves}) == 1 and p.title in (p.curves[0].series, p.curves[0].cell.model) for p in self.plan.panels)

    def common(self, limits):
        """The labels that stand once for all panels."""
        if len(limits) == 1:
            return "", ""
        across, up = {x.label for x, _ in limits}, {y.label for _, y in limits}
        return across.pop() if len(across) == 1 else "", up.pop() if len(up) == 1 else ""

    def handles(self):
        plan, medium = self.plan, self.medium
        made = [handle(self.looks[one], medium, line=not self.several_runs) for one in self.series]
        if self.several_runs:
            made += [Line2D([], [], color=medium.ink, ls=RUN_DASHES[i % len(RUN_DASHES)], lw=medium.line, label=run)
                     for i, run in enumerate(plan.runs)]
        if plan.has_past() and not medium.legend_beside:  # a slide's subtitle says it
            made.append(Line2D([], [], ls=PAST, lw=0.7 * medium.line, label="past saturation", color=medium.muted, marker="o",
                               ms=0.9 * medium.marker, mfc=medium.background, mec=medium.muted, mew=0.7 * medium.line))
        return made

    def right(self, limits):
        """The margin that names at line ends need, in type sizes: less, the further from the edge a line ends."""
        (x, y), medium = limits, self.medium
        em, needs = medium.size / 72, []
        for curve in self.plan.panels[0].curves:
            end = end_of(curve, x, y)
            if end:
                words = end_words(self.plan, medium, self.looks[curve.series].label, curve)
                needs.append((x.share(end[0]), inches(words, medium.size) / em + 1.6))
        right = RIGHT
        for _ in range(4):  # a wider margin makes the axes narrower, which moves the ends
            inside = medium.width / em - self.left - right
            right = max([RIGHT] + [need - (1 - share) * inside for share, need in needs])
        return right

    def frame(self, at, axes, x, y, common):
        """Axes, ticks and labels, but those that all panels have in common."""
        wide, tall = self.sheet.panel_inches[at]
        x.put(axes.xaxis, wide, self.medium.size)
        y.put(axes.yaxis, tall, self.medium.size)
        axes.set_xlabel("" if common[0] else x.label)
        axes.set_ylabel("" if common[1] else y.label)
        if not self.sheet.first_column[at] and self.plan.shared:
            axes.tick_params(labelleft=False)

    def fill(self, panel, axes, x, y):
        """Whether it worked out."""
        plan, medium = self.plan, self.medium
        labels = Labels(axes, medium.size, medium.background)
        named = []
        for curve in panel.curves:
            look = self.looks[curve.series]
            dash = RUN_DASHES[plan.runs.index(curve.run) % len(RUN_DASHES)] if self.several_runs else look.dash
            self.steps[curve.series] += draw_curve(axes, plan, curve, look, dash, medium, x, y, labels)
            if shows_slo(plan, panel):
                self.steps[curve.series] += draw_cliff(axes, plan, curve, look, medium, x, y, labels)
            end = end_of(curve, x, y)
            if self.direct and end:
                labels.add(*end, end_words(plan, medium, look.label, curve), look.ink)
                named.append(curve.series)
            for dot in curve.dots:
                if dot.words:
                    labels.add(x.of(dot.x), y.of(dot.y), dot.words, look.ink, 45)
                    named.append(curve.series)
        if plan.y == "goodput_per_s" and plan.x in ("rate_per_s", "offered_per_s"):
            draw_offered(axes, medium, x, y, labels, panel is plan.panels[0])
        if shows_slo(plan, panel):
            draw_slo(axes, medium, panel, y, labels)
        if named:
            labels.place()
            for one, artist in zip(named, labels.placed):
                self.steps[one].append(artist)
        return not self.direct or labels.clear


def end_of(curve, x, y):
    """A curve's last dot on the page, in data; None where none is."""
    seen = [(x.of(d.x), y.of(d.y)) for d in curve.dots if x.shows(d.x) and y.shows(d.y)]
    seen = [(across, up) for across, up in seen if across <= x.high * 1.0001 and up <= y.high]
    return max(seen, default=None)


def end_words(plan, medium, label, curve):
    """What stands at a line's end: in a talk the name alone, on the web with its cliff or saturation."""
    label = fitted(label, 0.25 * medium.width, medium.size, 3)
    key = {RESPONSE: "cliff_per_s", "goodput_per_s": "saturation_per_s"}.get(plan.y)
    if medium.name != "web" or plan.x not in ("rate_per_s", "load") or key is None:
        return label
    word = key.split("_")[0]
    value, _, _, reached = curve.cell.estimate(key)
    return label + "\n" + {"ok": f"{word} {rate(value)}/s", "above": f"{word} not reached",
                           "below": "over the SLO"}.get(reached, f"{word} not measured")


def draw_slo(axes, medium, panel, y, labels):
    """The bound as a line, and its words beside it where no curve runs."""
    for slos in near_each_other(panel.slos):
        for slo in slos:
            axes.axhline(y.of(slo), color=medium.ink, lw=0.7 * medium.line, zorder=3)
        at = y.of(slos[-1])
        bound = " or ".join(dict.fromkeys(map(duration, slos)))
        for text in (f"SLO {percentile_name(percentile_of(panel))} ≤ {bound}", f"SLO {bound}", "SLO"):
            words = axes.annotate(text, (0, at), (0, 0), xycoords=("axes fraction", "data"), textcoords="offset points", zorder=9,
                                  ha="left", bbox={"boxstyle": "square,pad=0.1", "fc": medium.background, "ec": "none", "alpha": 0.8})
            if put_beside(axes, words, at, medium, labels) or text == "SLO":
                break
            words.remove()
        labels.avoid_text(words)
        labels.avoid_line([max(axes.get_xlim()[0], 1e-9), axes.get_xlim()[1]], [at, at])


def near_each_other(values):
    """Groups of ascending values, each within a tenth of the one before: words for each would cover one another."""
    groups = []
    for value in sorted(set(values)):
        if groups and value <= 1.1 * groups[-1][-1]:
            groups[-1].append(value)
        else:
            groups.append([value])
    return groups


def put_beside(axes, words, at, medium, labels):
    """Moves words along a level line, above it or below, to the first place that covers no curve; whether there is one."""
    renderer, figure = axes.figure.canvas.get_renderer(), axes.figure
    frame, box = axes.get_window_extent(renderer), words.get_window_extent(renderer)
    width, height = box.width, box.height
    level = axes.transData.transform((axes.get_xlim()[0], at))[1]
    gap, reach, dots = 0.35 * medium.size * figure.dpi / 72, 0.5 * medium.marker * figure.dpi / 72, labels.samples()
    steps, best = 40, (math.inf, 0, 0)
    for above in (True, False):
        low = level + gap if above else level - gap - height
        if low < frame.y0 or low + height > frame.y1:
            continue
        beside = [x for x, y in dots if low - reach <= y <= low + height + reach]
        for step in range(steps + 1):
            left = frame.x0 + gap + (frame.width - width - 2 * gap) * step / steps
            covered = sum(left - reach <= x <= left + width + reach for x in beside)
            if covered < best[0]:
                best = (covered, left, low)
    if best[0] < math.inf:
        points = 72 / figure.dpi
        words.set_position(((best[1] - frame.x0) * points, (best[2] - level) * points))
        words.set_verticalalignment("bottom")
    return best[0] == 0


def draw_offered(axes, medium, x, y, labels, named):
    """Where goodput is all that is offered: a line, named along it where no curve runs, as near its upper end as can be."""
    low, high = max(x.low, y.low), min(x.high, y.high)
    axes.plot([low, high], [low, high], color=medium.muted, lw=0.7 * medium.line, ls=(0, (5, 3)), zorder=1)
    if not named:
        return
    start = low if low > 0 else high / 100
    (x0, y0), (x1, y1) = axes.transData.transform([(start, start), (high, high)])
    turn, length = math.atan2(y1 - y0, x1 - x0), math.hypot(x1 - x0, y1 - y0)
    along, across = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
    words = axes.annotate("all that is offered", (high, high), (0, 0), textcoords="offset points", color=medium.muted, va="bottom")
    box = words.get_window_extent(axes.figure.canvas.get_renderer())
    scale = axes.figure.dpi / 72
    gap, em = 0.35 * medium.size * scale, medium.size * scale
    dots = [((px - x1) * along[0] + (py - y1) * along[1], (px - x1) * across[0] + (py - y1) * across[1]) for px, py in labels.samples()]
    best = (math.inf, 0, 0)
    for side in (gap, -gap - box.height):  # above the line, below it
        for step in range(12):
            end = -1.6 * em - step * max(length - box.width - 3 * em, 0) / 11
            covered = sum(end - box.width - gap <= p <= end + gap and side - gap / 2 <= q <= side + box.height + gap / 2 for p, q in dots)
            if covered < best[0]:
                best = (covered, end, side)
    _, end, side = best
    words.set(rotation=math.degrees(turn), rotation_mode="anchor", ha="right", position=(
        (end * along[0] + side * across[0]) / scale, (end * along[1] + side * across[1]) / scale))
    middle = side + box.height / 2
    ends = [axes.transData.inverted().transform((x1 + p * along[0] + middle * across[0], y1 + p * along[1] + middle * across[1]))
            for p in (end - box.width, end)]
    labels.avoid_line(*zip(*ends))


def draw_curve(axes, plan, curve, look, dash, medium, x, y, labels):
    """Its artists: carried dots joined in the series' dash, the others hollow and dotted."""
    dots = [d for d in curve.dots if x.shows(d.x) and y.shows(d.y)]
    good, past = [d for d in dots if d.stable], [d for d in dots if not d.stable]
    artists, front, background = [], look.front, medium.background
    spread = [d for d in good if not (math.isnan(d.low) or math.isnan(d.high))]
    floor = y.low

    def bound(value):
        return max(y.of(value), floor) if not math.isnan(value) else math.nan

    cells = plan.x not in ("load",) and all(d.blocks == 0 for d in dots)
    if cells:
        artists += [axes.vlines([x.of(d.x) for d in spread], [bound(d.low) for d in spread], [bound(d.high) for d in spread],
                                color=look.colour, lw=1.6 * look.width, alpha=0.45, zorder=3 + front)] if spread else []
    elif len(spread) > 1 and any(d.blocks > 1 for d in spread):
        artists.append(axes.fill_between([x.of(d.x) for d in spread], [bound(d.low) for d in spread],
                                         [bound(d.high) for d in spread], color=look.colour, alpha=0.15 if not medium.dark else 0.22,
                                         lw=0, zorder=2 + front))
    line, onward = [d.y for d in good], [d.y for d in past]
    if plan.x in ("load", "rate_per_s", "offered_per_s") and (plan.y == RESPONSE or plan.y in PERCENTILES) and \
            all(value > 0 for value in line + onward):
        line = rising(line, [max(1, d.blocks) for d in good])
        before = [value for d, value in zip(good, line) if past and d.rate < past[0].rate][-1:]
        onward = [max([value, *before]) for value in rising(onward, [max(1, d.blocks) for d in past])]
    line, onward = [y.of(value) for value in line], [y.of(value) for value in onward]
    artists += axes.plot([x.of(d.x) for d in good], line, color=look.colour, ls=dash, lw=look.width, zorder=4 + front)
    if past:
        bridge = [(x.of(d.x), value) for d, value in zip(good, line) if d.rate < past[0].rate][-1:] + list(zip([x.of(d.x) for d in past], onward))
        artists += axes.plot(*zip(*bridge), color=look.colour, ls=PAST, lw=0.7 * look.width, zorder=3 + front)
        artists += axes.plot([x.of(d.x) for d in past], [y.of(d.y) for d in past], ls="none", zorder=5 + front, **look.hollow(background))
    artists += axes.plot([x.of(d.x) for d in good], [y.of(d.y) for d in good], ls="none", zorder=6 + front, **look.solid(background))
    for dot in dots:
        if dot.reached in ("above", "below"):
            artists.append(axes.annotate("", (x.of(dot.x), y.of(dot.y)), (0, (2 if dot.reached == "above" else -2) * look.size),
                                         textcoords="offset points", annotation_clip=False,
                                         arrowprops={"arrowstyle": "<|-", "color": look.colour, "lw": 0.8 * look.width, "shrinkA": 0,
                                                     "shrinkB": 0.6 * look.size}))
    labels.avoid_line([x.of(d.x) for d in dots], [y.of(d.y) for d in dots])
    return artists


def draw_cliff(axes, plan, curve, look, medium, x, y, labels):
    """The cliff on the SLO line: a larger mark, and its interval as a bar."""
    value, low, high = cliff_on(plan, curve)
    slo = curve.cell.number("slo_ns")
    if not value > 0 or not slo > 0 or not x.low <= x.of(value) <= x.high:
        return []
    artists, level = [], y.of(slo)
    labels.avoid_line([x.of(v) for v in (low, value, high) if x.low <= x.of(v) <= x.high], [level * 1.0001] * 3)
    if not math.isnan(low) and not math.isnan(high):
        artists += axes.plot([max(x.of(low), x.low), min(x.of(high), x.high)], [y.of(slo)] * 2, color=look.colour, lw=2.4 * look.width,
                             alpha=0.5, solid_capstyle="butt", zorder=6 + look.front)
    return artists + axes.plot([x.of(value)], [y.of(slo)], ls="none", zorder=8 + look.front, **look.solid(medium.background, 1.45))
