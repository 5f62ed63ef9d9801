#!/usr/bin/python3 -IB
"""Measures what the harness costs, and writes docs/harness_costs.md: the requirement, what was measured, how it was taken.

    scripts/studies/harness_costs.py [--build build/release] [--out FILE] [--only NAME[,NAME]]

Takes about five minutes; nothing else should run meanwhile. NAME: generator, lag, recording, memory, abstraction,
saturation, file. What cannot be measured is written down with its reason, and the rest goes on.

Exit codes: 0 everything was measured (requirements met or not), 1 something could not be measured, 2 wrong usage.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import files
import launch

launch.begin(__name__)
from studies.median_interval import median_interval


class Unmeasured(Exception):
    """Why something could not be measured."""


class Row:
    def __init__(self, what, required, measured, met, how):
        self.what, self.required, self.measured, self.met, self.how = what, required, measured, met, how


def run(command, timeout):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Unmeasured(f"{os.path.basename(command[0])} did not end within {timeout:g} s")
    except OSError as error:
        raise Unmeasured(f"{command[0]}: {error.strerror}; build it first")


def benchmarks(build, pattern):
    """Google Benchmark's results by name, without the suffixes of how they were run."""
    done = run([os.path.join(build, "precipice_bench"), f"--benchmark_filter={pattern}", "--benchmark_format=json"], 240)
    try:
        results = json.loads(done.stdout[done.stdout.index("{"):])["benchmarks"]
    except (ValueError, KeyError):
        raise Unmeasured(f"precipice_bench: {done.stderr.strip()[-300:] or 'no result'}")
    named = {}
    for result in results:
        if result.get("error_occurred"):
            raise Unmeasured(f"{result['name']}: {result.get('error_message', 'failed')}")
        named[result["name"].split("/iterations:")[0].split("/min_time:")[0]] = result
    return named


def generator(build):
    found = benchmarks(build, "Generator/offering")
    best = max(found.values(), key=lambda result: result["achieved_per_s"])
    million = found["Generator/offering_k_per_s/1000"]
    yield Row("generator, model that does nothing, one CPU", ">= 1,000,000/s",
              f"{best['achieved_per_s'] / 1e6:.2f} million/s [{best['achieved_low'] / 1e6:.2f}, "
              f"{best['achieved_high'] / 1e6:.2f}]; at 1 million/s self-lag p98 {million['self_lag_p98_ns']:.0f} ns",
              best["achieved_per_s"] >= 1e6,
              "Poisson schedules of 0.5 s at 0.1 to 10 million/s, 5 times each; the highest rate achieved")


def lag(build):
    result = benchmarks(build, "Generator/against_bare_loop")["Generator/against_bare_loop"]
    for name in ("p50", "p90", "p98"):
        yield Row(f"self-lag {name} at 100,000/s against a bare clock loop", "<= 1.2x",
                  f"{result[name + '_ratio']:.2f}x [{result[name + '_ratio_low']:.2f}, "
                  f"{result[name + '_ratio_high']:.2f}]: {result[name + '_offer_ns']:.0f} ns against "
                  f"{result[name + '_bare_ns']:.0f} ns",
                  result[name + "_ratio"] <= 1.2,
                  "20 alternating pairs over the same Poisson schedules of 0.25 s; ratio of the medians, interval of "
                  "the pairs' ratios")


def recording(build):
    sides = {side: [] for side in ("both", "model", "generator", "both_with_clock")}
    for _ in range(7):
        found = benchmarks(build, "Recording/(both|model|generator|both_with_clock)/")
        for side, values in sides.items():
            result = found[f"Recording/{side}"]
            values.append(result["real_time"])
    middle, low, high = median_interval(sides["both"])
    yield Row("recording a request", "<= 10 ns",
              f"{middle:.1f} ns [{low:.1f}, {high:.1f}]: generator's side {median_interval(sides['generator'])[0]:.1f} ns, "
              f"model's side {median_interval(sides['model'])[0]:.1f} ns; with its four clock reads "
              f"{median_interval(sides['both_with_clock'])[0]:.0f} ns",
              middle <= 10,
              "stores into fresh slots and the in-flight integral, both sides on one thread; 7 runs of 20 x 1,048,576 "
              "requests")


def memory(build):
    for name, result in benchmarks(build, "Memory/waiting").items():
        each = result["bytes_each"]
        yield Row(f"{int(result['waiting']):,} requests waiting at once in sleep, {name.split('/')[-1]}",
                  "<= 1,536 bytes each", f"{each:.0f} bytes each, of which slots and schedule "
                  f"{result['records_bytes_each']:.0f}", each <= 1536 and result["waiting"] >= 1e6,
                  "growth of resident memory of a fresh process, read once while all wait")


