"""What the studies of trade-offs share: how they call the program, and numbers as text."""

import json
import os
import subprocess

import launch
import precipice_run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


class Program:
    """The program, and where its runs are. A trial is made once, however often it is asked for: a table and its chart share theirs."""

    def __init__(self, binary, out):
        self.binary, self.out, self.trials = binary, out, {}

    def call(self, *words):
        done = subprocess.run([self.binary, *words], capture_output=True, text=True, check=False)
        # An overload's trial can be invalid (3) and say how.
        if done.returncode not in (0, 3):
            raise launch.Failure(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "precipice failed")
        return done.stdout

    def trial(self, oracle, policy, rate, seconds, *more):
        return self._simulated(oracle, policy, ("--rate", f"{rate:.10g}"), seconds, *more)

    def closed_loop(self, oracle, policy, callers, seconds, *more):
        return self._simulated(oracle, policy, ("--closed", str(callers)), seconds, *more)

    def _simulated(self, oracle, policy, load, seconds, *more):
        chain = ["--policy", policy] if policy else []
        words = ("trial", "--model", f"oracle:{oracle}", *chain, "--workload", "empty", *load, "--seconds", str(seconds), "--clock", "virtual",
                 "--json", *more)
        if words not in self.trials:
            self.trials[words] = json.loads(self.call(*words))
        return self.trials[words]

    def run(self, study):
        """The newest run of a suite: its cells by series, and the run."""
        name = f"tradeoff_{study}"
        if not os.path.isdir(os.path.join(self.out, name)):
            self.call("run", os.path.join(ROOT, "workloads", "suites", f"{name}.toml"), "--out", self.out)
        run = precipice_run.load(os.path.join(self.out, name))
        return {cell["series"]: cell for cell in run.cells}, run


# -- numbers as text -------------------------------------------------------------------------------


def ms(ns):
    return f"{ns / 1e6:,.3g}".replace("e+03", "") + " ms" if ns < 1e9 else f"{ns / 1e9:.3g} s"


def response(trial, name):
    return ms(trial["response_ns"][name])


def per_s(rate):
    return f"{rate:,.0f}/s"


def percent(share):
    return f"{100 * share:.3g}%"


def attempts(trial):
    return trial["attempts"]["begun"] / trial["counts"]["sent"]


def stat(trial, name):
    return trial["model_stats"][name]


def figure(cell, name):
    value, _, _, reached = precipice_run.estimate(cell, name)
    return {"above": "> ", "below": "< "}.get(reached, "") + per_s(value)


def series(cells, *parts):
    """The one whose name has all these parts; a part that ends it is told from a longer one by a space."""
    found = [cell for name, cell in cells.items() if all(part in f"{name} " for part in parts)]
    if len(found) != 1:
        raise launch.Failure(f"{len(found)} series of the run fit {parts}")
    return found[0]


# -- classes of requests -----------------------------------------------------------------------------


def classes(*shares):
    return [word for name, share in shares for word in ("--class", f"{name}:share={share:g}")]


def of_class(trial, number, name):
    return ms(trial["classes"][number]["response_ns"][name])
