"""The curves of a run, cell by cell, at each cell's percentile. What is said of a block is the percentile of that block alone."""

import math
import statistics
from dataclasses import dataclass, field
from functools import cached_property

import numpy

from curves import by_rate, merge_rate, rising  # noqa: F401  (the charts take `rising` from here)
from figures.glyphs import drawable
from figures.names import model_names, workload_of
from figures.palette import styles_of
from figures.policies import model_name, options_in, places_of, policy_of
from precipice_run import Histogram, RunError, finite
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
    rows: list = field(default_factory=list)  # its trials, as in points.csv

    def median(self, column):
        """(median, lowest, highest) of a column over its trials; NaN where none has it."""
        values = [value for row in self.rows if not math.isnan(value := finite(row.get(column)))]
        return (statistics.median(values), min(values), max(values)) if values else (math.nan,) * 3


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
        return self.row.get("model") or model_name(self.series)

    @property
    def policy(self):
        """What the policies before the model are called; empty without any."""
        return policy_of(self.series)

    @property
    def policy_options(self):
        """Those in which a suite's policies of one name differ: {"size": "8"}."""
        return options_in(self.policy)[1]

    @property
    def across_options(self):
        """What all series of its model and policy have in common, whatever the options of the model: `fixed_pool|hedged`."""
        return f"{self.model}|{self.policy}" if self.policy else self.model

    @property
    def called(self):
        """What a command line may call it: its series or model; without a policy, also `event_loop|none`."""
        return {self.series, self.model} | (set() if self.policy else {f"{self.series}|none", f"{self.model}|none"})

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

    @property
    def has_policies(self):
        return any(cell.policy for _, _, cells in self.workloads for cell in cells)

    @cached_property
    def styles(self):
        """{series: Style}, the same in every standard chart."""
        return styles_of([cell for _, _, cells in self.workloads for cell in cells])

    @cached_property
    def knobs(self):
        """{series: its Place among those that differ in one option of their policy}."""
        return places_of(model_names(cell for _, _, cells in self.workloads for cell in cells))


def point_of(merged, histograms, percentile):
    """The RatePoint of a merged rate, or None when no trial has a latency."""

    def own_response(row):
        if row["key"] in histograms:
            return histograms[row["key"]].percentile(percentile)
        for name in ("slo_percentile_ns", "p99_ns"):
            if not math.isnan(finite(row.get(name))):
                return finite(row[name])
        return math.nan

    each = [value for value in map(own_response, merged.rows) if value > 0]
    if not each:
        return None
    histogram = merged.histogram if merged.histogram is not None and merged.histogram.count() > 0 else None
    if histogram is not None:
        response = histogram.percentile(percentile)
    else:
        response = float(numpy.median([v for v in map(own_response, merged.drawn) if v > 0] or each))
    return RatePoint(merged.rate, merged.stable, response, min(each), max(each), merged.goodput, merged.goodput_low,
                     merged.goodput_high, len(merged.blocks), histogram, merged.rows)


def curve(rows, histograms, percentile):
    """The points of a cell by rate."""
    points = [point_of(merge_rate(rate, group, histograms), histograms, percentile) for rate, group in sorted(by_rate(rows).items())]
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
