"""Numbers as a reader of a chart says them."""

import math


def rate(value, digits=3):
    """5234 -> 5.23k; no unit."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(float(f"{value:.{digits}g}")) >= limit:
            return f"{plain(value / limit, digits)}{unit}"
    return plain(value, digits)


def plain(value, digits=3):
    """A number without exponent or trailing zeros."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "?"
    text = f"{float(f'{value:.{digits}g}'):.10f}"
    return text.rstrip("0").rstrip(".")


def duration(ns):
    for limit, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= limit:
            return f"{plain(ns / limit)} {unit}"
    return f"{plain(ns)} ns"


def percentile_name(p):
    return "p" + plain(p, 6).replace(".", "")
