"""How series fare around a trigger: goodput, p99 and attempts, slice by slice of one trial."""

import math

from figures.media.axis import put_ticks
from figures.palette import INK, MUTED
from figures.standard.base import Skip, subtitle, warnings
from figures.standard.slide import Slide
from figures.triggers import lasts
from figures.words import plain, rate
from precipice_run import finite

PANELS = (("goodput (requests/s)", "goodput_per_s", 1.0), ("p99 of the response (ms)", "p99_ns", 1e6),
          ("attempts (per second)", "attempts_per_s", 1.0))  # title, values, unit of the axis


def timelines(run, text):
    """{series: (rate, trigger, timeline)} of the first block's valid trial at the highest rate that has one."""
    found = {}
    for entry in run.raw.trials():
        if entry.get("workload") != text or not entry.get("used", True):
            continue
        trial = entry.get("trial") or {}
        timeline, trigger = trial.get("timeline"), (trial.get("request") or {}).get("trigger")
        if not isinstance(timeline, dict) or not trigger:
            continue
        key = (finite(trial.get("rate_per_s")), -int(entry.get("block") or 0))
        if entry["series"] not in found or key > found[entry["series"]][0]:
            found[entry["series"]] = (key, trigger, timeline)
    return {series: (key[0], trigger, timeline) for series, (key, trigger, timeline) in found.items()}


def timeline(run, text, name, cells):
    shown = timelines(run, text)
    if not shown:
        raise Skip("no trial has a trigger")
    drawn = [cell for cell in cells if cell.series in shown]
    offered, trigger = next(iter(shown.values()))[:2]
    panels = [panel for panel in PANELS if any(values_of(shown[c.series][2], panel[1]) for c in drawn)]
    slo = max((c.number("slo_ns") for c in drawn), default=math.nan)
    page = Slide(f"{trigger[0].upper() + trigger[1:]}: {name}", subtitle(run, text),
                 [f"{rate(offered)} requests/s offered; one trial of the first block, in {len(values_of(shown[drawn[0].series][2], 'goodput_per_s'))} "
                  "slices. Goodput and attempts by the time at which they happen, p99 by intended arrival. Grey: the trigger; dashed: what is offered, and the SLO. "
                  + recovered(run, drawn, shown), warnings(run)],
                 styles=[run.styles[c.series] for c in drawn])
    wide = (0.975 - 0.06) / len(panels)
    for at, (title, column, unit) in enumerate(panels):
        axes = page.axes(0.06 + at * wide, 0.06 + (at + 1) * wide - 0.045, top=page.top - 0.42 / page.height)
        axes.set_title(title, loc="left", fontsize=13, color=INK, pad=10)
        panel(run, axes, drawn, shown, column, unit, slo)
    return page


def values_of(timeline_, column):
    values = timeline_.get(column)
    return [finite(value) for value in values] if isinstance(values, list) else []


def recovered(run, drawn, shown):
    said = []
    for cell in drawn:
        after = shown[cell.series][2].get("recovered_after_s")
        said.append(f"{run.styles[cell.series].label} " + ("has not recovered by the end" if after is None else f"after {finite(after):.3g} s"))
    return "Within the SLO again: " + "; ".join(said) + "."


def panel(run, axes, drawn, shown, column, unit, slo):
    peak, end = 0.0, 0.0
    for nth, cell in enumerate(drawn):
        own = shown[cell.series][2]
        step = finite(own.get("slice_s"))
        values = [value / unit for value in values_of(own, column)]
        at = [(i + 0.5) * step for i in range(len(values))]
        style = run.styles[cell.series]
        # A mark now and then, at other slices for each series: dashes alone are hard to tell apart.
        axes.plot(at, values, color=style.colour, ls=style.dash, lw=2, zorder=4, markevery=(2 + 3 * nth % 9, 9), **style.solid(8))
        peak = max([peak] + [value for value in values if value > 0])
        end = max(end, step * len(values))
    offered, trigger, own = shown[drawn[0].series]
    begin, until = lasts(trigger)
    axes.axvspan(begin, min(until, end), color=MUTED, alpha=0.25, lw=0, zorder=1)
    reference = slo / unit if column == "p99_ns" else offered
    if reference > 0:
        axes.axhline(reference, color=MUTED, lw=1.2, ls=(0, (5, 4)), zorder=2)
    axes.set_xlim(0, end)
    put_ticks(axes.xaxis, plain, most=7)
    axes.set_xlabel("time in the window (s)")
    if column == "p99_ns" and peak > 20 * max(reference, 1e-9) * 0.1:
        low = min(value / unit for c in drawn for value in values_of(shown[c.series][2], column) if value > 0)
        axes.set_yscale("log")
        axes.set_ylim(min(low, reference if reference > 0 else low) / 1.5, max(peak, reference) * 1.5)
        put_ticks(axes.yaxis, plain, subs=(1, 2, 5))
    else:
        top = 1.12 * max(peak, reference if reference > 0 else 0, 1e-9)
        axes.set_ylim(-0.03 * top, top)
        put_ticks(axes.yaxis, plain if column == "p99_ns" else rate, most=6)
