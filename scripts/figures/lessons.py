"""The charts of the guided path: one for each of its short suites, each made to show one thing."""

import math

import numpy

from curves import carried
from figures.labels import Labels
from figures.lesson import FIRST, SECOND, SIZE, THIRD, first, log_axes, rows
from figures.palette import INK, MUTED
from figures.policy_lessons import POLICY_LESSONS
from figures.standard.base import Skip, draw_curve, limits_x, subtitle, threads_axis, wants_logarithm, warnings
from figures.standard.slide import Slide, percentile_axis, rate_axis, time_axis
from figures.standard.spectrum import tail, whole
from figures.words import plain, rate
from precipice_run import Histogram, finite

def questions(run):
    """p50 of every pool against offered load: alike at first, eight times as far apart in what they carry."""
    text, cells = first(run)
    page = Slide("A lone request cannot tell the two pools apart; the load can", subtitle(run, text),
                 ["p50 from intended arrival, open loop, blocks merged; hollow: past saturation.", warnings(run)])
    axes = page.axes(right=page.right_of([run.styles[c.series].label + " saturates" for c in cells], SIZE))

    def median(p):
        return p.histogram.percentile(50) / 1e6 if p.histogram is not None else math.nan

    points = {c.series: [p for p in c.points if median(p) > 0] for c in cells}
    xs = [p.rate for ps in points.values() for p in ps]
    log_axes(axes, xs, [median(p) for ps in points.values() for p in ps])
    rate_axis(axes.xaxis, True, *axes.get_xlim())
    time_axis(axes.yaxis, *axes.get_ylim())
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("p50 response (ms)")
    labels = Labels(axes, SIZE)
    for cell in cells:
        style = run.styles[cell.series]
        end = draw_curve(run, axes, labels, cell, points[cell.series], median, median, median)
        saturation = cell.estimate("saturation_per_s").value
        axes.axvline(saturation, color=style.colour, lw=1.1, ls=(0, (4, 3)), alpha=0.7)
        labels.add(end.rate, median(end), f"{style.label}\nsaturates at {rate(saturation)}/s", style.ink)
    labels.place()
    return page


def mean(run):
    """The spectrum of one cell near half of saturation, with its mean: a level at which nothing happens."""
    text, cells = first(run)
    cell = cells[0]
    saturation = cell.estimate("saturation_per_s").value
    points = [p for p in cell.stable_points() if p.histogram is not None and p.rate < saturation]
    if not points:
        raise Skip("no stable point below saturation")
    point = min(points, key=lambda p: abs(p.rate / saturation - 0.5))
    xs, ys = tail(point.histogram)
    values, below = point.histogram.cumulative()
    counts = numpy.diff(numpy.concatenate([[0], below]))
    mean = float((values * counts).sum() / counts.sum()) / 1e6
    share = float(below[numpy.searchsorted(values, mean * 1e6, side="right") - 1] / below[-1])
    style = run.styles[cell.series]
    page = Slide(f"The mean of {plain(mean)} ms is nobody's wait: {plain(100 * share, 2)}% of requests take less",
                 subtitle(run, text),
                 [f"Response from intended arrival at {rate(point.rate)}/s, {plain(100 * point.rate / saturation, 2)}% of saturation, blocks "
                  "merged. The curve ends where fewer than 10 requests lie above it.", warnings(run)])
    axes = page.axes(right=0.88)
    log_axes(axes, xs, list(ys) + [mean])
    axes.set_xlim(1.25, max(xs) * 1.1)
    percentile_axis(axes.xaxis, max(xs) * 1.1)
    time_axis(axes.yaxis, *axes.get_ylim())
    axes.set_xlabel("percentile of requests")
    axes.set_ylabel("response (ms)")
    axes.plot(xs, ys, color=style.colour, lw=2.4)
    axes.axhline(mean, color=INK, lw=1.4, ls=(0, (5, 3)))
    axes.annotate(f"mean {plain(mean)} ms", (1, mean), (6, 0), xycoords=("axes fraction", "data"),
                  textcoords="offset points", va="center", fontsize=SIZE, fontweight="bold", color=INK)
    for p in (50, 90, 99):
        at = 1 / (1 - p / 100)
        if at > max(xs):
            continue
        value = point.histogram.percentile(p) / 1e6
        axes.plot([at], [value], **style.solid(9))
        left = p > 50  # of the mark, where there is room
        axes.annotate(f"p{p}: {plain(value)} ms", (at, value), (-10, 8) if left else (12, -4), textcoords="offset points",
                      ha="right" if left else "left", fontsize=SIZE, color=style.ink)
    return page


