"""Charts of studies of further attempts: hedges, tied requests, fans, retries."""

import math

import numpy

from figures.media.axis import put_ticks
from figures.palette import INK, MUTED
from figures.policy_lessons import share_within
from figures.standard.slide import percentile_axis, rate_axis, time_axis
from figures.words import plain
from precipice_run import Histogram
from studies import tradeoff_theory as theory
from studies.tradeoff_program import attempts, per_s
from studies.tradeoff_slide import (CLOSED, FIRST, FOURTH, HEIGHT, MEASURED, PUBLISHED, SECOND, SMALL, THIRD, Page, dots, form, hollow, joined, of,
                                    say, star, upright)


def percent_axis(axis, places):
    put_ticks(axis, lambda value: f"{plain(value)}%", places)


def hedging(program):
    """p99 against what second attempts cost."""
    oracle = "servers=200,mean=7.25ms,service=stragglers(0.4,0.05,10)"
    found = {}
    for policy in ("", "after=20ms", "after=10ms", "after=5ms", "after=p95", "after=5ms,budget=5%", "after=10ms,budget=5%"):
        trial = program.trial(oracle, f"hedge:{policy}" if policy else "", 2000, 100)
        found[policy] = (100 * (attempts(trial) - 1) if policy else 0, of(trial, "p99"))
    ten = found["after=10ms"]
    page = Page(f"{plain(ten[0], 2)}% more attempts take p99 from {plain(found[''][1])} to {plain(ten[1])} ms",
                "Services of 5 ms, 5% of them ten times as long; 2,000/s to 200 servers",
                ["Closed form: P(R > t) = F(t) F(t - d) after a delay d, at each d; it costs F(d) further attempts. Hollow: a budget of 5% more attempts."],
                MEASURED, CLOSED, PUBLISHED)
    axes = page.axes(0.085, 0.97)
    delays = numpy.geomspace(4.7, 300, 160)
    tail = theory.stragglers_tail
    form(axes, [100 * tail(d) for d in delays], [theory.hedged_percentile(tail, d, 0.01) for d in delays], FIRST)
    for policy, words, colour, dx, dy, ha in (
            ("", "one attempt", FIRST, 10, 16, "left"), ("after=20ms", "after 20 ms", FIRST, 12, 0, "left"), ("after=10ms", "after 10 ms", FIRST, -10, -10, "right"),
            ("after=5ms", "after 5 ms", FIRST, -4, 16, "center"), ("after=p95", "after p95", THIRD, 12, 2, "left"),
            ("after=5ms,budget=5%", "after 5 ms, budget 5%", SECOND, 12, 0, "left"), ("after=10ms,budget=5%", "after 10 ms, budget 5%", SECOND, 12, 0, "left")):
        (hollow if "budget" in policy else dots)(axes, [found[policy][0]], [found[policy][1]], colour, "D" if policy == "after=p95" else "o")
        say(axes, *found[policy], f"{words}:{chr(10) if ha == 'right' else ' '}{plain(found[policy][1])} ms", colour, dx=dx, dy=dy, ha=ha)
    star(axes, 0, 65.0)
    star(axes, 7.7, 17.5)
    say(axes, 7.7, 17.5, "published: 65 to 17.5 ms for 7.7%", INK, dx=14, dy=3, weight="normal")
    axes.set_xlim(-1.2, 52)
    axes.set_yscale("log")
    axes.set_ylim(9, 100)
    percent_axis(axes.xaxis, (0, 10, 20, 30, 40, 50))
    time_axis(axes.yaxis, 9, 100)
    axes.set_xlabel("further attempts, share of the requests")
    axes.set_ylabel("p99 response (ms)")
    return page


