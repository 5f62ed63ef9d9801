"""Charts of studies of what is done with more than is carried: limits, orders, prices, breakers."""

import numpy

import precipice_run
from figures.media.axis import put_ticks
from figures.palette import INK, mix
from figures.standard.slide import rate_axis, time_axis
from figures.words import plain
from studies import tradeoff_theory as theory
from studies.tradeoff_program import per_s, series, stat
from studies.tradeoff_slide import (BARS, CLOSED, FIRST, FOURTH, SECOND, SMALL, THIRD, Page, bar, dots, form, form_of_all, hollow, of, rows, say, tick_of_form)


def figure(cell, name):
    return precipice_run.estimate(cell, name).value


def limits(program):
    """The limit over time, from 100, under 1.5 times what the servers carry."""
    times, drawn = [0.01 * k for k in range(1, 100)], []
    for words, keys, low, high, colour in (("vegas", "limit:kind=vegas", 19, 22, FIRST), ("gradient", "limit:kind=gradient", 20, 20, SECOND),
                                           ("aimd", "limit:kind=aimd,timeout=2ms", 28, 33, THIRD)):
        found = [stat(program.trial("servers=16,mean=1ms", f"{keys},limit=100", 24000, f"{t:.2f}", "--warmup", "0s"), "limit") for t in times]
        drawn.append((words, found, low, high, colour, program.trial("servers=16,mean=1ms", keys, 24000, 10)))
    none = program.trial("servers=16,mean=1ms", "", 24000, 10)
    p99 = [of(trial, "p99") for *_, trial in drawn]
    page = Page(f"Three limits find the servers: p99 of {plain(min(p99), 2)} to {plain(max(p99), 2)} ms in place of {plain(of(none, 'p99') / 1000, 2)} s",
                "16 servers of 1 ms, 24,000/s offered: 1.5 times what they carry",
                ["The limit at the end of trials of 10, 20 ... 990 ms, from 100 on. Closed forms, as bands: vegas rests where 3 to 6 requests wait, gradient "
                 "at floor(x + sqrt(x)) for x = 16, aimd between 28 and 33."])
    axes = page.axes(0.085, 0.745)
    for words, found, low, high, colour, trial in drawn:
        axes.axhspan(low - 0.25, high + 0.25, color=colour, alpha=0.13, lw=0, zorder=1)
        for edge in {low, high}:
            form(axes, [8, 1000], [edge, edge], colour)
        axes.plot([1000 * t for t in times], found, color=colour, lw=2.2, zorder=5)
        dots(axes, [1000 * times[at] for at in (0, 1, 3, 7, 15, 31, 63, 98)], [found[at] for at in (0, 1, 3, 7, 15, 31, 63, 98)], colour, size=7)
    for (words, found, low, high, colour, trial), up in zip(drawn, (2, -13, 3)):
        say(axes, 1000, found[-1], f"{words}: {found[-1]:.0f}, p99 {plain(of(trial, 'p99'))} ms", colour, dx=10, dy=up)
    axes.set_xscale("log")
    axes.set_xlim(8, 1050)
    axes.set_ylim(0, 105)
    time_axis(axes.xaxis, 8, 1050)
    put_ticks(axes.yaxis, plain, most=6)
    axes.set_xlabel("time since the load began (ms)")
    axes.set_ylabel("requests let in at once, at most")
    return page


ORDERS = (("fifo", "", "fifo"), ("lifo", ",order=lifo", "lifo"), ("adaptive lifo", ",order=adaptive_lifo", "adaptive_lifo"),
          ("fifo, codel", ",drop=codel", "codel"), ("adaptive lifo, codel", ",order=adaptive_lifo,drop=codel", "codel_lifo"),
          ("fifo, deadline 80 ms", ",drop=deadline,deadline=80ms", "deadline"))


