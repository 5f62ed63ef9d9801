#!/usr/bin/python3 -IB
"""How often `precipice compare` gives a false alarm, and whether it finds a planted 10%, measured on this machine.

    scripts/studies/false_alarms.py [--kind sleep|cpu] [--pairs 40] [--binary build/release/precipice] [--keep DIR]
                                    [--json FILE]

Runs of a small suite alternate, A B A B .. A. B carries exactly 10% more by construction (sleep: a pool of 22 threads
for one of 20; cpu: 909 us of work for 1 ms). Each A against the next A should be indistinguishable; each A against its B
should name B. So an A takes part in two pairs: how many alarms are expected does not change by that, only how they
scatter. docs/comparisons.md has the table. Leave the machine alone meanwhile.
"""
import argparse
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, SCRIPTS)
import launch

launch.begin(__name__)

# One model, one workload, nine blocks, and of each block one closed loop and one rate: what a saturation needs. The
# SLO is wide on purpose, so that stalls of the host invalidate few of the short trials.
SUITE = """schema = 1
name = "{name}"
seed = {seed}
blocks = {blocks}
slo = "p99 < 50ms"
[load]
window = "{window}"
coarse_window = "{window}"
warmup = "50ms"
drain = "200ms"
[search]
refine = [0.9]
overload = []
grid = []
repeats = 2
[[model]]
use = "fixed_pool"
threads = {threads}
[[workload]]
{workload}
"""
KINDS = {
    "sleep": ({"threads": 20, "workload": 'use = "sleep"\nwait = "5ms"'},
              {"threads": 22, "workload": 'use = "sleep"\nwait = "5ms"'}, 1.1, "100ms"),
    "cpu": ({"threads": 1, "workload": 'use = "cpu"\nwork = "1ms"'},
            {"threads": 1, "workload": 'use = "cpu"\nwork = "909us"'}, 1000 / 909, "200ms"),
}


