"""The median of repeated measurements and its distribution-free interval."""

from math import comb
from statistics import median


def median_interval(values):
    """(median, low, high): the interval between two order statistics that holds the median with at least 95% (binomial); the range of
    fewer than 6 values."""
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
