#!/usr/bin/python3 -IB
"""How often `precipice compare` gives a false alarm, and whether it finds a planted 10%, measured on this machine.

    scripts/studies/false_alarms.py [--kind sleep|cpu|pool] [--pairs 40] [--binary build/release/precipice] [--keep DIR]
                                    [--json FILE]

Runs of a small suite alternate, A B A B .. A. B's saturation is 10% higher by construction (sleep: a pool of 22
threads for one of 20; cpu and pool, of 1 and 8 threads: 909 us of work for 1 ms), and its cliff by no less. Each A
against the next A should be indistinguishable; each A against its B should name B. So an A takes part in two pairs:
how many alarms are expected does not change by that, only how they scatter. docs/comparisons.md has the table. Leave
the machine alone meanwhile.
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

# One model and one workload; of each block a closed loop, which a saturation needs, and rates around the cliff.
SUITE = """schema = 1
name = "{name}"
seed = {seed}
blocks = {blocks}
slo = "p99 < 10ms"
[load]
window = "{window}"
coarse_window = "{window}"
warmup = "50ms"
drain = "200ms"
[search]
refine = [0.9, 0.95, 1.0, 1.05]
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
              {"threads": 22, "workload": 'use = "sleep"\nwait = "5ms"'}, 1.1, "400ms"),
    "cpu": ({"threads": 1, "workload": 'use = "cpu"\nwork = "1ms"'},
            {"threads": 1, "workload": 'use = "cpu"\nwork = "909us"'}, 1000 / 909, "1s"),
    "pool": ({"threads": 8, "workload": 'use = "cpu"\nwork = "1ms"'},
             {"threads": 8, "workload": 'use = "cpu"\nwork = "909us"'}, 1000 / 909, "1s"),
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


def student(degrees):
    """The quantile 0.975 of Student's t, from the normal one's by Cornish and Fisher's expansion: within 0.3% from 4 on."""
    z = 1.959964
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2) \
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)


def spread(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((x - mean) ** 2 for x in values) / (len(values) - 1)) if len(values) > 1 else math.nan


def summary(options, rounds, seconds):
    truth = KINDS[options.kind][2]
    compared = [r for r in rounds if all(r[pair].get("saturation", {}).get("ratio") for pair in ("same", "planted"))]
    winners = ("A higher", "B higher")
    alarms = sum(any(f["verdict"] in winners for f in r["same"].values()) for r in rounds)
    found, found_by_cliff = (sum(r["planted"].get(figure, {}).get("verdict") == "B higher" for r in rounds)
                             for figure in ("saturation", "cliff"))
    result = {"kind": options.kind, "rounds": len(rounds), "blocks": options.blocks, "seconds": seconds,
              "not_compared": len(rounds) - len(compared), "false_alarms": alarms,
              "false_alarm_rate_at_most": upper_bound(alarms, len(rounds)), "planted": truth, "found": found, "found_by_cliff": found_by_cliff}
    for pair in ("same", "planted"):
        ratios = [math.log(r[pair]["cliff"]["ratio"]) for r in rounds if r[pair].get("cliff", {}).get("ratio")]
        if len(ratios) > 1:
            result[f"cliff_{pair}_ratio"], result[f"cliff_{pair}_scatter"] = math.exp(spread(ratios)[0]), spread(ratios)[1]
    if len(compared) < 2:
        return result
    same = [math.log(r["same"]["saturation"]["ratio"]) for r in compared]
    planted = [math.log(r["planted"]["saturation"]["ratio"]) for r in compared]
    inside = sum(r["planted"]["saturation"]["low95"] <= truth <= r["planted"]["saturation"]["high95"] for r in compared)
    # What A/A pairs scatter by beyond their own errors: the part that all blocks of a run share.
    quantile = student(options.blocks - 1)
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
    for pair, name in (("same", "A / A"), ("planted", "B / A")):
        if f"cliff_{pair}_ratio" in s:
            print(f"  {name} by cliff                 {s[f'cliff_{pair}_ratio']:.4f}, scatter {100 * s[f'cliff_{pair}_scatter']:.2f}%")
    if s["not_compared"]:
        print(f"  not compared                   {s['not_compared']} (a side had no valid saturation)")
    if "same_ratio" in s:
        print(f"  A / A by saturation            {s['same_ratio']:.4f}, scatter {100 * s['same_scatter']:.2f}%, "
              f"its own error says {100 * s['same_error']:.2f}%")
        print(f"  shared by all blocks of a run  {100 * s['between_runs']:.2f}%")
        print(f"  B / A by saturation            {s['planted_ratio']:.4f}, scatter {100 * s['planted_scatter']:.2f}%; the "
              f"truth {s['planted']:.4f} inside its 95% interval {s['planted_inside_interval']} times")
        print(f"  smallest detectable difference {100 * s['detectable']:.1f}% (median)")
        print(f"  machine speed, second A to first: {s['machine_speed'][0]:.3f} to {s['machine_speed'][1]:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sleep")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--window", help="of each trial (default: 400ms for sleep, else 1s)")
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
            text = lambda f: f"{f['ratio']:.3f} [{f['low']:.3f}, {f['high']:.3f}]" if f["ratio"] and f["low"] else "-"
            left = (time.monotonic() - begun) / number * (options.pairs - number)
            for figure in ("saturation", "cliff"):
                s, p = ({"ratio": None, "verdict": "-", **rounds[-1][pair].get(figure, {})} for pair in ("same", "planted"))
                print(f"{number:3} {figure:10}  A/A {text(s):21} {s['verdict']:18} B/A {text(p):21} {p['verdict']:18}"
                      + (f" {left / 60:.0f} min left" if figure == "cliff" else ""), flush=True)
        result = summary(options, rounds, time.monotonic() - begun)
    show(result)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"summary": result, "rounds": rounds}, file, indent=1)


launch.end(__name__, main)
