#!/usr/bin/python3 -IB
"""Draws figures of runs, from their directories alone.

    scripts/plot.py RUN [--chart NAME] [--out DIR] [--format svg,pdf,png]       the standard charts of a run, or one
    scripts/plot.py RUN... --for paper|talk|web [...]            figures for a medium, of any number of runs

With --for: --x and --y put any column against any other, --facet makes panels, --highlight brings a model forward,
--reveal builds slides up step by step, --dark is for dark slides and pages. docs/figures.md shows each.

Exit codes: 0 drawn, 2 what was asked for cannot be done (one line on stderr says why), 5 standard output cannot be written.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import launch

launch.begin(__name__, "numpy", "matplotlib")
from figures import glyphs, settings, standard
from figures.cells import load_run
from figures.media import request as wanted
from figures.media.select import FACETS
from files import make_directories
from precipice_run import DAMAGED, RunError

FORMATS = ("svg", "pdf", "png")
SCALES = ("auto", "log", "linear")


def parser():
    made = argparse.ArgumentParser(prog="plot.py", description="Draws figures of runs from their directories alone.")
    made.add_argument("runs", metavar="RUN", nargs="+", help="a run's directory, or a suite's (its newest finished run); "
                      "NAME=RUN names it in the legend")
    made.add_argument("--out", metavar="DIR", help="where to write (default: RUN/figures, with --for RUN/figures/MEDIUM)")
    made.add_argument("--format", help="any of svg,pdf,png (default: all; with --for what the medium needs)")
    made.add_argument("--chart", metavar="NAME", action="append", default=[], help="one chart (response-sleep) or kind of chart (frontier) alone; "
                      "again for more")
    made.add_argument("--for", dest="medium", choices=("paper", "talk", "web"), help="the medium (default: the standard charts)")
    chosen = made.add_argument_group("with --for")
    chosen.add_argument("--x", metavar="COLUMN", help="what lies along x: a column of points.csv, load, or a figure of a cell "
                        "(default: rate_per_s)")
    chosen.add_argument("--y", metavar="COLUMN", help="what goes up (default: the response that the SLO bounds)")
    chosen.add_argument("--x-scale", choices=SCALES, default="auto")
    chosen.add_argument("--y-scale", choices=SCALES, default="auto")
    chosen.add_argument("--facet", metavar="BY", help=f"a panel for each: {', '.join(FACETS)}")
    chosen.add_argument("--highlight", metavar="MODEL", action="append", default=[], help="in colour and in front, the others grey; again for more")
    chosen.add_argument("--series", metavar="SERIES", action="append", default=[], help="a series or model to draw; again for more")
    chosen.add_argument("--workload", metavar="W", default="", help="one workload only")
    chosen.add_argument("--only", metavar="TEXT", action="append", default=[], help="cells whose `series workload` contains this")
    chosen.add_argument("--width", type=float, metavar="INCHES", help="of a paper's figure: 3.33 (column) or 7 (page); default both")
    chosen.add_argument("--reveal", action="store_true", help="talk: the slides that build the figure up, a series at a time")
    chosen.add_argument("--dark", action="store_true", help="talk, web: light on dark")
    return made


def formats_of(arguments):
    if arguments.format is None:
        return ()
    formats = tuple(form.strip() for form in arguments.format.split(",") if form.strip())
    for form in formats:
        if form not in FORMATS:
            raise RunError(f"--format: {form!r} is none of svg, pdf, png")
    if not formats:
        raise RunError("--format: names nothing; any of svg,pdf,png")
    return formats


def refuse_without_medium(arguments):
    for flag in ("x", "y", "facet", "highlight", "series", "workload", "only", "width", "reveal", "dark"):
        if getattr(arguments, flag):
            raise RunError(f"--{flag}: needs --for paper, talk or web")
    if len(arguments.runs) > 1:
        raise RunError("several runs in one figure need --for paper, talk or web")


def draw_standard(arguments, formats):
    run = load_run(arguments.runs[0])
    if run.summary.get("nothing_valid"):
        raise RunError(f"{run.directory}: {run.summary['nothing_valid']}")
    formats = formats or FORMATS
    out = arguments.out or os.path.join(run.directory, "figures")
    make_directories(out)
    drawn, skipped = standard.draw(run, out, formats, arguments.chart)
    if not drawn and arguments.chart:
        raise RunError(f"--chart: {skipped[0]}")
    for reason in skipped:
        print(f"skipped {reason}")
    print(f"{len(drawn)} charts as {', '.join(formats)} in {out}: {', '.join(drawn)}")


def for_medium(arguments, formats):
    out, files, said = wanted.draw_all(wanted.Request(
        arguments.medium, arguments.runs, arguments.x or "", arguments.y or "", arguments.facet or "", tuple(arguments.highlight),
        tuple(arguments.series), tuple(arguments.only), arguments.workload, arguments.reveal, arguments.dark, arguments.width,
        formats, arguments.out or "", arguments.x_scale, arguments.y_scale, tuple(arguments.chart)))
    for sentence in said:
        print(sentence)
    print(f"{len(files)} files for {arguments.medium} in {out}: {', '.join(files)}")


def main():
    arguments = parser().parse_args()
    settings.apply()
    formats = formats_of(arguments)
    if not arguments.medium:
        refuse_without_medium(arguments)
    try:
        (for_medium if arguments.medium else draw_standard)(arguments, formats)
    except OSError as error:
        raise RunError(f"{error.filename or arguments.out}: cannot be written: {error.strerror}") from error
    except DAMAGED as error:
        if os.environ.get("PRECIPICE_TRACE"):
            raise
        raise RunError(f"{arguments.runs[0]}: a field of summary.json or points.csv has the wrong type: {error!r}") from error
    if glyphs.remark():
        launch.complain(glyphs.remark())
    return 0


launch.end(__name__, main)
