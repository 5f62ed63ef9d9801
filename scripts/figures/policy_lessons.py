"""The charts of the guided path about policies: each shows what was measured, as marks, beside its closed form, as a line."""

import math

import numpy

from figures.labels import Labels
from figures.lesson import FIRST, SECOND, SIZE, THIRD, first, log_axes
from figures.media.axis import put_ticks
from figures.palette import INK, MUTED
from figures.policies import options_in
from figures.standard.base import Skip, subtitle, warnings
from figures.standard.slide import Slide, percentile_axis, rate_axis, time_axis
from figures.standard.spectrum import tail
from figures.standard.timeline import timelines, values_of
from figures.triggers import lasts
from figures.words import plain, rate
from precipice_run import finite
from studies import tradeoff_theory as theory

FORM = (0, (4, 3))  # the dash of closed forms
MARK = {"ls": "none", "marker": "o", "ms": 8, "mec": "white", "zorder": 5}


def by_policy(run):
    """(workload's text, {policy: cell}) of a run of one model."""
    text, cells = first(run)
    return text, {cell.policy: cell for cell in cells}


def cell_of(cells, policy):
    """A lesson's cell; Skip where the run has none."""
    if policy not in cells:
        raise Skip(f"no series with the policy '{policy or 'none'}' has a valid trial")
    return cells[policy]


def with_histogram(points):
    return [p for p in points if p.histogram is not None]


def share_within(histogram, bound_ns):
    values, below = histogram.cumulative()
    at = int(numpy.searchsorted(values, bound_ns, side="right"))
    return float(below[at - 1]) / histogram.count() if at else 0.0


def mean_ms(histogram):
    values, below = histogram.cumulative()
    counts = numpy.diff(numpy.concatenate([[0], below]))
    return float((values * counts).sum() / counts.sum()) / 1e6


def batch(run):
    """Mean response of single requests, batches with a linger and batches without, against load."""
    text, cells = by_policy(run)
    drawn = [(cell_of(cells, ""), "one at a time", FIRST), (cell_of(cells, "lingering"), "batches, up to 5 ms for others", SECOND),
             (cell_of(cells, "while_busy"), "batches while another is served", THIRD)]
    tops = {name: cell.estimate("saturation_per_s").value for cell, name, _ in drawn}
    page = Slide(f"A batch carries {plain(tops[drawn[2][1]] / tops['one at a time'], 2)} times as much; only one that lingers is slow for it",
                 subtitle(run, text),
                 ["Mean response, open loop, blocks merged; 1 ms for a batch and 0.1 ms for each request in it, at most 16. Upright dashes: "
                  "saturation by the closed form, b / (1 ms + 0.1 ms b) for b = 1 and 16. Sloping dashes: the mean with a linger T, where a "
                  "batch has 1 + L T members.", warnings(run)])
    axes = page.axes(right=0.74)
    curves = {name: [(p.rate, mean_ms(p.histogram)) for p in with_histogram(cell.stable_points()) if p.rate >= 40] for cell, name, _ in drawn}
    xs, ys = [x for one in curves.values() for x, _ in one], [y for one in curves.values() for _, y in one]
    log_axes(axes, xs, ys, 1.3)
    axes.set_xlim(min(xs) / 1.15, 9000)
    rate_axis(axes.xaxis, True, *axes.get_xlim())
    time_axis(axes.yaxis, *axes.get_ylim())
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("mean response (ms)")
    labels = Labels(axes, SIZE)
    for cell, name, colour in drawn:
        line = curves[name]
        axes.plot(*zip(*line), color=colour, lw=2, zorder=4)
        axes.plot(*zip(*line), color=colour, **MARK)
        labels.avoid_line(*zip(*line))
        labels.add(*line[-1], f"{name}\nsaturates at {rate(tops[name])}/s", colour)
    for size, colour in ((1, FIRST), (16, THIRD)):
        axes.axvline(size / (1e-3 + size * 1e-4), color=colour, lw=1.4, ls=FORM, zorder=2)
    low = numpy.geomspace(45, 1200, 40)
    axes.plot(low, [1e3 * theory.linger_mean(each, 5e-3, 1e-3, 1e-4) for each in low], color=INK, lw=1.4, ls=FORM, zorder=6)
    labels.place()
    return page


