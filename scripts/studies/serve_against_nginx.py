#!/usr/bin/python3 -IB
"""Holds `precipice serve` on every model against nginx: the same small answer, wrk as the client, server and client on one CPU.

    scripts/studies/serve_against_nginx.py [--build build/release] [--cpu N] [--rounds 5] [--seconds 2] [--connections 64]
                                           [--round-robin]

In each round every server is asked once, so that all of them see the same machine. Printed are medians over the rounds:
requests a second, and CPU time of the server and of wrk for each request. Needs nginx and wrk (apt-get install nginx-light
wrk); nothing else should run. --round-robin (as root) has server and client scheduled before all other processes, where
something else runs all the same.

Exit codes: 0 measured, 2 wrong usage, 4 nginx, wrk or the program is missing.
"""

import argparse
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

MODELS = ["event_loop", "io_uring", "work_stealing", "fixed_pool", "thread_per_request"]
# Without its log, its limit on requests of a connection, and its version: what it sends is as long as what serve sends.
CONFIGURATION = """
daemon off; worker_processes 1; error_log {directory}/error.log; pid {directory}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; server_tokens off; default_type text/plain;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{port}; location /plain {{ return 200 "Hello, world!"; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_ns(pid):
    """CPU time of all threads that live; but for those of thread_per_request they do as long as their server."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        except OSError:  # it has ended since
            pass
    return total


class Server:
    def __init__(self, name, options, prefix, directory):
        self.name = name
        if name == "nginx":
            port = free_port()
            configuration = os.path.join(directory, "nginx.conf")
            with open(configuration, "w") as file:
                file.write(CONFIGURATION.format(directory=directory, port=port))
            self.process = subprocess.Popen([*prefix, options.nginx, "-c", configuration])
            self.url = f"http://127.0.0.1:{port}"
            self.pids = lambda: [int(p) for p in subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                                                                text=True).stdout.split()]
            while not self.pids():
                time.sleep(0.05)
        else:
            self.process = subprocess.Popen([*prefix, os.path.join(options.build, "precipice"), "serve", "--model", name, "--listen",
                                             "127.0.0.1:0", "--cpus", options.cpu, "--drain", "1s"],
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.url = self.process.stdout.readline().split()[-1]
            self.pids = lambda: [self.process.pid]
        self.rows = []

    def ask(self, options, prefix):
        before, children = sum(map(cpu_ns, self.pids())), resource.getrusage(resource.RUSAGE_CHILDREN)
        text = subprocess.run([*prefix, "wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", self.url + "/plain"],
                              capture_output=True, text=True).stdout
        after, ended = sum(map(cpu_ns, self.pids())), resource.getrusage(resource.RUSAGE_CHILDREN)
        if "Non-2xx" in text or "Socket errors" in text:
            raise SystemExit(f"{self.name} was not asked cleanly:\n{text}")
        requests = int(re.search(r"(\d+) requests in", text)[1])
        client = (ended.ru_utime + ended.ru_stime - children.ru_utime - children.ru_stime) * 1e9
        self.rows.append((float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), (after - before) / requests, client / requests))

    def median(self, column):
        return statistics.median(row[column] for row in self.rows)

    def end(self):
        self.process.terminate()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../build/release"))
    parser.add_argument("--cpu", default=str(max(os.sched_getaffinity(0))))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--round-robin", action="store_true")
    options = parser.parse_args()
    options.nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    for what, there in [("nginx", options.nginx), ("wrk", shutil.which("wrk")),
                        ("precipice", os.path.exists(os.path.join(options.build, "precipice")))]:
        if not there:
            print(f"{what} is missing: apt-get install nginx-light wrk, and build the program", file=sys.stderr)
            return 4
    prefix = [*(["chrt", "-r", "1"] if options.round_robin else []), "taskset", "-c", options.cpu]
    servers = []
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        try:
            for name in ["nginx", *MODELS]:
                servers.append(Server(name, options, prefix, directory))
            for _ in range(options.rounds):
                for server in servers:
                    server.ask(options, prefix)
        finally:
            for server in servers:
                server.end()
    print("| server | requests/s | of nginx | server CPU ns/request | of nginx | wrk CPU ns/request |\n|---|---|---|---|---|---|")
    base = servers[0]
    for server in servers:
        # The threads of thread_per_request end with their connections, and their time with them.
        known = server.name != "thread_per_request"
        cpu = f"{server.median(1):.0f} | {server.median(1) / base.median(1):.3f}" if known else " | "
        print(f"| {server.name} | {server.median(0):.0f} | {server.median(0) / base.median(0):.3f} | {cpu} | {server.median(2):.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
