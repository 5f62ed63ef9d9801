#!/usr/bin/python3
"""The guided path: runs its short suites one after the other and draws the chart of each.

    scripts/learn.py [LESSON...] [--precipice FILE] [--out DIR] [--draw-only]

A LESSON is questions, mean, knee, little, omission, threads, work or past; all of them without one. Runs go to DIR/learn_LESSON
(default: results), the chart of each to its run as figures/learn-LESSON.svg and .png. --draw-only draws the newest finished
run of each again. docs/learn.md says what to see in them.

Exit codes: 0 done, 2 what was asked for cannot be done (one line on stderr says why).
"""

import os
import sys

DEBIAN_PYTHON = "/usr/bin/python3"
sys.dont_write_bytecode = True

# Debian's packages serve Debian's interpreter, whichever python3 comes first on the PATH.
if (os.path.exists(DEBIAN_PYTHON) and os.path.realpath(sys.executable) != os.path.realpath(DEBIAN_PYTHON)
        and not os.environ.get("PRECIPICE_PLOT_PYTHON")):
    os.environ["PRECIPICE_PLOT_PYTHON"] = DEBIAN_PYTHON
    os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, os.path.abspath(__file__)] + sys.argv[1:])

import argparse
import subprocess

try:
    import numpy  # noqa: F401 (the charts need it; named here for the message)
    import matplotlib  # noqa: F401
except ImportError as missing:
    print(f"learn.py: needs {missing.name}: apt-get install python3-matplotlib python3-numpy", file=sys.stderr)
    sys.exit(2)

SCRIPTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(SCRIPTS)
sys.path.insert(0, SCRIPTS)
from figures import lessons, settings
from figures.cells import load_run
from figures.save import Built, save
from figures.standard.base import Skip
from precipice_run import RunError


def measure(lesson, binary, out):
    """Runs a lesson's suite; False when it did not end well, which the program has explained by then."""
    suite = os.path.join(ROOT, "workloads", "suites", f"learn_{lesson}.toml")
    return subprocess.run([binary, "run", suite, "--out", out], check=False).returncode == 0


def draw(directory):
    """Draws the chart of a lesson's run; returns its PNG."""
    run = load_run(directory)
    name, page = lessons.page_of(run)
    figures = os.path.join(run.directory, "figures")
    os.makedirs(figures, exist_ok=True)
    save(Built(page.figure, [], ""), figures, f"learn-{name}", ("svg", "png"))
    return os.path.join(figures, f"learn-{name}.png")


def main():
    parser = argparse.ArgumentParser(description="Runs the suites of the guided path and draws the chart of each.")
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help=f"{', '.join(lessons.NAMES)} (default: all)")
    parser.add_argument("--precipice", default=os.path.join(ROOT, "build", "release", "precipice"), metavar="FILE")
    parser.add_argument("--out", default=os.path.join(ROOT, "results"), metavar="DIR")
    parser.add_argument("--draw-only", action="store_true", help="draw the newest finished run of each, and measure nothing")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.lessons if name not in lessons.NAMES]
    if unknown:
        parser.error(f"'{unknown[0]}' is no lesson: {', '.join(lessons.NAMES)}")
    if not arguments.draw_only and not os.access(arguments.precipice, os.X_OK):
        print(f"learn.py: {arguments.precipice} is not there; build it first (README.md) or name it with --precipice",
              file=sys.stderr)
        return 2
    settings.apply()
    failed = 0
    for lesson in arguments.lessons or lessons.NAMES:
        if not arguments.draw_only and not measure(lesson, arguments.precipice, arguments.out):
            print(f"learn.py: {lesson} was not measured", file=sys.stderr)
            failed = 2
            continue
        try:
            print(draw(os.path.join(arguments.out, f"learn_{lesson}")))
        except (RunError, Skip) as reason:
            print(f"learn.py: {lesson}: {reason}", file=sys.stderr)
            failed = 2
    return failed


if __name__ == "__main__":
    sys.exit(main())
