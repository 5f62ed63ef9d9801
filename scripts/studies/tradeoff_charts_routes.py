"""Charts of studies of ways that requests take: classes, stages, paths, connections, replicas."""

import numpy

import precipice_run
from figures.media.axis import put_ticks
from figures.palette import MUTED
from figures.standard.slide import rate_axis, time_axis
from figures.words import plain
from studies import tradeoff_theory as theory
from studies.tradeoff_program import classes, per_s, series
from studies.tradeoff_slide import (BARS, CLOSED, FIRST, MEASURED, PUBLISHED, SECOND, THIRD, Page, bar, dots, form, hollow, joined, of,
                                    of_kind, rows, say, star, tick_of_form, upright)


def percent_axis(axis, places):
    put_ticks(axis, lambda value: f"{plain(value)}%", places)


def cliffs(cells, labels):
    return [precipice_run.estimate(series(cells, label), "cliff_per_s").value for label in labels]


def priorities(program):
    """Mean response of two classes, by load and by their shares."""
    def trials(live, rho):
        words = classes(("live", live), ("batch", 1 - live))
        return [program.trial("mean=1ms,service=exponential", policy, 1000 * rho, 1000, "--warmup", "5s", *words)
                for policy in ("queue:running=1,order=priority", "")]

    def closed(live, rho):
        return [1 + wait for wait in theory.cobham((rho * live, rho * (1 - live)), rho)]

    loads, shares = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9), (0.1, 0.3, 0.5, 0.7, 0.9)
    by_load, by_share = {rho: trials(0.9, rho) for rho in loads}, {live: trials(live, 0.8) for live in shares}
    first, fifo = by_load[0.8]
    alone = by_share[0.1][0]
    page = Page(f"Served first at 80% load, nine tenths gain {1 - of_kind(first, 0, 'mean') / of(fifo, 'mean'):.0%}, one tenth "
                f"{1 - of_kind(alone, 0, 'mean') / of(by_share[0.1][1], 'mean'):.0%}", "One server of 1 ms (exponential); live requests before batch requests",
                ["Closed forms: Cobham, W0 / ((1 - s(k)) (1 - s(k - 1))), and 1 / (1 - rho) in order of arrival, which is the mean over both classes too."])
    left, right = page.panels(2, left=0.085, gap=0.04, titles=("90% live, by load", "80% load, by the share of live requests"))
    lines = (numpy.linspace(0.1, 0.92, 60), numpy.linspace(0.03, 0.97, 60))
    for axes, line, found, args in ((left, lines[0], by_load, lambda x: (0.9, x)), (right, lines[1], by_share, lambda x: (x, 0.8))):
        forms = [closed(*args(x)) for x in line]
        for kind, colour in ((1, SECOND), (0, FIRST)):
            form(axes, 100 * line, [each[kind] for each in forms], colour)
            dots(axes, [100 * x for x in found], [of_kind(pair[0], kind, "mean") for pair in found.values()], colour)
        form(axes, 100 * line, [1 / (1 - args(x)[1]) for x in line], MUTED)
        dots(axes, [100 * x for x in found], [of(pair[1], "mean") for pair in found.values()], MUTED, "s", 6)
        axes.set_yscale("log")
        axes.set_ylim(0.9, 80)
        time_axis(axes.yaxis, 0.9, 80)
    put_ticks(right.yaxis, lambda value: "", subs=(1, 2, 5))
    say(left, 65, of_kind(by_load[0.65][0], 1, "mean"), "batch", SECOND, dx=-8, dy=12, ha="right")
    say(left, 80, of_kind(first, 0, "mean"), "live", FIRST, dx=2, dy=-16)
    say(left, 50, of(by_load[0.5][1], "mean"), "in order of arrival", MUTED, dx=20, dy=-30, ha="center", weight="normal")
    say(right, 50, of_kind(by_share[0.5][0], 1, "mean"), "batch", SECOND, dx=-8, dy=12, ha="right")
    say(right, 50, of_kind(by_share[0.5][0], 0, "mean"), "live", FIRST, dx=4, dy=-14)
    say(right, 30, of(by_share[0.3][1], "mean"), "in order of arrival", MUTED, dx=0, dy=-12, ha="center", weight="normal")
    for axes, top in ((left, 94), (right, 100)):
        axes.set_xlim(0, top)
        percent_axis(axes.xaxis, range(0, 101, 20))
    left.set_xlabel("load")
    right.set_xlabel("live requests, share of all")
    left.set_ylabel("mean response (ms)")
    return page


