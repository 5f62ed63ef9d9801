#!/usr/bin/python3 -IB
"""What an open and a closed loop report of a server that stalls for 100 ms every 5 s.

    scripts/studies/stalled_server.py [--rate 500] [--seconds 40] [--binary build/release/precipice]

The server answers at once, but for the stalls. A request that is due x into a stall is answered 100 ms - x later, so of
all requests a share of (100 ms - t) / 5 s takes longer than t, and the 99.9th percentile is 95 ms. The closed loop has
one request under way, which meets each stall once: its 99.9th percentile shows nothing of them. wrk is run as well where
it is installed. Prints a table, and exits 1 where the open loop's p99.9 is more than 3% off.
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
import time

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, SCRIPTS)
import launch

launch.begin(__name__)

STALL_S, PERIOD_S = 0.1, 5.0
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


def drive(arguments, url, load):
    command = [arguments.binary, "drive", "--target", url, *load, "--seconds", str(arguments.seconds), "--json",
               "--slo", "p99.9<1s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: a gate failed, which is told below
        raise launch.Failure(done.stderr.strip())
    return json.loads(done.stdout)


def row(name, trial):
    response = trial["response_ns"]
    print(f"{name:<28} {trial['goodput_per_s']:>9.0f}/s" + "".join(
        f"{response[p] / 1e6:>11.2f}" for p in ("p50", "p99", "p999", "max")) + ("" if trial["valid"] else "   invalid"))
    return response["p999"] / 1e9


def wrk(url, seconds):
    done = subprocess.run(["wrk", "-t1", "-c1", f"-d{seconds}s", "--latency", url], capture_output=True, text=True, check=True)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))
    p99 = re.search(r"99%\s+(\S+)", done.stdout).group(1)
    longest = re.search(r"Latency\s+\S+\s+\S+\s+(\S+)", done.stdout).group(1)
    print(f"{'wrk -t1 -c1':<28} {rate:>9.0f}/s   p99 {p99}, longest {longest}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=int, default=40, help="whole periods of 5 s")
    parser.add_argument("--binary", default=os.path.join(os.path.dirname(SCRIPTS), "build/release/precipice"))
    arguments = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{here.recv()}/"
        expected = STALL_S - 0.001 * PERIOD_S
        print(f"{'milliseconds':<28} {'goodput':>11}{'p50':>11}{'p99':>11}{'p99.9':>11}{'longest':>11}")
        print(f"{'expected, open loop':<28} {arguments.rate:>9.0f}/s{'':>22}{1000 * expected:>11.2f}{1000 * STALL_S:>11.2f}")
        found = row("precipice drive --rate", drive(arguments, url, ["--rate", str(arguments.rate), "--arrivals", "uniform"]))
        row("precipice drive --closed 1", drive(arguments, url, ["--closed", "1"]))
        if shutil.which("wrk"):
            wrk(url, arguments.seconds)
    finally:
        server.terminate()
    off = found / expected - 1
    print(f"\nthe open loop's p99.9 is {100 * off:+.1f}% off the expected one (at most 3%)")
    return int(abs(off) > 0.03)


launch.end(__name__, main)