def tail_at_scale(program):
    """Every percentile of a read of 100 leaves, with and without a second attempt."""
    oracle, drawn = "servers=100,mean=2.18ms,service=pareto(1.464)", []
    for words, policy, after, published, colour in (("one attempt a leaf", "fan:out=100", math.inf, 1800, SECOND),
                                                    ("a second one after 10 ms", "fan:out=100|hedge:after=10ms", 10, 74, FIRST)):
        drawn.append((words, program.trial(oracle, policy, 20, 1000, "--warmup", "20s"), after, published, colour))
    p999 = [of(trial, "p999") for _, trial, _, _, _ in drawn]
    more = attempts(drawn[1][1]) / 100 - 1
    page = Page(f"{plain(100 * more, 2)}% more attempts cut p99.9 to 1/{p999[0] / p999[1]:.0f}; published: 1/{1800 / 74:.0f}",
                "Reads of 100 leaves, Pareto services: 2% of the leaves take longer than 10 ms",
                ["Closed form: of 100 independent leaves, with F(t) F(t - 10 ms) past the delay. Published: The Tail at Scale; its 1,800 ms fix the Pareto "
                 "service, so the other star is compared with a prediction."], MEASURED, CLOSED, PUBLISHED)
    axes = page.axes(0.085, 0.97)
    line = numpy.geomspace(1.5, 1500, 120)
    for words, trial, after, published, colour in drawn:
        form(axes, line, [theory.hedged_percentile(theory.pareto_tail, after, 1 - (1 - 1 / x) ** 0.01) for x in line], colour)
        dots(axes, [2, 10, 20, 100, 1000], [of(trial, name) for name in ("p50", "p90", "p95", "p99", "p999")], colour)
        star(axes, 1000, published)
        above = after == math.inf
        say(axes, 20, of(trial, "p95"), words, colour, dx=-10 if above else 6, dy=14 if above else -18, ha="right" if above else "left")
        say(axes, 1000, of(trial, "p999"), f"p99.9: {float(plain(of(trial, 'p999'))):,.10g} ms", colour, dx=-14 if above else 44, dy=8 if above else -18, ha="right")
        say(axes, 1000, published, f"{published:,} ms", INK, dx=-14 if not above else 14, dy=4 if not above else 0, ha="right" if not above else "left",
            size=SMALL, weight="normal")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1.5, 2600)
    axes.set_ylim(7, 4000)
    percentile_axis(axes.xaxis, 1000)
    time_axis(axes.yaxis, 7, 4000)
    axes.set_xlabel("percentile of reads")
    axes.set_ylabel("response (ms)")
    return page


def tied(program):
    """Mean and p99 against load: one copy, two, and two of which one is dropped."""
    oracle = "servers=2,mean=1ms,service=exponential,discipline=random_split"
    loads = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85)
    once, both = ([program.trial(oracle, policy, 2000 * rho, 500) for rho in loads] for policy in ("", "hedge:after=0,tied=yes"))
    untied = [program.trial(oracle, "hedge:after=0", 2000 * rho, 500) for rho in (0.1, 0.2, 0.3, 0.4, 0.45)]
    at = loads.index(0.6)
    less = [1 - of(both[at], name) / of(once[at], name) for name in ("mean", "p99")]
    page = Page(f"Two queues become one: p99 falls by {plain(100 * less[1], 2)}% at 60% load (published: 37%)",
                "Two servers of 1 ms (exponential), a queue before each",
                ["Tied: the copy that would begin second is dropped. Closed forms: 1 / (1 - rho), 1 / (1 - rho^2); none of untied copies. Published: The Tail "
                 "at Scale, 67 to 42 ms for disks that are otherwise idle."])
    axes = page.axes(0.085, 0.97)
    line = numpy.linspace(0.02, 0.87, 100)
    form(axes, 100 * line, 1 / (1 - line), SECOND)
    form(axes, 100 * line, 1 / (1 - line ** 2), FIRST)
    for trials, colour in ((once, SECOND), (both, FIRST)):
        dots(axes, [100 * rho for rho in loads], [of(trial, "mean") for trial in trials], colour)
    pairs = [(rho, of(trial, "mean")) for rho, trial in zip((10, 20, 30, 40, 45), untied) if of(trial, "mean") < 7]
    joined(axes, *zip(*pairs), THIRD)
    dots(axes, *zip(*pairs), THIRD, "s", 8)
    say(axes, 80, of(once[7], "mean"), "one copy, to either queue", SECOND, dx=-12, ha="right")
    say(axes, 70, of(both[6], "mean"), "two copies, tied", FIRST, dx=6, dy=-18)
    say(axes, *pairs[-1], "two copies,\nboth served", THIRD, dx=-12, dy=0, ha="right")
    axes.set_xlim(0, 88)
    axes.set_ylim(0, 7)
    percent_axis(axes.xaxis, range(0, 90, 20))
    put_ticks(axes.yaxis, plain, most=7)
    axes.set_xlabel("load, share of both servers")
    axes.set_ylabel("mean response (ms)")
    return page


