"""What the charts of the guided path share."""

from figures.standard.base import with_points
from precipice_run import finite

SIZE = 12
FIRST, SECOND, THIRD = "#0072B2", "#D55E00", "#009E73"


def log_axes(axes, xs, ys, room=1.4):
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(min(xs) / room, max(xs) * room)
    axes.set_ylim(min(ys) / room, max(ys) * room)


def first(run):
    """The run's first workload, and its cells that have points."""
    text, _, cells = run.workloads[0]
    return text, with_points(cells)


def rows(run, closed):
    """Trials that count: open loops or closed ones."""
    return [row for row in run.raw.points
            if row["used"] and row["valid"] and (finite(row["closed"]) > 0) == closed]
