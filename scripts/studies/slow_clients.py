#!/usr/bin/python3 -IB
"""The 99th percentile of an active client, while others keep idle connections or send and read slowly.

    scripts/studies/slow_clients.py [--binary build/release/precipice] [--rounds 7] [--seconds 3] [--rate 5000]
                                    [--servers event_loop,io_uring,nginx] [--only idle,header,body,read]
                                    [--idle 10000] [--slow 1000] [--interval 10] [--json]

    idle      10,000 connections that have had one answer and are kept alive; also the user memory (RssAnon) of the server
              for each of them
    header    slowloris: 1,000 connections that send the head of a request in pieces
    body      1,000 connections that send a body in pieces (nginx refuses one to a fixed page, and ends them)
    read      1,000 connections that read answers in pieces, through a small window

Without slow clients means: the same slow clients are connected to a second server on the same CPU, so that only what
they do to their own server makes the difference. The active client is `precipice drive`, an open loop on 16 connections
to /plain, on a CPU of its own. In each round it is measured without and with the others, in alternating order; ratios
are of the same round, and the median of the rounds is quoted with its distribution-free 95% interval. The slow clients
are slowhttptest's, and where it is not installed those of `precipice drive --slow-clients`. Each sends a piece every 10
s (--interval) or reads 5 bytes every second, as slowhttptest does by default. They run at the lowest priority on the
client's CPU. Traffic goes to 127.0.0.1 only; all programs are stopped at the end.

Exit codes: 0 measured, 2 wrong usage, 4 this machine lacks the binary or descriptors.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import launch

launch.begin(__name__)
from studies.compare_servers import Lacking, Nginx, Ours, cpus, drive
from studies.median_interval import median_interval

CONDITIONS = ("idle", "header", "body", "read")
ACTIVE_CONNECTIONS = 16
MOST_RATIO = 1.10
MOST_BYTES = 1536
REQUEST = b"GET /plain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class NotKept(Exception):
    """The server ends the connections of slow clients itself."""


def allow_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Lacking(f"{count} open files are needed, and {hard} allowed: ulimit -n {count}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


def user_memory(server):
    total = 0
    for pid in server.pids():
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            total += next(1024 * int(line.split()[1]) for line in status if line.startswith("RssAnon:"))
    return total


def address_of(server):
    parts = urllib.parse.urlsplit(server.url)
    return parts.hostname, parts.port


@contextlib.contextmanager
def idle_connections(server, count):
    """Each has one answer before it is left alone."""
    held = []
    try:
        for _ in range(count):
            held.append(socket.create_connection(address_of(server), timeout=30))
            held[-1].sendall(REQUEST)
            answer = b""
            while b"Hello, world!" not in answer:
                piece = held[-1].recv(4096)
                if not piece:
                    raise Lacking(f"{server.name} closed connection {len(held)} of {count}: {answer[:80]!r}")
                answer += piece
        yield
    finally:
        for each in held:
            # Reset: thousands in TIME_WAIT would use up the ports of the next rounds.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.close()


def slow_command(arguments, server, kind):
    """What sends slowly for longer than a measurement takes."""
    length = int(arguments.seconds) + 60
    if shutil.which("slowhttptest"):
        every = str(arguments.interval)
        how = {"header": ["-H", "-i", every, "-x", "24"], "body": ["-B", "-i", every, "-s", "65536", "-x", "24"],
               "read": ["-X", "-k", "10", "-n", "1", "-z", "5", "-w", "10", "-y", "20"]}[kind]
        # Made over two seconds, they do not all send at the same time afterwards.
        return ["slowhttptest", *how, "-c", str(arguments.slow), "-r", str(max(1, arguments.slow // 2)), "-l", str(length),
                "-p", "60", "-u", server.url, "-v", "0"]
    return [arguments.binary, "drive", "--target", server.url, "--connections", "1", "--rate", "1", "--seconds", str(length),
            "--slow-clients", str(arguments.slow), "--slow", kind, "--slow-interval", f"{arguments.interval}s"]


@contextlib.contextmanager
def slow_clients(arguments, server, kind, cpu):
    def lowest_priority():
        os.sched_setaffinity(0, {cpu})
        os.nice(19)
    process = subprocess.Popen(slow_command(arguments, server, kind), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, preexec_fn=lowest_priority)
    try:
        connected(server, arguments.slow, process)
        yield
        if process.poll() is not None:
            raise Lacking(f"the slow clients of {server.name} ended early, with {process.returncode}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def connected(server, count, process):
    """Waits until nine tenths of the slow clients have a connection to the server, as the kernel counts them."""
    port = f":{address_of(server)[1]:04X}"
    for _ in range(300):
        with open("/proc/net/tcp", encoding="ascii") as table:
            made = sum(1 for line in table if line.split()[1].endswith(port) and line.split()[3] == "01")
        if made >= 0.9 * count:
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise NotKept(f"{made} of {count} slow clients keep a connection to {server.name}")


def active(arguments, server, cpu):
    """The 99th percentile of the response in us."""
    trial, _ = drive(arguments, server, cpu, ["--rate", f"{arguments.rate:g}", "--warmup", "0.3"])
    counts = trial["counts"]
    if counts["completed"] < 0.99 * counts["scheduled"]:
        raise Lacking(f"{server.name} answered {counts['completed']} of {counts['scheduled']} requests of the active client")
    return trial["response_ns"]["p99"] / 1e3


def start(arguments, name, cpu):
    if name == "nginx":
        return Nginx(cpu, arguments.idle + 1000)
    return Ours(arguments.binary, name, cpu)


def measure(arguments, name, condition):
    server_cpu, client_cpu = cpus()
    server = start(arguments, name, server_cpu)
    # Slow clients of another server, on the same CPU, take as much of both CPUs: what they do to the server that they are
    # connected to is the difference.
    control = start(arguments, name, server_cpu) if condition != "idle" else None
    quiet, loaded, each_bytes = [], [], None
    try:
        active(arguments, server, client_cpu)  # what is made once is made
        for turn in range(arguments.rounds):
            before = user_memory(server)

            def among_others():
                nonlocal each_bytes
                others = (idle_connections(server, arguments.idle) if condition == "idle"
                          else slow_clients(arguments, server, condition, client_cpu))
                with others:
                    if condition == "idle" and each_bytes is None:
                        each_bytes = (user_memory(server) - before) / arguments.idle
                    loaded.append(active(arguments, server, client_cpu))

            def alone():
                with slow_clients(arguments, control, condition, client_cpu) if control else contextlib.nullcontext():
                    quiet.append(active(arguments, server, client_cpu))

            for step in (alone, among_others) if turn % 2 == 0 else (among_others, alone):
                step()
                time.sleep(0.2)  # for the connections that have just ended
            if not arguments.json:
                print(f"  {name} {condition} round {turn + 1}: p99 {quiet[-1]:.1f} us without, {loaded[-1]:.1f} us with them", flush=True)
    finally:
        server.stop()
        if control:
            control.stop()
    ratio, low, high = median_interval([with_ / without for with_, without in zip(loaded, quiet)])
    return {"server": name, "condition": condition, "clients": arguments.idle if condition == "idle" else arguments.slow,
            "p99_alone_us": median_interval(quiet)[0], "p99_us": median_interval(loaded)[0], "ratio": ratio, "ratio_low": low,
            "ratio_high": high, "required": MOST_RATIO, "bytes_each": each_bytes, "rounds": arguments.rounds}


def text_of(row):
    text = (f"{row['server']:12} {row['condition']:7} {row['clients']:6,} clients: p99 {row['p99_alone_us']:8.1f} us without, "
            f"{row['p99_us']:8.1f} us with: {row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]   asked for <= "
            f"{row['required']:.2f}")
    if row["bytes_each"] is not None:
        text += f"   {row['bytes_each']:,.0f} bytes each, asked for <= {MOST_BYTES:,}"
    return text


def main():
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(here, "build/release/precipice"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--servers", default="event_loop,io_uring,nginx")
    parser.add_argument("--only", default=",".join(CONDITIONS))
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    arguments.connections = ACTIVE_CONNECTIONS
    conditions = [each for each in arguments.only.split(",") if each]
    if not conditions or any(each not in CONDITIONS for each in conditions):
        parser.error(f"--only is a list of {', '.join(CONDITIONS)}")
    if arguments.rounds < 1 or arguments.seconds < 1 or not 1 <= arguments.rate <= 100_000:
        parser.error("rounds and seconds are at least 1, and the rate from 1 to 100,000 per second")
    if not 1 <= arguments.idle <= 15_000 or not 1 <= arguments.slow <= 10_000:
        parser.error("there are 1 to 15,000 idle connections and 1 to 10,000 slow clients")
    if not 1 <= arguments.interval <= 60:
        parser.error("a piece is sent every 1 to 60 seconds")
    names = [name for name in arguments.servers.split(",") if name]
    try:
        if not os.access(arguments.binary, os.X_OK):
            raise Lacking(f"no binary at {arguments.binary}: build it, or name it with --binary")
        allow_descriptors(max(arguments.idle, arguments.slow) + 500)
        if "nginx" in names and shutil.which("nginx") is None:
            names.remove("nginx")
            print("slow_clients.py: without nginx (apt-get install nginx-light)", file=sys.stderr)
        rows = []
        for condition in conditions:
            for name in names:
                try:
                    rows.append(measure(arguments, name, condition))
                except NotKept as reason:
                    print(f"slow_clients.py: {condition}: {reason}", file=sys.stderr)
    except Lacking as lacking:
        print(f"slow_clients.py: {lacking}", file=sys.stderr)
        return 4
    by = "slowhttptest" if shutil.which("slowhttptest") else "precipice drive"
    if arguments.json:
        json.dump({"slow_clients_by": by, "rate_per_s": arguments.rate, "rows": rows}, sys.stdout, indent=1)
        print()
        return 0
    for row in rows:
        print(text_of(row))
    print(f"{arguments.rounds} rounds of {arguments.seconds:g} s at {arguments.rate:,.0f}/s on {ACTIVE_CONNECTIONS} connections, "
          f"slow clients by {by}, a piece every {arguments.interval} s, CPUs {cpus()}")
    return 0


launch.end(__name__, main)
