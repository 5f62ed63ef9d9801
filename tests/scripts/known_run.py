"""A run whose answers are known: its queues are M/M/1, so what is shown of it has a closed form.

A response's percentile p at the load r of a queue with the capacity m is ln(100 / (100 - p)) / (m - r), and a bound B on
it is met up to m - ln(..) / B.
"""

import json
import math
import os

import numpy

CPU, MIXED = "cpu:work=1ms", "mixed:wait=2ms,work=500us"
POOL8, POOL64, LOOP = "fixed_pool:threads=8", "fixed_pool:threads=64", "event_loop"
LIMITS = {CPU: {POOL8: 1000.0, POOL64: 1500.0, LOOP: 2000.0}, MIXED: {POOL8: 1200.0, POOL64: 1210.0}}
SLO_NS = {CPU: 10_000_000, MIXED: 20_000_000}
BLOCKS = 9
SPREAD = {CPU: [1.0] * BLOCKS, MIXED: [1.0 + 0.01 * k for k in range(-4, 5)]}
SHARES = [0.3, 0.5, 0.6, 0.7, 0.8, 0.88, 0.94, 1.4]
REQUESTS = 1000
GRID_PERCENTILES = [50, 90, 95, 99, 99.9]
STEPS_PER_DOUBLING, GRID_STEPS = 8, range(-24, 49)


def carried(limit, p, bound_ns):
    """What an M/M/1 queue carries under a bound on a percentile, per second."""
    return limit - math.log(100 / (100 - p)) / (bound_ns / 1e9)


def index_of(value):
    doubling = max(int(value).bit_length() - 11, 0)
    return (doubling << 10) + (int(value) >> doubling)


def histogram(values):
    flat, last = [], 0
    for index, count in zip(*numpy.unique([index_of(v) for v in values], return_counts=True)):
        flat += [int(index) - last, int(count)]
        last = int(index)
    return {"overflow": 0, "buckets": flat}


def responses(limit, rate):
    """Sorted response times in ns of which every percentile p of a whole thousandth lies exactly at its closed form."""
    shares = numpy.append(numpy.arange(1, REQUESTS) / REQUESTS, 1 - 0.5 / REQUESTS)
    return -numpy.log(1 - shares) / (limit - rate) * 1e9


def estimate(value, reached="ok", spread=0.02):
    return {"value": value, "low": value and value * (1 - spread), "high": value and value * (1 + spread), "reached": reached}


def grid(workload, limit):
    """The closed form over bounds, censored outside of the rates that were measured."""
    bounds = [SLO_NS[workload] * 2 ** (step / STEPS_PER_DOUBLING) for step in GRID_STEPS]
    cliffs = []
    for p in GRID_PERCENTILES:
        found = []
        for bound in bounds:
            value, least, most = carried(limit, p, bound), SHARES[0] * limit, SHARES[-2] * limit
            found.append(estimate(least, "below") if value < least else estimate(most, "above") if value > most else estimate(value))
        cliffs.append({name: [one[name] for one in found] for name in ("value", "low", "high")} |
                      {"reached": " ".join(one["reached"] for one in found), "limited_by": " ".join("slo" if one["reached"] == "ok" else "-" for one in found)})
    return {"percentiles": GRID_PERCENTILES, "bounds_ns": bounds, "cliffs": cliffs}


def trial(limit, rate, valid=True, stable=True):
    return {"rate_per_s": rate, "goodput_per_s": min(rate, limit), "offered_per_s": rate, "loss": 0.0, "stable": stable, "valid": valid,
            "response_ns": {"mean": 1e9 / max(limit - rate, 1)}, "residence_ns": {"mean": 5e8 / limit}, "submit_ns": {"p99": 900.0},
            "context_switches_per_request": 1.5, "cpu_ns_per_request": {"model": 2e8 / limit, "generator": 900.0},
            "little": {"in_flight_mean": rate / max(limit - rate, 1)}, "peak_rss_bytes": 2 ** 25,
            "model_stats": {"threads": 8.0, "queue_depth": rate / 100}, "request": {"closed": 0, "window_ns": 1_000_000_000},
            "invalid_reasons": [] if valid else [{"cause": "host", "gate": "stall", "text": "a stall of 12 ms"}]}


def trials():
    for workload, limits in LIMITS.items():
        for series, limit in limits.items():
            for block, spread in enumerate(SPREAD[workload]):
                for share in SHARES:
                    here, rate = limit * spread, limit * share
                    stable = share < 1
                    # Past saturation a response is the backlog's, and hollow.
                    values = responses(here, rate) if stable else numpy.linspace(3e8, 9e8, REQUESTS)
                    yield {"schema": 1, "kind": "trial", "key": f"{series}|{workload}|{rate}|{block}", "series": series, "workload": workload,
                           "phase": "refine", "block": block, "attempt": 1, "used": True, "at_s": 1.0, "trial": trial(here, rate, True, stable),
                           "histogram": histogram(values), "slices": [histogram(values[k::20]) for k in range(20)] if block < 2 else []}
    yield {"schema": 1, "kind": "trial", "key": "bad", "series": POOL8, "workload": CPU, "phase": "refine", "block": 3, "attempt": 1, "used": False,
           "at_s": 2.0, "trial": trial(1000.0, 777.0, valid=False), "histogram": histogram([1e6]), "slices": []}


