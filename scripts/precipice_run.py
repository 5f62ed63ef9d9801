"""A run's directory as data: the one place where scripts learn what lies where (results/README.md describes it).

    run = precipice_run.load("results/quick")     # a run, or a suite's directory: its newest finished run
    run.name                                      # "quick/20261121T153613Z-de117dc"
    run.manifest, run.suite, run.before, run.after, run.summary      # dicts, {} where a file is not there
    run.cells                                     # the summary's cells, dicts
    run.points                                    # rows of points.csv: floats (NaN: empty), booleans, text
    run.trials(), run.calibrations()              # the journal's lines, one at a time
    run.histograms(keys)                          # {key: Histogram} of response times in ns
    run.warnings                                  # what could not be read, for a footnote
    estimate(cell, "cliff_per_s")                 # (value, low, high, reached)

What makes a directory unusable is a RunError with one line for the user. Percentiles are never averaged: histograms
are added (Histogram.merged) and the percentile is taken from the sum.
"""

import csv
import json
import math
import os
import tomllib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy

SCHEMA = 1
MAX_LOSS = 0.001  # a cliff allows this share to be shed, failed or unfinished
HIGHEST_NS = 3_600_000_000_000
# HDR layout with 3 significant digits: 2,048 values of 1 ns, then 1,024 buckets for every doubling.
SUB_BUCKETS = 2048
HALF = SUB_BUCKETS // 2

NEEDED_COLUMNS = frozenset(("series", "workload", "phase", "block", "closed", "rate_per_s", "goodput_per_s", "stable",
                            "used", "key"))
TEXT_COLUMNS = frozenset(("series", "model", "workload", "phase", "invalid_cause", "key"))
FLAG_COLUMNS = frozenset(("stable", "valid", "used"))


class RunError(Exception):
    """What is wrong with a run's directory, in one line for the user."""


# -- values --------------------------------------------------------------------------------------


def finite(value):
    """A float; NaN for null, empty or what is no number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def truth(text):
    return str(text).strip().lower() in ("1", "true", "yes")


class Estimate(NamedTuple):
    """A figure with its 95% interval; `reached` is ok, below, above or unmeasured. Missing numbers are NaN."""

    value: float
    low: float
    high: float
    reached: str


def estimate(cell, name):
    """A figure of a summary's cell, whether it is stored with an interval, bare, or not at all."""
    stored = cell.get(name)
    if not isinstance(stored, dict):
        stored = {"value": stored}
    value = finite(stored.get("value"))
    reached = "unmeasured" if math.isnan(value) else stored.get("reached") or "ok"
    return Estimate(value, finite(stored.get("low")), finite(stored.get("high")), reached)


# -- histograms ----------------------------------------------------------------------------------


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
        """From {"overflow": n, "buckets": [index delta, count, ...]}, a trial's histogram or one of its slices.

        Slices are coarser, 32 steps per power of two: every count lies in the middle bucket of its step.
        """
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


# -- the directory -------------------------------------------------------------------------------


@dataclass
class RunDirectory:
    directory: str
    manifest: dict
    suite: dict
    before: dict
    after: dict
    summary: dict
    points: list
    warnings: list = field(default_factory=list)

    @property
    def cells(self):
        return [row for row in self.summary.get("cells") or [] if isinstance(row, dict) and row.get("series")]

    @property
    def name(self):
        """SUITE/TIME-GITSHA: what a reader calls this run."""
        suite = self.summary.get("suite") or self.suite.get("name") or "?"
        return f"{suite}/{os.path.basename(os.path.abspath(self.directory))}"

    @property
    def finished(self):
        return bool(self.manifest.get("finished"))

    def columns(self):
        return list(self.points[0]) if self.points else []

    def open_loop(self):
        """The rows that enter results: used trials of the open loop."""
        return [row for row in self.points if row["used"] and not row["closed"] > 0 and row["rate_per_s"] > 0]

    def trials(self):
        return (entry for entry in self.journal() if entry.get("kind") == "trial")

    def calibrations(self):
        return (entry for entry in self.journal() if entry.get("kind") == "calibration")

    def journal(self):
        """Every readable line of the journal. A torn line costs only itself, and is told once in `warnings`."""
        torn = 0
        try:
            stream = open(os.path.join(self.directory, "journal.jsonl"), encoding="utf-8", errors="replace")
        except OSError:
            self.warn("journal.jsonl cannot be read: medians over blocks stand in for merged histograms")
            return
        with stream:
            for line in stream:
                if not line.strip():
                    continue
                try:
                    entry = json.loads(line)
                except ValueError:
                    torn += 1
                    continue
                if isinstance(entry, dict):
                    yield entry
                else:
                    torn += 1
        if torn:
            self.warn(f"journal.jsonl: {torn} unreadable line(s) skipped")

    def histograms(self, keys):
        """{key: Histogram} of those trials whose keys are wanted and have one."""
        wanted, found, unreadable = set(keys), {}, 0
        for entry in self.trials():
            if entry.get("key") not in wanted or not entry.get("histogram"):
                continue
            try:
                found[entry["key"]] = Histogram.from_journal(entry["histogram"])
            except (AttributeError, TypeError):
                unreadable += 1
        if unreadable:
            self.warn(f"journal.jsonl: {unreadable} unreadable histogram(s) skipped")
        return found

    def warn(self, sentence):
        if sentence not in self.warnings:
            self.warnings.append(sentence)


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