def stages(program):
    """Mean and p99 of one and five stages by load, and what timers before each of five stages add."""
    loads, queues = (0.2, 0.35, 0.5, 0.65, 0.8), {}
    for count, oracle in ((1, "mean=1ms,service=exponential"), (5, "stages=5,mean=1ms,service=exponential")):
        queues[count] = [program.trial(oracle, "", 1000 * rho, 1000, "--warmup", "5s") for rho in loads]
    rates, buffered = (0.1, 1, 5, 20, 100, 500), []
    for words, keys, closed, colour in (("linger 50 ms", ",linger=50ms", lambda rate: theory.linger_stages(rate, 0.05, 5), SECOND),
                                        ("tick 50 ms", ",tick=50ms", lambda rate: theory.tick_stages(0.05, 5, 0.005), THIRD), ("no buffer", "", lambda rate: 0, FIRST)):
        buffered.append((words, [of(program.trial(f"stages=5,servers=64,mean=5ms{keys}", "", rate, max(100, 300 / rate)), "mean") for rate in rates],
                         closed, colour))
    at = loads.index(0.8)
    times = [of(queues[5][at], name) / of(queues[1][at], name) for name in ("mean", "p99")]
    page = Page(f"Five queues in a row: {plain(times[0], 2)} times the mean, {plain(times[1], 2)} times p99; five timers cost {plain(buffered[0][1][0] - 25)} ms",
                "Left: stages of 1 ms (exponential); right: five stages of 5 ms (fixed), a buffer before each",
                ["Closed forms: Erlang-5 of rate m - L; the first linger T (1 + L T / 2) / (1 + L T) and T at each later stage; half a tick, and the fixed phases after it."])
    left, right = page.panels(2, left=0.085, gap=0.1, titles=("response (ms): mean (full), p99 (hollow)", "mean response (ms)"))
    line = numpy.linspace(0.1, 0.84, 60)
    for count, colour in ((1, FIRST), (5, SECOND)):
        form(left, 100 * line, [count / (1 - rho) for rho in line], colour)
        form(left, 100 * line, [theory.erlang_percentile(count, 1 - rho, 0.01) for rho in line], colour)
        dots(left, [100 * rho for rho in loads], [of(trial, "mean") for trial in queues[count]], colour)
        hollow(left, [100 * rho for rho in loads], [of(trial, "p99") for trial in queues[count]], colour)
    say(left, 50, of(queues[5][2], "p99"), "five stages", SECOND, dx=-6, dy=14, ha="right")
    say(left, 50, of(queues[1][2], "mean"), "one stage", FIRST, dx=4, dy=-14)
    left.set_yscale("log")
    left.set_xlim(10, 86)
    left.set_ylim(1, 90)
    percent_axis(left.xaxis, (20, 40, 60, 80))
    time_axis(left.yaxis, 1, 90)
    left.set_xlabel("load")
    line = numpy.geomspace(0.1, 500, 80)
    for words, found, closed, colour in buffered:
        form(right, line, [25 + 1000 * closed(rate) for rate in line], colour)
        dots(right, rates, found, colour)
        say(right, rates[0], found[0], f"{words}: {plain(min(found))} to {plain(max(found))} ms" if max(found) > 1.01 * min(found) else f"{words}: {plain(found[0])} ms",
            colour, dy=14, dx=-4)
    right.set_xscale("log")
    right.set_xlim(0.07, 800)
    right.set_ylim(0, 320)
    put_ticks(right.xaxis, plain, (0.1, 1, 10, 100))
    put_ticks(right.yaxis, plain, most=6)
    right.set_xlabel("offered load (requests/s)")
    return page


