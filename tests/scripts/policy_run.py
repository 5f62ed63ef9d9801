"""A small run of policies, simulated by the program: batches of a server with a fixed and a per-item cost, and hedges over slow replies.

What is carried and what is sent twice has a closed form. A batch of b takes 1 ms + b x 0.1 ms, so b / that are carried at most. A hedge
after a time d sends the share of requests again that take longer than d, which is 5% between the service's two lengths, 3 and 43 ms.
"""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZES, AFTER, SLOW, SERVERS, PRICE = (1, 4, 16, 64), ("10ms", "20ms"), 0.05, 16, 0.04
BATCHES, SLOW_REPLIES = "oracle:fixed=1ms,item=100us", "oracle:mean=5ms,servers=16,service=bimodal(0.95,0.6,8.6)"
HEDGED = [f"{SLOW_REPLIES}|hedged:after={after}" for after in AFTER] + [f"{SLOW_REPLIES}|spared"]
SERIES = [BATCHES, *(f"{BATCHES}|batched:size={size}" for size in SIZES), SLOW_REPLIES, *HEDGED]
SUITE = f"""
schema = 1
name   = "policies"
seed   = 42
blocks = 2
slo    = "p99 < 60ms"
price_per_cpu_hour = {PRICE}

[load]
arrivals = "poisson"
clock    = "virtual"
window   = "2s"

[search]
refine   = [0.8, 0.9, 1.0, 1.1]
overload = [1.2]
grid     = [0.3, 0.45, 0.6]

[[policy]]
name  = "batched"
chain = "batch:linger=5ms"
size  = {list(SIZES)}

[[policy]]
name  = "hedged"
chain = "hedge"
after = ["10ms", "20ms"]

[[policy]]
name  = "spared"
chain = "hedge:after=15ms,budget=1%"

[[model]]
use    = "oracle"
fixed  = "1ms"
item   = "100us"
policy = ["none", "batched"]

[[model]]
use     = "oracle"
servers = {SERVERS}
mean    = "5ms"
service = "bimodal(0.95,0.6,8.6)"
policy  = ["none", "hedged", "spared"]

[[workload]]
use = "empty"
"""


def carried(size):
    """What batches of a size carry at most, per second."""
    return size / (1e-3 + size * 1e-4)


def make_run(directory, program=""):
    """The run's directory."""
    program = program or os.environ.get("PRECIPICE") or os.path.join(ROOT, "build", "release", "precipice")
    suite = os.path.join(directory, "policies.toml")
    with open(suite, "w", encoding="utf-8") as stream:
        stream.write(SUITE)
    done = subprocess.run([program, "run", suite, "--out", os.path.join(directory, "results")], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    of_suite = os.path.join(directory, "results", "policies")
    return os.path.join(of_suite, os.listdir(of_suite)[0])
