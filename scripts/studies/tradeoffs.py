#!/usr/bin/python3 -IB
"""The tables and charts of docs/tradeoffs.md: what the policies do on the virtual clock, beside what theory says.

    scripts/studies/tradeoffs.py [STUDY...] [--precipice FILE] [--out DIR] [--charts DIR]

A STUDY is one of those below (default: all). Figures of one rate are from `precipice trial`; capacities and cliffs are
from the newest run of the study's suite in DIR (default: results), which is made where there is none. --charts DIR also
writes the chart of each study to DIR/STUDY.svg, from the same trials and runs. No figure depends on the machine. Exit
codes: 0 done, 2 what was asked for cannot be done (one line on stderr says why).
"""

import argparse
import math
import os
import sys

sys.dont_write_bytecode = True
SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
ROOT = os.path.dirname(SCRIPTS)
sys.path.insert(0, SCRIPTS)
import launch

launch.begin(__name__, "numpy")
import precipice_run
from studies import tradeoff_routes
from studies import tradeoff_theory as theory
from studies.tradeoff_program import (Program, attempts, figure, ms, per_s, percent, response, series, stat)


# -- the studies: each yields the head of a table, then its rows -------------------------------------


def batch_costs(program):
    cells, _ = program.run("batch_costs")
    yield "fixed part, item", "size", "saturation", "b / (fixed + b item)", "p50 at 850/s"
    for fixed, item, fixed_ms, item_ms in (("1ms", "100us", 1, 0.1), ("1ms", "1ms", 1, 1), ("10us", "1ms", 0.01, 1)):
        for size in (1, 4, 16, 64):
            capacity = 1000 * size / (fixed_ms + item_ms * size)
            cell = series(cells, f"fixed={fixed},item={item}|", f"size={size} ")
            trial = program.trial(f"fixed={fixed},item={item}", f"batch:size={size},linger=0,running=1", 850, 60)
            yield (f"{fixed}, {item}", size, figure(cell, "saturation_per_s"), per_s(capacity),
                   response(trial, "p50") if capacity > 850 else "saturated")


def linger(program):
    cells, _ = program.run("linger")
    yield ("linger, batches of at most 16", "mean at 100/s", "theory", "mean at 2500/s", "mean at 7000/s", "cliff",
           "stable up to")
    for name in ("500us", "1ms", "5ms", "20ms"):
        seconds = {"us": 1e-6, "ms": 1e-3}[name[-2:]] * float(name[:-2])
        trials = [program.trial("fixed=1ms,item=50us", f"batch:size=16,linger={name}", rate, 60) for rate in (100, 2500, 7000)]
        yield (name, response(trials[0], "mean"), ms(1e9 * theory.linger_mean(100, seconds, 1e-3, 5e-5)),
               *(response(each, "mean") if each["stable"] else "unstable" for each in trials[1:]),
               figure(series(cells, f"linger={name}"), "cliff_per_s"), per_s(theory.linger_stable(seconds, 1e-3, 5e-5, 16)))
    trials = [program.trial("fixed=1ms,item=50us", "batch:size=16,linger=0,running=1", rate, 60) for rate in (100, 2500, 7000)]
    yield ("0, one batch at a time", *(response(trials[0], "mean"), "-"), *(response(each, "mean") for each in trials[1:]),
           figure(series(cells, "while_busy"), "cliff_per_s"), per_s(16 / 1.8e-3))


def batch_tuner(program):
    cells, _ = program.run("batch_tuner")
    yield "size", "saturation", "theory", "mean batch at 10,000/s", "p99 of a batch's time there", "p99 at 5500/s"
    for name, keys, expected in (("4", "size=4", "4 / 1.4 ms = 2,857/s"), ("20", "size=20", "20 / 3 ms = 6,667/s"),
                                 ("64", "size=64", "64 / 7.4 ms = 8,649/s"),
                                 ("auto, 3 ms", "size=auto,slo=3ms", "19, 20, 21: 60 / 9 ms = 6,667/s")):
        policy = f"batch:{keys},linger=0,running=1"
        over = program.trial("fixed=1ms,item=100us", policy, 10000, 10)
        below = program.trial("fixed=1ms,item=100us", policy, 5500, 60)
        yield (name, figure(series(cells, "tuned" if "auto" in name else f"size={name} "), "saturation_per_s"), expected,
               f"{over['batch']['mean']:.1f}", ms(over["residence_ns"]["p99"]),
               response(below, "p99") if below["stable"] else "unstable")


