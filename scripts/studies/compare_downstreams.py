#!/usr/bin/python3 -IB
"""GETs of the redis workload against redis-benchmark, SELECTs of postgres against pgbench, in alternating pairs.

    scripts/studies/compare_downstreams.py [--binary build/release/precipice] [--pairs 5] [--seconds 2] [--connections 16]
                                           [--model io_uring] [--only redis|postgres] [--json]

    redis       precipice: a closed loop of CONNECTIONS, op=get; every reply is folded into a digest and checked
                redis-benchmark: -c CONNECTIONS -P 1, GET of a random key out of the same 10,000, one thread
    postgres    precipice: a closed loop of CONNECTIONS, op=select; every row is folded into a digest and checked
                pgbench: -M prepared -c CONNECTIONS -j 1, the same SELECT of a random key out of the same 10,000 rows

Both sides call one server, which this script starts on the first CPU (a private directory, no persistence) and stops; both
clients run on the second. Both take the latency of every request.

Exit codes: 0 compared, 2 wrong usage, 4 this machine lacks a server, a client or the binary.
"""

import argparse
import contextlib
import ctypes
import glob
import json
import os
import pwd
import re
import resource
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import launch

launch.begin(__name__)
from studies.median_interval import median_interval

KEYS, BYTES = 10_000, 64  # the defaults of both workloads
REQUIRED = 0.95
START_LIMIT_S = 120


class Lacking(Exception):
    """This machine lacks something: exit code 4."""


def cpus():
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1] if len(allowed) > 1 else allowed[0]


def run(command, timeout, environment=None):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(environment or {})})
    except FileNotFoundError:
        raise Lacking(f"there is no {command[0]}")
    except subprocess.TimeoutExpired:
        raise Lacking(f"{command[0]} did not end within {timeout:g} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def other_user(names):
    """For Popen, where this is root: servers need not be, and some refuse to be."""
    if os.geteuid() != 0:
        return {}
    for name in (*names, "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise Lacking("there is no user to run a server as")


@contextlib.contextmanager
def private_directory(user):
    with tempfile.TemporaryDirectory(prefix="precipice-compare-", ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o711)
        data = os.path.join(directory, "data")
        os.mkdir(data, 0o700)
        if user:
            os.chown(data, user["user"], user["group"])
        yield directory, data


@contextlib.contextmanager
def server(argv, log, ready, quick_end, user):
    """Runs until the end of the block, on the first CPU, and no longer than this script."""
    libc, death_signal, cpu = ctypes.CDLL(None), 1, cpus()[0]  # PR_SET_PDEATHSIG

    def place():
        os.sched_setaffinity(0, {cpu})
        libc.prctl(death_signal, int(quick_end))

    with open(log, "ab") as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", start_new_session=True, preexec_fn=place,
                                   **user)
    try:
        until = time.time() + START_LIMIT_S
        while ready not in open(log, encoding="utf-8", errors="replace").read():
            if process.poll() is not None or time.time() > until:
                raise Lacking(f"{argv[0]} did not start: {open(log, encoding='utf-8', errors='replace').read().strip()[-300:]}")
            time.sleep(0.02)
        yield
    finally:
        process.send_signal(quick_end)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def redis_server():
    program = shutil.which("redis-server")
    if program is None:
        raise Lacking("no redis-server: apt-get install redis-server")
    user = other_user(["redis"])
    with private_directory(user) as (directory, data):
        port = free_port()
        argv = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", data, "--save", "", "--appendonly", "no", "--loglevel",
                "notice", "--databases", "1"]
        with server(argv, os.path.join(directory, "log"), "eady to accept connections", signal.SIGKILL, user):
            yield port, {}


