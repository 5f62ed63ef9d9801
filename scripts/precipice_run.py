"""A run's directory as data: the one place where scripts learn what lies where (results/README.md describes it).

    run = precipice_run.load("results/quick")     # a run, or a suite's directory: its newest finished run; also just "quick"
    run.name                                      # "quick/20261121T153613Z-de117dc"
    run.manifest, run.suite, run.before, run.after, run.summary      # dicts, {} where a file is not there
    run.cells                                     # the summary's cells, dicts
    run.points                                    # rows of points.csv: floats (NaN: empty), booleans, text
    run.trials(), run.calibrations()              # the journal's lines, one at a time
    run.histograms(keys)                          # {key: Histogram} of response times in ns
    run.warnings                                  # what could not be read, for a footnote
    estimate(cell, "cliff_per_s")                 # (value, low, high, reached)

What makes a directory unusable is a RunError with one line for the user. All text of a run has gone through `shown`, since a stranger
may have written it. Percentiles are never averaged: histograms are added (Histogram.merged) and the percentile is taken from the sum.
"""

import csv
import json
import math
import os
import tomllib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy

from files import opened
from launch import Failure
from shown import clean, shown

SCHEMA = 1
MAX_LOSS = 0.001  # a cliff allows this share to be shed, failed or unfinished
HIGHEST_NS = 3_600_000_000_000
# HDR layout with 3 significant digits: 2,048 values of 1 ns, then 1,024 buckets for every doubling.
SUB_BUCKETS = 2048
HALF = SUB_BUCKETS // 2

NEEDED_COLUMNS = frozenset(("series", "workload", "phase", "block", "closed", "rate_per_s", "goodput_per_s", "stable",
                            "used", "key"))
