"""Every figure as a LaTeX command, so that prose says what was measured: \\runSleepIoUringCliff, ...CliffInterval, ...CliffRaw.

Names consist of letters, as TeX wants it: digits are spelled. A name that two figures would share grows by what tells
them apart. \\newcommand refuses what exists already, so that no name is taken silently.
"""

import math

from figures.names import workload_of
from precipice_run import RunError, estimate, finite
from tabular.latex import escaped, letters, number
from tabular.rows import figure, figures_there, rounded

RATIOS = {"cliff": "Cliff", "saturation": "Saturation"}


class Names:
    """Commands in the order of their making; each name once."""

    def __init__(self, prefix):
        self.prefix, self.bodies, self.words = prefix, {}, {}

    def add(self, words, body):
        name = self.prefix + "".join(letters(word) for word in words)
        if name in self.bodies:
            raise RunError(f"\\{name}: would name both '{' '.join(self.words[name])}' and '{' '.join(words)}'; choose with --workload or --series")
        self.bodies[name], self.words[name] = body, words

    def lines(self):
        return [f"\\newcommand{{\\{name}}}{{{body}}}" for name, body in self.bodies.items()]


def distinct(texts, short):
    """{text: name}: the short name where it is the only one of its kind, in letters; else the whole text."""
    found = {}
    for text in texts:
        others = [letters(short(other)) for other in texts if other != text]
        found[text] = short(text) if letters(short(text)) not in others else text
    return found


def check_run_names(names):
    """RunError unless every run has a name of its own in letters: no other choice could help."""
    for at, name in enumerate(names):
        if not letters(name):
            raise RunError(f"'{name}' has no letter or digit, which is all that TeX takes in a name: name the run differently (NAME=RUN)")
        for other in names[:at]:
            if letters(other) == letters(name):
                raise RunError(f"the runs '{other}' and '{name}' would both be {letters(name)} in TeX, which takes letters alone: "
                               "name them differently (NAME=RUN)")


def stem(column):
    """`cliff_per_s` as it is called in a name."""
    return column.removesuffix("_per_s")


def write(runs, prefix="run", workload="", series=(), digits=3):
    names = Names(prefix)
    workloads = distinct(sorted({workload_of(cell) for _, run in runs for cell in run.cells}), lambda text: text.split(":")[0])
    every = sorted({cell["series"] for _, run in runs for cell in run.cells})
    called = distinct(every, lambda text: text.replace("threads=", ""))
    several = len(runs) > 1
    if several:
        check_run_names([name for name, _ in runs])
    for run_name, run in runs:
        lead = [run_name] if several else []
        chosen = [cell for cell in run.cells if (not workload or workload in (workload_of(cell), cell.get("workload_name")))
                  and (not series or {cell["series"], cell.get("model")} & set(series))]
        about(names, lead, run)
        for text in dict.fromkeys(workload_of(cell) for cell in chosen):
            of_workload(names, lead + [workloads[text]], run, [c for c in chosen if workload_of(c) == text], called, digits)
    head = ["% Made by scripts/tables.py from summary.json; needs \\usepackage{siunitx}.",
            "% NAME: rounded; NAMEInterval: 95%; NAMERaw: as measured, a bare number."]
    return "\n".join(head + names.lines()) + "\n"


def about(names, lead, run):
    cpu = run.before.get("cpu")
    machine = cpu.get("model") if isinstance(cpu, dict) else cpu
    names.add(lead + ["name"], escaped(run.name))
    names.add(lead + ["suite"], escaped(str(run.summary.get("suite") or "")))
    names.add(lead + ["blocks"], str(run.summary.get("blocks_done") or 0))
    if machine:
        names.add(lead + ["machine"], escaped(str(machine)))


def of_workload(names, lead, run, cells, called, digits):
    slo = finite(cells[0].get("slo_ns"))
    if not math.isnan(slo):
        names.add(lead + ["slo"], f"\\SI{{{rounded(slo / 1e6, digits)}}}{{\\milli\\second}}")
    for cell in cells:
        for column in figures_there([("", run)]):
            if math.isnan(estimate(cell, column).value):
                continue
            own = figure(cell, column, digits)
            words = lead + [called[cell["series"]], stem(column)]
            names.add(words, number(own))
            names.add(words + ["raw"], repr(own.exact))
            if own.bounded:
                names.add(words + ["interval"], f"\\num{{{own.low}}} to \\num{{{own.high}}}")
    present = {cell["series"] for cell in cells}
    for ranking in run.summary.get("ranking") or []:
        if ranking.get("workload") != workload_of(cells[0]) or ranking.get("figure") not in RATIOS:
            continue
        for pair in ranking.get("pairs") or []:
            ratio, low, high = (finite(pair.get(name)) for name in ("ratio", "low", "high"))
            if math.isnan(ratio) or not {pair["a"], pair["b"]} <= present:
                continue
            words = lead + [called[pair["b"]], "to", called[pair["a"]], RATIOS[ranking["figure"]], "ratio"]
            names.add(words, f"\\num{{{rounded(ratio, digits)}}}")
            names.add(words + ["raw"], repr(ratio))
            names.add(words + ["verdict"], escaped(str(pair.get("verdict") or "")))
            if not math.isnan(low) and not math.isnan(high):
                names.add(words + ["interval"], f"\\num{{{rounded(low, digits)}}} to \\num{{{rounded(high, digits)}}}")