def modes(page, names, found, most, kinds, figures, unit):
    """Two panels of modes: what each carries, and a response of each class, None where the mode is saturated."""
    left, right = page.panels(2, left=0.175, gap=0.05, titles=("cliff (requests/s)", unit), shares=(0.45, 0.55))
    rows(left, names)
    rows(right, names, False)
    for at, (cliff, closed) in enumerate(zip(found, most)):
        bar(left, at, cliff, per_s(cliff), MUTED, inside=cliff > 0.35 * max(most))
        tick_of_form(left, at, closed)
        if figures[at] is None:
            say(right, 0.05, at, "saturated", MUTED, coords=("axes fraction", "data"), weight="normal")
            continue
        right.plot([min(figures[at]), max(figures[at])], [at, at], color=MUTED, lw=2, alpha=0.35, zorder=2)
        for k, (value, (kind, colour)) in enumerate(zip(figures[at], kinds)):
            dots(right, [value], [at + 0.16 * (k - (len(kinds) - 1) / 2)], colour, "oDs"[k], 10)
    left.set_xlim(0, 1.08 * max(most))
    rate_axis(left.xaxis, False, 0, max(most), 3)
    right.set_xscale("log")
    return left, right


def fast_path(program):
    """What four paths carry, and the response of the urgent requests on each."""
    cells, _ = program.run("fast_path")
    words, batch = classes(("interactive", 0.2), ("bulk", 0.8)), "batch:size=16,linger=20ms"
    split = f"choose:by=class,second=({batch})"
    found = cliffs(cells, ("100us ", "|all ", "|split ", "|first "))
    own = 1 / (0.2e-3 + 0.8 * (0.9e-3 / 16 + 0.1e-3))
    low = [program.trial("fixed=900us,item=100us", policy, 500, 200, *words) for policy in ("", batch, split, f"{split}|queue:running=1,order=priority")]
    p50 = [[of_kind(trial, kind, "p50") for kind in (0, 1)] for trial in low]
    page = Page(f"On a path of their own requests take {plain(p50[2][0], 2)} ms, not {plain(p50[1][0], 2)} ms, for {1 - found[2] / found[1]:.0%} of the cliff",
                "One server; a batch takes 0.9 ms and 0.1 ms a request; one request in five is interactive",
                ["Closed form: 1 / (w (t0 + a) + (1 - w) (t0 / b + a)) for a share w that goes alone. Batches: up to 16, 20 ms of linger. SLO p99 < 60 ms."],
                BARS, CLOSED)
    kinds = (("interactive", FIRST), ("bulk", SECOND))
    _, right = modes(page, ("none batched", "all in one batch", "bulk in batches", "the same,\ninteractive first"), found, (1000, 16 / 2.5e-3, own, own),
                     kinds, p50, "p50 response at 500/s")
    for at, (quick, slow) in enumerate(p50):
        if slow > 1.2 * quick or at == 2:
            say(right, quick, at, f"interactive: {plain(quick)} ms", FIRST, dx=-4, dy=18)
            say(right, slow, at, f"bulk: {plain(slow)} ms", SECOND, dx=6, dy=-18, ha="right")
        else:
            say(right, quick, at, f"both: {plain(quick)} ms", MUTED, dx=12 if quick < 5 else -12, ha="left" if quick < 5 else "right")
    right.set_xlim(0.6, 40)
    put_ticks(right.xaxis, lambda value: f"{plain(value)} ms", (1, 3, 10, 30))
    return page


