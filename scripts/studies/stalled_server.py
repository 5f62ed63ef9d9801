#!/usr/bin/python3 -IB
"""What an open and a closed loop report of a server that stalls for 100 ms every 5 s.

    scripts/studies/stalled_server.py [--rate 500] [--seconds 40] [--json] [--binary build/release/precipice]

The server answers at once, but for the stalls. A request that is due x into a stall is answered 100 ms - x later, so of
all requests a share of (100 ms - t) / 5 s takes longer than t, and the 99.9th percentile is 95 ms. The closed loop has
one request under way, which meets each stall once: its 99.9th percentile shows nothing of them. wrk (closed), hey and
h2load (both limit the rate of each of 10 connections, which wait for their responses) are run as well where they are
installed. Prints a table, and exits 1 where the open loop's p99.9 is more than 3% off.
"""
import argparse
import asyncio
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, SCRIPTS)
import launch

launch.begin(__name__)

STALL_S, PERIOD_S = 0.1, 5.0
SLOW_S = 0.01  # a response that takes longer met a stall
WORKERS = 10
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.kept = transport, b""

    def data_received(self, data):
        self.kept += data
        whole = self.kept.count(b"\r\n\r\n")
        if whole:
            self.kept = self.kept[self.kept.rindex(b"\r\n\r\n") + 4:]
            self.transport.write(ANSWER * whole)


def serve(port):
    """Until the process is ended. Its only thread stalls, and with it every connection."""
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Connection, "127.0.0.1", 0)
        begun = loop.time()
        port.send(server.sockets[0].getsockname()[1])
        for number in range(1, 10**9):
            await asyncio.sleep(max(0, begun + number * PERIOD_S - loop.time()))
            time.sleep(STALL_S)

    asyncio.run(main())


def quantile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def figures(name, rate, ordered, valid=True):
    """Of every response time, in seconds, in ascending order."""
    return {"client": name, "goodput_per_s": rate, "valid": valid, "slow_share": sum(t > SLOW_S for t in ordered) / len(ordered),
            **{f"{key}_ms": 1e3 * quantile(ordered, share) for key, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))},
            "max_ms": 1e3 * ordered[-1]}


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def drive(arguments, url, load, name):
    with tempfile.TemporaryDirectory() as at:
        command = [arguments.binary, "drive", "--target", url, *load, "--seconds", str(arguments.seconds), "--json",
                   "--slo", "p99.9<1s", "--hgrm", f"{at}/hgrm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):  # 3: a gate failed, which is told below
            raise launch.Failure(done.stderr.strip())
        with open(f"{at}/hgrm", encoding="ascii") as lines:
            steps = [line.split() for line in lines if re.match(r"\s+[\d.]+\s+[01]\.\d+\s+\d+", line)]
    trial = json.loads(done.stdout)
    fast = max((int(count) for value, _, count, *_ in steps if float(value) <= 1e3 * SLOW_S), default=0)
    response = trial["response_ns"]
    return {"client": name, "goodput_per_s": trial["goodput_per_s"], "valid": trial["valid"],
            "slow_share": 1 - fast / int(steps[-1][2]), "p50_ms": response["p50"] / 1e6, "p99_ms": response["p99"] / 1e6,
            "p99.9_ms": response["p999"] / 1e6, "max_ms": response["max"] / 1e6}


def wrk(arguments, url):
    """It prints no percentile beyond the 99th, and no distribution."""
    text = run(["wrk", "-t1", "-c1", f"-d{arguments.seconds}s", "--latency", url])
    scale = {"us": 1e-3, "ms": 1, "s": 1e3}

    def ms(pattern):
        value, unit = re.search(pattern + r"([\d.]+)(us|ms|s)", text).groups()
        return float(value) * scale[unit]
    return {"client": "wrk -t1 -c1", "goodput_per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            "valid": True, "p50_ms": ms(r"50%\s+"), "p99_ms": ms(r"99%\s+"), "max_ms": ms(r"Latency\s+\S+\s+\S+\s+")}


def hey(arguments, url):
    text = run(["hey", "-z", f"{arguments.seconds}s", "-c", str(WORKERS), "-q", str(arguments.rate / WORKERS), "-o", "csv", url])
    ordered = sorted(float(line.split(",")[0]) for line in text.splitlines()[1:])
    return figures(f"hey -c {WORKERS} -q {arguments.rate / WORKERS:g}", len(ordered) / arguments.seconds, ordered)


def h2load(arguments, url):
    with tempfile.TemporaryDirectory() as at:
        run(["h2load", "--h1", f"-c{WORKERS}", f"--rps={arguments.rate / WORKERS:g}", f"-D{arguments.seconds}",
             f"--log-file={at}/log", url])
        with open(f"{at}/log", encoding="ascii") as lines:
            ordered = sorted(int(line.split("\t")[2]) / 1e6 for line in lines if line.split("\t")[1] == "200")
    return figures(f"h2load --h1 -c{WORKERS} --rps={arguments.rate / WORKERS:g}", len(ordered) / arguments.seconds, ordered)


def line(found):
    def cell(key, scale=1, unit=""):
        return f"{found[key] * scale:.2f}{unit}" if key in found else "-"
    return (f"{found['client']:<30}{found['goodput_per_s']:>9.0f}/s" + "".join(
        f"{cell(key):>10}" for key in ("p50_ms", "p99_ms", "p99.9_ms", "max_ms")) + f"{cell('slow_share', 100, '%'):>10}"
        + ("" if found["valid"] else "   invalid"))


def study(arguments, url):
    rate = ["--rate", str(arguments.rate), "--arrivals", "uniform"]
    yield drive(arguments, url, rate, "precipice drive --rate")
    yield drive(arguments, url, ["--closed", "1"], "precipice drive --closed 1")
    for client in (wrk, hey, h2load):
        if shutil.which(client.__name__):
            yield client(arguments, url)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=int, default=40, help="whole periods of 5 s")
    parser.add_argument("--json", action="store_true", help="print one document instead of the table")
    parser.add_argument("--binary", default=os.path.join(os.path.dirname(SCRIPTS), "build/release/precipice"))
    arguments = parser.parse_args()
    out = sys.stderr if arguments.json else sys.stdout
    expected = {"client": "expected, open loop", "goodput_per_s": arguments.rate, "valid": True,
                "slow_share": (STALL_S - SLOW_S) / PERIOD_S, "p99.9_ms": 1e3 * (STALL_S - 0.001 * PERIOD_S), "max_ms": 1e3 * STALL_S}
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{here.recv()}/"
        print(f"{'milliseconds':<30}{'goodput':>11}{'p50':>10}{'p99':>10}{'p99.9':>10}{'longest':>10}{'> 10 ms':>10}", file=out)
        print(line(expected), file=out)
        rows = []
        for found in study(arguments, url):
            rows.append(found)
            print(line(found), file=out, flush=True)
    finally:
        server.terminate()
    off = rows[0]["p99.9_ms"] / expected["p99.9_ms"] - 1
    print(f"\nthe open loop's p99.9 is {100 * off:+.1f}% off the expected one (at most 3%)", file=out)
    if arguments.json:
        json.dump({"rate_per_s": arguments.rate, "seconds": arguments.seconds, "stall_s": STALL_S, "period_s": PERIOD_S,
                   "expected": expected, "rows": rows}, sys.stdout, indent=1)
        print()
    return int(abs(off) > 0.03)


launch.end(__name__, main)