def knee(run):
    """Mean response against the share of saturation, the knees marked."""
    text, cells = first(run)
    page = Slide("The more the service varies, the sooner the knee", subtitle(run, text),
                 ["Mean response over the mean service S; simulated queues. Marks: the knee, where throughput over mean response "
                  "is highest, with its 95% interval.", warnings(run)])
    names = {c.series: c.options.get("service", c.series) for c in cells}
    axes = page.axes(right=page.right_of(list(names.values()) + ["knee at 39%"], SIZE))
    labels = Labels(axes, SIZE)
    axes.set_xlim(0, 0.92)
    axes.set_ylim(0, 8)
    for at, cell in enumerate(cells):
        saturation, service = cell.estimate("saturation_per_s").value, cell.number("service_time_ns")
        mine = [r for r in rows(run, False) if r["series"] == cell.series and carried(r) and r["phase"] != "coarse"]
        level = {}
        for row in mine:
            level.setdefault(row["rate_per_s"], []).append(row["mean_ns"] / service)
        curve = sorted((r / saturation, float(numpy.mean(v))) for r, v in level.items() if r / saturation < 0.9)
        xs, ys = [x for x, _ in curve], [y for _, y in curve]
        colour = (FIRST, SECOND, THIRD)[at % 3]
        axes.plot(xs, ys, color=colour, lw=2.2, marker="o", ms=6, mec="white")
        knee = cell.estimate("knee_per_s")
        x = knee.value / saturation
        y = float(numpy.interp(x, xs, ys))
        axes.plot([knee.low / saturation, knee.high / saturation], [y, y], color=colour, lw=6, alpha=0.4)
        axes.plot([x], [y], marker="D", ms=11, color=colour, mec="white", zorder=6)
        labels.avoid_line(xs, ys)
        inside = [i for i, value in enumerate(ys) if value < 7.6][-1]
        labels.add(xs[inside], ys[inside], f"{names[cell.series]}\nknee at {plain(100 * x, 2)}%", colour)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8], ["0", "20%", "40%", "60%", "80%"])
    axes.set_xlabel("offered load, share of saturation")
    axes.set_ylabel("mean response / S")
    labels.place()
    return page


def little(run):
    """Counted in flight against rate x response, of every trial."""
    text, _ = first(run)
    marks = [(False, "open loops", "o", FIRST), (True, "closed loops", "s", SECOND)]
    every = {closed: [(r["goodput_per_s"] * r["mean_ns"] / 1e9, r["in_flight_mean"]) for r in rows(run, closed)
                      if r["stable"] and r["goodput_per_s"] > 0 and r["in_flight_mean"] > 0] for closed, *_ in marks}
    pairs = every[False] + every[True]
    if not pairs:
        raise Skip("no trial that was carried")
    off = sorted(abs(y / x - 1) for x, y in pairs)
    page = Slide(f"N = rate x response, in {len(pairs)} of {len(pairs)} trials to within {plain(100 * off[-1], 2)}%"
                 if off[-1] < 0.1 else "N = rate x response", subtitle(run, ""),
                 ["Each mark is a trial that was carried: in flight is counted continuously, throughput and mean response are measured "
                  f"apart from it. Half of the trials lie within {plain(100 * off[len(off) // 2], 2)}%.", warnings(run)])
    axes = page.axes(right=0.87)
    log_axes(axes, [x for x, _ in pairs], [y for _, y in pairs])
    ends = [max(axes.get_xlim()[0], axes.get_ylim()[0]), min(axes.get_xlim()[1], axes.get_ylim()[1])]
    axes.plot(ends, ends, color=MUTED, lw=1.2)
    labels = Labels(axes, SIZE)
    for closed, words, marker, colour in marks:
        if not every[closed]:
            continue
        xs, ys = zip(*every[closed])
        axes.plot(xs, ys, ls="none", marker=marker, ms=8, mfc=colour, mec="white", alpha=0.85)
        labels.add(*max(every[closed]), words, colour)
    for axis in (axes.xaxis, axes.yaxis):
        rate_axis(axis, True, *ends)
    axes.set_xlabel("throughput x mean response (requests)")
    axes.set_ylabel("counted in flight (requests)")
    labels.place()
    return page


