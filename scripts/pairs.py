"""Summing up repeated measurements: the median and its interval."""

from math import comb
from statistics import median


def spread(values):
    """(median, low, high): the distribution-free interval of the median from order statistics, at least 95% where
    there are enough values (6), else their range."""
    ordered = sorted(values)
    n = len(ordered)
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    k, below = 0, 0.0
    for i in range(n // 2):
        below += comb(n, i) * 0.5 ** n
        if 2 * below > 0.05:
            break
        k = i
    return median(ordered), ordered[k], ordered[n - 1 - k]
