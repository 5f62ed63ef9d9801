#!/usr/bin/python3 -IB
"""The guided path: runs its short suites one after the other and draws the chart of each.

    scripts/learn.py [LESSON...] [--precipice FILE] [--out DIR] [--draw-only]

A LESSON is questions, mean, knee, little, omission, threads, work, past, batch, hedge, fan, retry, pipeline or shed; all of them without one. Runs go to DIR/learn_LESSON
(default: results), the chart of each to its run as figures/learn-LESSON.svg and .png. --draw-only draws the newest finished
run of each again. docs/learn.md says what to see in them.

Exit codes: 0 done, 2 what was asked for cannot be done (one line on stderr says why), 5 standard output cannot be written.
"""

import argparse
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import launch

launch.begin(__name__, "numpy", "matplotlib")
from figures import lessons, settings
from figures.cells import load_run
from figures.save import Built, save
from figures.standard.base import Skip
from files import make_directories
from precipice_run import DAMAGED, RunError

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def measure(lesson, binary, out):
    """Runs a lesson's suite; False when it did not end well, which the program has explained by then."""
    suite = os.path.join(ROOT, "workloads", "suites", f"learn_{lesson}.toml")
    return subprocess.run([binary, "run", suite, "--out", out], check=False).returncode == 0


def draw(directory):
    """Draws the chart of a lesson's run; returns its PNG."""
    run = load_run(directory)
    name, page = lessons.page_of(run)
    figures = os.path.join(run.directory, "figures")
    make_directories(figures)
    save(Built(page.figure, [], ""), figures, f"learn-{name}", ("svg", "png"))
    return os.path.join(figures, f"learn-{name}.png")


def main():
    parser = argparse.ArgumentParser(description="Runs the suites of the guided path and draws the chart of each.")
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help=f"{', '.join(lessons.LESSONS)} (default: all)")
    parser.add_argument("--precipice", default=os.path.join(ROOT, "build", "release", "precipice"), metavar="FILE")
    parser.add_argument("--out", default=os.path.join(ROOT, "results"), metavar="DIR")
    parser.add_argument("--draw-only", action="store_true", help="draw the newest finished run of each, and measure nothing")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.lessons if name not in lessons.LESSONS]
    if unknown:
        parser.error(f"'{unknown[0]}' is no lesson: {', '.join(lessons.LESSONS)}")
    if not arguments.draw_only and not os.access(arguments.precipice, os.X_OK):
        raise RunError(f"{arguments.precipice} is not there; build it first (README.md) or name it with --precipice")
    settings.apply()
    failed = 0
    for lesson in arguments.lessons or lessons.LESSONS:
        if not arguments.draw_only and not measure(lesson, arguments.precipice, arguments.out):
            launch.complain(f"{lesson} was not measured")
            failed = 2
            continue
        try:
            print(draw(os.path.join(arguments.out, f"learn_{lesson}")))
        except OSError as error:
            raise RunError(f"{error.filename}: cannot be written: {error.strerror}") from error
        except (RunError, Skip) as reason:
            launch.complain(f"{lesson}: {reason}")
            failed = 2
        except DAMAGED as error:
            launch.complain(f"{lesson}: a field of its run has the wrong type: {error!r}")
            failed = 2
    return failed


launch.end(__name__, main)
