"""Charts of studies of batches: sizes, lingers, a tuner."""

import numpy

import precipice_run
from figures.media.axis import put_ticks
from figures.palette import MUTED
from figures.standard.slide import rate_axis, time_axis
from figures.words import plain
from studies import tradeoff_theory as theory
from studies.tradeoff_program import per_s, series
from studies.tradeoff_slide import FIFTH, FIRST, FOURTH, SECOND, SMALL, THIRD, Page, dots, form, joined, of, say


def value(cell, name):
    """Of an estimate."""
    return precipice_run.estimate(cell, name).value


def batch_costs(program):
    """Capacity against the size of a batch, for three ratios of the fixed part and an item."""
    cells, _ = program.run("batch_costs")
    sizes, line, gains, drawn = (1, 4, 16, 64), numpy.geomspace(1, 64, 60), [], []
    for fixed, item, fixed_ms, item_ms, words, colour in (("1ms", "100us", 1, 0.1, "1 ms + 0.1 ms an item", FIRST),
                                                          ("1ms", "1ms", 1, 1, "1 ms + 1 ms an item", SECOND),
                                                          ("10us", "1ms", 0.01, 1, "0.01 ms + 1 ms an item", THIRD)):
        found = [value(series(cells, f"fixed={fixed},item={item}|", f"size={size} "), "saturation_per_s") for size in sizes]
        gains.append(found[-1] / found[0])
        drawn.append((found, [1000 * b / (fixed_ms + item_ms * b) for b in line], words, colour))
    page = Page(f"The costs decide: batches of {sizes[-1]} carry {plain(gains[0], 2)}, {plain(gains[1])} or {plain(gains[2])} times as much",
                "Saturation of one server; a batch takes a fixed part and a part for each item",
                ["Closed form: b / (fixed part + b x item). A batch leaves as soon as the one before has ended."])
    axes = page.axes(0.09, 0.72)
    for (found, closed, words, colour), gain, up in zip(drawn, gains, (0, -15, 15)):
        form(axes, line, closed, colour)
        dots(axes, sizes, found, colour)
        say(axes, sizes[-1], found[-1], f"{words}:\n{plain(gain, 3)} times", colour, dx=10, dy=up)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlim(0.9, 72)
    axes.set_ylim(400, 12000)
    put_ticks(axes.xaxis, plain, (1, 4, 16, 64))
    rate_axis(axes.yaxis, True, 400, 12000, 4)
    axes.set_xlabel("requests in a batch, at most")
    axes.set_ylabel("saturation (requests/s)")
    return page


