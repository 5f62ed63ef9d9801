"""Any column against any other: which curves a figure has, from any number of runs.

A column is one of points.csv; `load`, the offered rate as a share of the series' own saturation; or, with one dot per
cell, a figure of the summary (`cliff_per_s`, ...) or a numeric option of model or workload (`threads`, `wait`, ...).
Percentiles come from the merged histograms of a rate's trials, other columns are medians over its blocks.
"""

import math
import statistics
from dataclasses import dataclass

from curves import by_rate, majority
from figures.names import model_names
from figures.policies import knob_number, option_number, options_in, places_of, policy_of
from precipice_run import FLAG_COLUMNS, TEXT_COLUMNS, Histogram, RunError, estimate, finite

PERCENTILES = {"p50_ns": 50.0, "p90_ns": 90.0, "p95_ns": 95.0, "p99_ns": 99.0, "p999_ns": 99.9}
FACETS = ("workload", "series", "model", "run", "block", "phase")
RESPONSE = "slo_percentile_ns"
HALF_LOAD = "half_load_ns"  # the same at half of the saturation: one of a cell
NOT_OF_A_RATE = frozenset(("block", "attempt", "closed", "at_s"))  # numbers that say which trial, not how it went


@dataclass
class Dot:
    x: float
    y: float
    low: float  # lowest and highest block; of a cell's figure, its interval
    high: float
    stable: bool
    blocks: int
    rate: float
    reached: str = "ok"
    words: str = ""  # beside it, where a curve's dots have names


@dataclass
class Curve:
    """What is drawn in one look in one panel."""

    run: str
    workload: str
    series: str
    cell: object
    dots: list
    panel: str = ""
    saturation: float = math.nan


@dataclass
class Selection:
    """What of the runs is wanted."""

    only: tuple = ()  # texts of which one must be in `series workload`
    series: tuple = ()  # as the summary has them; empty: all
    workload: str = ""
    facet: str = ""

    def takes(self, cell, text, name):
        if self.workload and self.workload not in (text, name):
            return False
        if self.series and cell.series not in self.series:
            return False
        return not self.only or any(part in f"{cell.series} {text}" for part in self.only)


def columns_of(runs):
    """(columns of points, figures of cells) that can be axes."""
    columns = ["load", RESPONSE]
    figures = []
    for run in runs:
        columns += [name for name in run.raw.columns() if name not in TEXT_COLUMNS | FLAG_COLUMNS | NOT_OF_A_RATE and name not in columns]
        for cell in run.raw.cells:
            for name, value in cell.items():
                number = isinstance(value, dict) and "value" in value or isinstance(value, (int, float)) and not isinstance(value, bool)
                if number and name not in figures:
                    figures.append(name)
            for options in (cell.get("model_options"), cell.get("workload_options")):
                figures += [k for k, v in (options or {}).items() if k not in figures and not math.isnan(option_number(v))]
            figures += [k for k, v in options_in(policy_of(cell["series"]))[1].items() if k not in figures and not math.isnan(knob_number(v))]
    return columns, figures


def check_axes(runs, x, y):
    """'points' or 'cells', whichever has both; RunError naming what there is."""
    columns, figures = columns_of(runs)
    for flag, name in (("--x", x), ("--y", y)):
        if name not in columns and name not in figures:
            raise RunError(f"{flag}: {name!r} is no numeric column of points.csv ({', '.join(columns)}) and no figure of a cell "
                           f"({', '.join(figures)})")
    if x in columns and y in columns:
        return "points"
    if x in figures and y in figures:
        return "cells"
    one = x if x not in columns else y
    raise RunError(f"--x {x} --y {y}: {one} is one figure per cell, so the other axis must be one too ({', '.join(figures)})")


def gather(named, x, y, selection):
    """The curves of (name, run) pairs for two columns, in the summary's order."""
    return cells(named, x, y, selection) if check_axes([run for _, run in named], x, y) == "cells" \
        else points(named, x, y, selection)


def points(named, x, y, selection):
    curves = []
    for name, run in named:
        rows_of = {}
        for row in run.raw.open_loop():
            rows_of.setdefault((row["series"], row["workload"]), []).append(row)
        for text, short, of_workload in run.workloads:
            for cell in of_workload:
                if not selection.takes(cell, text, short):
                    continue
                saturation = cell.estimate("saturation_per_s")[0]
                for panel, rows in panels(rows_of.get((cell.series, text), []), selection.facet):
                    context = (run.histograms, cell.number("slo_percentile"), saturation)
                    dots = [dot(rate, group, x, y, *context) for rate, group in sorted(by_rate(rows).items())]
                    dots = [d for d in dots if d is not None]
                    if dots:
                        curves.append(Curve(name, text, cell.series, cell, dots, panel, saturation))
    return curves