def hedging(program):
    oracle = "servers=200,mean=7.25ms,service=stragglers(0.4,0.05,10)"
    yield "policy", "p50", "p99", "theory", "p99.9", "more attempts", "theory"
    for name, policy, after in (("none", "", None), ("after 20 ms", "hedge:after=20ms", 20),
                                ("after 10 ms", "hedge:after=10ms", 10), ("after 5 ms", "hedge:after=5ms", 5),
                                ("after p95", "hedge:after=p95", None),
                                ("after 5 ms, budget 5%", "hedge:after=5ms,budget=5%", None),
                                ("after 10 ms, budget 5%", "hedge:after=10ms,budget=5%", None)):
        trial = program.trial(oracle, policy, 2000, 100)
        tail = theory.stragglers_tail
        closed = (theory.hedged_percentile(tail, after, 0.01), tail(after)) if after else \
            (theory.hedged_percentile(tail, math.inf, 0.01), 0) if not policy else None
        yield (name, response(trial, "p50"), response(trial, "p99"), f"{closed[0]:.3g} ms" if closed else "-",
               response(trial, "p999"), percent(attempts(trial) - 1) if policy else "0%", percent(closed[1]) if closed else "-")


def tail_at_scale(program):
    oracle = "servers=100,mean=2.18ms,service=pareto(1.464)"
    yield "100 leaves", "p50", "p99", "theory", "p99.9", "theory", "published p99.9", "more attempts", "published"
    for name, policy, after, published in (("no hedge", "fan:out=100", math.inf, ("1,800 ms", "-")),
                                           ("after 10 ms", "fan:out=100|hedge:after=10ms", 10, ("74 ms", "2%"))):
        trial = program.trial(oracle, policy, 20, 1000, "--warmup", "20s")
        closed = [theory.hedged_percentile(theory.pareto_tail, after, 1 - (1 - beyond) ** 0.01) for beyond in (0.01, 0.001)]
        yield (name, response(trial, "p50"), response(trial, "p99"), f"{closed[0]:,.3g} ms", response(trial, "p999"),
               f"{closed[1]:,.4g} ms", published[0], percent(attempts(trial) / 100 - 1), published[1])


def tied(program):
    yield "load", "random split", "1 / (1 - rho)", "tied", "1 / (1 - rho^2)", "both served", "p99: random split", "tied"
    for rho in (0.2, 0.5, 0.6, 0.8):
        trials = [program.trial("servers=2,mean=1ms,service=exponential,discipline=random_split", policy, 2000 * rho, 500)
                  for policy in ("", "hedge:after=0,tied=yes", "hedge:after=0")]
        yield (f"{rho:g}", response(trials[0], "mean"), f"{1 / (1 - rho):.3g} ms", response(trials[1], "mean"),
               f"{1 / (1 - rho ** 2):.3g} ms", response(trials[2], "mean") if rho < 0.5 else "saturated",
               response(trials[0], "p99"), response(trials[1], "p99"))


def hedging_hurts(program):
    cells, _ = program.run("hedging_hurts")
    oracle = "servers=50,mean=1ms,service=exponential,discipline=random_split"
    yield "load", "once: mean", "1 / (m - L)", "twice: mean", "1 / (2 (m - 2 L))", "p99: once", "twice", "after p95", "attempts"
    for rho in (0.2, 1 / 3, 0.42):
        trials = [program.trial(oracle, policy, round(50000 * rho), 20) for policy in ("", "hedge:after=0", "hedge:after=p95")]
        yield (percent(rho), response(trials[0], "mean"), f"{1 / (1 - rho):.3g} ms", response(trials[1], "mean"),
               f"{1 / (2 * (1 - 2 * rho)):.3g} ms", *(response(each, "p99") for each in trials), f"{attempts(trials[2]):.3f}")
    yield ("saturation", figure(series(cells, "exponential "), "saturation_per_s"),
           "50,000/s", figure(series(cells, "|twice"), "saturation_per_s"), "25,000/s", "-", "-", "-", "-")