def hedge(run):
    """Every percentile with and without a second attempt, over the closed form."""
    text, cells = by_policy(run)
    drawn = [(cell_of(cells, ""), "one attempt", SECOND, math.inf), (cell_of(cells, "hedged"), "a second one after 10 ms", FIRST, 10)]
    at = {}
    for cell, name, _, _ in drawn:
        points = [p for p in with_histogram(cell.stable_points()) if abs(p.rate / 2000 - 1) < 0.01]
        if not points:
            raise Skip("no stable trial at 2000/s with a histogram")
        at[name] = points[0]
    more = drawn[1][0].number("attempts_per_request") - 1
    p99 = [at[name].histogram.percentile(99) / 1e6 for _, name, _, _ in drawn]
    page = Slide(f"{plain(100 * more, 2)}% more attempts take p99 from {plain(p99[0])} to {plain(p99[1])} ms", subtitle(run, text),
                 ["Response at 2000/s over 200 servers, so that hardly anything queues. Dashes: the closed form F(t), and past 10 ms "
                  "F(t) F(t - 10 ms), where F is the share of calls that take longer than t. "
                  f"By it {plain(100 * theory.stragglers_tail(10), 2)}% of the calls are sent twice.", warnings(run)])
    axes = page.axes(right=0.97)
    curves = {name: tail(at[name].histogram) for _, name, _, _ in drawn}
    log_axes(axes, [x for xs, _ in curves.values() for x in xs], [y for _, ys in curves.values() for y in ys])
    end = max(max(xs) for xs, _ in curves.values()) * 1.1
    axes.set_xlim(1.25, end)
    percentile_axis(axes.xaxis, end)
    time_axis(axes.yaxis, *axes.get_ylim())
    axes.set_xlabel("percentile of requests")
    axes.set_ylabel("response (ms)")
    for cell, name, colour, delay in drawn:
        axes.plot(*curves[name], color=colour, lw=2.6)
        xs = numpy.geomspace(1.3, end, 120)
        axes.plot(xs, [theory.hedged_percentile(theory.stragglers_tail, delay, 1 / x) for x in xs], color=INK, lw=1.3, ls=FORM, zorder=6)
        value = at[name].histogram.percentile(99) / 1e6
        form = theory.hedged_percentile(theory.stragglers_tail, delay, 0.01)
        axes.plot([100], [value], color=colour, marker="o", ms=9, mec="white", zorder=7)
        above = delay == math.inf
        axes.annotate(f"{name}\np99 = {plain(value)} ms, closed form {plain(form)} ms", (100, value), (-12, 8) if above else (10, -12),
                      textcoords="offset points", ha="right" if above else "left", va="bottom" if above else "top", fontsize=SIZE,
                      fontweight="bold", color=colour)
    return page


def fan(run):
    """The share of slow requests against the number of leaves that a request needs."""
    text, cells = by_policy(run)
    found = {}
    for policy, cell in cells.items():
        name, options = options_in(policy)
        points = with_histogram(cell.points)
        if points:
            point = min(points, key=lambda p: abs(p.rate - 100))
            found[int(options["out"]) if name == "fan" else policy] = 1 - share_within(point.histogram, 5e6)
    fans = sorted(size for size in found if isinstance(size, int))
    if len(fans) < 2:
        raise Skip("fewer than two sizes of a fan have a valid trial")
    page = Slide(f"1% slow leaves make {plain(100 * found.get(100, found[fans[-1]]), 2)}% of the requests slow that need 100 of them" if 100 in found else
                 "Slow leaves make slow requests", subtitle(run, text),
                 ["A leaf takes 1 ms, one in a hundred 10 ms; a request ends with its last leaf. Slow: more than 5 ms. Dashes: the closed form "
                  "1 - 0.99^n. A second attempt goes to a leaf that has not answered after 2 ms: by the closed form 1 - (1 - 0.01 x 0.01)^100.",
                  warnings(run)])
    axes = page.axes(right=0.97)
    axes.set_xscale("log")
    axes.set_xlim(fans[0] / 1.6, fans[-1] * 1.25)
    axes.set_ylim(-2, 76)
    line = numpy.geomspace(fans[0], fans[-1], 100)
    axes.plot(line, [100 * (1 - 0.99 ** n) for n in line], color=INK, lw=1.4, ls=FORM)
    axes.plot(fans, [100 * found[size] for size in fans], color=SECOND, **{**MARK, "ms": 11})
    for size in fans:
        axes.annotate(f"{plain(100 * found[size], 3)}%", (size, 100 * found[size]), (-10, 8), textcoords="offset points", ha="right", va="bottom",
                      fontsize=SIZE, fontweight="bold", color=SECOND)
    if "hedged" in found:
        axes.plot([100], [100 * found["hedged"]], color=FIRST, **{**MARK, "ms": 11, "marker": "D"})
        axes.annotate(f"100 leaves, late ones\nasked once more: {plain(100 * found['hedged'], 2)}%\n(closed form {plain(100 * (1 - (1 - 1e-4) ** 100), 2)}%)",
                      (100, 100 * found["hedged"]), (-14, 4), textcoords="offset points", ha="right", va="bottom", fontsize=SIZE, fontweight="bold",
                      color=FIRST)
    put_ticks(axes.xaxis, plain, fans)
    put_ticks(axes.yaxis, lambda value: f"{plain(value)}%", (0, 20, 40, 60))
    axes.set_xlabel("leaves that a request needs")
    axes.set_ylabel("slow requests")
    return page