def omission(run):
    """One stall of a server, as arrivals that do not wait and as one that does have it."""
    text, cells = first(run)
    cell = cells[0]
    half = cell.estimate("saturation_per_s").value / 2
    points = [p for p in cell.stable_points() if p.histogram is not None]
    loops = [r for r in rows(run, True) if r["closed"] == 1]
    if not points or not loops:
        raise Skip("no stable point of the open loop with a histogram, or no closed loop of one")
    point = min(points, key=lambda p: abs(p.rate - half))
    waits = Histogram.merged(list(run.raw.histograms(r["key"] for r in loops).values()))
    curves = [(f"open loop, {rate(point.rate)}/s", point.histogram, FIRST), ("closed loop of one", waits, SECOND)]
    stall = plain(finite(cell.options.get("stall_for", "").removesuffix("ms")))
    page = Slide(f"The same stall of {stall} ms: arrivals that wait for it hide it", subtitle(run, text),
                 ["Simulated server, S = 0.5 ms, paused once a trial. Open loop: from intended arrival. Closed loop: the next request "
                  "begins when the last has ended, so one request of thousands meets the stall.", warnings(run)])
    axes = page.axes(right=0.97)
    drawn = [(name, whole(histogram), colour) for name, histogram, colour in curves]
    log_axes(axes, [x for _, (xs, _), _ in drawn for x in xs], [y for _, (_, ys), _ in drawn for y in ys])
    axes.set_xlim(1.25, max(max(xs) for _, (xs, _), _ in drawn) * 1.1)
    percentile_axis(axes.xaxis, axes.get_xlim()[1])
    time_axis(axes.yaxis, *axes.get_ylim())
    axes.set_xlabel("percentile of requests")
    axes.set_ylabel("response (ms)")
    for name, (xs, ys), colour in drawn:
        axes.plot(xs, ys, color=colour, lw=2.6)
    at = 100
    for (name, (xs, ys), colour), above in zip(drawn, (True, False)):
        value = float(numpy.interp(at, xs, ys))
        axes.plot([at], [value], marker="o", ms=9, color=colour, mec="white", zorder=5)
        axes.annotate(f"{name}\np99 = {plain(value)} ms", (at, value), (-14 if above else 0, 6 if above else 14),
                      textcoords="offset points", ha="right" if above else "center", va="bottom", fontsize=SIZE,
                      fontweight="bold", color=colour)
    return page