def panels(rows, facet):
    """Rows by what a facet over rows splits; a facet over cells leaves them together."""
    if facet not in ("block", "phase"):
        return [("", rows)]
    groups = {}
    for row in rows:
        value = row[facet]
        groups.setdefault(f"{facet} {value:g}" if isinstance(value, float) else f"{facet} {value}", []).append(row)
    return sorted(groups.items())


def dot(rate, rows, x, y, histograms, percentile, saturation):
    across = value_of(rows, x, rate, histograms, percentile, saturation)
    up = value_of(rows, y, rate, histograms, percentile, saturation)
    if math.isnan(across[0]) or math.isnan(up[0]):
        return None
    stable, _ = majority(rows)
    return Dot(across[0], *up, stable, len({row["block"] for row in rows}), rate)


def value_of(rows, column, rate, histograms, percentile, saturation):
    """(value, lowest block, highest block) of one rate."""
    if column == "rate_per_s":
        return rate, rate, rate
    if column == "load":
        share = rate / saturation if saturation > 0 else math.nan
        return share, share, share
    wanted = PERCENTILES.get(column)
    if column == RESPONSE:
        wanted = 99.0 if math.isnan(percentile) else percentile
    if wanted is not None:
        _, drawn = majority(rows)
        each = {row["key"]: histograms[row["key"]].percentile(wanted) if row["key"] in histograms
                else finite(row.get(column) if not math.isnan(finite(row.get(column))) else row.get("p99_ns") if wanted == 99 else None)
                for row in rows}
        known = [value for value in each.values() if not math.isnan(value)]
        if not known:
            return math.nan, math.nan, math.nan
        parts = [histograms[row["key"]] for row in drawn if row["key"] in histograms]
        if parts and len(parts) == len(drawn):
            return Histogram.merged(parts).percentile(wanted), min(known), max(known)
        return statistics.median([each[row["key"]] for row in drawn if not math.isnan(each[row["key"]])] or known), min(known), max(known)
    known = [finite(row.get(column)) for row in rows]
    known = [value for value in known if not math.isnan(value)]
    if not known:
        return math.nan, math.nan, math.nan
    if column == "max_ns":
        _, drawn = majority(rows)
        return max([finite(row.get(column)) for row in drawn if not math.isnan(finite(row.get(column)))] or known), min(known), max(known)
    return statistics.median(known), min(known), max(known)


def cells(named, x, y, selection):
    """One dot per cell; along an option the cells that differ in it are one curve."""
    if selection.facet in ("block", "phase"):
        raise RunError(f"--facet {selection.facet}: {y} is one figure over all blocks and phases")
    places, curves = places_in(named), {}
    for name, run in named:
        for text, short, of_workload in run.workloads:
            for cell in of_workload:
                if not selection.takes(cell, text, short):
                    continue
                across, up = figure_of(cell, x), figure_of(cell, y)
                if math.isnan(across[0]) or math.isnan(up[0]):
                    continue
                # An option of the workload makes a curve across workloads, one of the model a curve across series.
                workload = short if x in (cell.row.get("workload_options") or {}) else text
                series = cell.across_options if workload == text and x in cell.options else cell.series
                if x in cell.policy_options and workload == text:
                    series = places[cell.series].family
                curve = curves.setdefault((name, workload, series), Curve(name, workload, series, cell, []))
                curve.dots.append(Dot(across[0], up[0], *(up[1:3]), True, 0, math.nan, up[3]))
    for curve in curves.values():
        curve.dots.sort(key=lambda d: d.x)
    return list(curves.values())


def places_in(named):
    """{series: its Place among those that differ in one option of their policy}, of all runs."""
    return places_of(model_names(cell for _, run in named for _, _, cells in run.workloads for cell in cells))


def figure_of(cell, name):
    if name in cell.policy_options:
        number = knob_number(cell.policy_options[name])
        return number, number, number, "ok"
    for options in (cell.row.get("model_options"), cell.row.get("workload_options")):
        if options and name in options:
            number = option_number(options[name])
            return number, number, number, "ok"
    return estimate(cell.row, name)
