"""Reads a run's directory: cells, points and raw histograms, merged per rate over the blocks.

Percentiles are never averaged. The histograms of one rate are added and the percentile is taken
from the sum; what is said of a block is the percentile of that block alone.
"""

import csv
import json
import math
import os
import tomllib
from dataclasses import dataclass, field

import numpy

SCHEMA = 1
MAX_LOSS = 0.001  # a cliff allows this share to be shed, failed or unfinished
HIGHEST_NS = 3_600_000_000_000
# HDR layout with 3 significant digits: 2,048 values of 1 ns, then 1,024 buckets for every doubling.
SUB_BUCKETS = 2048
HALF = SUB_BUCKETS // 2


class RunError(Exception):
    """What is wrong with a run's directory, in one line for the user."""


def bucket_highest(index):
    """The highest value in ns that a bucket stands for; takes numpy arrays of indexes."""
    index = numpy.asarray(index, dtype=numpy.int64)
    shift = numpy.maximum((index - SUB_BUCKETS) // HALF + 1, 0)
    above = ((HALF + (index - SUB_BUCKETS) % HALF + 1) << shift) - 1
    return numpy.where(index < SUB_BUCKETS, index, above)


class Histogram:
    """Counts by bucket index, and what lay beyond the layout's range."""

    def __init__(self, counts=None, overflow=0):
        self.counts = counts or {}
        self.overflow = overflow

    @staticmethod
    def from_journal(stored):
        """From {"overflow": n, "buckets": [index delta, count, ...]}."""
        flat = stored.get("buckets") or []
        counts, index = {}, 0
        for delta, count in zip(flat[0::2], flat[1::2]):
            index += delta
            counts[index] = counts.get(index, 0) + count
        return Histogram(counts, stored.get("overflow") or 0)

    @staticmethod
    def merged(histograms):
        total = Histogram({})
        for one in histograms:
            total.overflow += one.overflow
            for index, count in one.counts.items():
                total.counts[index] = total.counts.get(index, 0) + count
        return total

    def count(self):
        return sum(self.counts.values()) + self.overflow

    def cumulative(self):
        """(values in ns, how many are at most that), ascending; the overflow is left out."""
        indexes = sorted(self.counts)
        return bucket_highest(indexes), numpy.cumsum([self.counts[i] for i in indexes])

    def percentile(self, p):
        """Nearest rank, p in (0, 100]; NaN of nothing."""
        total = self.count()
        if total == 0:
            return math.nan
        rank = max(1, math.ceil(p / 100 * total - 1e-9))
        values, below = self.cumulative()
        at = int(numpy.searchsorted(below, rank))
        return float(values[at]) if at < len(values) else float(HIGHEST_NS + 1)


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
        stored = self.row.get(name)
        if not isinstance(stored, dict):
            stored = {"value": stored}
        value = finite(stored.get("value"))
        reached = stored.get("reached") or ("unmeasured" if math.isnan(value) else "ok")
        if math.isnan(value):
            reached = "unmeasured"
        return value, finite(stored.get("low")), finite(stored.get("high")), reached

    def stable_points(self):
        return [p for p in self.points if p.stable]


@dataclass
class Run:
    directory: str
    suite: dict
    environment: dict
    summary: dict
    workloads: list  # (text, name, [Cell]), in the summary's order
    warnings: list

    @property
    def blocks(self):
        return self.summary.get("blocks_done")


def finite(value):
    """A float; NaN for null, empty or what is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def truth(text):
    return str(text).strip().lower() in ("1", "true", "yes")


def read_json(path, what):
    try:
        with open(path, encoding="utf-8") as stream:
            document = json.load(stream)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path}: is not JSON, so this {what} cannot be used: {error}") from error
    if not isinstance(document, dict):
        raise RunError(f"{path}: holds no JSON object, so this {what} cannot be used")
    return document


def read_histograms(path, wanted, warnings):
    """Histograms of the trials whose keys are wanted. A torn line costs only itself."""
    found, torn = {}, 0
    try:
        stream = open(path, encoding="utf-8", errors="replace")
    except OSError:
        warnings.append("journal.jsonl cannot be read: medians over blocks stand in for merged histograms")
        return found
    with stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                if entry.get("kind") == "trial" and entry.get("key") in wanted and entry.get("histogram"):
                    found[entry["key"]] = Histogram.from_journal(entry["histogram"])
            except (ValueError, AttributeError, TypeError):
                torn += 1
    if torn:
        warnings.append(f"journal.jsonl: {torn} unreadable line(s) skipped")
    return found


def merge_rate(rate, rows, histograms, percentile):
    """One RatePoint from the trials of a rate, or None when none says a latency."""

    def carried(row):
        loss = finite(row.get("loss"))
        return truth(row.get("stable")) and not loss > MAX_LOSS

    def own_response(row):
        if row["key"] in histograms:
            return histograms[row["key"]].percentile(percentile)
        for name in ("slo_percentile_ns", "p99_ns"):
            if not math.isnan(finite(row.get(name))):
                return finite(row[name])
        return math.nan

    good = [row for row in rows if carried(row)]
    stable = 2 * len(good) > len(rows)
    # A trial with a growing backlog measures that backlog: it widens the band, never the merge.
    drawn = good if stable else rows
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


def curve(rows, histograms, percentile):
    """The points of a cell by rate. Coarse trials are short: they count only where nothing else is."""
    by_phase = [row for row in rows if row.get("phase") in ("refine", "grid", "overload")]
    if len({row["rate_per_s"] for row in by_phase}) < 3:
        by_phase = [row for row in rows if row.get("phase") != "plateau"]
    groups = {}
    for row in by_phase:
        # Four digits: the same rate, whatever decimals a writer kept.
        groups.setdefault(float(f"{finite(row['rate_per_s']):.4g}"), []).append(row)
    points = [merge_rate(rate, groups[rate], histograms, percentile) for rate in sorted(groups)]
    return [point for point in points if point is not None]


def load_run(directory):
    """Everything that the charts need of RUN_DIR; RunError when it is none."""
    if not os.path.isdir(directory):
        raise RunError(f"{directory}: no such directory")
    summary_path = os.path.join(directory, "summary.json")
    points_path = os.path.join(directory, "points.csv")
    for path in (summary_path, points_path):
        if not os.path.isfile(path):
            raise RunError(f"{directory}: not a run's directory, or no block of it is finished: "
                           f"{os.path.basename(path)} is not there")
    summary = read_json(summary_path, "run")
    if summary.get("schema") != SCHEMA:
        raise RunError(f"{summary_path}: schema {summary.get('schema')!r} is unknown; this script reads schema {SCHEMA}")
    rows_of_cells = [row for row in summary.get("cells") or [] if isinstance(row, dict) and row.get("series")]
    if not rows_of_cells:
        raise RunError(f"{summary_path}: names no cell, so there is nothing to draw")

    warnings = []
    try:
        with open(os.path.join(directory, "suite.toml"), "rb") as stream:
            suite = tomllib.load(stream)
    except (OSError, ValueError):
        suite = {}
        warnings.append("suite.toml cannot be read: the subtitle says less")
    try:
        environment = read_json(os.path.join(directory, "environment.before.json"), "environment")
    except RunError:
        environment = {}

    try:
        with open(points_path, encoding="utf-8", newline="") as stream:
            table = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{points_path}: cannot be read: {error}") from error
    needed = {"series", "workload", "phase", "block", "closed", "rate_per_s", "goodput_per_s", "stable", "used", "key"}
    if table and not needed <= set(table[0]):
        raise RunError(f"{points_path}: the column {sorted(needed - set(table[0]))[0]!r} is not there")
    open_loop = [row for row in table if truth(row["used"]) and not finite(row["closed"]) > 0
                 and finite(row["rate_per_s"]) > 0]
    histograms = read_histograms(os.path.join(directory, "journal.jsonl"), {row["key"] for row in open_loop}, warnings)

    workloads, order = {}, []
    for row in rows_of_cells:
        text = row.get("workload") or row.get("workload_name") or "?"
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
            raise RunError(f"{summary_path}: model_options of {row['series']} is no table")
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
    return Run(directory, suite, environment, summary, list(workloads.values()), warnings)


def reason_for(cell):
    if cell.row.get("failure"):
        return str(cell.row["failure"])
    if not cell.points:
        invalid = cell.row.get("invalid_causes") or {}
        causes = ", ".join(f"{count} {cause}" for cause, count in sorted(invalid.items()))
        return f"no valid open-loop trial ({causes})" if causes else "no valid open-loop trial"
    return ""
