#!/usr/bin/python3 -IB
"""`precipice serve` on each model against nginx, driven by the same clients in one run, in alternating order.

    scripts/studies/compare_servers.py [--binary build/release/precipice] [--rounds 7] [--seconds 2]
                                       [--models event_loop,io_uring:spin=50us,...] [--connections 64]
                                       [--only saturation|two|cpu|client] [--json]

    saturation     wrk with one thread and 64 connections: requests/s, client and server on ONE CPU; where the machine has
                   two, also with a CPU each (alone: two)
    cpu            `precipice drive` at 60% of nginx's saturation with a CPU each: the server's CPU time per request, and
                   the client's own lag
    client         `precipice drive --closed` with as many connections against wrk on the same server (nginx), one CPU

Every server answers /plain with the same status, header fields and body bytes. nginx has one worker process, no log, and
keeps connections alive without end. Ratios are of the same round; the median of the rounds is quoted with its
distribution-free 95% interval. Traffic goes to 127.0.0.1 only; all servers are stopped at the end.

Exit codes: 0 compared, 2 wrong usage, 4 this machine lacks nginx, wrk or the binary.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import launch

launch.begin(__name__)
from studies.median_interval import median_interval

CONNECTIONS = 64
FEW = 8
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
BODY = "Hello, world!"
# requests/s on one CPU, on two; CPU per request: against nginx, with CONNECTIONS.
REQUIRED = {("one CPU", "event_loop"): 1.05, ("one CPU", "io_uring"): 1.15, ("two CPUs", "event_loop"): 1.0,
            ("two CPUs", "io_uring"): 1.0, ("cpu", "event_loop"): 0.95, ("cpu", "io_uring"): 0.85, ("client", "drive"): 1.0}

# requests/s on two CPUs with FEW connections, of a server that spins before it blocks.
REQUIRED_OF_SPINNING = 1.15


def required(what, name, connections):
    if connections == CONNECTIONS:
        return REQUIRED.get((what, name))
    spins = what == "two CPUs" and connections == FEW and "spin=" in name
    return REQUIRED_OF_SPINNING if spins else None


class Lacking(Exception):
    """This machine lacks something: exit code 4."""


def cpus():
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1] if len(allowed) > 1 else allowed[0]


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    name = "nginx"

    def __init__(self, cpu, connections=1024):
        self.directory = tempfile.TemporaryDirectory(prefix="compare-servers-")
        self.port = free_port()
        at = self.directory.name
        config = f"""daemon off; worker_processes 1; pid {at}/pid; error_log {at}/log; worker_rlimit_nofile {connections + 100};