TEXT_COLUMNS = frozenset(("series", "model", "workload", "phase", "invalid_cause", "key", "trigger"))
FLAG_COLUMNS = frozenset(("stable", "valid", "used"))
# What a field of another type or size ends in, wherever it is first counted with.
DAMAGED = (ArithmeticError, AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


class RunError(Failure):
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
    """Counts by bucket index, and what lay beyond the layout's range. Not changed once it has been read from."""

    def __init__(self, counts=None, overflow=0):
        self.counts = counts or {}
        self.overflow = overflow
        self.sums = None  # what `cumulative` has found: a spectrum asks hundreds of times

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
        if self.sums is None:
            indexes = sorted(self.counts)
            self.sums = bucket_highest(indexes), numpy.cumsum([self.counts[i] for i in indexes])
        return self.sums

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
    text: object = shown  # what all text goes through

    @property
    def cells(self):
        return [row for row in self.summary.get("cells") or [] if isinstance(row, dict) and row.get("series")]

    @property
    def name(self):
        """SUITE/TIME-GITSHA: what a reader calls this run."""
        suite = self.summary.get("suite") or self.suite.get("name") or "?"
        return f"{suite}/{self.text(os.path.basename(os.path.abspath(self.directory)))}"

    @property
    def finished(self):
        return bool(self.manifest.get("finished"))

    def columns(self):
        return list(self.points[0]) if self.points else []

    def open_loop(self):
        """The rows that enter results: used trials of the open loop, in which nothing was made to happen."""
        return [row for row in self.points
                if row["used"] and not row["closed"] > 0 and row["rate_per_s"] > 0 and not row.get("trigger")]

    def trials(self):
        return (entry for entry in self.journal() if entry.get("kind") == "trial")

    def calibrations(self):
        return (entry for entry in self.journal() if entry.get("kind") == "calibration")

    def journal(self):
        """Every readable line of the journal. A torn line costs only itself, and is told once in `warnings`."""
        torn = 0
        try:
            stream = opened(os.path.join(self.directory, "journal.jsonl"), encoding="utf-8", errors="surrogateescape")
        except OSError:
            self.warn("journal.jsonl cannot be read: medians over blocks stand in for merged histograms")
            return
        with stream:
            for line in stream:
                if not line.strip():
                    continue
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    torn += 1
                    continue
                if isinstance(entry, dict):  # what lies deeper is text only where a report shows it, and cleaned there
                    yield {key: self.text(value) if isinstance(value, str) else value for key, value in entry.items()}
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


def read_json(path, what, text=shown):
    try:
        with opened(path, encoding="utf-8", errors="surrogateescape") as stream:
            document = json.load(stream)
        if isinstance(document, dict):
            return clean(document, text)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: is not JSON, so this {what} cannot be used: {error}") from error
    raise RunError(f"{path}: holds no JSON object, so this {what} cannot be used")


def read_optional(path, what, text=shown):
    try:
        return read_json(path, what, text)
    except RunError:
        return {}


def read_points(path, text=shown):
    """points.csv with its numbers as floats (NaN where empty), its flags as booleans and the rest as text."""
    try:
        with opened(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            table = csv.DictReader(stream)
            if not NEEDED_COLUMNS <= set(table.fieldnames or ()):
                raise RunError(f"{path}: the column {sorted(NEEDED_COLUMNS - set(table.fieldnames or ()))[0]!r} is not there")
            rows = list(table)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    return [{name: text(value or "") if name in TEXT_COLUMNS else truth(value) if name in FLAG_COLUMNS else finite(value)
             for name, value in row.items() if name is not None} for row in rows]


def locate(path):
    """The run meant by a path: itself, or of a suite's directory its newest finished run; there, or below results/."""
    unfinished = there = ""
    for place in (path, os.path.join("results", path)):
        if any(os.path.isfile(os.path.join(place, name)) for name in ("manifest.json", "summary.json")):
            return place
        try:
            names = sorted(os.listdir(place), reverse=True)  # which begin with the time
        except OSError:
            continue
        there = there or place
        for run in (os.path.join(place, name) for name in names):
            if os.path.isfile(os.path.join(run, "manifest.json")):
                if read_optional(os.path.join(run, "manifest.json"), "run").get("finished"):
                    return run
                unfinished = unfinished or run
    if unfinished:
        raise RunError(f"{path}: holds no finished run; name an unfinished one itself to read it: {unfinished}")
    raise RunError(f"{path}: is not a run's directory: it has no manifest.json" if there else f"{path}: no such directory")


def load(path, text=shown):
    """Everything but the journal, which is read when asked for; RunError when there is no run, or nothing in it yet."""
    directory = locate(path)
    try:
        return read_run(directory, text)
    except DAMAGED as error:
        raise RunError(f"{directory}: a field of the run has the wrong type: {error!r}") from error


def read_run(directory, text):
    at = {name: os.path.join(directory, name) for name in ("summary.json", "points.csv", "suite.toml", "manifest.json",
                                                           "environment.before.json", "environment.after.json")}
    manifest = read_optional(at["manifest.json"], "manifest", text)
    for needed in ("summary.json", "points.csv"):
        if not os.path.isfile(at[needed]):
            raise RunError(f"{directory}: {needed} is not there: " + (
                "the run is under way or was killed; `precipice run` of its suite continues it" if manifest else "this is not a run's directory"))
    summary = read_json(at["summary.json"], "run", text)
    if summary.get("schema") != SCHEMA:
        raise RunError(f"{at['summary.json']}: schema {summary.get('schema')!r} is unknown; this script reads schema {SCHEMA}")
    run = RunDirectory(directory, manifest, {}, read_optional(at["environment.before.json"], "environment", text),
                       read_optional(at["environment.after.json"], "environment", text), summary, read_points(at["points.csv"], text), text=text)
    if not run.points and not run.finished:
        raise RunError(f"{directory}: nothing was measured yet; `precipice run` of its suite continues it")
    if not run.cells:
        raise RunError(f"{at['summary.json']}: names no cell, so there is nothing to draw")
    try:
        with opened(at["suite.toml"], "rb") as stream:
            run.suite = clean(tomllib.load(stream), text)
    except (OSError, ValueError, RecursionError):
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
        name = wanted = run.text(name).strip() or run.name
        taken, number = [other for other, _ in named], 2
        while name in taken:
            name, number = f"{wanted} ({number})", number + 1
        named.append((name, run))
    return named