def measure(options, work, name, seed, shape):
    """Runs one suite; returns its directory, or None when nothing could be measured."""
    suite = os.path.join(work, f"{name}.toml")
    with open(suite, "w") as file:
        file.write(SUITE.format(name=name, seed=seed, blocks=options.blocks, window=options.window, **shape))
    place = os.path.join(work, "directory")
    if os.path.exists(place):
        os.remove(place)
    done = subprocess.run([options.binary, "run", suite, "--out", os.path.join(work, "results"), "--fresh", "--force", "--json"],
                          capture_output=True, text=True, env=dict(os.environ, PRECIPICE_DIRECTORY_FILE=place))
    if done.returncode not in (0, 3) or not os.path.exists(place):
        sys.exit(f"{shlex.join(done.args)}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    with open(place) as file:
        return file.read().strip()


def compare(options, a, b):
    done = subprocess.run([options.binary, "compare", a, b, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(done.args)}: exit {done.returncode}: {done.stderr.strip()}")
    cells = json.loads(done.stdout)["cells"]
    return {figure["figure"]: dict(figure, machine=cell["machine_speed_b_to_a"]["mean"])
            for cell in cells for figure in cell["figures"]}


def upper_bound(seen, of):
    """Exact one-sided 95% bound of a rate (Clopper and Pearson, 1934)."""
    if seen == of:
        return 1.0
    low, high = seen / of, 1.0
    for _ in range(60):
        p = (low + high) / 2
        tail = sum(math.comb(of, k) * p**k * (1 - p) ** (of - k) for k in range(seen + 1))
        low, high = (p, high) if tail > 0.05 else (low, p)
    return high


def spread(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((x - mean) ** 2 for x in values) / (len(values) - 1)) if len(values) > 1 else math.nan


def summary(options, rounds, seconds):
    truth = KINDS[options.kind][2]
    compared = [r for r in rounds if r["same"]["saturation"]["ratio"] and r["planted"]["saturation"]["ratio"]]
    winners = ("A higher", "B higher")
    alarms = sum(any(f["verdict"] in winners for f in r["same"].values()) for r in rounds)
    found, found_by_cliff = (sum(r["planted"].get(figure, {}).get("verdict") == "B higher" for r in rounds)
                             for figure in ("saturation", "cliff"))
    result = {"kind": options.kind, "rounds": len(rounds), "blocks": options.blocks, "seconds": seconds,
              "not_compared": len(rounds) - len(compared), "false_alarms": alarms,
              "false_alarm_rate_at_most": upper_bound(alarms, len(rounds)), "planted": truth, "found": found, "found_by_cliff": found_by_cliff}
    if len(compared) < 2:
        return result
    same = [math.log(r["same"]["saturation"]["ratio"]) for r in compared]
    planted = [math.log(r["planted"]["saturation"]["ratio"]) for r in compared]
    inside = sum(r["planted"]["saturation"]["low95"] <= truth <= r["planted"]["saturation"]["high95"] for r in compared)
    # What A/A pairs scatter by beyond their own errors: the part that all blocks of a run share.
    quantile = {9: 2.306}.get(options.blocks, 2.1)
    errors = [math.log(r["same"]["saturation"]["high95"] / r["same"]["saturation"]["low95"]) / 2 / quantile
              for r in compared]
    scatter = spread(same)[1]
    excess = max(0.0, scatter**2 - sum(e * e for e in errors) / len(errors))
    result.update({
        "same_ratio": math.exp(spread(same)[0]), "same_scatter": scatter, "same_error": math.sqrt(sum(e * e for e in errors) / len(errors)),
        "between_runs": math.sqrt(excess / 2), "planted_ratio": math.exp(spread(planted)[0]),
        "planted_scatter": spread(planted)[1], "planted_inside_interval": inside,
        "detectable": sorted(r["same"]["saturation"]["detectable"] for r in compared)[len(compared) // 2],
        "machine_speed": [min(r["same"]["saturation"]["machine"] or 1 for r in compared),
                          max(r["same"]["saturation"]["machine"] or 1 for r in compared)]})
    return result


def show(s):
    print(f"\n{s['kind']}: {s['rounds']} rounds of A, B, A with {s['blocks']} blocks, {s['seconds'] / 60:.0f} minutes")
    print(f"  false alarms, A against A      {s['false_alarms']} of {s['rounds']} (rate at most "
          f"{100 * s['false_alarm_rate_at_most']:.0f}% with 95% confidence)")
    print(f"  planted {100 * (s['planted'] - 1):.1f}% found            {s['found']} of {s['rounds']} by saturation, "
          f"{s['found_by_cliff']} by cliff")
    if s["not_compared"]:
        print(f"  not compared                   {s['not_compared']} (a side had no valid saturation)")
    if "same_ratio" in s:
        print(f"  A / A                          {s['same_ratio']:.4f}, scatter {100 * s['same_scatter']:.2f}%, "
              f"its own error says {100 * s['same_error']:.2f}%")
        print(f"  shared by all blocks of a run  {100 * s['between_runs']:.2f}%")
        print(f"  B / A                          {s['planted_ratio']:.4f}, scatter {100 * s['planted_scatter']:.2f}%; the "
              f"truth {s['planted']:.4f} inside its 95% interval {s['planted_inside_interval']} times")
        print(f"  smallest detectable difference {100 * s['detectable']:.1f}% (median)")
        print(f"  machine speed, second A to first: {s['machine_speed'][0]:.3f} to {s['machine_speed'][1]:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sleep")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--window", help="of each trial (default: 100ms for sleep, 200ms for cpu)")
    parser.add_argument("--binary", default=os.path.join(os.path.dirname(SCRIPTS), "build/release/precipice"))
    parser.add_argument("--keep", metavar="DIR", help="keep the runs here instead of a temporary directory")
    parser.add_argument("--json", metavar="FILE", help="write every comparison and the summary")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        sys.exit(f"{options.binary} is not there: cmake --preset release && cmake --build --preset release, or --binary")
    with tempfile.TemporaryDirectory(prefix="precipice-alarms-") as temporary:
        work = options.keep or temporary
        os.makedirs(work, exist_ok=True)
        a, b, _, window = KINDS[options.kind]
        options.window = options.window or window
        rounds, begun = [], time.monotonic()
        first = measure(options, work, "a", 1, a)
        for number in range(1, options.pairs + 1):
            other = measure(options, work, "b", number, b)
            second = measure(options, work, "a", number + 1, a)
            rounds.append({"same": compare(options, first, second), "planted": compare(options, first, other)})
            first = second
            s, p = rounds[-1]["same"]["saturation"], rounds[-1]["planted"]["saturation"]
            text = lambda f: f"{f['ratio']:.3f} [{f['low']:.3f}, {f['high']:.3f}]" if f["ratio"] and f["low"] else "-"
            left = (time.monotonic() - begun) / number * (options.pairs - number)
            print(f"{number:3}  A/A {text(s)} {s['verdict']:18} B/A {text(p)} {p['verdict']:18} {left / 60:.0f} min left",
                  flush=True)
        result = summary(options, rounds, time.monotonic() - begun)
    show(result)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"summary": result, "rounds": rounds}, file, indent=1)


launch.end(__name__, main)
