#!/usr/bin/python3 -IB
"""Writes the figures of runs as tables, from their directories alone.

    scripts/tables.py RUN...                      capacity.tex, capacity.md and numbers.tex into RUN/tables
    scripts/tables.py RUN... --as latex           one form, to the terminal: latex, markdown or macros

A RUN is a run's directory or a suite's (its newest finished run); NAME=RUN names it in a table of several. docs/figures.md
shows what a paper does with each.

Exit codes: 0 written, 2 what was asked for cannot be done (one line on stderr says why), 5 standard output cannot be written.
"""

import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import launch

launch.begin(__name__, "numpy")
import files
import precipice_run
from tabular import latex, macros, markdown, rows


def parser():
    made = argparse.ArgumentParser(prog="tables.py", description="Writes the figures of runs as tables.")
    made.add_argument("runs", metavar="RUN", nargs="+", help="a run's directory, or a suite's (its newest finished run); "
                      "NAME=RUN names it")
    made.add_argument("--as", dest="form", choices=("latex", "markdown", "macros"), help="one form, to the terminal")
    made.add_argument("--out", metavar="DIR", help="where to write (default: RUN/tables)")
    made.add_argument("--figure", metavar="NAME", action="append", default=[],
                      help="a column, as summary.json calls it; again for more (default: cliff, saturation, share of ideal)")
    made.add_argument("--workload", metavar="W", default="", help="one workload only")
    made.add_argument("--series", metavar="SERIES", action="append", default=[], help="a series or model; again for more")
    made.add_argument("--digits", type=int, default=3, metavar="N", help="significant digits (default 3)")
    made.add_argument("--prefix", default="run", metavar="LETTERS", help="how the names of the commands begin (default run)")
    return made


def forms(arguments, runs):
    """{form: (file name, text)} of what was asked for."""
    filters = {"workload": arguments.workload, "series": tuple(arguments.series), "digits": arguments.digits}
    table = rows.table(runs, tuple(arguments.figure), **filters)
    made = {"latex": ("capacity.tex", latex.write(table)), "markdown": ("capacity.md", markdown.write(table))}
    if arguments.form in (None, "macros"):
        made["macros"] = ("numbers.tex", macros.write(runs, arguments.prefix, **filters))
    return made


def main():
    arguments = parser().parse_args()
    if not 1 <= arguments.digits <= 15:
        raise precipice_run.RunError(f"--digits: {arguments.digits} is not from 1 to 15")
    if not re.fullmatch("[A-Za-z]+", arguments.prefix):
        raise precipice_run.RunError(f"--prefix: {arguments.prefix!r} is no word of letters, which is all that TeX takes")
    runs = precipice_run.load_named(arguments.runs)
    try:
        made = forms(arguments, runs)
    except precipice_run.DAMAGED as error:
        raise precipice_run.RunError(f"{arguments.runs[0]}: a field of summary.json has the wrong type: {error!r}") from error
    if arguments.form and not arguments.out:
        sys.stdout.write(made[arguments.form][1])
        return 0
    out = arguments.out or os.path.join(runs[0][1].directory, "tables")
    chosen = [made[arguments.form]] if arguments.form else list(made.values())
    try:
        files.make_directories(out)
        for name, text in chosen:
            files.write_text(os.path.join(out, name), text)
    except OSError as error:
        raise precipice_run.RunError(f"{error.filename or out}: cannot be written: {error.strerror}") from error
    print(f"{', '.join(name for name, _ in chosen)} in {out}")
    return 0


launch.end(__name__, main)