@contextlib.contextmanager
def postgres_server():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    if not found:
        raise Lacking("no PostgreSQL server: apt-get install postgresql")
    programs = os.path.dirname(found[-1])
    user = other_user(["postgres"])
    with private_directory(user) as (directory, data):
        password = secrets.token_hex(16)  # of a server on TCP, which every user of the machine can reach
        file = os.path.join(data, "password")
        with open(file, "w", encoding="ascii") as out:
            out.write(password + "\n")
        cluster = os.path.join(data, "cluster")
        if user:
            os.chown(file, user["user"], user["group"])
        made = subprocess.run([programs + "/initdb", "-D", cluster, "-A", "scram-sha-256", "--pwfile", file, "-U", "precipice", "-E", "UTF8",
                               "--locale=C", "--no-sync"], capture_output=True, text=True, cwd="/", **user)
        if made.returncode != 0:
            raise Lacking(f"initdb failed: {made.stderr.strip()[-300:]}")
        port = free_port()
        argv = [programs + "/postgres", "-D", cluster, "-k", data, "-p", str(port)]
        # As the harness starts it.
        for setting in ("listen_addresses=127.0.0.1", "max_connections=520", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
                        "wal_level=minimal", "max_wal_senders=0", "max_wal_size=2GB", "checkpoint_timeout=1d", "autovacuum=off",
                        "bgwriter_lru_maxpages=0", "max_parallel_workers_per_gather=0", "jit=off", "update_process_title=off", "lc_messages=C"):
            argv += ["-c", setting]
        with server(argv, os.path.join(directory, "log"), "ready to accept connections", signal.SIGQUIT, user):
            yield port, {"PGUSER": "precipice", "PGPASSWORD": password, "PGDATABASE": "postgres"}


def precipice(arguments, workload, port, seconds, seed, environment):
    """Requests a second, and the trial's own document. An invalid trial counts: the host's noise meets the other side too."""
    first, second = cpus()
    command = [arguments.binary, "trial", "--model", arguments.model, "--workload",
               f"{workload},connections={arguments.connections},server=127.0.0.1:{port}", "--closed", str(arguments.connections),
               "--seconds", f"{seconds:g}", "--warmup", "0.3", "--seed", str(seed), "--json", "--generator-cpus", str(first),
               "--model-cpus", str(second)]
    done = run(command, seconds + 120, environment)
    try:
        trial = json.loads(done.stdout)
        if trial["counts"]["failed"] or trial["counts"]["completed"] == 0:
            raise Lacking(f"{workload}: requests failed: {trial['counts']}")
        return trial["goodput_per_s"], trial
    except (ValueError, KeyError):
        raise Lacking(f"{shlex.join(command)} gave no trial: {done.stderr.strip()[:500]}")


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def redis_benchmark(arguments, port, expected, _environment):
    """GETs a second, and how many. It is told a number of requests, not a time: as many as take the time at the other side's rate."""
    count = max(1000, int(expected * arguments.seconds))
    command = ["taskset", "-c", str(cpus()[1]), "redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-c", str(arguments.connections), "-P",
               "1", "-n", str(count), "-r", str(KEYS), "--csv", "GET", f"precipice:{BYTES}:{KEYS}:__rand_int__"]
    done = run(command, 20 * arguments.seconds + 60)
    rows = [line.split('","') for line in done.stdout.splitlines() if line.startswith('"')]
    try:
        return float(rows[-1][1].strip('"')), count
    except (IndexError, ValueError):
        raise Lacking(f"redis-benchmark failed: {(done.stderr or done.stdout).strip()[:300]}")


