"""Trials of one cell merged by rate over its blocks, for drawing. The estimator (harness/capacity/rate_groups.cpp) merges all trials
of a rate; here those with a growing backlog or with loss are left out of a rate that most trials carried.

A trial is a dict with rate_per_s, goodput_per_s, stable, loss, phase, block and key: a row of points.csv, or `trial_row` of a line of
the journal. Percentiles are never averaged: histograms are added, and the percentile is taken from the sum.
"""

import math
import statistics
from dataclasses import dataclass

from precipice_run import MAX_LOSS, Histogram, finite


def trial_row(entry):
    """The trial of a journal's line."""
    trial = entry["trial"]
    return {name: trial.get(name) for name in ("rate_per_s", "goodput_per_s", "stable", "loss")} | {
        "phase": entry.get("phase"), "block": entry.get("block"), "key": entry.get("key"), "entry": entry}


def carried(row):
    """Whether a trial's load was carried: no growing backlog, at most 0.1% lost."""
    return bool(row["stable"]) and not finite(row.get("loss")) > MAX_LOSS


def majority(rows):
    """Whether most trials of a rate were carried, and the trials that are merged.

    A trial with a growing backlog measures that backlog: it widens the band, never the merge.
    """
    good = [row for row in rows if carried(row)]
    stable = 2 * len(good) > len(rows)
    return stable, good if stable else rows


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


@dataclass
class MergedRate:
    """The trials of one offered rate."""

    rate: float
    stable: bool  # in most of its trials
    rows: list  # all of them
    drawn: list  # those that are merged
    histogram: Histogram  # of `drawn`; None where one of them has none
    goodput: float  # median over the trials, with the lowest and the highest
    goodput_low: float
    goodput_high: float

    @property
    def blocks(self):
        return sorted({row.get("block") for row in self.rows}, key=lambda block: (block is None, block))


def merge_rate(rate, rows, histograms):
    """`histograms` by key."""
    stable, drawn = majority(rows)
    parts = [histograms[row["key"]] for row in drawn if row["key"] in histograms]
    goodputs = [finite(row.get("goodput_per_s")) for row in rows]
    goodputs = [g for g in goodputs if not math.isnan(g)] or [math.nan]
    return MergedRate(rate, stable, rows, drawn, Histogram.merged(parts) if parts and len(parts) == len(drawn) else None,
                      statistics.median(goodputs), min(goodputs), max(goodputs))


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
