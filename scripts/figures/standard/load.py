"""Response and goodput against offered load: the two curves of a workload."""

from figures.labels import Labels
from figures.palette import INK, MUTED
from figures.standard.base import (SMALL, Skip, cliff_words, common, draw_curve, legend_of, limits_x, method, missing, named, subtitle,
                                   up_to_edge, wants_logarithm, warnings, with_points)
from figures.standard.slide import Slide, rate_axis, time_axis
from figures.words import duration, percentile_name, rate


def response(run, text, name, cells):
    drawn = with_points(cells)
    return named(run, drawn, lambda beside: response_page(run, text, name, cells, drawn, beside))


def response_page(run, text, name, cells, drawn, beside):
    percentile = common(drawn, "slo_percentile", 99.0)
    slos = sorted({c.number("slo_ns") for c in drawn if c.number("slo_ns") > 0})
    values = [v / 1e6 for c in drawn for p in c.points for v in (p.response_low, p.response_high) if v > 0]
    values += [slo / 1e6 for slo in slos]
    bottom, top = min(values) / 1.6, max(values) * 1.5
    # The backlog of an overload grows with the window and would squeeze the cliff out of sight.
    carried = [v / 1e6 for c in drawn for p in c.stable_points() for v in (p.response_high, 20 * (slos or [0])[-1])]
    if carried and top > 1.5 * max(carried):
        top = 1.5 * max(carried)
    edge = top / (top / bottom) ** 0.06
    shown = {c.series: up_to_edge(c.points, edge) for c in drawn}
    beyond = any(p.response_ns / 1e6 > edge for points in shown.values() for p in points)
    marks = "Lines never fall with the load. "
    marks += ("Filled mark on the SLO line: the cliff and its 95% interval. " if slos else "")
    marks += "With an arrow: beyond the edge, and growing with the window." if beyond else ""
    page = Slide(f"{percentile_name(percentile)} response time against offered load: {name}", subtitle(run, text),
                 [method(run, True), marks, missing(run, cells), warnings(run)], styles=legend_of(run, drawn, beside))
    size = 11 if len(drawn) <= 7 else SMALL
    names = {c.series: page.beside(run.styles[c.series].label, size) for c in drawn}
    axes = page.axes(right=page.right_of([*names.values(), "SLO p99 ≤ 10 ms"], size))
    labels = Labels(axes, size)
    axes.set_yscale("log")
    limits_x(axes, drawn, wants_logarithm(drawn), [p.rate for points in shown.values() for p in points])
    axes.set_ylim(bottom, top)
    time_axis(axes.yaxis, bottom, top)
    axes.set_ylabel(f"{percentile_name(percentile)} response (ms)")
    for slo in slos:
        axes.axhline(slo / 1e6, color=INK, lw=1.3, zorder=3)
        labels.avoid_line(axes.get_xlim() if axes.get_xscale() == "log" else (1e-9, axes.get_xlim()[1]), [slo / 1e6] * 2)
        labels.avoid_text(axes.annotate(f"SLO {percentile_name(percentile)} ≤ {duration(slo)}", (1, slo / 1e6), (6, 0),
                                        xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=11,
                                        fontweight="bold", color=INK, va="center", annotation_clip=False))
    for cell in drawn:
        style = run.styles[cell.series]
        end = draw_curve(run, axes, labels, cell, shown[cell.series], lambda p: min(p.response_ns / 1e6, edge),
                         lambda p: min(p.response_low / 1e6, edge), lambda p: min(p.response_high / 1e6, edge), rises=True)
        for p in shown[cell.series]:
            if p.response_ns / 1e6 > edge:
                labels.forbid(p.rate, edge, top)
                axes.annotate("", (p.rate, edge), (0, 17), textcoords="offset points", annotation_clip=False,
                              arrowprops={"arrowstyle": "<|-", "color": style.colour, "lw": 1.2, "shrinkA": 0, "shrinkB": 6})
        value, low, high, reached = cell.estimate("cliff_per_s")
        slo = cell.number("slo_ns") / 1e6
        if reached == "ok" and slo > 0:
            axes.vlines(value, bottom, slo, color=style.colour, lw=1.1, alpha=0.55, ls=(0, (4, 3)), zorder=2)
            if low > 0 and high > 0:
                axes.plot([low, high], [slo, slo], color=style.colour, lw=5, alpha=0.5, solid_capstyle="butt", zorder=6)
            axes.plot([value], [slo], ls="none", clip_on=False, zorder=8, **style.solid(11))
        words = "\n" + cliff_words(cell) if beside else ""
        labels.add(end.rate, min(end.response_ns / 1e6, edge), names[cell.series] + words, style.ink)
    labels.place(all_of_them=beside)
    return page, [labels]


def goodput(run, text, name, cells):
    drawn = with_points(cells)
    goods = [v for c in drawn for p in c.points for v in (p.goodput_low, p.goodput_high) if v > 0]
    if not goods:
        raise Skip("no request of it completed with the right digest")
    return named(run, drawn, lambda beside: goodput_page(run, text, name, cells, drawn, goods, beside))


def goodput_page(run, text, name, cells, drawn, goods, beside):
    logarithmic = wants_logarithm(drawn)
    nothing = [run.styles[c.series].label for c in drawn if logarithmic and any(p.goodput == 0 for p in c.points)]
    page = Slide(f"Goodput against offered load: {name}", subtitle(run, text),
                 [method(run, True), "Goodput: completed inside the window with the right digest; median over blocks.",
                  missing(run, cells), f"Points without any goodput, off the axis: {', '.join(nothing)}." if nothing else "",
                  warnings(run)], styles=legend_of(run, drawn, beside))
    size = 11 if len(drawn) <= 7 else SMALL
    names = {c.series: page.beside(run.styles[c.series].label, size) for c in drawn}
    axes = page.axes(right=page.right_of([*names.values(), "SLO p99 ≤ 10 ms"], size))
    labels = Labels(axes, size)
    limits_x(axes, drawn, logarithmic, [p.rate for c in drawn for p in c.points])
    low, high = axes.get_xlim()
    ceiling = max(goods) * (1.6 if logarithmic else 1.15)
    floor = min(goods) / 1.3 if logarithmic else 0
    if logarithmic:
        axes.set_yscale("log")
    axes.set_ylim(floor, ceiling)
    rate_axis(axes.yaxis, logarithmic, max(floor, 1e-9), ceiling)
    axes.set_ylabel("goodput (requests/s)")
    axes.plot([low, high], [low, high], color=MUTED, lw=1.2, ls=(0, (5, 4)), zorder=1)
    end = min(high, ceiling) * 0.985
    labels.add(end, end, "all that is offered", MUTED, 180 if end < high * 0.9 else 0)
    labels.avoid_line([max(low, floor, 1e-9), end], [max(low, floor, 1e-9), end])
    for cell in drawn:
        style = run.styles[cell.series]
        end = draw_curve(run, axes, labels, cell, cell.points, lambda p: p.goodput, lambda p: p.goodput_low, lambda p: p.goodput_high)
        if end is None:
            continue
        value, _, _, reached = cell.estimate("saturation_per_s")
        words = {"ok": f"\nsaturates at {rate(value)}/s", "above": f"\nsaturation not reached by {rate(value)}/s"}
        words = words.get(reached, "\nsaturation not measured") if beside else ""
        labels.add(end.rate, end.goodput, names[cell.series] + words, style.ink)
    labels.place(all_of_them=beside)
    return page, [labels]