RETRIES = (("no_retry", "gives up after 250 ms", THIRD), ("retry", "asks once more", SECOND), ("budget_5%", "asks once more, budget 5%", FIRST))
CAPACITY, OFFERED, STALL, TIMEOUT = 300, 280, 1.0, 0.25  # of learn_retry.toml, per second and in seconds


def back_after(sent):
    """Seconds from the stall until a request is answered in time again, where `sent` attempts a second meet the servers: the backlog of
    the stall drains until the wait is shorter than the timeout. None where it never does."""
    return STALL + (sent * STALL - CAPACITY * TIMEOUT) / (CAPACITY - sent) if sent < CAPACITY else None


def retry(run):
    """Goodput and attempts around a stall, slice by slice."""
    text, cells = by_policy(run)
    shown = timelines(run, text)
    drawn = [(shown[cells[policy].series], name, colour) for policy, name, colour in RETRIES if policy in cells and cells[policy].series in shown]
    if not drawn:
        raise Skip("no trial has a trigger")
    page = Slide("A stall of one second, and retries keep the system down for good", subtitle(run, text),
                 [f"{CAPACITY}/s are carried and {OFFERED}/s offered. Closed form: where L attempts a second reach the servers the backlog of the stall falls below "
                  f"the timeout after 1 s + (L - {plain(CAPACITY * TIMEOUT)}) / ({CAPACITY} - L): L = {OFFERED} without retries, 1.05 x {OFFERED} = {plain(1.05 * OFFERED)} with a "
                  f"budget of 5%; with a retry of each L = {2 * OFFERED} > {CAPACITY}: never.", warnings(run)])
    begin, until = lasts(drawn[0][0][1])
    for at, (title, column, reference, words) in enumerate((("answered in time (requests/s)", "goodput_per_s", OFFERED, "offered"),
                                                            ("attempts at the servers (per second)", "attempts_per_s", CAPACITY, "capacity"))):
        axes = page.axes(0.06 + 0.475 * at, 0.5 + 0.475 * at, top=page.top - 0.42 / page.height)
        axes.set_title(title, loc="left", fontsize=13, color=INK, pad=10)
        end, top = 0.0, reference
        for (_, _, own), name, colour in drawn:
            values, step = values_of(own, column), finite(own.get("slice_s"))
            xs = [(i + 0.5) * step for i in range(len(values))]
            axes.plot(xs, values, color=colour, lw=2.4, zorder=4)
            end, top = max(end, len(values) * step), max([top] + values)
        if at == 1:
            for line, ((_, _, own), name, colour) in enumerate(drawn):
                after, form = own.get("recovered_after_s"), back_after(OFFERED * {"asks once more": 2, "asks once more, budget 5%": 1.05}.get(name, 1))
                said = "not again" if after is None else f"again after {plain(finite(after))} s"
                axes.annotate(f"{name}: {said}\n(closed form: {'never' if form is None else f'{plain(form)} s'})", (0.56, 0.355 - 0.125 * line),
                              xycoords="axes fraction", ha="center", va="center", fontsize=SIZE, fontweight="bold", color=colour)
        axes.axvspan(begin, until, color=MUTED, alpha=0.3, lw=0, zorder=1)
        axes.axhline(reference, color=MUTED, lw=1.3, ls=FORM, zorder=2)
        axes.annotate(f"{words} {reference}/s", (0.6, reference), (0, 5), xycoords=("axes fraction", "data"), textcoords="offset points", ha="center",
                      va="bottom", fontsize=SIZE, color=MUTED)
        axes.set_xlim(0, end)
        axes.set_ylim(0, 1.15 * top)
        axes.set_xlabel("time (s); grey: the stall")
        rate_axis(axes.yaxis, False, 0, top)
    return page


LONE, MANY = 2, 100  # of learn_pipeline.toml, requests a second