def threads(run):
    """Saturation of pools against their threads, on waiting and on computing."""
    page = Slide("Threads carry waiting; they do not carry computing", subtitle(run, ""),
                 ["Saturation with its 95% interval, each divided by that of the smallest pool on the same work.", warnings(run)])
    axes = page.axes(right=0.83)
    labels = Labels(axes, SIZE)
    sizes, tops = set(), []
    for at, (text, name, cells) in enumerate(run.workloads):
        pools = sorted((int(c.options["threads"]), c.estimate("saturation_per_s")) for c in cells
                       if c.estimate("saturation_per_s").value > 0)
        if len(pools) < 2:
            raise Skip(f"fewer than two pools were measured on {text}")
        base = pools[0][1].value
        colour = (FIRST, SECOND, THIRD)[at % 3]
        xs, ys = [size for size, _ in pools], [e.value / base for _, e in pools]
        axes.plot(xs, ys, color=colour, lw=2.4, marker="o", ms=9, mec="white")
        for (size, e), y in zip(pools, ys):
            axes.vlines(size, e.low / base, e.high / base, color=colour, lw=5, alpha=0.35)
            axes.annotate(f"{rate(e.value)}/s", (size, y), (0, -22 if at else 11), textcoords="offset points", ha="center",
                          fontsize=SIZE, color=colour)
        labels.add(xs[-1], ys[-1], text, colour)
        sizes |= set(xs)
        tops += ys
    threads_axis(axes, sorted(sizes))
    axes.set_yscale("log", base=2)
    axes.set_ylim(min(tops) / 1.6, max(tops) * 1.6)
    ticks = [2 ** k for k in range(0, 12) if 2 ** k <= max(tops) * 1.6]
    axes.set_yticks(ticks, [f"{tick}x" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylabel("saturation, smallest pool = 1")
    labels.place()
    return page


def work(run):
    """Saturation of every model, a panel for each workload."""
    page = Slide("Models differ in how they wait, hardly in how they compute", subtitle(run, ""),
                 ["Saturation with its 95% interval; one block, so the interval is that of counting.", warnings(run)])
    count = len(run.workloads)
    order = [c.series for c in run.workloads[0][2]]
    for at, (text, name, cells) in enumerate(run.workloads):
        width = (0.97 - 0.19) / count
        axes = page.axes(0.19 + at * width, 0.19 + (at + 1) * width - 0.05, top=page.top - 0.42 / page.height)
        axes.set_title(text, loc="left", fontsize=13, color=INK, pad=10)
        top = max((value for c in cells if (value := c.estimate("saturation_per_s").value) > 0), default=0)
        if not top:
            raise Skip(f"no saturation was measured on {text}")
        for cell in cells:
            e, y = cell.estimate("saturation_per_s"), order.index(cell.series)
            style = run.styles[cell.series]
            axes.barh(y, e.value, color=style.colour, height=0.62)
            axes.plot([e.low, e.high], [y, y], color=INK, lw=1.6)
            mark = "> " if e.reached == "above" else ""
            axes.annotate(f"{mark}{rate(e.value)}", (max(e.value, e.high), y), (6, 0), textcoords="offset points", va="center",
                          fontsize=SIZE, color=INK)
        axes.set_yticks(range(len(order)), [run.styles[s].label for s in order] if at == 0 else [""] * len(order), fontsize=SIZE)
        axes.invert_yaxis()
        axes.set_xlim(0, top * 1.25)
        rate_axis(axes.xaxis, False, 0, top, inches=5)
        axes.set_xlabel("requests/s")
        axes.grid(False, axis="y")
    return page


def past(run):
    """Goodput and p99 through the overload."""
    text, cells = first(run)
    page = Slide("Past the cliff throughput is paid for in latency", subtitle(run, text),
                 ["Open loop, from intended arrival, medians over blocks; hollow: past saturation. Recovery: the time until the backlog "
                  "of an overload is done, over what it should take at saturation.", warnings(run)])
    panels = [("goodput (requests/s)", 0.065, 0.4, lambda p: p.goodput), ("p99 response (ms)", 0.53, 0.85, lambda p: p.response_ns / 1e6)]
    logarithmic = wants_logarithm(cells)
    for words, low, high, value in panels:
        axes = page.axes(low, high, top=page.top - 0.1 / page.height)
        points = [p for c in cells for p in c.points]
        limits_x(axes, cells, logarithmic, [p.rate for p in points])
        labels = Labels(axes, SIZE - 1)
        if "p99" in words or logarithmic:
            axes.set_yscale("log")
            every = [value(p) for p in points if value(p) > 0]
            axes.set_ylim(min(every) / 1.5, max(every) * 1.6)
            (time_axis if "p99" in words else lambda a, b, t: rate_axis(a, True, b, t))(axes.yaxis, *axes.get_ylim())
        else:
            axes.set_ylim(0, max(value(p) for p in points) * 1.15)
            rate_axis(axes.yaxis, False, 0, 1)
        axes.set_ylabel(words)
        for cell in cells:
            style = run.styles[cell.series]
            end = draw_curve(run, axes, labels, cell, cell.points, value, value, value)
            text = style.label
            recovery = cell.estimate("recovery")
            if "p99" in words and recovery.value > 0:
                text += f"\nrecovery {'> ' if recovery.reached == 'above' else ''}{plain(recovery.value, 2)}"
            if "p99" in words:
                labels.add(end.rate, value(end), text, style.ink)
        labels.place()
    return page


LESSONS = {"questions": questions, "mean": mean, "knee": knee, "little": little, "omission": omission, "threads": threads, "work": work,
           "past": past, **POLICY_LESSONS}  # lesson(run) -> Slide, or Skip


def page_of(run):
    """(lesson, page) of a run of the guided path; Skip says why there is none."""
    suite = run.summary.get("suite") or run.suite.get("name")
    name = str(suite or "").removeprefix("learn_")
    if name not in LESSONS:
        raise Skip(f"'{suite}' is no suite of the guided path (learn_{', learn_'.join(LESSONS)})")
    return name, LESSONS[name](run)
