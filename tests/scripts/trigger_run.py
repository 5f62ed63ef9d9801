"""A small run with a trigger, simulated by the program: three servers stop for two seconds, with and without retries."""

import os
import subprocess

RATE, CAPACITY, STALL_AT, STALL_FOR = 200, 300, 5.0, 2.0
SUITE = f"""
schema = 1
name   = "trigger"
blocks = 1
slo    = "p99 < 300ms"
rates  = [{RATE}]
[load]
clock   = "virtual"
window  = "30s"
coarse_window = "10s"
trigger = "stall 2s at 5s"
[search]
refine   = [0.9]
overload = [1.2]
grid     = []
[[policy]]
name  = "retry"
chain = "retry:timeout=500ms,tries=2"
[[model]]
use     = "oracle"
servers = 3
mean    = "10ms"
service = "exponential"
policy  = ["none", "retry"]
[[workload]]
use = "empty"
"""


def make_run(directory, program):
    """The run's directory."""
    suite = os.path.join(directory, "trigger.toml")
    with open(suite, "w", encoding="utf-8") as stream:
        stream.write(SUITE)
    subprocess.run([program, "run", suite, "--out", directory], check=True, capture_output=True)
    there = os.path.join(directory, "trigger")
    return os.path.join(there, sorted(os.listdir(there))[-1])
