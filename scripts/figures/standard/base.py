"""What the charts of a run share: their words, how a curve is drawn, which points count."""

import math

from figures.cells import rising
from figures.fit import fitted
from figures.names import workload_names
from figures.palette import PAST, mix, natural
from figures.standard.slide import HEIGHT, MARGIN, WIDTH, rate_axis
from figures.words import rate

METHOD = "Response from intended arrival; open loop; 95% intervals; points past saturation hollow"
SMALL = 9  # points of names where there are many
BANDS = "bands and bars: lowest to highest block; histograms merged over blocks."


class Skip(Exception):
    """Why a chart is not drawn."""


# -- words ---------------------------------------------------------------------------------------


def subtitle(run, workload=None):
    cpu = run.environment.get("cpu")
    if isinstance(cpu, dict):
        allowed = f"CPUs {cpu['allowed']}" if cpu.get("allowed") else ""
        cpu = ", ".join(part for part in (cpu.get("model"), allowed) if part)
    load = run.suite.get("load") if isinstance(run.suite.get("load"), dict) else {}
    if load.get("clock") == "virtual":
        cpu = "simulated"  # on any machine alike
    parts = [f"workload {workload}" if workload else "", str(cpu or ""),
             f"suite {run.summary.get('suite') or run.suite.get('name') or '?'}"]
    if run.blocks is not None:
        parts.append(f"{run.blocks} block" + ("" if run.blocks == 1 else "s"))
    if load.get("window"):
        parts.append(f"window {load['window']}" + (f" or {load['requests']} requests" if load.get("requests") else ""))
    return "  ·  ".join(part for part in parts if part)


def missing(run, cells, extra=()):
    """The footnote's sentence about cells that are not, or not wholly, in the chart."""
    said = [f"{run.styles[c.series].label} ({c.reason})" for c in cells if c.reason]
    said += [f"{run.styles[series].label} ({why})" for series, why in extra]
    return "Not drawn: " + "; ".join(said) + "." if said else ""


def warnings(run):
    return " ".join(warning + "." for warning in run.warnings)


def method(run, bands):
    if run.blocks == 1:
        return f"{METHOD}; a single block, so no bands."
    return f"{METHOD}; {BANDS}" if bands else f"{METHOD}."


def cliff_words(cell):
    value, _, _, reached = cell.estimate("cliff_per_s")
    return {"ok": f"cliff {rate(value)}/s", "above": f"cliff not reached by {rate(value)}/s",
            "below": f"over the SLO at {rate(value)}/s already"}.get(reached, "cliff not measured")


# -- shared drawing ------------------------------------------------------------------------------


def wants_logarithm(cells):
    """One linear axis cannot show models whose saturations lie more than ten times apart."""
    tops = [c.estimate("saturation_per_s")[0] for c in cells if c.points]
    tops = [top for top in tops if top > 0] or [p.rate for c in cells for p in c.points]
    return max(tops) > 10 * min(tops)


def up_to_edge(points, edge_ms):
    """The points of a curve up to the first past saturation that lies beyond an axis's edge."""
    for i, point in enumerate(points):
        if not point.stable and point.response_ns / 1e6 > edge_ms:
            return points[:i + 1] + [p for p in points[i + 1:] if p.stable]
    return points


def limits_x(axes, cells, logarithmic, rates):
    rates = list(rates)
    rates += [c.estimate("cliff_per_s")[0] for c in cells if c.points and c.estimate("cliff_per_s")[0] > 0]
    if logarithmic:
        low, high = min(rates) / 1.15, max(rates) * 1.25
        axes.set_xscale("log")
    else:
        low, high = 0, max(rates) * 1.04
    axes.set_xlim(low, high)
    rate_axis(axes.xaxis, logarithmic, max(low, 1e-9), high)
    axes.set_xlabel("offered load (requests/s)")


