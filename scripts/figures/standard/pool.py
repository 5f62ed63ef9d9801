"""What the number of threads in a pool does to throughput and to latency."""

from figures.labels import Labels
from figures.palette import INK, MUTED, mix
from figures.standard.base import Skip, at_half_load, cliff_words, common, missing, subtitle, threads_axis, tone, warnings
from figures.standard.slide import Slide, rate_axis, time_axis
from figures.words import percentile_name


def pool_threads(run, text, name, cells):
    pools = {}
    for cell in cells:
        threads = cell.options.get("threads", "")
        if cell.model == "fixed_pool" and threads.isdigit() and cell.points:
            pools.setdefault(int(threads), cell)
    if len(pools) < 2:
        raise Skip("fewer than two measured fixed_pool series that differ in `threads`")
    sizes = sorted(pools)
    lacking = [c for c in cells if c.model == "fixed_pool"]
    extra = []
    carried = {"saturation": ("saturation_per_s", tone(0.25)), "cliff": ("cliff_per_s", tone(-0.3))}
    latency = {}
    for size in sizes:
        cell = pools[size]
        half = at_half_load(cell, cell.stable_points())
        if half:
            latency[size] = half
        else:
            extra.append((cell.series, f"no stable point at half load; {cliff_words(cell)}"))
    percentile = common(list(pools.values()), "slo_percentile", 99.0)
    page = Slide(f"What the size of fixed_pool does: {name}", subtitle(run, text),
                 ["Response from intended arrival; open loop. Left: 95% intervals; arrows: not reached. Right: the measured rate "
                  "nearest to half of each pool's own cliff (0.4 to 0.6); bars: lowest to highest block.",
                  missing(run, lacking, extra), warnings(run)])
    marker = run.styles[pools[sizes[0]].series].marker
    left = page.axes(0.075, 0.4, top=page.top - 0.42 / page.height)
    left.set_title("throughput", loc="left", fontsize=13, color=INK, pad=10)
    labels = Labels(left, 11)
    for words, (key, colour) in carried.items():
        each = [(size, *pools[size].estimate(key)) for size in sizes if pools[size].estimate(key)[0] > 0]
        if not each:
            continue
        xs, ys = [e[0] for e in each], [e[1] for e in each]
        left.plot(xs, ys, color=colour, lw=2, marker=marker, ms=8, mec="white", ls="-" if words == "saturation" else (0, (5, 2)))
        for size, value, low, high, reached in each:
            if reached == "ok" and low > 0 and high > 0:
                left.vlines(size, low, high, color=colour, lw=5, alpha=0.35)
            elif reached in ("above", "below"):
                left.annotate("", (size, value * (1.12 if reached == "above" else 0.88)), (size, value),
                              arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0})
        labels.avoid_line(xs, ys)
        labels.add(xs[-1], ys[-1], words, mix(colour, "#000000", 0.2))
    threads_axis(left, sizes)
    left.set_ylim(0, left.get_ylim()[1] * 1.06)
    rate_axis(left.yaxis, False, 0, 1)
    left.set_ylabel("requests/s")
    labels.place()
    right = page.axes(0.565, 0.89, top=page.top - 0.42 / page.height)
    right.set_title("response at half of its own cliff", loc="left", fontsize=13, color=INK, pad=10)
    right.set_yscale("log")
    labels = Labels(right, 11)
    seen = []
    lines = [(percentile_name(percentile), lambda p: p.response_ns, tone(0.25), "-")]
    if all(p.histogram is not None for p in latency.values()):
        lines.append(("p50", lambda p: p.histogram.percentile(50), tone(-0.3), (0, (5, 2))))
    for words, value, colour, dash in lines:
        if not latency:
            break
        xs = sorted(latency)
        ys = [value(latency[size]) / 1e6 for size in xs]
        right.plot(xs, ys, color=colour, lw=2, marker=marker, ms=8, mec="white", ls=dash)
        seen += ys
        if words != "p50":
            right.vlines(xs, [latency[s].response_low / 1e6 for s in xs], [latency[s].response_high / 1e6 for s in xs],
                         color=colour, lw=5, alpha=0.35)
            seen += [v / 1e6 for s in xs for v in (latency[s].response_low, latency[s].response_high)]
        labels.avoid_line(xs, ys)
        labels.add(xs[-1], ys[-1], words, mix(colour, "#000000", 0.2))
    threads_axis(right, sizes)
    if seen:
        bottom, top = min(seen) / 1.5, max(seen) * 1.5
        right.set_ylim(bottom, top)
        time_axis(right.yaxis, bottom, top)
    else:
        right.text(0.5, 0.5, "no stable point here", transform=right.transAxes, ha="center", color=MUTED)
    right.set_ylabel("response (ms)")
    labels.place()
    return page
