#!/usr/bin/env python3
"""Gives exported files to the tools they are meant for: npm's hdr-histogram-js and Google Benchmark's compare.py.

    export_readers_test.py PRECIPICE [hgrm|gbench|csv]

Exits with 77 (skipped) and a reason where a tool is missing. The run is made here from the schema in
results/README.md, with known values, so nothing is measured.
"""
import csv
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
BLOCKS, RATES = 3, (1000.0, 2000.0)
SERIES, WORKLOAD = "fixed_pool:threads=8", "sleep:wait=5ms"

SUITE = """schema = 1
name = "made"
seed = 1
blocks = 3
[[model]]
use = "fixed_pool"
threads = "8"
[[workload]]
use = "sleep"
wait = "5ms"
"""


def bucket(value):
    """Index in the layout of results/README.md."""
    if value < 2048:
        return value
    e = value.bit_length() - 11
    return 2048 + (e - 1) * 1024 + (value >> e) - 1024


def histogram(values):
    counts = {}
    for value in values:
        counts[bucket(value)] = counts.get(bucket(value), 0) + 1
    flat, last = [], 0
    for index in sorted(counts):
        flat += [index - last, counts[index]]
        last = index
    return {"overflow": 0, "buckets": flat}


def trial(phase, block, rate, closed, values, used=True, goodput=None):
    ordered = sorted(values)
    rank = lambda p: ordered[max(0, math.ceil(p / 100 * len(ordered)) - 1)]
    count = len(values)
    response = {"mean": sum(values) / count, "max": ordered[-1]}
    response.update({name: rank(p) for name, p in
                     (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("p999", 99.9))})
    what = f"N{closed}" if closed else f"{rate:.6g}/s"
    return {
        "schema": 1, "kind": "trial", "key": f"{SERIES} | {WORKLOAD} | {phase} | b{block} | {what} | a1",
        "series": SERIES, "workload": WORKLOAD, "phase": phase, "block": block, "attempt": 1, "used": used,
        "generator_limited": False, "slo_ns": 2e7, "at_s": 1.0,
        "trial": {
            "schema": 1, "model": SERIES, "workload": WORKLOAD, "seed": 1, "rate_per_s": rate,
            "offered_per_s": rate, "goodput_per_s": goodput or rate,
            "counts": {"scheduled": count, "sent": count, "unsent": 0, "completed": count, "failed": 0, "shed": 0,
                       "unfinished": 0},
            "response_ns": response, "slo_percentile_ns": response["p99"],
            "cpu_ns_per_request": {"model": 4000.0 + block, "generator": 100.0}, "loss": 0.0,
            "stable": phase != "overload", "valid": used, "drained": True,
            "invalid_reasons": [] if used else [{"cause": "host", "gate": "stall", "text": "made invalid"}],
            "request": {"closed": closed, "window_ns": 1000000000, "slo_ns": 20000000, "slo_percentile": 99.0,
                        "generator_cpus": [0], "model_cpus": [1], "clock": "real"},
        },
        "histogram": histogram(values), "slices": []}