def linger(program):
    """Mean response against load, for lingers of several lengths."""
    cells, run = program.run("linger")
    drawn = []
    for name, words, seconds, colour in (("20ms", "20 ms", 0.02, FIFTH), ("5ms", "5 ms", 0.005, FIRST), ("1ms", "1 ms", 0.001, SECOND),
                                         ("500us", "0.5 ms", 0.0005, FOURTH), ("", "none, while another is served", 0, THIRD)):
        cell = series(cells, f"linger={name}" if name else "while_busy")
        policy = f"batch:size=16,linger={name}" if name else "batch:size=16,linger=0,running=1"
        cliff = value(cell, "cliff_per_s")
        loads = [each for each in (100, 200, 400, 800, 1200, 1600, 2500, 3500, 5000, 7000, 8200) if each < cliff]
        means = [of(program.trial("fixed=1ms,item=50us", policy, each, 60), "mean") for each in loads]
        drawn.append((words, seconds, cliff, loads, means, colour))
    by = {words: (cliff, means) for words, _, cliff, _, means, _ in drawn}
    page = Page(f"A linger of 5 ms costs {plain(by['5 ms'][1][0] - by[drawn[-1][0]][1][0], 2)} ms at 100/s and carries "
                f"{plain(by['5 ms'][0] / by['0.5 ms'][0], 2)} times what 0.5 ms does",
                "Batches of at most 16; 1 ms and 0.05 ms for each request in it; SLO p99 < 30 ms",
                ["Upright: the measured cliff. Closed form: linger T, rate L, wait T (1 + L T / 2) / (1 + L T), without queues before the server, drawn "
                 "until a batch has 16 requests or the server is three quarters busy."])
    axes = page.axes(0.085, 0.97)
    for words, seconds, cliff, loads, means, colour in drawn:
        joined(axes, loads, means, colour)
        dots(axes, loads, means, colour)
        axes.plot([cliff, cliff], [0.7, means[-1]], color=colour, lw=1.4, zorder=2)
        if seconds:
            most = min(15 / seconds, 0.75 * theory.linger_stable(seconds, 1e-3, 5e-5, 16))
            line = numpy.geomspace(100, most, 50)
            form(axes, line, [1000 * theory.linger_mean(each, seconds, 1e-3, 5e-5) for each in line], colour)
        say(axes, 100, means[0], words, colour, dx=7, dy=-13 if seconds < 0.001 else 12)
    for words in ("0.5 ms", "1 ms", "5 ms"):
        cliff = by[words][0]
        say(axes, cliff, 0.7, per_s(cliff), MUTED, dx=-4, dy=7, ha="right", size=SMALL, weight="normal")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(88, 10500)
    axes.set_ylim(0.7, 30)
    rate_axis(axes.xaxis, True, 88, 10500, 7)
    time_axis(axes.yaxis, 0.7, 30)
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("mean response (ms)")
    return page


def batch_tuner(program):
    """Capacity against size, with the size that the tuner finds."""
    cells, _ = program.run("batch_tuner")
    sizes = (4, 20, 64)
    found = [value(series(cells, f"size={size} "), "saturation_per_s") for size in sizes]
    tuned = value(series(cells, "tuned"), "saturation_per_s")
    trials = [program.trial("fixed=1ms,item=100us", f"batch:{keys},linger=0,running=1", 10000, 10)
              for keys in ("size=4", "size=20", "size=64", "size=auto,slo=3ms")]
    took = [trial["residence_ns"]["p99"] / 1e6 for trial in trials]
    mean = trials[-1]["batch"]["mean"]
    page = Page(f"A tuner with a bound of 3 ms carries {per_s(tuned)}, the best fixed size {per_s(found[1])}",
                "Saturation of one server; a batch takes 1 ms and 0.1 ms for each request in it",
                ["Closed form: b / (1 ms + b x 0.1 ms). The tuner adds one request after a batch within 3 ms and takes away a tenth after one beyond it; "
                 "it is drawn at the mean size of its batches. Times: p99 of a batch."])
    axes = page.axes(0.1, 0.97)
    line = numpy.linspace(1, 72, 140)
    axes.axvspan(20, 72, color=SECOND, alpha=0.08, lw=0, zorder=0)
    say(axes, 71, 500, "batches take longer than 3 ms", SECOND, ha="right", weight="normal")
    form(axes, line, [1000 * b / (1 + 0.1 * b) for b in line], FIRST)
    dots(axes, sizes, found, FIRST, size=11)
    for size, saturation, time, (dx, dy, ha) in zip(sizes, found, took, ((12, -4, "left"), (14, -14, "left"), (10, 18, "right"))):
        say(axes, size, saturation, f"size {size}: {per_s(saturation)}, {plain(time)} ms", FIRST, dx=dx, dy=dy, ha=ha)
    dots(axes, [mean], [tuned], SECOND, "D", 10)
    say(axes, mean, tuned, f"tuned, mean size {plain(mean)}:\n{per_s(tuned)}, {plain(took[-1])} ms", SECOND, dx=-10, dy=26, ha="right")
    axes.set_xlim(0, 72)
    axes.set_ylim(0, 10000)
    rate_axis(axes.yaxis, False, 0, 10000, 4)
    axes.set_xlabel("requests in a batch, at most")
    axes.set_ylabel("saturation (requests/s)")
    return page


CHARTS = (batch_costs, linger, batch_tuner)