def queue_orders(program):
    """What is answered in time beyond saturation, and p99 below it."""
    _, run = program.run("queue_orders")
    useful, late = [], []
    for _, keys, label in ORDERS:
        keys_of = [row["key"] for row in run.points if row["series"].endswith(f"|queue:order={label}" if "codel" not in label and label != "deadline"
                                                                             else f"|{label}") and abs(row["rate_per_s"] - 300) < 1]
        values, counts = precipice_run.Histogram.merged(run.histograms(keys_of).values()).cumulative()
        useful.append(max((count for value, count in zip(values, counts) if value <= 100e6), default=0) / (200 * len(keys_of)))
        late.append(of(program.trial("mean=5ms,service=exponential", f"queue:running=1{keys}", 140, 2000), "p99"))
    page = Page(f"Beyond saturation lifo answers {useful[1]:.0f}/s in time and fifo {useful[0]:.0f}/s; below it lifo is slower",
                "One server of 5 ms (exponential) carries 200/s",
                ["Closed forms: what one server carries, and ln(100) / (m - L) for p99 in order of arrival. CoDel: target 5 ms, interval 100 ms; of 140/s it "
                 "and the deadline refuse some, and p99 is of what is answered."], BARS, CLOSED)
    left, right = page.panels(2, left=0.215, gap=0.05, titles=("answered within 100 ms, of 300/s offered", "p99 (ms) of 140/s offered"))
    rows(left, [words for words, _, _ in ORDERS])
    rows(right, [words for words, _, _ in ORDERS], False)
    for at, (one, other) in enumerate(zip(useful, late)):
        bar(left, at, one, per_s(one), FIRST, inside=one > 100)
        bar(right, at, other, f"{plain(other)} ms", SECOND)
    form_of_all(left, 200)
    tick_of_form(right, 0, 1000 * numpy.log(100) / 60)
    left.set_xlim(0, 215)
    right.set_xlim(0, 205)
    rate_axis(left.xaxis, False, 0, 215, 3)
    put_ticks(right.xaxis, plain, most=5)
    left.set_xlabel("requests/s")
    right.set_xlabel("p99 response (ms)")
    return page


def cost(program):
    """What a million requests cost at saturation and at the SLO."""
    cells, _ = program.run("cost")
    hourly, found = 8 * 0.04, []
    for words, parts, carried, cliff in (("one queue", ("fcfs",), 8000, theory.mmc_cliff(8, 1000, 0.01, 0.01)),
                                         ("own queues, at random", ("random_split", "exponential "), 8000, 8 * (1000 - numpy.log(100) / 0.01)),
                                         ("the same, hedged\nafter p95", ("|hedged",), None, None),
                                         ("the same, twice", ("|twice",), 4000, 8 * (1000 - numpy.log(100) / 0.02) / 2)):
        cell = series(cells, *parts)
        found.append((words, 1e6 * hourly / 3600 / figure(cell, "saturation_per_s"), figure(cell, "cost_per_million"),
                      *(1e6 * hourly / 3600 / each if each else None for each in (carried, cliff))))
    page = Page(f"Eight queues cost {found[1][1] / found[0][1]:.2f} times what one costs at saturation, {found[1][2] / found[0][2]:.2f} at the SLO",
                "Eight servers of 1 ms (exponential) at 0.04 an hour each; SLO p99 < 10 ms",
                ["Closed forms: 8 x 0.04 / (3,600 x rate), the rate at saturation 8 m, or 4 m sent twice; at the SLO M/M/8, or m - ln(100) / SLO a server."], BARS, CLOSED)
    axes = page.axes(0.235, 0.93)
    rows(axes, [row[0] for row in found])
    for at, (_, saturated, slo, *closed) in enumerate(found):
        for up, value, exact, colour in ((-0.19, saturated, closed[0], mix(FIRST, "#FFFFFF", 0.45)), (0.19, slo, closed[1], FIRST)):
            bar(axes, at + up, value, f"{value:.4f}", colour, 0.34)
            if exact:
                tick_of_form(axes, at + up, exact, 0.2)
    say(axes, 0.0003, -0.19, "at saturation", INK, size=SMALL)
    say(axes, 0.0003, 0.19, "at the SLO", "#FFFFFF", size=SMALL).set_color("white")
    axes.set_xlim(0, 0.0325)
    put_ticks(axes.xaxis, plain, most=7)
    axes.set_xlabel("cost of a million requests")
    return page