def regions(program):
    """What four modes carry, and p99 of each kind of request in them."""
    cells, _ = program.run("regions")
    words = classes(("orders", 0.1), ("events", 0.3), ("reports", 0.6))
    short, long = "batch:size=8,linger=5ms", "batch:size=64,linger=100ms"
    each = f"choose:by=class,second=(choose:by=class,classes=2,first=({short}),second=({long}))|queue:running=1,order=priority"
    most = [1000 / work for work in (1, 0.9 / 8 + 0.1, 0.9 / 64 + 0.1, 0.1 + 0.3 * (0.9 / 8 + 0.1) + 0.6 * (0.9 / 64 + 0.1))]
    found = cliffs(cells, ("100us ", "|short ", "|long ", "|regions "))
    p99 = [None] + [[of_kind(program.trial("fixed=900us,item=100us", policy, 2000, 200, *words), kind, "p99") for kind in range(3)]
                    for policy in (f"{short}|queue:running=1", f"{long}|queue:running=1", each)]
    page = Page(f"A mode for each kind: p99 of orders is {plain(p99[3][0], 2)} ms, not {plain(p99[2][0], 2)} ms, for {1 - found[3] / found[2]:.0%} of the cliff",
                "One server; a batch takes 0.9 ms and 0.1 ms a request; 10% orders, 30% events, 60% reports",
                ["Closed form: 1 / (the mean work of a request, in full batches). Short: up to 8 and 5 ms; long: up to 64 and 100 ms; one for each: orders alone, "
                 "events in short, reports in long ones; SLO p99 < 300 ms."], BARS, CLOSED)
    kinds = (("orders", FIRST), ("events", THIRD), ("reports", SECOND))
    _, right = modes(page, ("none", "short batches", "long batches", "one for each"), found, most, kinds, p99, "p99 response at 2,000/s")
    for at in (1, 2):
        say(right, max(p99[at]), at, f"all {plain(max(p99[at]))} ms", MUTED, dx=12)
    for (kind, colour), value, dx, dy, ha in zip(kinds, p99[3], (-4, 14, 0), (21, -20, -25), ("left", "right", "center")):
        say(right, value, 3, f"{kind}: {plain(value)} ms", colour, dx=dx, dy=dy, ha=ha)
    right.set_xlim(3, 160)
    put_ticks(right.xaxis, lambda value: f"{plain(value)} ms", (3, 10, 30, 100))
    return page


def connections(program):
    """Mean response against load: pools, and a connection for each request."""
    loads, drawn = (300, 1000, 1600, 2200, 2600, 2800, 3000), []
    for words, oracle, policy, servers, service, colour in (
            ("pool of 16", "servers=128,mean=5ms,service=exponential", "queue:running=16", 16, 5e-3, FIRST),
            ("pool of 64", "servers=128,mean=5ms,service=exponential", "queue:running=64", 64, 5e-3, THIRD),
            ("none", "servers=128,mean=6ms,service=exponential", "", 128, 6e-3, SECOND)):
        drawn.append((words, [of(program.trial(oracle, policy, each, 300, "--warmup", "5s"), "mean") for each in loads], servers, service, colour))
    meet = theory.bisect(lambda rate: 6e-3 - theory.mmc_mean(16, 200, rate), 100, 3199)
    page = Page(f"A pool of 16 queues for longer than a set-up of 1 ms only beyond {meet / 3200:.0%} load",
                "Servers of 5 ms (exponential); the set-up of a connection takes 1 ms",
                ["Closed forms: M/M/N for a pool of N; service and set-up for connections of their own. TIME_WAIT: 28,232 ports, the default range of Linux, "
                 "each kept for 60 s, open 470 connections a second to one address."])
    axes = page.axes(0.085, 0.97)
    axes.axvspan(28232 / 60, 3300, color=SECOND, alpha=0.06, lw=0, zorder=0)
    line = numpy.linspace(20, 3185, 200)
    for words, found, servers, service, colour in drawn:
        form(axes, line, [1000 * theory.mmc_mean(servers, 1 / service, each) for each in line], colour)
        dots(axes, loads, found, colour)
    upright(axes, 28232 / 60, SECOND)
    say(axes, 28232 / 60, 8.6, f"beyond {28232 // 60}/s ports to one address\nrun out, without a pool", SECOND, dx=8, weight="normal")
    say(axes, 1000, drawn[2][1][1], "a connection for each request", SECOND, dy=12, dx=-4)
    say(axes, 2800, drawn[0][1][5], drawn[0][0], FIRST, dx=-12, dy=4, ha="right")
    say(axes, 2200, drawn[1][1][3], "pools of 16 and of 64", THIRD, dy=-14, ha="right")
    axes.set_xlim(0, 3300)
    axes.set_ylim(0, 10)
    rate_axis(axes.xaxis, False, 0, 3300)
    put_ticks(axes.yaxis, plain, most=6)
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("mean response (ms)")
    return page