def hedging_hurts(program):
    """Mean against load: one copy, two copies, a second one where the first is late."""
    oracle = "servers=50,mean=1ms,service=exponential,discipline=random_split"
    drawn = []
    for words, policy, loads, closed, colour in (
            ("sent once", "", (0.05, 0.1, 0.2, 1 / 3, 0.42, 0.5, 0.6, 0.7), lambda rho: 1 / (1 - rho), SECOND),
            ("sent twice", "hedge:after=0", (0.05, 0.1, 0.2, 1 / 3, 0.42, 0.44), lambda rho: 1 / (2 * (1 - 2 * rho)), FIRST),
            ("a second one after p95", "hedge:after=p95", (0.05, 0.1, 0.2, 1 / 3, 0.42, 0.5, 0.6, 0.7), None, THIRD)):
        drawn.append((words, loads, [of(program.trial(oracle, policy, round(50000 * rho), 20), "mean") for rho in loads], closed, colour))
    at = 4
    page = Page(f"Twice is faster below a third of the load; at 42% it is {plain(drawn[1][2][at] / drawn[0][2][at], 2)} times as slow",
                "50 servers of 1 ms (exponential), one of them at random for each copy", ["Closed forms: 1 / (m - L) and 1 / (2 (m - 2 L)); they meet at rho = 1/3."])
    axes = page.axes(0.085, 0.97)
    for words, loads, means, closed, colour in drawn:
        line = numpy.linspace(0.01, 0.74, 200)
        if closed:
            line = [rho for rho in line if 0 < closed(rho) < 6]
            form(axes, [100 * rho for rho in line], [closed(rho) for rho in line], colour)
        else:
            joined(axes, [100 * rho for rho in loads], means, colour)
        dots(axes, [100 * rho for rho in loads], means, colour, "s" if closed is None else "o", 8)
    upright(axes, 100 / 3)
    say(axes, 100 / 3, 3.9, "a third", MUTED, dx=-6, ha="right", weight="normal")
    say(axes, 100 * 0.42, drawn[1][2][at], "sent twice", FIRST, dx=12)
    say(axes, 60, drawn[0][2][6], "sent once", SECOND, dx=-12, dy=10, ha="right")
    say(axes, 60, drawn[2][2][6], "a second one\nafter p95", THIRD, dx=10, dy=-18, ha="left")
    axes.set_xlim(0, 74)
    axes.set_ylim(0, 4.3)
    percent_axis(axes.xaxis, range(0, 75, 10))
    put_ticks(axes.yaxis, plain, most=6)
    axes.set_xlabel("load of single requests, share of the servers")
    axes.set_ylabel("mean response (ms)")
    return page


def fan_out(program):
    """The share of slow requests against the number of answers that a request does without."""
    oracle, share = "servers=400,mean=1.09ms,service=bimodal(0.99,1,10)", {}
    for without in range(6):
        policy = "fan:out=100" + (f",need={100 - without}" if without else "")
        share[without] = 100 * (program.trial(oracle, policy, 30, 400)["response_ns"]["mean"] / 1e6 - 1) / 9
    _, run = program.run("fan_out")
    keys = [row["key"] for row in run.open_loop() if row["series"].endswith("|hedged") and row["rate_per_s"] == 30]
    hedged = 100 * (1 - share_within(Histogram.merged(list(run.histograms(keys).values())), 5e6))
    page = Page(f"{plain(share[0])}% of requests are slow that need 100 leaves, {plain(share[1])}% that need 99",
                "A leaf takes 1 ms, one in a hundred 10 ms; requests of 100 leaves",
                ["Closed form: P(more than k of 100 are slow); with a second attempt P(any of 100), each 1% x 1%. Published: The Tail at Scale. "
                 f"The last mark is {share[5] * 120:.0f} of 12,000 requests."], MEASURED, CLOSED, PUBLISHED)
    axes = page.axes(0.1, 0.97)
    form(axes, range(6), [100 * theory.more_than(k, 100, 0.01) for k in range(6)], SECOND)
    star(axes, 0, 63)
    dots(axes, list(share), list(share.values()), SECOND, size=10)
    for k, one in share.items():
        say(axes, k, one, f"{plain(one, 2)}%", SECOND, dx=10, dy=8)
    say(axes, 0, 63, "published\n63%", INK, dx=-2, dy=-26, ha="center", size=SMALL, weight="normal")
    second = 100 * theory.more_than(0, 100, 1e-4)
    axes.plot([-0.1, 0.1], [second, second], color=FIRST, lw=2.2, ls=(0, (2.2, 1)), zorder=5)
    dots(axes, [0], [hedged], FIRST, "D", 10)
    say(axes, 0, hedged, f"all of them, a late one asked\nonce more after 2 ms: {plain(hedged, 2)}%\n(closed form {plain(second, 2)}%)", FIRST, dx=14, dy=-14)
    axes.set_yscale("log")
    axes.set_xlim(-0.45, 5.62)
    axes.set_ylim(0.01, 150)
    put_ticks(axes.xaxis, lambda k: "all" if k == 0 else f"all but {plain(k)}", range(6))
    percent_axis(axes.yaxis, (0.01, 0.1, 1, 10, 100))
    axes.set_xlabel("answers that a request waits for")
    axes.set_ylabel("requests that take 10 ms")
    return page