def pipeline(run):
    """The response of a lone request against the number of buffers before the servers."""
    text, cells = by_policy(run)
    linger, service, found = 50.0, 5.0, {}
    for policy, cell in cells.items():
        count = int(policy.partition("_")[0]) if policy else 0
        for point in with_histogram(cell.points):
            found.setdefault(round(point.rate), {})[count] = point.histogram.percentile(50) / 1e6
    lone = found.get(LONE)
    if not lone or len(lone) < 2:
        raise Skip(f"fewer than two numbers of buffers have a valid trial at {LONE}/s")
    most = max(lone)
    page = Slide(f"{most} buffers of {plain(linger)} ms: a lone request waits {plain(most * linger)} ms for {plain(service)} ms of work",
                 subtitle(run, text),
                 ["Median response. Each buffer passes on after 50 ms what came in, or 64 requests; a request takes 5 ms on the server. "
                  "Dashes: the closed form for a lone request, 5 ms + 50 ms for each buffer.", warnings(run)])
    axes = page.axes(right=0.86)
    labels = Labels(axes, SIZE)
    axes.set_xlim(-0.15, most + 0.15)
    axes.set_ylim(0, 1.15 * (service + most * linger))
    axes.plot([0, most], [service, service + most * linger], color=INK, lw=1.4, ls=FORM)
    for level, colour in ((LONE, SECOND), (MANY, FIRST)):
        line = sorted(found.get(level, {}).items())
        if len(line) < 2:
            continue
        axes.plot(*zip(*line), color=colour, **{**MARK, "ms": 11 if level == LONE else 8})
        labels.add(*line[-1], f"{level}/s: {plain(line[-1][1])} ms" + ("" if level == LONE else f"\n(batches queue)"), colour)
    axes.set_xticks(range(most + 1))
    put_ticks(axes.yaxis, plain, most=7)
    axes.set_xlabel("buffers before the servers")
    axes.set_ylabel("median response (ms)")
    labels.place()
    return page


# -- shedding --------------------------------------------------------------------------------------

SERVED, PATIENCE, ROOM = 200.0, 0.1, 16  # of learn_shed.toml: per second, seconds, requests


def gamma_within(stages, service_rate, t):
    """P(the sum of that many exponential services <= t)."""
    term, total = 1.0, 0.0
    for k in range(stages):
        total += term
        term *= service_rate * t / (k + 1)
    return 1 - math.exp(-service_rate * t) * total


def bounded(load):
    """Requests a second that M/M/1/K answers within the callers' patience."""
    rho = load / SERVED
    weights = [rho ** n for n in range(ROOM + 1)]
    return load * sum(weights[n] * gamma_within(n + 1, SERVED, PATIENCE) for n in range(ROOM)) / sum(weights)


def unbounded(load):
    """The same of M/M/1; nothing beyond what it carries."""
    return load * (1 - math.exp(-(SERVED - load) * PATIENCE)) if load < SERVED else 0.0


def shed(run):
    """What is answered within the callers' patience against what is offered."""
    text, cells = by_policy(run)
    drawn = [(cell_of(cells, ""), "no bound", SECOND), (cell_of(cells, "limit_16"), f"at most {ROOM} inside", FIRST),
             (cell_of(cells, "deadline"), "dropped after 80 ms", THIRD)]
    page = Slide("Beyond what it carries, a queue that answers all is of use to nobody", subtitle(run, text),
                 ["Answered within 100 ms, the callers' patience: goodput times the share of responses up to that. Dashes: the closed forms of M/M/1 "
                  f"and M/M/1/{ROOM}. Upright: what is carried, {plain(SERVED)}/s.", warnings(run)])
    axes = page.axes(right=0.82)
    labels, loads = Labels(axes, SIZE), []
    for cell, name, colour in drawn:
        line = [(p.rate, p.goodput * share_within(p.histogram, PATIENCE * 1e9)) for p in with_histogram(cell.points)]
        if not line:
            raise Skip(f"no trial of '{name}' has a histogram")
        line.sort()
        loads += [x for x, _ in line]
        axes.plot(*zip(*line), color=colour, lw=1.6, alpha=0.6, zorder=3)
        axes.plot(*zip(*line), color=colour, **MARK)
        labels.avoid_line(*zip(*line))
        labels.add(*line[-1], f"{name}\n{plain(line[-1][1])}/s", colour)
    top = max(loads)
    xs = numpy.linspace(1, top, 300)
    for form in (unbounded, bounded):
        axes.plot(xs, [form(x) for x in xs], color=INK, lw=1.3, ls=FORM, zorder=4)
    axes.axvline(SERVED, color=MUTED, lw=1.3, zorder=2)
    axes.plot([0, SERVED], [0, SERVED], color=MUTED, lw=1, zorder=1)
    axes.set_xlim(0, top * 1.02)
    axes.set_ylim(-4, SERVED * 1.12)
    for axis in (axes.xaxis, axes.yaxis):
        rate_axis(axis, False, 0, top)
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("answered within 100 ms (requests/s)")
    labels.place()
    return page


POLICY_LESSONS = {"batch": batch, "hedge": hedge, "fan": fan, "retry": retry, "pipeline": pipeline, "shed": shed}