def abstraction(build):
    for name, result in benchmarks(build, "Abstraction").items():
        yield Row(f"price of the abstraction, {name.split('/')[-1]}, S = 10 us", "<= 5% of S",
                  f"{result['price_percent']:.1f}% [{result['price_low']:.1f}, {result['price_high']:.1f}]: "
                  f"{result['model_ns'] / 1e3:.2f} us a request against {result['twin_ns'] / 1e3:.2f} us",
                  result["price_percent"] <= 5,
                  "20 alternating pairs against a twin without coroutine, Io and virtual call; closed loop of 256, "
                  "15,000 requests each")


def saturation(build):
    for name, result in benchmarks(build, "Saturation/cpu/(fixed_pool|event_loop|io_uring|work_stealing:io=suspend)").items():
        yield Row(f"CPU-bound saturation at S = 200 us, {name.split('/')[-1]}", ">= 0.95 of the ideal",
                  f"{result['share']:.3f} [{result['share_low']:.3f}, {result['share_high']:.3f}], "
                  f"S = {result['service_ns'] / 1e3:.1f} us", result["share"] >= 0.95,
                  "closed loop of 64 on one CPU, 7 trials of 1 s; the ideal is one CPU / S, with S measured on inline on "
                  "the same CPU just before each trial")


def file(build):
    done = run([os.path.join(HERE, "compare_fio.py"), "--binary", os.path.join(build, "precipice"), "--pairs", "9",
                "--seconds", "1", "--json"], 240)
    if done.returncode != 0:
        raise Unmeasured(done.stderr.strip()[-300:])
    for result in json.loads(done.stdout):
        peer = "fio --ioengine=io_uring" if result["name"] == "io_uring" else "fio --ioengine=psync"
        yield Row(f"file, {result['name']} against {peer}", f">= {result['required']}",
                  f"{result['ratio']:.3f} [{result['ratio_low']:.3f}, {result['ratio_high']:.3f}]: "
                  f"{result['precipice_per_s']:,.0f}/s against {result['fio_per_s']:,.0f}/s",
                  result["ratio"] >= result["required"],
                  f"{result['pairs']} alternating pairs of 1 s, {result['how']}"
                  + (f"; {result['note']}" if result["note"] else ""))


COSTS = {"generator": generator, "lag": lag, "recording": recording, "memory": memory, "abstraction": abstraction,
        "saturation": saturation, "file": file}


def machine():
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as text:
            model = next((line.split(":", 1)[1].strip() for line in text if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, Linux {platform.release()}"


def version(build):
    try:
        done = run([os.path.join(build, "precipice"), "--version"], 20)
        return (done.stdout.strip().splitlines() or ["unknown"])[0]
    except Unmeasured:
        return "unknown"


def sections(path):
    """What was written by hand below the table: it was measured at another time and stays."""
    try:
        with open(path, encoding="utf-8") as text:
            _, heading, rest = text.read().partition("\n## ")
    except OSError:
        return ""
    return heading + rest


def write(path, rows, failures, build, seconds):
    lines = ["# What the harness costs", "",
             "Measured by `scripts/studies/harness_costs.py` in one run. Figures are medians, with the distribution-free 95% "
             "interval", "of the median in brackets.", "",
             f"- Machine: {machine()}", f"- Program: {version(build)}",
             f"- Taken: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, in {seconds:.0f} s; load average at the "
             f"end {os.getloadavg()[0]:.1f}", "",
             "| what | required | measured | met | how |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row.what} | {row.required} | {row.measured} | {'yes' if row.met else 'no'} | {row.how} |")
    for name, why in failures:
        lines.append(f"| {name} | | could not be measured | | {why.replace('|', '/')} |".replace("\n", " "))
    text = "\n".join(lines) + "\n" + sections(path)
    files.make_directories(os.path.dirname(os.path.abspath(path)))
    files.write_text(path, text)


def main():
    root = os.path.dirname(os.path.dirname(HERE))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(root, "build/release"))
    parser.add_argument("--out", default=os.path.join(root, "docs/harness_costs.md"))
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    wanted = [name for name in arguments.only.split(",") if name] or list(COSTS)
    for name in wanted:
        if name not in COSTS:
            parser.error(f"nothing here is called {name}; there are {', '.join(COSTS)}")
    started = time.time()
    rows, failures = [], []
    for name in wanted:
        before = time.time()
        try:
            for row in COSTS[name](arguments.build):
                rows.append(row)
                print(f"{'met ' if row.met else 'MISS'}  {row.what}: {row.measured} (required {row.required})", flush=True)
        except (Unmeasured, KeyError) as error:
            failures.append((name, str(error)))
            print(f"----  {name}: {error}", flush=True)
        print(f"      {name} took {time.time() - before:.0f} s", file=sys.stderr, flush=True)
    write(arguments.out, rows, failures, arguments.build, time.time() - started)
    print(f"written: {arguments.out}")
    return 1 if failures else 0


launch.end(__name__, main)