def cells(faster, bare):
    for workload, limits in LIMITS.items():
        for series, limit in list(limits.items()) + ([(LOOP, None)] if LOOP not in limits else []):
            model, _, option = series.partition(":")
            cell = {"series": series, "model": model, "model_options": dict([option.split("=")]) if option else {}, "workload": workload,
                    "workload_name": workload.split(":")[0], "workload_options": dict(o.split("=") for o in workload.split(":")[1].split(",")),
                    "slo_ns": SLO_NS[workload], "slo_percentile": 99, "service_time_ns": 1e6 if workload == CPU else 2.5e6, "trials": 72, "invalid": 0,
                    "cpu_ns_per_request": 1.01e6 if workload == CPU else 5.1e5, "note": "", "failure": ""}
            limit = limit and limit * (faster if series == LOOP else 1)
            cell["saturation_per_s"] = estimate(limit, "ok" if limit else "unmeasured")
            cell["cliff_per_s"] = estimate(limit and carried(limit, 99, SLO_NS[workload]), "ok" if limit else "unmeasured")
            cell["overload_retention"] = estimate(limit and 1.0, "ok" if limit else "unmeasured")
            if not bare:
                cell["slo_grid"] = grid(workload, limit) if limit else None
            if not limit:
                cell["failure"] = "the kernel has no <rings>"
            yield cell


RANKING = [{"workload": CPU, "figure": "cliff", "pairs": [
    {"a": LOOP, "b": POOL64, "ratio": 0.675, "low": 0.66, "high": 0.69, "verdict": "A higher"},
    {"a": LOOP, "b": POOL8, "ratio": 0.35, "low": 0.34, "high": 0.36, "verdict": "A higher"},
    {"a": POOL64, "b": POOL8, "ratio": 0.52, "low": 0.51, "high": 0.53, "verdict": "A higher"}]},
    {"workload": MIXED, "figure": "cliff", "pairs": [{"a": POOL64, "b": POOL8, "ratio": 0.99, "low": 0.97, "high": 1.02, "verdict": "indistinguishable"}]}]


def in_verdict(series, workload, groups, apart, share=None):
    limit = LIMITS[workload][series]
    return {"series": series, "cliff_per_s": estimate(carried(limit, 99, SLO_NS[workload])), "groups": groups, "apart": apart, "reached": "ok",
            "share": share, "low": share and share - 0.01, "high": share and share + 0.01}


VERDICT = [{"workload": CPU, "text": "cpu 1ms, p99 <= 10.0ms: event_loop carries most (1539/s +-2%); fixed_pool 64 0.68x, fixed_pool 8 0.35x",
            "kind": "winner", "best": [in_verdict(LOOP, CPU, "a", False, 1)], "none_holds": [], "unmeasured": [],
            "rest": [in_verdict(POOL64, CPU, "b", True, 0.675), in_verdict(POOL8, CPU, "c", True, 0.35)]},
           {"workload": MIXED, "text": "mixed wait=2ms work=500us: fixed_pool 64, fixed_pool 8 alike (980/s +-2%); event_loop not measured",
            "kind": "alike", "best": [in_verdict(POOL64, MIXED, "a", False, 1), in_verdict(POOL8, MIXED, "a", False, 0.99)], "rest": [],
            "none_holds": [], "unmeasured": [LOOP]}]


def write_run(directory, faster=1.0, bare=False):
    """The whole run, or with `bare` only what a run cannot lack: no journal, no environment, no manifest."""
    os.makedirs(directory)

    def put(name, text):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as stream:
            stream.write(text)

    put("summary.json", json.dumps({"schema": 1, "suite": "known", "blocks_done": BLOCKS, "cells": list(cells(faster, bare)),
                                    "ranking": [] if bare else RANKING, **({} if bare else {"verdict": VERDICT})}))
    columns = ["series", "workload", "phase", "block", "closed", "rate_per_s", "goodput_per_s", "stable", "used", "key"]
    put("points.csv", ",".join(columns) + "\n" + ",".join([POOL8, CPU, "refine", "0", "0", "300", "300", "true", "true", "x"]) + "\n")
    if bare:
        return directory
    put("journal.jsonl", "".join(json.dumps(t) + "\n" for t in trials()))
    put("suite.toml", 'name = "known"\nslo = "p99<10ms"\n[load]\narrivals = "poisson"\nwindow = "1s"\n')
    put("manifest.json", json.dumps({"finished": True, "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:10:00Z", "git_sha": "abc1234",
                                     "argv": ["precipice", "run", "<known>"], "seed": 20261122}))
    before = {"cpu": {"model": "Reckoner 9", "allowed": "0-1", "governor": "performance"}, "load": {"1m": 0.1}, "memory": {"MemTotal_bytes": 25276502016, "most": 2 ** 60 + 1}}
    put("environment.before.json", json.dumps(before))
    put("environment.after.json", json.dumps({**before, "cpu": {**before["cpu"], "governor": "powersave"}, "load": {"1m": 2.0}}))
    return directory