def fan_out(program):
    oracle = "servers=400,mean=1.09ms,service=bimodal(0.99,1,10)"
    yield "100 leaves", "requests of 10 ms", "theory", "p50", "p90", "p99", "p99.9", "attempts"
    for name, policy, slow in (("all", "fan:out=100", theory.more_than(0, 100, 0.01)),
                               ("99 of them", "fan:out=100,need=99", theory.more_than(1, 100, 0.01)),
                               ("95 of them", "fan:out=100,need=95", theory.more_than(5, 100, 0.01)),
                               ("all, hedge after 2 ms", "fan:out=100|hedge:after=2ms", theory.more_than(0, 100, 1e-4))):
        trial = program.trial(oracle, policy, 30, 400)
        # A fast one takes 1 ms and a slow one 10 ms; with second attempts there are others, of 3 ms.
        share = "-" if "hedge" in policy else percent((trial["response_ns"]["mean"] / 1e6 - 1) / 9)
        percentiles = (response(trial, name) for name in ("p50", "p90", "p99", "p999"))
        yield (name, share, percent(slow), *percentiles, f"{attempts(trial):.1f}")


def retries(program):
    yield "policy", "recovers below", "goodput at 140/s", "200/s", "240/s", "280/s", "attempts per request at 280/s"
    for name, keys, below in (("no retry", "tries=1", "300/s"), ("one retry", "tries=2", "150/s"),
                              ("one retry, budget 10%", "tries=2,budget=10%", "300 / 1.10 = 273/s"),
                              ("one retry, budget 5%", "tries=2,budget=5%", "300 / 1.05 = 286/s"),
                              ("one retry after 0.5 s", "tries=2,backoff=500ms", "150/s")):
        trials = [program.trial("servers=3,mean=10ms,stall_at=10s,stall_for=1s", f"retry:timeout=250ms,{keys}", rate, 300,
                                "--arrivals", "fixed") for rate in (140, 200, 240, 280)]
        yield (name, below, *(f"{each['goodput_per_s']:.0f}/s" for each in trials), f"{attempts(trials[3]):.2f}")


def limits(program):
    cells, _ = program.run("limits")
    yield "limit", "rests at", "theory", "settled from 100 within", "goodput at 24,000/s", "p99 of what is served", "cliff"
    for name, keys, at, low, high in (("none", "", "-", 0, 0), ("16", "limit:limit=16", "16", 16, 16),
                                      ("vegas", "limit:kind=vegas", "19 to 22", 18, 23),
                                      ("gradient", "limit:kind=gradient", "20", 18, 23),
                                      ("aimd", "limit:kind=aimd,timeout=2ms", "28 to 33", 28, 33)):
        trial = program.trial("servers=16,mean=1ms", keys, 24000, 10)
        settled = "-"
        if "kind" in keys:
            times = [0.01 * k for k in range(1, 100)]
            rests = [stat(program.trial("servers=16,mean=1ms", f"{keys},limit=100", 24000, f"{t:.2f}", "--warmup", "0s"),
                          "limit") for t in times]
            late = [t for t, rest in zip(times, rests) if not low <= rest <= high]
            settled = f"{1000 * (max(late, default=0) + 0.01):.0f} ms"
        cell = series(cells, f"|{name} " if "kind" in keys else "|tight " if keys else "servers=16 ")
        yield (name, f"{stat(trial, 'limit'):.0f}" if keys else "-", at, settled, per_s(trial["goodput_per_s"]),
               response(trial, "p99"), figure(cell, "cliff_per_s"))