def breaker(program):
    """When a breaker switches after a step, and how often at a constant load."""
    oracle, batch = "fixed=900us,item=100us", "second=(batch:size=16,linger=20ms)"
    found = {}
    for up, down, hold in ((50, 10, "0"), (75, 10, "0"), (100, 10, "0"), (150, 10, "0"), (200, 10, "0"), (100, 1, "0"), (100, 10, "500ms")):
        policy, theta = f"choose:by=stress,up={up},down={down},hold={hold},{batch}", up / 1000
        step = program.trial(oracle, policy, 800, 2 + 2 * theta, "--warmup", "0s", "--arrivals", "fixed", "--trigger", "step 2.5x at 2s", "--slo",
                             "p99<200ms")
        high = program.trial(oracle, policy, 2000, 60, "--warmup", "2s")
        found[up, down, hold] = (1000 * (stat(step, "first") - 1600) / 2000, of(step, "max"), stat(high, "switches"))
    plainly = [key for key in found if key[1:] == (10, "0")]
    at = (100, 10, "0")
    page = Page(f"A breaker switches after {found[at][0]:.0f} ms (closed form 100 ms), then {found[at][2] / 60:.1f} times a second",
                "1,000/s are carried one by one, 6,400/s in batches, used from 'up' under way until 10 are",
                ["Left: a step from 800 to 2,000/s; the wait reaches up / (1,000/s) after up / (2,000/s - 1,000/s). Right: 2,000/s; closed form: 2 x 60 s over the "
                 "period of the oscillation. Below 1,000/s there is no switch."])
    left, right = page.panels(2, left=0.085, gap=0.1, titles=("after a step to 2,000/s (ms)", "switches in 60 s at 2,000/s"))
    line = numpy.linspace(25, 215, 100)
    form(left, line, line, FIRST)
    dots(left, [key[0] for key in plainly], [found[key][0] for key in plainly], FIRST)
    left.plot([key[0] for key in plainly], [found[key][1] for key in plainly], ls="none", marker="o", ms=14, mfc="none", mec=SECOND, mew=1.6, zorder=5)
    say(left, 200, found[200, 10, "0"][1], "longest response (rings)", SECOND, dx=-14, dy=4, ha="right")
    say(left, 100, found[at][0], "until the switch", FIRST, dx=10, dy=-14)
    form(right, line, [120 / theory.breaker_cycle(2000, 1000, 6400, up, 10) for up in line], FIRST)
    dots(right, [key[0] for key in plainly], [found[key][2] for key in plainly], FIRST)
    low, held = found[100, 1, "0"], found[100, 10, "500ms"]
    dots(right, [100], [low[2]], THIRD, "D")
    dots(right, [100], [held[2]], FOURTH, "s")
    say(right, 100, found[at][2], "batches until 10", FIRST, dx=12, dy=8)
    say(right, 100, held[2], f"each for 500 ms\nor more: {held[2]:.0f}", FOURTH, dx=-11, ha="right")
    say(right, 100, low[2], f"until 1: {low[2]:.0f}", THIRD, dx=11)
    left.set_ylim(0, 225)
    put_ticks(left.yaxis, plain, most=6)
    right.set_yscale("log")
    right.set_ylim(40, 2000)
    put_ticks(right.yaxis, lambda v: f"{v:,.0f}", (50, 100, 200, 500, 1000, 2000))
    for axes in (left, right):
        axes.set_xlim(0, 220)
        put_ticks(axes.xaxis, plain, (0, 50, 100, 150, 200))
        axes.set_xlabel("up (requests under way)")
    return page


FAILING = (("nothing", ""), ("limit 50", "limit:limit=50"), ("breaker 50, 10", "choose:by=stress,up=50,down=10,second=(limit:limit=1)"),
           ("breaker 50, 10,\nhold 500 ms", "choose:by=stress,up=50,down=10,hold=500ms,second=(limit:limit=1)"))


def fail_fast(program):
    """Goodput and response under 1.5 times what is carried."""
    trials = [program.trial("mean=1ms,service=exponential", policy, 1500, 60, "--warmup", "5s", "--slo", "p99<60ms") for _, policy in FAILING]
    p50 = [of(trial, "p50") for trial in trials]
    page = Page(f"A limit or a breaker takes the median from {plain(p50[0] / 1000, 2)} s to {plain(p50[1], 2)} or {plain(p50[2], 2)} ms",
                "One server of 1 ms (exponential), 1,500/s offered: 1.5 times what it carries",
                ["Closed forms: the server's 1,000/s; p50 and p99 of M/M/1/50. The breaker lets in one at a time from 50 under way until 10 are."],
                BARS, CLOSED)
    left, right = page.panels(2, left=0.16, gap=0.05, titles=("goodput (requests/s)", "response of what is served: p50 (full), p99 (hollow)"), shares=(0.4, 0.6))
    rows(left, [words for words, _ in FAILING])
    rows(right, [words for words, _ in FAILING], False)
    form_of_all(left, 1000)
    for at, trial in enumerate(trials):
        bar(left, at, trial["goodput_per_s"], per_s(trial["goodput_per_s"]), FIRST, inside=True)
        low, high = of(trial, "p50"), of(trial, "p99")
        right.plot([low, high], [at, at], color=SECOND, lw=3, alpha=0.4, zorder=3)
        dots(right, [low], [at], SECOND, size=11)
        hollow(right, [high], [at], SECOND, size=10)
        say(right, low, at, f"{low / 1000:.3g} s" if low > 1000 else f"{plain(low)} ms", SECOND, dx=-10, ha="right")
        say(right, high, at, f"{high / 1000:.3g} s" if high > 1000 else f"{plain(high)} ms", SECOND, dx=10)
    for beyond in (0.5, 0.01):
        tick_of_form(right, 1, 1000 * theory.bounded_percentile(1000, 1500, 50, beyond), 0.3)
    left.set_xlim(0, 1120)
    right.set_xscale("log")
    right.set_xlim(3, 120000)
    rate_axis(left.xaxis, False, 0, 1120, 3)
    put_ticks(right.xaxis, lambda v: f"{plain(v / 1000)} s" if v >= 1000 else f"{plain(v)} ms", (10, 100, 1000, 10000), minor=range(2, 10))
    return page


CHARTS = (limits, queue_orders, cost, breaker, fail_fast)
