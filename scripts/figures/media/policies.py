"""What policies trade and cost, for one medium: the curves over their knobs, their attempts, and costs at the cliff."""

from figures.frontier import families
from figures.media.select import HALF_LOAD, Curve, Dot, places_in
from figures.policies import spoken_policy

WORK = (("work-attempts", "attempts_per_request"), ("work-wasted", "wasted"), ("work-cpu", "cpu_model_ns"))  # kind, column
FRONTIER = ("saturation_per_s", HALF_LOAD)


def has_policies(named):
    return any(run.has_policies for _, run in named)


def has_costs(named):
    return any(cell.estimate("cost_per_million").value > 0 for _, run in named for _, _, cells in run.workloads for cell in cells)


def work_axes(named):
    """(kind, x, y) of what can be drawn: the virtual clock has no CPU time, and older runs have no attempts."""
    rows = [row for _, run in named for row in run.raw.open_loop()]
    return [(kind, "rate_per_s", column) for kind, column in WORK
            if any(row.get(column, 0) > 0 or kind == "work-wasted" and row.get(column) == 0 for row in rows)]


def frontiers(named, selection):
    """A curve for each family of series, in the look of the family or of its only series."""
    curves, places = [], places_in(named)
    for run_name, run in named:
        for text, short, cells in run.workloads:
            spots, _ = families([cell for cell in cells if selection.takes(cell, text, short)], places)
            for family in spots if any(spot.cell.policy for group in spots for spot in group) else ():
                series = family[0].place.family if family[0].place.knob else family[0].cell.series
                dots = [Dot(spot.saturation.value, *spot.response, True, 0, spot.saturation.value, words=name_of(spot)) for spot in family]
                curves.append(Curve(run_name, text, series, family[0].cell, dots))
    return curves


def name_of(spot):
    return spot.place.text if spot.place.knob else spoken_policy(spot.cell.policy) or "no policy"
