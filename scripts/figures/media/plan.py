"""What one figure of curves holds, before anything is drawn: its panels, and axes that show what matters in them."""

import math
from dataclasses import dataclass, field

from figures.media.axis import axis_of, words_of
from figures.media.select import PERCENTILES, RESPONSE, option_number


@dataclass
class Panel:
    title: str
    curves: list
    slos: list = field(default_factory=list)  # ns, of the cells in it


@dataclass
class Plan:
    """One figure: what it is called, its panels and its axes."""

    name: str
    title: str
    subtitle: str
    panels: list
    x: str
    y: str
    runs: list  # names, in the order of their dashes
    notes: str = ""
    x_scale: str = "auto"
    y_scale: str = "auto"
    shared: bool = False  # panels of one workload have the same limits

    def axes(self):
        """(x axis, y axis) of each panel."""
        if self.shared:
            together = Panel("", [c for p in self.panels for c in p.curves], self.panels[0].slos)
            return [limits(self, together)] * len(self.panels)
        return [limits(self, panel) for panel in self.panels]

    def series(self):
        return list(dict.fromkeys(c.series for p in self.panels for c in p.curves))

    def per_cell(self):
        """Whether a dot is a figure of a cell, not a rate of it."""
        return all(d.blocks == 0 for p in self.panels for c in p.curves for d in c.dots)

    def has_past(self):
        return any(not d.stable for p in self.panels for c in p.curves for d in c.dots)


def percentile_of(panel):
    values = sorted(v for v in {c.cell.number("slo_percentile") for c in panel.curves} if not math.isnan(v))
    return values[0] if values else 99.0


def shows_slo(plan, panel):
    """Whether y is the response that the SLO bounds."""
    return plan.y == RESPONSE or PERCENTILES.get(plan.y) == percentile_of(panel)


def limits(plan, panel):
    """(x axis, y axis) of one panel's curves."""
    dots = [d for c in panel.curves for d in c.dots]
    slos = panel.slos if shows_slo(plan, panel) else []
    top = top_of(plan, panel, slos)
    ys = [v for d in dots for v in (d.y, d.low, d.high) if not math.isnan(v)]
    y = axis_of(plan.y, ys + slos, plan.y_scale, percentile_of(panel), any(is_time(c, plan.y) for c in panel.curves), top)
    xs = [x for c in panel.curves for x in across(c.dots, top)]
    if slos and plan.x in ("rate_per_s", "load"):
        xs += [v for c in panel.curves for v in [cliff_on(plan, c)[0]] if v > 0]
    x = axis_of(plan.x, xs, plan.x_scale, percentile_of(panel), any(is_time(c, plan.x) for c in panel.curves))
    values = sorted({x.of(value) for value in xs})
    if all(plan.x in options_of(c) for c in panel.curves) and x.logarithmic and len(values) <= 8:
        x.ticks = tuple(values)
    return x, y


def top_of(plan, panel, slos):
    """Where a time's axis ends: the backlog of an overload grows with the window and would squeeze everything else
    out of sight. Where most curves leave the page anyway, it ends soon after what was carried. None: no limit."""
    if not plan.y.endswith("_ns"):
        return None
    dots = [d for c in panel.curves for d in c.dots]
    carried = [v for d in dots if d.stable for v in (d.y, d.high) if v > 0]
    highest = max([d.y for d in dots] + [v for v in (d.high for d in dots) if not math.isnan(v)], default=0)
    if not carried or highest <= 2 * max(carried + [20 * slo for slo in slos]):
        return None
    top = 1.6 * max(carried + [20 * slo for slo in slos])
    first_past = [next((d.y for d in c.dots if not d.stable), None) for c in panel.curves]
    first_past = [y for y in first_past if y is not None]
    if sum(y <= top for y in first_past) * 2 < len(first_past):
        top = max([1.6 * d.y for d in dots if d.stable] + [5 * slo for slo in slos])
    return top


def across(dots, top):
    """The x of a curve's dots as far as they are on the page, and where the curve leaves it."""
    if top is None:
        return [d.x for d in dots]
    seen = []
    for before, dot in zip([None] + dots, dots):
        if not dot.stable and dot.y > top:
            if before is not None and 0 < before.y < top:
                share = math.log(top / before.y) / math.log(dot.y / before.y)
                seen.append(before.x + share * (dot.x - before.x))
            return seen or [dot.x]
        seen.append(dot.x)
    return seen


def options_of(curve):
    return (curve.cell.row.get("model_options") or {}) | (curve.cell.row.get("workload_options") or {}) | curve.cell.policy_options


def is_time(curve, column):
    """Whether a column is an option that is a time, such as `wait=5ms`."""
    text = str(options_of(curve).get(column, ""))
    return text.endswith("s") and not math.isnan(option_number(text))


def cliff_on(plan, curve):
    """The cliff and its interval on the x axis; NaN where x is no load or there is none."""
    value, low, high, reached = curve.cell.estimate("cliff_per_s")
    if reached != "ok":
        return math.nan, math.nan, math.nan
    if plan.x == "load":
        return value / curve.saturation, low / curve.saturation, high / curve.saturation
    return (value, low, high) if plan.x == "rate_per_s" else (math.nan,) * 3


def title_of(x, y, percentile):
    """`p99 response against offered load`."""
    above, across_words = words_of(y, percentile), words_of(x, percentile).partition(",")[0]
    above = above if above.startswith("p9") else above[0].upper() + above[1:]
    return f"{above} against {across_words}".replace(" (requests/s)", "")
