"""What a table of runs says: for each workload its rows, one per series and run, and a figure with its interval per column.

Figures are those of summary.json. They are rounded here and nowhere else, so that every form says the same digits.
"""

import math
from dataclasses import dataclass

from figures.names import names_of, workload_of
from figures.palette import MODELS, natural
from figures.words import duration, percentile_name
from precipice_run import RunError, estimate, finite

DEFAULT = ("cliff_per_s", "saturation_per_s", "saturation_of_ideal")
HEADINGS = {"cliff_per_s": "Cliff (requests/s)", "saturation_per_s": "Saturation (requests/s)", "knee_per_s": "Knee (requests/s)",
            "cliff5_per_s": "Cliff at half the SLO (requests/s)", "cliff20_per_s": "Cliff at twice the SLO (requests/s)",
            "saturation_of_ideal": "Share of ideal", "cliff_of_ideal": "Cliff of ideal",
            "overload_retention": "Goodput kept at 1.5x saturation", "recovery": "Recovery (1 is ideal)",
            "closed_loop_plateau_per_s": "Closed-loop plateau (requests/s)", "cpu_ns_per_request": "CPU per request (ns)"}


@dataclass
class Figure:
    """One figure in digits: `value` and interval, or why there is none."""

    name: str
    exact: float  # as summary.json has it
    value: str  # rounded; empty where nothing was measured
    low: str
    high: str
    reached: str

    @property
    def measured(self):
        return bool(self.value)

    @property
    def bounded(self):
        return bool(self.low and self.high) and self.reached == "ok"

    @property
    def comparator(self):
        """What stands before a bound that is no value: beyond the highest rate tried, or under the lowest."""
        return {"above": ">", "below": "<"}.get(self.reached, "")


@dataclass
class Row:
    run: str
    series: str
    model: str
    options: dict
    figures: list
    label: str = ""  # what it is called beside the others


@dataclass
class Section:
    """A workload's part of a table."""

    workload: str  # as the suite has it, `sleep:wait=5ms`
    name: str  # short: `sleep`
    slo: str  # `p99 <= 10 ms`, or empty
    rows: list

    @property
    def title(self):
        name, _, options = self.workload.partition(":")
        return f"{name} {options.replace(',', ', ')}".strip()


@dataclass
class Table:
    columns: list  # names of figures
    sections: list
    runs: list  # names
    blocks: list  # of each run

    def blocks_words(self):
        counts = [str(count) for count in self.blocks]
        return f"{counts[0] if len(set(counts)) == 1 else ' and '.join(counts)} blocks"

    @property
    def several(self):
        return len(self.runs) > 1


def figure(cell, name, digits):
    value, low, high, reached = estimate(cell, name)

    return Figure(name, value, rounded(value, digits), rounded(low, digits), rounded(high, digits), reached)


def rounded(number, digits):
    """To that many significant digits; a power of ten where zeros would fill the line. Empty for NaN."""
    if math.isnan(number):
        return ""
    scientific = f"{number:.{digits - 1}e}"
    if number == 0:
        return "0"
    if not 1e-4 <= abs(number) < 1e10:
        return scientific
    return f"{float(scientific):.{max(digits - 1 - int(scientific.partition('e')[2]), 0)}f}"


def order_of(model):
    known = list(MODELS)
    return (known.index(model) if model in known else len(known), model)


def figures_there(runs):
    """Names of all figures that a cell has, whether or not they were measured."""
    names = []
    for _, run in runs:
        for cell in run.cells:
            names += [name for name, value in cell.items() if name not in names and (
                isinstance(value, dict) and "value" in value or name.startswith(tuple(HEADINGS)) and not isinstance(value, str))]
    return names


def table(runs, columns=(), workload="", series=(), digits=3):
    """The table of [(name, run)]. A default column that nothing was measured for is left out; RunError where nothing is left."""
    there = figures_there(runs)
    for name in columns:
        if name not in there:
            raise RunError(f"--figure: {name!r} is no figure of a cell; there are {', '.join(there)}")
    sections = {}
    for run_name, run in runs:
        for cell in run.cells:
            text = workload_of(cell)
            short = cell.get("workload_name") or text.split(":")[0]
            model = cell.get("model") or cell["series"].split(":")[0]
            if workload and workload not in (text, short) or series and not {cell["series"], model} & set(series):
                continue
            section = sections.setdefault(text, Section(text, short, slo_words(cell), []))
            section.slo = section.slo or slo_words(cell)
            section.rows.append(Row(run_name, cell["series"], model, cell.get("model_options") or {},
                                    [figure(cell, name, digits) for name in columns or DEFAULT]))
    if not sections:
        raise RunError("nothing to tabulate: no cell is what --workload and --series ask for")
    names = names_of([row for section in sections.values() for row in section.rows])
    for section in sections.values():
        for row in section.rows:
            row.label = names[row.series]
    made = Table(list(columns or DEFAULT), list(sections.values()), [name for name, _ in runs],
                 [run.summary.get("blocks_done") for _, run in runs])
    for section in made.sections:
        section.rows.sort(key=lambda row: (order_of(row.model), natural(row.series), made.runs.index(row.run)))
    return made if columns else without_empty(made)


def without_empty(made):
    kept = [i for i in range(len(made.columns)) if any(r.figures[i].measured for s in made.sections for r in s.rows)]
    for section in made.sections:
        for row in section.rows:
            row.figures = [row.figures[i] for i in kept]
    made.columns = [made.columns[i] for i in kept]
    return made


def slo_words(cell):
    slo, percentile = finite(cell.get("slo_ns")), finite(cell.get("slo_percentile"))
    if math.isnan(slo):
        return ""
    return f"{percentile_name(99 if math.isnan(percentile) else percentile)} <= {duration(slo)}"


def heading(name):
    return HEADINGS.get(name) or name.replace("_per_s", " (requests/s)").replace("_", " ")
