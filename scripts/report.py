#!/usr/bin/python3 -IB
"""Makes one self-contained HTML page of a run, or of several laid over each other.

    scripts/report.py RUN [RUN...] [-o FILE] [--precipice FILE]

A RUN is a run's directory or a suite's (its newest finished run). The page is written to RUN/report.html unless -o names a
file; with several runs the first one's directory. Of a run that was made by a version without `slo_grid` in summary.json the figures
are made again by the program (`precipice show RUN --json`): --precipice, else $PRECIPICE, else build/release/precipice. It needs no network and works from file://. The sources of the page are in
scripts/report/; plotly's JavaScript is taken from Debian's python3-plotly.

Exit codes: 0 written, 2 what was asked for cannot be done (one line on stderr says why), 5 standard output cannot be written.
"""

import argparse
import base64
import glob
import gzip
import html
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import launch

launch.begin(__name__, "numpy", "plotly")
import files
import precipice_run
import report_data
import slo_grid
from plotly.offline import get_plotlyjs

HERE = os.path.dirname(os.path.realpath(__file__))
LIMIT = 5_000_000  # bytes: what a mail or a wiki still takes


def source(name):
    with open(os.path.join(HERE, "report", name), encoding="utf-8") as stream:
        return stream.read()


def packed(text):
    """gzip in base64, without a date inside: the same data gives the same bytes."""
    return base64.b64encode(gzip.compress(text.encode("utf-8"), 9, mtime=0)).decode("ascii")


def without_heat(document):
    for run in document["runs"]:
        run["heat_left_out"] = True
        for workload in run["workloads"]:
            for cell in workload["cells"]:
                for one in cell["points"]:
                    for block in one["blocks"]:
                        block["heat"] = []


def script():
    """All JavaScript of the page: page.js first, in which the others register what they draw."""
    names = sorted(glob.glob("*.js", root_dir=os.path.join(HERE, "report")), key=lambda name: (name != "page.js", name))
    return "\n".join(source(name) for name in names)


def page(document):
    title = " and ".join(run["name"] for run in document["runs"])
    parts = {"TITLE": html.escape(title), "STYLE": source("page.css"), "SCRIPT": f'"use strict";\n(() => {{\n{script()}\n}})();',
             "DATA": packed(json.dumps(document, separators=(",", ":"), allow_nan=False)), "PLOTLY": packed(get_plotlyjs())}
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda place: parts[place[1]], source("page.html"))


def main():
    parser = argparse.ArgumentParser(prog="report.py", description="One self-contained HTML page of a run, or of several laid over each other.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="a run's directory, or a suite's: its newest finished run")
    parser.add_argument("-o", "--out", metavar="FILE", help="where to write (default: report.html in the first run's directory)")
    parser.add_argument("--precipice", metavar="FILE", help="the program, for runs without slo_grid (default: $PRECIPICE or build/release/precipice)")
    arguments = parser.parse_args()
    runs = [precipice_run.load(path) for path in arguments.runs]
    if len({os.path.realpath(run.directory) for run in runs}) < len(runs):
        raise precipice_run.RunError("a run is named twice")
    for run in runs:
        missing = slo_grid.complete(run, arguments.precipice)
        if missing:
            launch.complain(f"{run.directory}: {missing}")
    try:
        document = report_data.report(runs)
        text = page(document)
        if len(text.encode("utf-8")) > LIMIT:
            without_heat(document)
            text = page(document)
    except precipice_run.DAMAGED as error:
        raise precipice_run.RunError(f"{arguments.runs[0]}: a field of the run has the wrong type: {error!r}") from error
    out = arguments.out or os.path.join(runs[0].directory, "report.html")
    try:
        files.write_text(out, text)
    except OSError as error:
        raise precipice_run.RunError(f"{out}: cannot be written: {error.strerror}") from error
    size = len(text.encode("utf-8"))
    print(f"{out}: {len(runs)} run{'s' if len(runs) > 1 else ''}, {size / 1e6:.1f} MB" +
          ("" if size <= LIMIT else "; larger than 5 MB even without heat maps: name fewer runs"))
    return 0


launch.end(__name__, main)