def draw_curve(run, axes, labels, cell, points, y, low, high, rises=False):
    """A cell's points: carried ones joined in the model's dash, the others hollow and dotted. With `rises` the line
    does not follow them down."""
    style = run.styles[cell.series]
    zero = axes.get_yscale() == "linear"  # a collapse to nothing shows, where the axis has a zero
    usable = [p for p in points if y(p) > 0 or (zero and y(p) == 0)]
    good, past = [p for p in usable if p.stable], [p for p in usable if not p.stable]
    if len(good) > 1 and any(p.blocks > 1 for p in good):
        axes.fill_between([p.rate for p in good], [low(p) for p in good], [high(p) for p in good],
                          color=style.colour, alpha=0.16, lw=0, zorder=2)
    line = [y(p) for p in good]
    if rises:
        line = rising(line, [p.histogram.count() if p.histogram is not None else 1 for p in good])
    axes.plot([p.rate for p in good], line, color=style.colour, ls=style.dash, lw=2, zorder=4)
    axes.plot([p.rate for p in good], [y(p) for p in good], ls="none", zorder=5, **style.solid())
    if past:
        bridge = [(p.rate, value) for p, value in zip(good, line) if p.rate < past[0].rate][-1:]
        onward = [y(p) for p in past]
        if rises:
            onward = [max([value, *(before for _, before in bridge)])
                      for value in rising(onward, [p.histogram.count() if p.histogram is not None else 1 for p in past])]
        bridge += zip([p.rate for p in past], onward)
        axes.plot(*zip(*bridge), color=style.colour, ls=PAST, lw=1.2, zorder=3)
        axes.vlines([p.rate for p in past], [low(p) for p in past], [high(p) for p in past], color=style.colour,
                    lw=1.2, alpha=0.7, zorder=3)
        axes.plot([p.rate for p in past], [y(p) for p in past], ls="none", zorder=5, **style.hollow())
    labels.avoid_line([p.rate for p in usable], [y(p) for p in usable])
    return max(usable, key=lambda p: p.rate) if usable else None


# -- small helpers -------------------------------------------------------------------------------


def named(run, drawn, page_of):
    """The page that `page_of(beside)` makes, with names beside the lines' ends where all find room there, else in a legend below
    and beside those ends that have room. Dashes that mean policies are always in a legend. page_of returns (page, its Labels)."""
    if any(c.policy for c in drawn):
        return page_of(False)[0]
    lines = sum(fitted(run.styles[c.series].label, MARGIN * WIDTH - 0.4, SMALL, 3).count("\n") + 2 for c in drawn)
    if lines * 1.15 * SMALL / 72 < 0.7 * HEIGHT:
        page, labels = page_of(True)
        if all(one.legible for one in labels):
            return page
    return page_of(False)[0]


def legend_of(run, drawn, beside):
    return () if beside else [run.styles[c.series] for c in drawn]


def at_half_load(cell, points):
    """The point nearest to half of the cell's cliff, from 0.4 to 0.6 of it; None where there is none."""
    cliff, _, _, reached = cell.estimate("cliff_per_s")
    if reached != "ok" or not cliff > 0:
        return None
    near = [p for p in points if 0.4 <= p.rate / cliff <= 0.6]
    return min(near, key=lambda p: abs(p.rate / cliff - 0.5), default=None)


def tone(share):
    return mix("#0072B2", "#000000" if share > 0 else "#FFFFFF", abs(share))


def threads_axis(axes, sizes):
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("threads in the pool")


def common(cells, name, default):
    values = [c.number(name) for c in cells if not math.isnan(c.number(name))]
    return values[0] if values else default


def with_points(cells):
    drawn = [cell for cell in cells if cell.points]
    if not drawn:
        raise Skip("no cell of it has a valid open-loop trial")
    return sorted(drawn, key=lambda cell: natural(cell.series))


def titled(run):
    """(workload, what it is called beside the others, cells)."""
    names = workload_names(run.raw.cells)
    return [(text, names[text], cells) for text, _, cells in run.workloads]
