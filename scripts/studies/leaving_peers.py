#!/usr/bin/python3 -IB
"""Whether peers that leave at every stage of a request leave descriptors or memory behind in `precipice serve`.

    scripts/studies/leaving_peers.py [--connections 100000] [--models event_loop,io_uring,...] [--json]
                                     [--binary build/release/precipice]

Each connection sends a request whole, cut short, pipelined or malformed, and then closes, resets, or half-closes and
reads to the end. A server of each model has to have as many descriptors open at the end as before, and its anonymous
memory may grow by less than 16 bytes a connection after the first fifth of them: the smallest frame of a coroutine is
several times as large. Traffic goes to 127.0.0.1 only. Exit codes: 0 nothing is left, 1 something is, 2 wrong usage,
4 the binary is missing.
"""
import argparse
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, SCRIPTS)
import launch

launch.begin(__name__)

PLAIN = b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"
STAGES = {
    "nothing": b"",
    "half a request line": b"GET /pl",
    "a request": PLAIN,
    "half a sized body": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
    "half a chunk": b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
    "pipelined requests": PLAIN + PLAIN + b"GET",
    "no HTTP": b"nonsense\r\n\r\n",
    "a last request": b"GET /work?seed=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
}
WAYS = ("close", "reset", "half-close", "half-close and read")
BYTES_PER_CONNECTION = 16


class Lacking(launch.Failure):
    code = 4


def leave(address, sent, way):
    with socket.create_connection(address, 20) as peer:
        if way == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if sent:
            peer.sendall(sent)
        if way.startswith("half-close"):
            peer.shutdown(socket.SHUT_WR)
        if way.endswith("read"):
            try:
                while peer.recv(65536):
                    pass
            except ConnectionResetError:
                pass


def anonymous_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def at_rest(pid):
    """The descriptors that are open once none has been closed for a second."""
    least, since = descriptors(pid), time.monotonic()
    while time.monotonic() < since + 1:
        time.sleep(0.02)
        now = descriptors(pid)
        if now < least:
            least, since = now, time.monotonic()
    return least


def study(binary, model, connections):
    server = subprocess.Popen([binary, "serve", "--model", model, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        found = re.match(r"listening on http://127\.0\.0\.1:(\d+)", server.stdout.readline())
        if not found:
            raise launch.Failure(f"{binary} serve --model {model} did not start")
        address = ("127.0.0.1", int(found[1]))
        leave(address, STAGES["a request"], "half-close and read")
        before = at_rest(server.pid)
        fifth = connections // 5
        for number, (stage, way) in zip(range(connections), itertools.cycle(itertools.product(STAGES.values(), WAYS))):
            if number == fifth:
                at_rest(server.pid)
                memory = anonymous_bytes(server.pid)
            leave(address, stage, way)
        after = at_rest(server.pid)
        grown = anonymous_bytes(server.pid) - memory
        if server.poll() is not None:
            raise launch.Failure(f"the server of {model} ended with {server.returncode}")
    finally:
        server.terminate()
        server.communicate(timeout=60)
    return {"model": model, "connections": connections, "descriptors_before": before, "descriptors_after": after,
            "bytes_per_connection": grown / (connections - fifth), "exit_code": server.returncode,
            "nothing_left": after <= before and grown < BYTES_PER_CONNECTION * (connections - fifth) and server.returncode == 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=100_000, help="of each model, at least 100")
    parser.add_argument("--models", default="thread_per_request,fixed_pool,event_loop,io_uring,work_stealing")
    parser.add_argument("--json", action="store_true", help="print one document instead of the table")
    parser.add_argument("--binary", default=os.path.join(os.path.dirname(SCRIPTS), "build/release/precipice"))
    arguments = parser.parse_args()
    if arguments.connections < 100:
        parser.error("--connections takes at least 100")
    if not os.access(arguments.binary, os.X_OK):
        raise Lacking(f"no binary at {arguments.binary}: build it, or name it with --binary")
    rows = []
    if not arguments.json:
        print(f"{'model':<22}{'connections':>12}{'descriptors':>16}{'bytes each':>12}")
    for model in filter(None, arguments.models.split(",")):
        rows.append(study(arguments.binary, model, arguments.connections))
        if not arguments.json:
            last = rows[-1]
            print(f"{model:<22}{last['connections']:>12,}{last['descriptors_before']:>8} to {last['descriptors_after']:>4}"
                  f"{last['bytes_per_connection']:>12.2f}{'' if last['nothing_left'] else '   left behind'}", flush=True)
    if arguments.json:
        json.dump({"stages": list(STAGES), "ways": WAYS, "rows": rows}, sys.stdout, indent=1)
        print()
    return int(not all(row["nothing_left"] for row in rows))


launch.end(__name__, main)
