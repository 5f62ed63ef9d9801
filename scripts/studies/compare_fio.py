#!/usr/bin/python3 -IB
"""Reads of the file workload against fio, on the same file, depth and CPU, in alternating pairs.

    scripts/studies/compare_fio.py [--binary build/release/precipice] [--pairs 5] [--seconds 1.5] [--depth 32]
                                   [--threads 8] [--only io_uring|fixed_pool] [--json]

    io_uring       precipice: the model, a closed loop of DEPTH refilled by the ring's own thread
                   fio: --ioengine=io_uring --iodepth=DEPTH, registered file and fixed buffers
    fixed_pool     precipice: THREADS threads, a closed loop of THREADS
                   fio: --ioengine=psync, THREADS jobs as threads

Both sides run on one CPU (the model's), read 4 KiB blocks at random with O_DIRECT, and touch the same 4,096 blocks'
worth of the file: one in each of 4,096 equal slices (fio: --blockalign). Both take the latency of every read. precipice
also folds every byte into a digest and checks it; fio does not look at what it read.

A pair in which some read of either side took more than 50 ms is put aside and made again, at most as often as there are
pairs: then the device stalled (other writers, a rate limit), which says nothing of either program. How many were is told.

Exit codes: 0 compared, 2 wrong usage, 4 this machine lacks fio, the binary or O_DIRECT.
"""

import argparse
import glob
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import launch

launch.begin(__name__)
from studies.median_interval import median_interval

FILE_BYTES = 256 << 20
SLICES = 4096
REQUIRED = 0.9
STALL_NS = 50e6


class Lacking(Exception):
    """This machine lacks something: exit code 4."""


def cpus():
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1] if len(allowed) > 1 else allowed[0]


def scratch_directory():
    if os.environ.get("PRECIPICE_SCRATCH"):
        return os.environ["PRECIPICE_SCRATCH"]
    if os.environ.get("XDG_CACHE_HOME"):
        return os.environ["XDG_CACHE_HOME"] + "/precipice"
    if os.environ.get("HOME"):
        return os.environ["HOME"] + "/.cache/precipice"
    return "/var/tmp/precipice"


def the_file():
    found = glob.glob(f"{scratch_directory()}/precipice-v*-{FILE_BYTES}.bin")
    if not found:
        raise Lacking(f"the file workload has left no file in {scratch_directory()}")
    return max(found, key=os.path.getmtime)


def run(command, timeout):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Lacking(f"{command[0]} did not end within {timeout:g} s")
    return done


def precipice(binary, model, closed, seconds, seed):
    """Reads a second, the longest read, and the trial's own document. An invalid trial counts: the host's noise meets fio too."""
    generator, cpu = cpus()
    command = [binary, "trial", "--model", model, "--workload", f"file:size={FILE_BYTES}", "--closed", str(closed),
               "--seconds", f"{seconds:g}", "--warmup", "0.3", "--seed", str(seed), "--json",
               "--generator-cpus", str(generator), "--model-cpus", str(cpu)]
    done = run(command, seconds + 60)
    try:
        trial = json.loads(done.stdout)
        if trial["counts"]["failed"] or trial["counts"]["completed"] == 0:
            raise Lacking(f"{model}: reads failed: {trial['counts']}")
        return trial["goodput_per_s"], trial["response_ns"]["max"], trial
    except (ValueError, KeyError):
        raise Lacking(f"{shlex.join(command)} gave no trial: {done.stderr.strip()[:500]}")


def fio(path, engine, depth, jobs, seconds):
    """Reads a second, all jobs together, and the longest read."""
    command = ["fio", "--name=peer", f"--filename={path}", "--readonly", "--rw=randread", "--bs=4k", "--direct=1",
               f"--size={FILE_BYTES}", f"--blockalign={FILE_BYTES // SLICES}", "--norandommap", "--time_based",
               f"--runtime={seconds:g}s", "--ramp_time=300ms", f"--cpus_allowed={cpus()[1]}", "--thread",
               "--group_reporting", f"--ioengine={engine}", f"--iodepth={depth}", f"--numjobs={jobs}",
               "--output-format=json"]
    if engine == "io_uring":
        command += ["--registerfiles", "--fixedbufs"]
    done = run(command, seconds + 60)
    text = done.stdout
    try:
        read = json.loads(text[text.index("{"):])["jobs"][0]["read"]
        return read["iops"], read["clat_ns"]["max"]
    except (ValueError, KeyError, IndexError):
        raise Lacking(f"fio failed: {done.stderr.strip()[:300] or text[:300]}")


