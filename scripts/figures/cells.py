"""The curves of a run: points merged per rate over the blocks, cell by cell.

Percentiles are never averaged. The histograms of one rate are added and the percentile is taken
from the sum; what is said of a block is the percentile of that block alone.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy

from figures.glyphs import drawable
from figures.names import workload_of
from figures.palette import styles_of
from precipice_run import MAX_LOSS, Histogram, RunError, finite
import precipice_run


@dataclass
class RatePoint:
    """One offered rate of a cell, merged over blocks."""

    rate: float
    stable: bool  # carried: no growing backlog, at most 0.1% lost, in most of its trials
    response_ns: float  # at the cell's percentile
    response_low: float  # lowest and highest block
    response_high: float
    goodput: float  # median over blocks
    goodput_low: float
    goodput_high: float
    blocks: int
    histogram: Histogram  # of the trials that response_ns is from; None without a journal


@dataclass
class Cell:
    """A series on a workload: the summary's row and its curve."""

    row: dict
    points: list = field(default_factory=list)
    reason: str = ""  # why there is nothing, or not everything, to draw

    @property
    def series(self):
        return self.row["series"]

    @property
    def model(self):
        return self.row.get("model") or self.series.split(":")[0].split(".")[0]

    @property
    def options(self):
        return {k: str(v) for k, v in (self.row.get("model_options") or {}).items()}

    def number(self, name):
        return finite(self.row.get(name))

    def estimate(self, name):
        """(value, low, high, reached); numbers that are missing are NaN."""
        return precipice_run.estimate(self.row, name)

    def stable_points(self):
        return [p for p in self.points if p.stable]


def rising(values, weights):
    """The non-decreasing values nearest to these on the logarithm (pool adjacent violators): no response falls because
    more is offered, so a line through noisy dots goes there, as the search for the cliff does."""
    pools = []
    for value, weight in zip(values, weights):
        pools.append([math.log(value), weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            level, more, dots = pools.pop()
            into = pools[-1]
            into[0] = (into[0] * into[1] + level * more) / (into[1] + more)
            into[1] += more
            into[2] += dots
    return [math.exp(level) for level, _, dots in pools for _ in range(dots)]


@dataclass
class Run:
    """A run's directory and, for every workload, its cells with their curves."""

    raw: precipice_run.RunDirectory
    workloads: list  # (text, name, [Cell]), in the summary's order
    histograms: dict  # of the trials that enter results, by key

    @property
    def directory(self):
        return self.raw.directory

    @property
    def name(self):
        return self.raw.name

    @property
    def text(self):
        return self.raw.text

    @property
    def suite(self):
        return self.raw.suite

    @property
    def environment(self):
        return self.raw.before

    @property
    def summary(self):
        return self.raw.summary

    @property
    def warnings(self):
        return self.raw.warnings

    @property
    def blocks(self):
        return self.summary.get("blocks_done")

    @cached_property
    def styles(self):
        """{series: Style}, the same in every standard chart."""
        return styles_of([cell for _, _, cells in self.workloads for cell in cells])


def carried(row):
    """Whether a trial's load was carried: no growing backlog, at most 0.1% lost."""
    return row["stable"] and not finite(row.get("loss")) > MAX_LOSS


def majority(rows):
    """Whether most trials of a rate were carried, and the trials that speak for it.

    A trial with a growing backlog measures that backlog: it widens the band, never the merge.
    """
    good = [row for row in rows if carried(row)]
    stable = 2 * len(good) > len(rows)
    return stable, good if stable else rows


def merge_rate(rate, rows, histograms, percentile):
    """One RatePoint from the trials of a rate, or None when none says a latency."""

    def own_response(row):
        if row["key"] in histograms:
            return histograms[row["key"]].percentile(percentile)
        for name in ("slo_percentile_ns", "p99_ns"):
            if not math.isnan(finite(row.get(name))):
                return finite(row[name])
        return math.nan

    stable, drawn = majority(rows)
    parts = [histograms[row["key"]] for row in drawn if row["key"] in histograms]
    merged = Histogram.merged(parts) if parts and len(parts) == len(drawn) else None
    each = [value for value in map(own_response, rows) if value > 0]
    if not each:
        return None
    if merged is not None and merged.count() > 0:
        response = merged.percentile(percentile)
    else:
        merged, response = None, float(numpy.median([v for v in map(own_response, drawn) if v > 0] or each))
    goodputs = [finite(r.get("goodput_per_s")) for r in rows]
    goodputs = [g for g in goodputs if not math.isnan(g)] or [math.nan]
    return RatePoint(rate, stable, response, min(each), max(each), float(numpy.median(goodputs)),
                     min(goodputs), max(goodputs), len({row.get("block") for row in rows}), merged)


def by_rate(rows):
    """Trials by offered rate. Coarse trials are short: they count only where nothing else is."""
    by_phase = [row for row in rows if row.get("phase") in ("refine", "grid", "overload")]
    if len({row["rate_per_s"] for row in by_phase}) < 3:
        by_phase = [row for row in rows if row.get("phase") != "plateau"]
    groups = {}
    for row in by_phase:
        # Four digits: the same rate, whatever decimals a writer kept.
        groups.setdefault(float(f"{row['rate_per_s']:.4g}"), []).append(row)
    return groups


def curve(rows, histograms, percentile):
    """The points of a cell by rate."""
    points = [merge_rate(rate, group, histograms, percentile) for rate, group in sorted(by_rate(rows).items())]
    return [point for point in points if point is not None]


def load_run(directory):
    """The run of a directory with its curves; RunError when it is none."""
    raw = precipice_run.load(directory, drawable)
    rows_of_cells, open_loop = raw.cells, raw.open_loop()
    histograms = raw.histograms(row["key"] for row in open_loop)

    workloads, order = {}, []
    for row in rows_of_cells:
        text = workload_of(row)
        if text not in workloads:
            workloads[text] = (text, row.get("workload_name") or text.split(":")[0], [])
        if row["series"] not in order:
            order.append(row["series"])
        cell = Cell(row)
        percentile = cell.number("slo_percentile")
        own = [r for r in open_loop if r["series"] == row["series"] and r["workload"] == text]
        cell.points = curve(own, histograms, 99.0 if math.isnan(percentile) else percentile)
        cell.reason = reason_for(cell)
        if not isinstance(row.get("model_options") or {}, dict):
            raise RunError(f"{raw.directory}: model_options of {row['series']} is no table")
        workloads[text][2].append(cell)
    for text, name, cells in workloads.values():
        present = {cell.series for cell in cells}
        for series in order:
            if series not in present:
                twin = next(r for r in rows_of_cells if r["series"] == series)
                cells.append(Cell({"series": series, "model": twin.get("model"), "workload": text,
                                   "model_options": twin.get("model_options"), "workload_name": name},
                                  reason="not in the summary"))
        cells.sort(key=lambda cell: order.index(cell.series))
    return Run(raw, list(workloads.values()), histograms)


def reason_for(cell):
    if cell.row.get("failure"):
        return str(cell.row["failure"])
    if not cell.points:
        invalid = cell.row.get("invalid_causes") or {}
        causes = ", ".join(f"{count} {cause}" for cause, count in sorted(invalid.items()))
        return f"no valid open-loop trial ({causes})" if causes else "no valid open-loop trial"
    return ""
