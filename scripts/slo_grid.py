"""The cliffs over a grid of bounds and percentiles (`slo_grid` of a cell in summary.json), and what policies moved (`levers`), of a run
that was made without them."""

import json
import os
import subprocess

from precipice_run import SCHEMA
from shown import clean

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
WITHOUT = "cliffs are known at the run's own SLO alone"


def complete(run, program=None):
    """Where no cell of the run has a grid, takes all cells and the ranking from `precipice show RUN --json`, which estimates them from
    the journal: figures of two versions would not agree with each other. Returns what is missing where that cannot be done, in one line,
    which is among the run's warnings then; else "". """
    has_grid, has_policies = any("slo_grid" in cell for cell in run.cells), any("|" in cell["series"] for cell in run.cells)
    if has_grid and ("levers" in run.summary or not has_policies):
        return ""
    without = "what policies moved is not known" if has_grid else WITHOUT
    program = program or os.environ.get("PRECIPICE") or os.path.join(ROOT, "build", "release", "precipice")
    try:
        done = subprocess.run([program, "show", os.path.abspath(run.directory), "--json"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", check=False, timeout=300)
        if done.returncode:
            missing = f"{without}, since `precipice show` says: {(done.stderr.strip().splitlines() or ['nothing'])[-1]}"
        else:
            summary = json.loads(done.stdout)
            if summary["schema"] == SCHEMA and any("slo_grid" in cell for cell in summary["cells"]):
                run.summary = clean(summary, run.text)
                return ""
            missing = f"{without}, since {program} is of a version without slo_grid"
    except subprocess.TimeoutExpired:
        missing = f"{without}, since {program} gives no answer within five minutes"
    except OSError as error:
        missing = f"{without}, since {program} cannot be run ({error.strerror}); build it, or name it with --precipice"
    except (ValueError, KeyError, TypeError):
        missing = f"{without}, since {program} prints something else than a run's figures"
    missing = run.text(missing)
    run.warn(missing)
    return missing