def pool_size(program):
    """What 9,600 callers see and what a request takes in the server, against the size of the pool."""
    sizes, drawn = (16, 32, 96, 256, 1024, 2048), {}
    for capacity in (14545, 20000):
        drawn[capacity] = [program.closed_loop(f"servers=32,mean={32e9 / capacity:.0f}ns,service=exponential,discipline=ps", f"queue:running={size}", 9600, 20,
                                               "--think", "550ms", "--warmup", "5s") for size in sizes]
    inside = {capacity: [trial["residence_ns"]["mean"] / 1e6 for trial in trials] for capacity, trials in drawn.items()}
    seen = {capacity: [of(trial, "mean") for trial in trials] for capacity, trials in drawn.items()}
    page = Page(f"Pools of 96 and of 2,048: callers see {plain(seen[14545][2])} and {plain(seen[14545][-1])} ms; capacity decides", "9,600 callers that pause for 550 ms, a pool of connections, 32 CPUs",
                ["Hollow: in the server. Closed form: callers see 9,600 / rate - 550 ms where the server or the pool is saturated. Published, stars: 110 ms and "
                 "77 ms in the server with 2,048 connections; 3 and 2 ms with 96."], MEASURED, CLOSED, PUBLISHED)
    axes = page.axes(0.085, 0.97)
    line = numpy.geomspace(13, 2600, 400)
    for capacity, colour in ((14545, SECOND), (20000, FIRST)):
        exact = [1000 * (9600 / min(capacity, size * capacity / 32) - 0.55) for size in line]
        pairs = [(size, value) for size, value in zip(line, exact) if value > 1]
        form(axes, *zip(*pairs), colour)
        dots(axes, sizes, seen[capacity], colour)
        joined(axes, sizes, inside[capacity], colour)
        hollow(axes, sizes, inside[capacity], colour, size=8)
    for size, values in ((2048, (110, 77)), (96, (3, 2))):
        for value in values:
            star(axes, size, value)
    say(axes, 300, seen[14545][3], "server of 14,545/s: callers see", SECOND, dy=14, ha="center")
    say(axes, 256, inside[14545][3], "in the server", SECOND, dx=10, dy=-8)
    say(axes, 600, inside[20000][4], "server of 20,000/s: both", FIRST, dy=-18, ha="center")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlim(13, 2700)
    axes.set_ylim(1, 1400)
    put_ticks(axes.xaxis, lambda value: f"{value:,.0f}", sizes)
    time_axis(axes.yaxis, 1, 1400)
    axes.set_xlabel("connections in the pool")
    axes.set_ylabel("mean time (ms)")
    return page