def warm(path):
    """Reads the whole file once past the page cache, so that whatever lies below is equally warm for both."""
    subprocess.run(["dd", f"if={path}", "of=/dev/null", "bs=1M", "iflag=direct"], capture_output=True, check=False)


def compare(arguments, name, model, closed, engine, depth, jobs):
    ours, theirs, ratios, trials = [], [], [], []
    stalled = 0
    while len(ratios) < arguments.pairs:
        turn = len(ratios) + stalled
        sides = ["ours", "theirs"] if turn % 2 == 0 else ["theirs", "ours"]
        rate, longest = {}, {}
        for side in sides:
            if side == "ours":
                rate[side], longest[side], trial = precipice(arguments.binary, model, closed, arguments.seconds, turn + 1)
            else:
                rate[side], longest[side] = fio(the_file(), engine, depth, jobs, arguments.seconds)
        aside = max(longest.values()) > STALL_NS and stalled < arguments.pairs
        if not arguments.json:
            print(f"  {name} pair {turn + 1}: precipice {rate['ours']:,.0f}/s   fio {rate['theirs']:,.0f}/s   "
                  f"ratio {rate['ours'] / rate['theirs']:.3f}   {'put aside: the device stalled' if aside else ''}",
                  flush=True)
        if aside:
            stalled += 1
            continue
        trials.append(trial)
        ours.append(rate["ours"])
        theirs.append(rate["theirs"])
        ratios.append(rate["ours"] / rate["theirs"])
    middle, low, high = median_interval(ratios)
    note = next((trial["note"] for trial in trials if trial.get("note")), "")
    return {"name": name, "precipice_per_s": median_interval(ours)[0], "fio_per_s": median_interval(theirs)[0], "ratio": middle,
            "ratio_low": low, "ratio_high": high, "pairs": arguments.pairs, "required": REQUIRED, "note": note, "stalled": stalled,
            "how": f"closed loop of {closed}, one CPU, the same 256 MiB file; {stalled} more put aside for a stall of the "
                   "device above 50 ms",
            "cpu_ns_per_request": median_interval([trial["cpu_ns_per_request"]["model"] for trial in trials])[0]}


def main():
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(here, "build/release/precipice"))
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--depth", type=int, default=32)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--only", choices=["io_uring", "fixed_pool"])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if min(arguments.pairs, arguments.depth, arguments.threads) < 1 or arguments.seconds <= 0:
        parser.error("pairs, depth, threads and seconds must be above 0")
    try:
        if shutil.which("fio") is None:
            raise Lacking("no fio: apt-get install fio")
        if not os.access(arguments.binary, os.X_OK):
            raise Lacking(f"no binary at {arguments.binary}: build it, or name it with --binary")
        started = time.time()
        precipice(arguments.binary, "inline", 1, 0.1, 1)  # makes the file
        warm(the_file())
        results = []
        if arguments.only != "fixed_pool":
            results.append(compare(arguments, "io_uring", "io_uring", arguments.depth, "io_uring", arguments.depth, 1))
        if arguments.only != "io_uring":
            n = arguments.threads
            results.append(compare(arguments, "fixed_pool", f"fixed_pool:threads={n}", n, "psync", 1, n))
    except Lacking as lacking:
        print(f"compare_fio.py: {lacking}", file=sys.stderr)
        return 4
    if arguments.json:
        json.dump(results, sys.stdout, indent=1)
        print()
    else:
        for result in results:
            print(f"{result['name']}: precipice {result['precipice_per_s']:,.0f}/s, fio {result['fio_per_s']:,.0f}/s, "
                  f"ratio {result['ratio']:.3f} [{result['ratio_low']:.3f}, {result['ratio_high']:.3f}] "
                  f"of {result['pairs']} pairs ({result['stalled']} put aside); asked for >= {REQUIRED}")
            if result["note"]:
                print(f"  note: {result['note']}")
        print(f"file {the_file()}, depth {arguments.depth}, {arguments.threads} threads, CPU {cpus()[1]}, "
              f"{time.time() - started:.0f} s in all")
    return 0


launch.end(__name__, main)