RETRIES = (("no retry", "tries=1", 300, THIRD, "o"), ("budget 5%", "tries=2,budget=5%", 300 / 1.05, FIRST, "s"),
           ("budget 10%", "tries=2,budget=10%", 300 / 1.10, FOURTH, "D"), ("one retry", "tries=2", 150, SECOND, "o"),
           ("after 0.5 s", "tries=2,backoff=500ms", 150, SECOND, "o"))


def retries(program):
    """Goodput of five minutes with a stall of a second against what is offered."""
    loads = (120, 140, 148, 152, 160, 180, 200, 220, 240, 250, 260, 270, 275, 280, 284, 288, 295)
    drawn = []
    for words, keys, below, colour, marker in RETRIES:
        drawn.append((words, keys, below, colour, marker,
                      [program.trial("servers=3,mean=10ms,stall_at=10s,stall_for=1s", f"retry:timeout=250ms,{keys}", each, 300, "--arrivals",
                                     "fixed")["goodput_per_s"] for each in loads]))
    at = loads.index(280)
    by = {words: found[at] for words, _, _, _, _, found in drawn}
    page = Page(f"At 280/s one retry leaves {by['one retry']:.0f}/s; within a budget of 5%, {by['budget 5%']:.0f}/s",
                "Servers carry 300/s and stop once, for 1 s; requests time out after 250 ms",
                ["Goodput over 300 s, the stall at 10 s; fixed arrivals. Closed forms, upright: recovery below 300 / (1 + r), where r is the share of requests "
                 "that is sent again. Published: down after a stall at 280/s with one retry (HotOS 2021)."], MEASURED, CLOSED, PUBLISHED)
    axes = page.axes(0.085, 0.97, top=page.top - 0.22 / HEIGHT)
    axes.plot([0, 300], [0, 300], color=MUTED, lw=1, zorder=1)
    say(axes, 200, 200, "what is offered", MUTED, ha="right", dx=-8, dy=10, weight="normal")
    for words, keys, below, colour, marker, found in drawn:
        joined(axes, loads, found, colour)
        (hollow if "backoff" in keys else dots)(axes, loads, found, colour, marker, 6 if "backoff" in keys else 8)
    for below in dict.fromkeys(row[2] for row in RETRIES):
        upright(axes, below)
        say(axes, below, 330, per_s(below), MUTED, dy=9, ha="center", size=SMALL, weight="normal")
    star(axes, 280, 0)
    say(axes, 303, drawn[0][5][-1], "no retry", THIRD)
    say(axes, 303, drawn[1][5][loads.index(284)], "budget 5%", FIRST)
    say(axes, 270, drawn[2][5][loads.index(270)], "budget 10%", FOURTH, dx=-12, ha="right")
    say(axes, 212, 8, "one retry (hollow: after 0.5 s)", SECOND, dy=14, ha="center")
    axes.set_xlim(115, 326)
    axes.set_ylim(0, 330)
    rate_axis(axes.xaxis, False, 0, 300)
    rate_axis(axes.yaxis, False, 0, 300, 4)
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("goodput (requests/s)")
    return page


CHARTS = (hedging, tail_at_scale, tied, hedging_hurts, fan_out, retries)