def pgbench(arguments, port, expected, environment):
    """SELECTs a second, and how many. It is told a number as well: its time would begin before its connections are open."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(f"\\set key random(0, {KEYS - 1})\nSELECT key, body FROM precipice_rows_{BYTES}_{KEYS} WHERE key = :key;\n")
        script.flush()
        each = max(100, int(expected * arguments.seconds / arguments.connections))
        command = ["taskset", "-c", str(cpus()[1]), "pgbench", "-h", "127.0.0.1", "-p", str(port), "-n", "-M", "prepared", "-c",
                   str(arguments.connections), "-j", "1", "-t", str(each), "-f", script.name]
        done = run(command, 20 * arguments.seconds + 120, environment)
    found = re.search(r"^tps = ([0-9.]+) \(without", done.stdout, re.M)
    if done.returncode != 0 or not found:
        raise Lacking(f"pgbench failed: {(done.stderr or done.stdout).strip()[:300]}")
    executed = re.search(r"^number of transactions actually processed: ([0-9]+)", done.stdout, re.M)
    return float(found[1]), int(executed[1])


SIDES = {"redis": ("redis:op=get", redis_server, "redis-benchmark", redis_benchmark),
         "postgres": ("postgres:op=select", postgres_server, "pgbench", pgbench)}


def compare(arguments, name):
    workload, started, peer, offer = SIDES[name]
    ours, theirs, ratios, trials, their_cpu = [], [], [], [], []
    with started() as (port, environment):
        expected, _ = precipice(arguments, workload, port, 0.5, 1, environment)  # writes the keys, and warms up
        for pair in range(arguments.pairs):
            rate = {}
            for side in ("ours", "theirs") if pair % 2 == 0 else ("theirs", "ours"):
                if side == "ours":
                    rate[side], trial = precipice(arguments, workload, port, arguments.seconds, pair + 1, environment)
                    expected = rate[side]
                else:
                    before = cpu_of_children()
                    rate[side], requests = offer(arguments, port, expected, environment)
                    their_cpu.append((cpu_of_children() - before) * 1e9 / requests)
            ours.append(rate["ours"])
            theirs.append(rate["theirs"])
            ratios.append(rate["ours"] / rate["theirs"])
            trials.append(trial)
            if not arguments.json:
                print(f"  {name} pair {pair + 1}: precipice {rate['ours']:,.0f}/s   {peer} {rate['theirs']:,.0f}/s   ratio {ratios[-1]:.3f}",
                      flush=True)
    middle, low, high = median_interval(ratios)
    busy = [trial["host"].get("backend_busy") for trial in trials]
    return {"name": name, "model": arguments.model, "peer": peer, "precipice_per_s": median_interval(ours)[0],
            "peer_per_s": median_interval(theirs)[0], "ratio": middle, "ratio_low": low, "ratio_high": high, "pairs": arguments.pairs,
            "required": REQUIRED, "note": trials[0].get("note", ""),
            "server_busy": None if None in busy else median_interval(busy)[0],
            "cpu_ns_per_request": median_interval([trial["cpu_ns_per_request"]["model"] for trial in trials])[0],
            "peer_cpu_ns_per_request": median_interval(their_cpu)[0]}


def main():
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(here, "build/release/precipice"))
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--model", default="io_uring")
    parser.add_argument("--only", choices=sorted(SIDES))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if min(arguments.pairs, arguments.connections) < 1 or arguments.seconds <= 0:
        parser.error("pairs, connections and seconds must be above 0")
    try:
        if not os.access(arguments.binary, os.X_OK):
            raise Lacking(f"no binary at {arguments.binary}: build it, or name it with --binary")
        results = [compare(arguments, name) for name in SIDES if arguments.only in (None, name)]
    except Lacking as lacking:
        print(f"compare_downstreams.py: {lacking}", file=sys.stderr)
        return 4
    if arguments.json:
        json.dump(results, sys.stdout, indent=1)
        print()
        return 0
    for result in results:
        busy = "" if result["server_busy"] is None else f"; the server used {result['server_busy']:.0%} of its CPU"
        print(f"{result['name']}: {result['model']} {result['precipice_per_s']:,.0f}/s, {result['peer']} {result['peer_per_s']:,.0f}/s, "
              f"ratio {result['ratio']:.3f} [{result['ratio_low']:.3f}, {result['ratio_high']:.3f}] of {result['pairs']} pairs; "
              f"asked for >= {REQUIRED}{busy}")
        print(f"  {result['note']}; CPU time a request: the model {result['cpu_ns_per_request'] / 1000:.1f} us, {result['peer']} with its start "
              f"{result['peer_cpu_ns_per_request'] / 1000:.1f} us")
    return 0


launch.end(__name__, main)