def queue_orders(program):
    cells, run = program.run("queue_orders")
    yield "order, drop", "cliff", "goodput at 300/s", "within 100 ms", "p50 of what is served", "p99", "p99 at 140/s"
    for name, keys, label in (("fifo", "", "queue:order=fifo"), ("lifo", ",order=lifo", "queue:order=lifo"),
                              ("adaptive_lifo", ",order=adaptive_lifo", "queue:order=adaptive_lifo"),
                              ("fifo, codel", ",drop=codel", "codel"),
                              ("adaptive_lifo, codel", ",order=adaptive_lifo,drop=codel", "codel_lifo"),
                              ("fifo, deadline 80 ms", ",drop=deadline,deadline=80ms", "deadline")):
        policy = f"queue:running=1{keys}"
        over = program.trial("mean=5ms,service=exponential", policy, 300, 200)
        below = program.trial("mean=5ms,service=exponential", policy, 140, 2000)
        rows = [row for row in run.points if row["series"].endswith(f"|{label}") and abs(row["rate_per_s"] - 300) < 1]
        merged = precipice_run.Histogram.merged(run.histograms([row["key"] for row in rows]).values())
        values, counts = merged.cumulative()
        within = max((count for value, count in zip(values, counts) if value <= 100e6), default=0)
        yield (name, figure(series(cells, f"|{label} "), "cliff_per_s"), per_s(over["goodput_per_s"]),
               per_s(within / (200 * len(rows))), response(over, "p50"), response(over, "p99"), response(below, "p99"))


def cost(program):
    cells, _ = program.run("cost")
    yield "eight servers", "saturation", "cost there", "cliff", "theory", "cost at the SLO", "ratio"
    hourly = 8 * 0.04
    for name, parts, closed in (("one queue", ("fcfs",), theory.mmc_cliff(8, 1000, 0.01, 0.01)),
                                ("queues of their own, at random", ("random_split", "exponential "),
                                 8 * (1000 - math.log(100) / 0.01)),
                                ("the same, hedged after p95", ("|hedged",), None),
                                ("the same, twice", ("|twice",), 8 * (1000 - math.log(100) / 0.02) / 2)):
        cell = series(cells, *parts)
        saturation = precipice_run.estimate(cell, "saturation_per_s").value
        at_slo = precipice_run.estimate(cell, "cost_per_million").value
        at_saturation = 1e6 * hourly / 3600 / saturation
        yield (name, per_s(saturation), f"{at_saturation:.4f}", figure(cell, "cliff_per_s"), per_s(closed) if closed else "-",
               f"{at_slo:.4f}", f"{at_slo / at_saturation:.2f}")


STUDIES = {each.__name__: each for each in (batch_costs, linger, batch_tuner, hedging, tail_at_scale, tied, hedging_hurts,
                                            fan_out, retries, limits, queue_orders, cost,
                                            *tradeoff_routes.STUDIES)}


def drawing():
    """What draws a study. Matplotlib takes long to import, and is needed for nothing else here."""
    launch.require(("matplotlib",))
    from studies import tradeoff_charts
    return tradeoff_charts.draw


def main():
    parser = argparse.ArgumentParser(description="Prints the tables of docs/tradeoffs.md, and draws its charts.")
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"{', '.join(STUDIES)} (default: all)")
    parser.add_argument("--precipice", default=os.path.join(ROOT, "build", "release", "precipice"), metavar="FILE")
    parser.add_argument("--out", default=os.path.join(ROOT, "results"), metavar="DIR")
    parser.add_argument("--charts", metavar="DIR", help="also draw each study, to DIR/STUDY.svg")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.studies if name not in STUDIES]
    if unknown:
        parser.error(f"'{unknown[0]}' is no study: {', '.join(STUDIES)}")
    if not os.access(arguments.precipice, os.X_OK):
        raise launch.Failure(f"{arguments.precipice} is not there; build it first (README.md) or name it with --precipice")
    draw = drawing() if arguments.charts else None
    program = Program(arguments.precipice, arguments.out)
    for name in arguments.studies or STUDIES:
        head, *rows = STUDIES[name](program)
        print(f"\n{name}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for row in rows:
            print(f"| {' | '.join(str(each) for each in row)} |", flush=True)
        if draw:
            draw(name, program, arguments.charts)
    return 0


launch.end(__name__, main)