def make_run(directory, seed, faster=1.0):
    """Writes a run; returns the values of its used open-loop trials by rate."""
    draw = random.Random(seed)
    merged, lines = {}, []
    for block in range(BLOCKS):
        lines.append({"schema": 1, "kind": "calibration", "key": f"{WORKLOAD} | b{block}", "workload": WORKLOAD,
                      "block": block, "mean_ns": 5e6, "p99_ns": 5.1e6, "speed_ns": 3e5, "valid": True})
        for rate in RATES:
            values = [int(5e6 + draw.expovariate(1 / 2e6)) for _ in range(2000)]
            merged.setdefault(rate, []).extend(values)
            lines.append(trial("refine", block, rate, 0, values))
        ruined = trial("refine", block, RATES[0], 0, [3_000_000_000] * 50, used=False)
        ruined["key"] = ruined["key"].replace("a1", "a0")
        lines.append(ruined)
        lines.append(trial("overload", block, 4000.0, 0, [100_000_000] * 100, goodput=faster * (2500 + 10 * block)))
        lines.append(trial("plateau", block, 0.0, 64, [20_000_000] * 100, goodput=faster * (2490 + 10 * block)))
    merged[4000.0] = [100_000_000] * 100 * BLOCKS
    os.makedirs(directory)
    with open(f"{directory}/suite.toml", "w") as file:
        file.write(SUITE)
    with open(f"{directory}/manifest.json", "w") as file:
        json.dump({"schema": 1, "suite": "made", "finished": True, "blocks_done": BLOCKS, "started": "2026-01-01T00:00:00Z",
                   "git_sha": "0000000", "binary_hash": "0", "seed": 1, "argv": []}, file)
    with open(f"{directory}/journal.jsonl", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return merged


def precipice(*words):
    done = subprocess.run([sys.argv[1], *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{words}: exit {done.returncode}: {done.stderr}"
    return done.stdout


READER = """
const hdr = require('hdr-histogram-js');
const values = JSON.parse(require('fs').readFileSync(process.argv[2]));
const histogram = hdr.build({bitBucketSize: 64, lowestDiscernibleValue: 1, highestTrackableValue: 3600000000000,
                             numberOfSignificantValueDigits: 3, autoResize: false, useWebAssembly: false});
for (const value of values) histogram.recordValue(value);
process.stdout.write(histogram.outputPercentileDistribution(5, 1e6));
"""


def check_hgrm(work):
    merged = make_run(f"{work}/run", 1)
    written = precipice("export", f"{work}/run", "--as", "hgrm", "--out", f"{work}/out").split()
    assert len(written) == len(merged), written
    for rate, values in merged.items():
        text = precipice("export", f"{work}/run", "--as", "hgrm", "--rate", f"{rate:g}")
        rows = [line.split() for line in text.splitlines()[2:] if not line.startswith("#")]
        ordered = sorted(values)
        assert int(rows[-1][2]) == len(values), "invalid trials are left out, all blocks are in"
        for row in rows:
            rank = max(0, math.ceil(float(row[1]) * len(ordered)) - 1)
            assert abs(float(row[0]) - ordered[rank] / 1e6) <= 0.001 * ordered[rank] / 1e6 + 0.001, row

    if shutil.which("npm") is None or shutil.which("node") is None:
        print("skipped: npm and node are not there, so hdr-histogram-js cannot read along")
        return SKIP
    install = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=15000",
                              "--prefix", work, "hdr-histogram-js@3"], capture_output=True, text=True, timeout=90)
    if install.returncode != 0:
        print("skipped: npm's registry does not give hdr-histogram-js:", install.stderr.strip()[-300:])
        return SKIP
    with open(f"{work}/reader.js", "w") as file:
        file.write(READER)
    for rate, values in merged.items():
        with open(f"{work}/values.json", "w") as file:
            json.dump(values, file)
        theirs = subprocess.run(["node", f"{work}/reader.js", f"{work}/values.json"], capture_output=True, text=True,
                                check=True, timeout=60).stdout.splitlines()
        ours = precipice("export", f"{work}/run", "--as", "hgrm", "--rate", f"{rate:g}").splitlines()
        body = lambda text: [line.split() for line in text if line and not line.startswith("#")]
        assert len(body(ours)) == len(body(theirs)), (len(body(ours)), len(body(theirs)))
        for mine, their in zip(body(ours)[1:], body(theirs)[1:]):
            # Theirs has three decimals, ours the nanosecond.
            same = (abs(float(mine[0]) - float(their[0])) <= 0.0005001 and mine[2] == their[2]
                    and abs(float(mine[1]) - float(their[1])) < 2e-12)
            assert same, (mine, their)
        numbers = lambda text: [float(x) for line in text if line.startswith("#") for x in
                                line.replace(",", " ").replace("]", " ").split() if x.replace(".", "", 1).isdigit()]
        for mine, their in list(zip(numbers(ours), numbers(theirs)))[:4]:
            assert math.isclose(mine, their, rel_tol=1e-3, abs_tol=2e-3), (ours[-3:], theirs[-3:])
    print(f"hdr-histogram-js writes the same {len(merged)} distributions")
    return 0


# compare.py imports these two for its U test, and python3-scipy cannot be installed beside Boost 1.81.
SCIPY = """
import math
import numpy
from collections import namedtuple
Result = namedtuple('Result', 'statistic pvalue')
def gmean(values):
    return numpy.exp(numpy.mean(numpy.log(values), axis=0))
def mannwhitneyu(a, b, alternative=None):
    u = sum((x > y) + 0.5 * (x == y) for x in a for y in b)
    n, m = len(a), len(b)
    z = abs(u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return Result(u, math.erfc(z / math.sqrt(2)))
"""


def check_gbench(work):
    make_run(f"{work}/a", 1)
    make_run(f"{work}/b", 2, faster=1.25)
    for name in "ab":
        precipice("export", f"{work}/{name}", "--as", "gbench", "--out", f"{work}/{name}.json")
    tool = os.environ.get("PRECIPICE_COMPARE_PY", "/usr/share/benchmark/compare.py")
    if not os.path.exists(tool):
        print(f"skipped: {tool} is not there (Debian package libbenchmark-tools)")
        return SKIP
    environment = dict(os.environ)
    if subprocess.run(["/usr/bin/python3", "-c", "import scipy.stats"], capture_output=True).returncode != 0:
        os.makedirs(f"{work}/stand_in/scipy")
        open(f"{work}/stand_in/scipy/__init__.py", "w").close()
        with open(f"{work}/stand_in/scipy/stats.py", "w") as file:
            file.write(SCIPY)
        environment["PYTHONPATH"] = f"{work}/stand_in"
    done = subprocess.run(["/usr/bin/python3", tool, "--no-color", "-d", f"{work}/diff.json", "benchmarks", f"{work}/a.json",
                           f"{work}/b.json"], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    name = f"{SERIES}/{WORKLOAD}/time_per_request_at_saturation"
    lines = [line for line in done.stdout.splitlines() if line.startswith(name + " ")]
    assert len(lines) == BLOCKS, done.stdout
    for line in lines:  # 25% faster: 20% less time
        assert abs(float(line.split()[1]) + 0.2) < 0.01, line
    assert any(line.startswith(name + "_median") for line in done.stdout.splitlines()), done.stdout
    print("compare.py reads both runs:", lines[0])
    return 0


def check_csv(work):
    make_run(f"{work}/run", 1)
    precipice("export", f"{work}/run", "--as", "csv", "--out", f"{work}/out")
    with open(f"{work}/out/points.csv") as file:
        points = list(csv.DictReader(file))
    with open(f"{work}/out/cells.csv") as file:
        cells = list(csv.DictReader(file))
    assert len(points) == BLOCKS * (len(RATES) + 3), len(points)
    assert sum(row["used"] == "false" for row in points) == BLOCKS
    assert [row["series"] for row in cells] == [SERIES], cells
    assert float(cells[0]["saturation_per_s"]) > 2400, cells
    return 0


def main():
    checks = {"hgrm": check_hgrm, "gbench": check_gbench, "csv": check_csv}
    chosen = sys.argv[2:] or list(checks)
    codes = []
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="precipice-export-") as work:
            codes.append(checks[name](work))
    return SKIP if SKIP in codes else 0


if __name__ == "__main__":
    sys.exit(main())