def two_choices(program):
    """Mean response against load, by how one of 100 servers is chosen."""
    oracle, loads, drawn = "servers=100,mean=1ms,service=exponential,discipline=random_split", (20, 35, 50, 65, 80, 90, 95), []
    for words, pick, closed, colour in (("one at random", "random", lambda rho: 1 / (1 - rho), SECOND), ("the shorter of two", "two", theory.two_choices, FIRST),
                                        ("the least of all", "least", None, THIRD)):
        trials = [program.trial(oracle, f"choose:by=replica,replicas=100,pick={pick}", 1000 * load, 20, "--warmup", "2s") for load in loads]
        drawn.append((words, [of(trial, "mean") for trial in trials], closed, colour, of(trials[loads.index(90)], "p99")))
    page = Page(f"Two choices take p99 at 90% load from {plain(drawn[0][4], 2)} to {plain(drawn[1][4], 2)} ms, all 100 to {plain(drawn[2][4], 2)} ms",
                "100 servers of 1 ms (exponential), a queue before each", ["Closed forms: 1 / (1 - rho); the sum of rho^(2^i - 2) for two choices among many servers (Mitzenmacher 2001)."])
    axes = page.axes(0.085, 0.97)
    line = numpy.linspace(0.02, 0.96, 150)
    for words, found, closed, colour, p99 in drawn:
        if closed:
            form(axes, 100 * line, [closed(rho) for rho in line], colour)
        else:
            joined(axes, loads, found, colour)
        dots(axes, loads, found, colour, "o" if closed else "s", 9 if closed else 7)
    say(axes, 80, drawn[0][1][4], drawn[0][0], SECOND, dx=-12, dy=4, ha="right")
    say(axes, 80, drawn[1][1][4], drawn[1][0], FIRST, dx=-12, dy=8, ha="right")
    say(axes, 80, drawn[2][1][4], drawn[2][0], THIRD, dx=0, dy=-15, ha="center")
    axes.set_yscale("log")
    axes.set_xlim(0, 100)
    axes.set_ylim(0.75, 30)
    percent_axis(axes.xaxis, range(0, 101, 20))
    time_axis(axes.yaxis, 0.75, 30)
    axes.set_xlabel("load")
    axes.set_ylabel("mean response (ms)")
    return page


def read_replicas(program):
    """What servers carry against their number, with writes to all of them."""
    cells, _ = program.run("read_replicas")
    found = cliffs(cells, ("|one ", "|two ", "|eight ", "|eight_single "))
    batched = (0.9 / 16 + 0.1) / 1000
    page = Page(f"Eight servers carry {plain(found[2] / found[0], 2)} times what one carries, {plain(found[3] / found[0], 2)} times with writes one by one",
                "Servers of 1 ms; a read goes to one, a write, one request in five, to each of them",
                ["Measured: the cliff, SLO p99 < 500 ms. Closed form: 1 / ((1 - w) S / n + w (t0 / b + a)), with w = 1/5, S = 1 ms, t0 = 0.9 ms, a = 0.1 ms."])
    axes = page.axes(0.085, 0.97)
    line = numpy.geomspace(0.75, 18, 80)
    form(axes, line, [theory.replicas_carry(n, 0.2, 1e-3, batched) for n in line], FIRST)
    form(axes, line, [theory.replicas_carry(n, 0.2, 1e-3, 1e-3) for n in line], SECOND)
    axes.plot(line, 1000 * line, color=MUTED, lw=1.2, zorder=2)
    dots(axes, (1, 2, 8), found[:3], FIRST, size=10)
    dots(axes, [8], [found[3]], SECOND, "D", 10)
    for n, value, dx, dy in ((1, found[0], -10, 4), (2, found[1], -10, 6), (8, found[2], 70, -14)):
        say(axes, n, value, per_s(value), FIRST, dx=dx, dy=dy, ha="right")
    say(axes, 8, found[3], per_s(found[3]), SECOND, dx=6, dy=-16)
    say(axes, 4, theory.replicas_carry(4, 0.2, 1e-3, batched), "writes in batches of 16", FIRST, dx=-8, dy=10, ha="right")
    say(axes, 3, theory.replicas_carry(3, 0.2, 1e-3, 1e-3), "writes one by one", SECOND, dx=6, dy=-18)
    say(axes, 11, 11000, "reads alone, n / S", MUTED, dx=-12, dy=8, ha="right", weight="normal")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlim(0.7, 18)
    axes.set_ylim(600, 20000)
    put_ticks(axes.xaxis, plain, (1, 2, 4, 8, 16))
    rate_axis(axes.yaxis, True, 600, 20000, 3.5)
    axes.set_xlabel("servers")
    axes.set_ylabel("carried (requests/s)")
    return page


CHARTS = (priorities, stages, fast_path, regions, connections, pool_size, two_choices, read_replicas)