events {{ worker_connections {connections}; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 75s; default_type text/plain;
client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
server_tokens off;
server {{ listen 127.0.0.1:{self.port} backlog=1024; location / {{ return 200 "{BODY}"; }} }} }}
"""
        with open(f"{at}/conf", "w", encoding="ascii") as out:
            out.write(config)
        self.process = subprocess.Popen(["nginx", "-c", f"{at}/conf", "-p", at], preexec_fn=pinned(cpu),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}/plain"
        await_answer(self)

    def pids(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            return [self.process.pid] + [int(pid) for pid in children.read().split()]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.directory.cleanup()


class Ours:
    def __init__(self, binary, model, cpu):
        self.name = model
        self.process = subprocess.Popen([binary, "serve", "--model", model, "--listen", "127.0.0.1:0", "--cpus", str(cpu)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=pinned(cpu))
        first = self.process.stdout.readline()
        found = re.match(r"listening on (http://127\.0\.0\.1:\d+)", first)
        if not found:
            raise Lacking(f"{binary} serve --model {model} did not start")
        self.url = found[1] + "/plain"
        await_answer(self)

    def pids(self):
        return [self.process.pid]

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=30)


def await_answer(server):
    for _ in range(200):
        if server.process.poll() is not None:
            raise Lacking(f"{server.name} ended with {server.process.returncode}")
        try:
            with urllib.request.urlopen(server.url, timeout=2) as answer:
                if answer.read().decode() != BODY:
                    raise Lacking(f"{server.name} answered something else")
                return
        except OSError:
            time.sleep(0.02)
    raise Lacking(f"{server.name} does not answer")


def cpu_s(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_S


def run(command, cpu, seconds):
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, preexec_fn=pinned(cpu), check=False)
    return done


def wrk(server, cpu, connections, seconds):
    done = run(["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", server.url], cpu, seconds)
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise Lacking(f"wrk against {server.name}: {(done.stdout + done.stderr).strip()[:400]}")
    return float(found[1])


def drive(arguments, server, cpu, load):
    """The trial's own document, and the server's CPU seconds meanwhile."""
    before = cpu_s(server.pids())
    done = run([arguments.binary, "drive", "--target", server.url, "--connections", str(arguments.connections), "--seconds",
                f"{arguments.seconds:g}", "--generator-cpus", str(cpu), "--json", *load], cpu, arguments.seconds)
    used = cpu_s(server.pids()) - before
    try:
        trial = json.loads(done.stdout)
    except ValueError:
        raise Lacking(f"drive against {server.name}: {done.stderr.strip()[:400]}")
    return trial, used


def in_rounds(arguments, servers, measure):
    """{name: [a value per round]}, the order of the servers shuffled anew in each."""
    shuffle = random.Random(arguments.rounds)
    values = {server.name: [] for server in servers}
    for turn in range(arguments.rounds):
        order = list(servers)
        shuffle.shuffle(order)
        for server in order:
            values[server.name].append(measure(server))
        if not arguments.json:
            print(f"  round {turn + 1}: " + "   ".join(f"{name} {each[-1]:,.4g}" for name, each in values.items()), flush=True)
    return values


def row(arguments, what, name, unit, values, against):
    middle, low, high = median_interval(values)
    ratio, ratio_low, ratio_high = median_interval([own / other for own, other in zip(values, against)])
    return {"what": what, "name": name, "unit": unit, "median": middle, "low": low, "high": high, "ratio": ratio,
            "ratio_low": ratio_low, "ratio_high": ratio_high, "required": required(what, name, arguments.connections),
            "rounds": len(values)}


def rows(arguments, what, unit, values):
    return [row(arguments, what, name, unit, each, values["nginx"]) for name, each in values.items()]


def with_servers(arguments, cpu, work):
    servers = []
    try:
        servers.append(Nginx(cpu))
        for model in arguments.models:
            servers.append(Ours(arguments.binary, model, cpu))
        return work(servers)
    finally:
        for server in servers:
            server.stop()


def study(arguments):
    first, second = cpus()
    found = []

    def saturation(what, client):
        def work(servers):
            values = in_rounds(arguments, servers, lambda server: wrk(server, client, arguments.connections, arguments.seconds))
            found.extend(rows(arguments, what, "requests/s", values))
            return median_interval(values["nginx"])[0]
        return work

    capacity = None
    if arguments.only in (None, "saturation"):
        with_servers(arguments, first, saturation("one CPU", first))
    if arguments.only in (None, "saturation", "two"):
        if second != first:
            capacity = with_servers(arguments, first, saturation("two CPUs", second))
    if arguments.only in (None, "cpu") and second != first:
        def at_rate(servers):
            rate = 0.6 * (capacity or wrk(servers[0], second, arguments.connections, arguments.seconds))
            lags = {server.name: [] for server in servers}

            def measure(server):
                trial, used = drive(arguments, server, second, ["--rate", f"{rate:.0f}", "--warmup", "0"])
                lags[server.name].append(trial["self_lag_ns"]["p99"])
                return 1e6 * used / trial["counts"]["completed"]
            values = in_rounds(arguments, servers, measure)
            for each in rows(arguments, "cpu", "us/request", values):
                found.append({**each, "rate_per_s": rate, "self_lag_p99_us": median_interval(lags[each["name"]])[0] / 1e3})
        with_servers(arguments, first, at_rate)
    if arguments.only in (None, "client"):
        def clients(servers):
            server = servers[0]
            ours, theirs = [], []
            for turn in range(arguments.rounds):
                sides = [("drive", ours), ("wrk", theirs)]
                for side, values in sides if turn % 2 == 0 else reversed(sides):
                    if side == "wrk":
                        values.append(wrk(server, first, arguments.connections, arguments.seconds))
                    else:
                        trial, _ = drive(arguments, server, first, ["--closed", str(arguments.connections), "--warmup", "0"])
                        values.append(trial["goodput_per_s"])
            found.append(row(arguments, "client", "drive", "requests/s", ours, theirs))
            found.append(row(arguments, "client", "wrk", "requests/s", theirs, theirs))
        arguments = argparse.Namespace(**{**vars(arguments), "models": []})
        with_servers(arguments, first, clients)
    return found


def main():
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(here, "build/release/precipice"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--models", default="event_loop,io_uring,fixed_pool,thread_per_request,work_stealing")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--only", choices=["saturation", "two", "cpu", "client"])
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    arguments.models = [model for model in arguments.models.split(",") if model]
    if arguments.rounds < 1 or arguments.seconds <= 0 or not 1 <= arguments.connections <= 1000:
        parser.error("rounds and seconds must be above 0, and connections from 1 to 1000")
    started = time.time()
    try:
        for program in ("nginx", "wrk"):
            if shutil.which(program) is None:
                raise Lacking(f"no {program}: apt-get install {'nginx-light' if program == 'nginx' else program}")
        if not os.access(arguments.binary, os.X_OK):
            raise Lacking(f"no binary at {arguments.binary}: build it, or name it with --binary")
        found = study(arguments)
    except Lacking as lacking:
        print(f"compare_servers.py: {lacking}", file=sys.stderr)
        return 4
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False).stderr.strip().rpartition(" ")[2]
    if arguments.json:
        json.dump({"nginx": version, "rows": found}, sys.stdout, indent=1)
        print()
        return 0
    for each in found:
        text = (f"{each['what']:9} {each['name']:20} {each['median']:10,.4g} {each['unit']:11} "
                f"[{each['low']:,.4g}, {each['high']:,.4g}]   {each['ratio']:.3f} [{each['ratio_low']:.3f}, {each['ratio_high']:.3f}]")
        if each["required"]:
            text += f"   asked for {'<=' if each['what'] == 'cpu' else '>='} {each['required']}"
        if "self_lag_p99_us" in each:
            text += f"   at {each['rate_per_s']:,.0f}/s, the client's lag p99 {each['self_lag_p99_us']:.1f} us"
        print(text)
    print(f"{version}, {arguments.rounds} rounds of {arguments.seconds:g} s, {arguments.connections} connections, CPUs {cpus()}, "
          f"{time.time() - started:.0f} s in all")
    return 0


launch.end(__name__, main)