def read_optional(path, what):
    try:
        return read_json(path, what)
    except RunError:
        return {}


def read_points(path):
    """points.csv with its numbers as floats (NaN where empty), its flags as booleans and the rest as text."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            table = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    if table and not NEEDED_COLUMNS <= set(table[0]):
        raise RunError(f"{path}: the column {sorted(NEEDED_COLUMNS - set(table[0]))[0]!r} is not there")
    return [{name: value or "" if name in TEXT_COLUMNS else truth(value) if name in FLAG_COLUMNS else finite(value)
             for name, value in row.items() if name is not None} for row in table]


def locate(path):
    """The run meant by a path: itself, or of a suite's directory its newest finished run."""
    if not os.path.isdir(path):
        raise RunError(f"{path}: no such directory")
    if os.path.isfile(os.path.join(path, "manifest.json")) or os.path.isfile(os.path.join(path, "summary.json")):
        return path
    inside = sorted(name for name in os.listdir(path) if os.path.isfile(os.path.join(path, name, "summary.json")))
    for name in reversed(inside):
        if read_optional(os.path.join(path, name, "manifest.json"), "run").get("finished"):
            return os.path.join(path, name)
    return path


def load(path):
    """Everything but the journal, which is read when asked for; RunError when there is no run."""
    directory = locate(path)
    summary_path = os.path.join(directory, "summary.json")
    points_path = os.path.join(directory, "points.csv")
    for needed in (summary_path, points_path):
        if not os.path.isfile(needed):
            raise RunError(f"{directory}: not a run's directory, or no block of it is finished: "
                           f"{os.path.basename(needed)} is not there")
    summary = read_json(summary_path, "run")
    if summary.get("schema") != SCHEMA:
        raise RunError(f"{summary_path}: schema {summary.get('schema')!r} is unknown; this script reads schema {SCHEMA}")
    run = RunDirectory(directory, read_optional(os.path.join(directory, "manifest.json"), "manifest"), {},
                       read_optional(os.path.join(directory, "environment.before.json"), "environment"),
                       read_optional(os.path.join(directory, "environment.after.json"), "environment"), summary,
                       read_points(points_path))
    if not run.cells:
        raise RunError(f"{summary_path}: names no cell, so there is nothing to draw")
    try:
        with open(os.path.join(directory, "suite.toml"), "rb") as stream:
            run.suite = tomllib.load(stream)
    except (OSError, ValueError):
        run.warn("suite.toml cannot be read: the subtitle says less")
    return run


def load_named(arguments, load=load):
    """[(name, run)] from `RUN` or `NAME=RUN`; a name that is taken already gets a number. `load` makes a run of a path."""
    named = []
    for text in arguments:
        name, path = "", text
        if "=" in text and not os.path.exists(text):
            name, path = text.split("=", 1)
        run = load(path)
        name = wanted = name or run.name
        taken, number = [other for other, _ in named], 2
        while name in taken:
            name, number = f"{wanted} ({number})", number + 1
        named.append((name, run))
    return named
