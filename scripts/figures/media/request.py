"""Figures for a medium: which ones a request makes, from which runs, and what is left out of them."""

import os
import re
from dataclasses import dataclass

import matplotlib

from figures.cells import load_run
from figures.media import timeline
from figures.media.capacity import CAPACITY, COST
from figures.media.capacity import draw as draw_capacity
from figures.media.curves import draw as draw_curves
from figures.media.looks import looks_of
from figures.media.medium import media
from figures.media.plan import Panel, Plan, percentile_of, shows_slo, title_of
from figures.media.policies import FRONTIER, frontiers, has_costs, has_policies, work_axes
from figures.media.select import FACETS, RESPONSE, Selection, check_axes, gather
from figures.names import slug, slugs, workload_names
from figures.policies import options_in
from figures.save import save, save_reveal
from files import make_directories
from precipice_run import RunError, load_named


@dataclass
class Request:
    """What a command line asks for; see plot.py for the words."""

    medium: str
    runs: list
    x: str = ""
    y: str = ""
    facet: str = ""
    highlight: tuple = ()
    series: tuple = ()
    only: tuple = ()
    workload: str = ""
    reveal: bool = False
    dark: bool = False
    width: float = None
    formats: tuple = ()
    out: str = ""
    x_scale: str = "auto"
    y_scale: str = "auto"
    charts: tuple = ()  # which alone: of CHARTS


CHARTS = ("response", "goodput", "capacity", "frontier", "work", "cost", "timeline")


def draw_all(request):
    """Draws everything asked for; (files, sentences on what is not drawn)."""
    if request.facet and request.facet not in FACETS:
        raise RunError(f"--facet: {request.facet!r} is none of {', '.join(FACETS)}")
    for chart in request.charts:
        if chart not in CHARTS:
            raise RunError(f"--chart: {chart!r} is none of {', '.join(CHARTS)}, which --for {request.medium} can draw")
    if request.charts and (request.x or request.y):
        raise RunError("--chart: has axes of its own; leave out --x and --y, or --chart")
    if request.reveal and request.medium != "talk":
        raise RunError("--reveal: builds up a talk's slides; use it with --for talk")
    named = shortened(load_named(request.runs, load_run))
    if not any(run.raw.points for _, run in named):
        raise RunError("nothing to draw: no trial was made")
    sizes = media(request.medium, request.dark, request.width)
    every = [cell for _, run in named for _, _, cells in run.workloads for cell in cells]
    asked = Selection(request.only, (), request.workload, request.facet)
    wanted = [cell for _, run in named for text, name, cells in run.workloads for cell in cells if asked.takes(cell, text, name)]
    series, said = chosen_series(request, named, wanted or every, sizes[0])
    selection = Selection(request.only, series, request.workload, request.facet)
    said += not_drawn(named, selection)
    out = request.out or os.path.join(named[0][1].directory, "figures", request.medium)
    make_directories(out)
    files = []
    for medium in sizes:
        looks = looks_of(every, medium, request.highlight)
        formats = request.formats or medium.formats
        with matplotlib.rc_context(medium.rc()):
            for name, build in jobs(request, named, selection, medium, looks, said):
                built = build()
                name += medium.suffix
                files += save(built, out, name, formats)
                if request.reveal:
                    files += save_reveal(built, out, name, formats)
    if not files:
        raise RunError(f"nothing to draw: {said[-1]}" if request.charts and said else
                       "nothing to draw: no cell that was asked for has a valid open-loop trial")
    return out, files, list(dict.fromkeys(said))


def shortened(named):
    """Several runs that nobody gave a name, as short as tells them apart: by commit, else by time."""
    unnamed = [run for name, run in named if name.startswith(run.name)]
    if len(named) < 2 or len(unnamed) < len(named):
        return named
    parts = [run.name.rpartition("/")[2].rpartition("-") for run in unnamed]
    for names in ([commit for _, _, commit in parts], [time or commit for time, _, commit in parts]):
        if len(set(names)) == len(named):
            return list(zip(names, unnamed))
    return named


def not_drawn(named, selection):
    """A sentence for every cell that was asked for and could not, or not wholly, be measured."""
    return [f"{cell.series} on {text}: {cell.reason}" for _, run in named for text, name, cells in run.workloads
            for cell in cells if cell.reason and selection.takes(cell, text, name)]


def named_series(request, every):
    """The series that a request names, by series or model: all of them where it names none."""
    present = {cell.series: cell.called for cell in every}
    for one in request.series:
        if not any(one in names for names in present.values()):
            raise RunError(f"--series: {one!r} is no series or model here; there are {', '.join(present)}")
    return [series for series, names in present.items() if not request.series or names & set(request.series)]


def chosen_series(request, named, every, medium):
    """(series to draw, sentences): all of them, or on a slide the few that it can hold."""
    present = named_series(request, every)
    kinds, called_so = {cell.series: (cell.model, options_in(cell.policy)[0]) for cell in every}, {cell.series: cell.called for cell in every}
    if not medium.most or len(present) <= medium.most:
        return tuple(present) if request.series else (), []
    if request.series:
        raise RunError(f"--series: names {len(present)}, and a slide has at most {medium.most}")

    def worth(one):
        cliffs = [cell.estimate("cliff_per_s")[0] for cell in every if cell.series == one]
        return len([c for c in cliffs if c > 0]), max([c for c in cliffs if c > 0], default=0)

    lit = [s for s in present if called_so[s] & set(request.highlight)]
    best = {}
    for one in present:  # of each model and policy the series with the highest cliff
        if kinds[one] not in best or worth(one) > worth(best[kinds[one]]):
            best[kinds[one]] = one
    order = list(dict.fromkeys(lit + list(best.values()) + present))
    kept = [s for s in present if s in order[:medium.most]]
    left = [s for s in present if s not in kept]
    return tuple(kept), [f"a slide has at most {medium.most} series; left out: {', '.join(left)} (choose with --series)"]


def jobs(request, named, selection, medium, looks, said):
    """(file name, function that builds it) of every figure of one size."""
    def curves(kind, x, y):
        for plan in plans(request, named, x, y, kind, selection, medium, said):
            yield plan.name, lambda plan=plan: draw_curves(plan, medium, looks)

    if request.x or request.y:
        x, y = request.x or "rate_per_s", request.y or RESPONSE
        kind = {RESPONSE: "response", "goodput_per_s": "goodput"}.get(y, short(y))
        yield from curves(kind + ("" if x == "rate_per_s" else f"-over-{short(x)}"), x, y)
        return
    wanted = request.charts or [chart for chart in CHARTS if chart not in ("frontier", "work") or has_policies(named)
                                if (chart != "cost" or has_costs(named)) and (chart != "timeline" or timeline.has_triggers(named))]
    for kind, y in (("response", RESPONSE), ("goodput", "goodput_per_s")):
        if kind in wanted:
            yield from curves(kind, "rate_per_s", y)
    if "frontier" in wanted:
        yield from frontier_jobs(request, named, medium, looks, said)
    for kind, x, y in work_axes(named) if "work" in wanted else ():
        yield from curves(kind, x, y)
    if "capacity" in wanted:
        yield from capacities(named, selection, medium, looks)
    if "cost" in wanted:
        yield from capacities(named, selection, medium, looks, "cost", "Cost of a million requests at the cliff", COST)
    if "timeline" in wanted:
        yield from timeline_jobs(named, selection, medium, looks, said)


def frontier_jobs(request, named, medium, looks, said):
    """One figure per workload. A knob's values are one curve, so that a slide holds all of them."""
    every = [cell for _, run in named for _, _, cells in run.workloads for cell in cells]
    found = frontiers(named, Selection(request.only, tuple(named_series(request, every)), request.workload, ""))
    if not found:
        said.append("frontier: no series that was asked for has a policy, a saturation and a stable rate near half of it")
    names = called(named)
    files = slugs(names.get(text, text) for text in dict.fromkeys(curve.workload for curve in found))
    for text in dict.fromkeys(curve.workload for curve in found):
        panel = Panel("", [curve for curve in found if curve.workload == text])
        name = names.get(text, text)
        plan = plan_of(request, named, f"frontier-{files[name]}", f"{title_of(*FRONTIER, percentile_of(panel))}: {name}", text,
                       [panel], *FRONTIER, [run for run, _ in named], medium)
        plan.subtitle = subtitle_of(named, text, medium)
        plan.notes = "Half load: half of the own saturation. Bars: lowest to highest block." if medium.name == "web" else ""
        yield plan.name, lambda plan=plan: draw_curves(plan, medium, looks)


def timeline_jobs(named, selection, medium, looks, said):
    """One figure per workload and run: two runs have no time in common."""
    names, found = called(named), False
    for run_name, run in named:
        for text, name, _ in run.workloads:
            shown, cells = timeline.shown_in(run, text, name, selection)
            if not cells:
                continue
            found = True
            offered, trigger = shown[cells[0].series][:2]
            subtitle = subtitle_of([(run_name, run)], text, medium)
            if medium.most:
                subtitle += left_out_of([(run_name, run)], {cell.series for cell in cells})
                subtitle += "  ·  grey: the trigger; dashed: offered, and the SLO"
            notes = "One trial of the first block. Grey: the trigger; dashed: what is offered, and the SLO." if medium.name == "web" else ""
            yield (f"timeline-{slug(names[text])}" + (f"-{slug(run_name)}" if len(named) > 1 else ""),
                   lambda shown=shown, cells=cells, subtitle=subtitle, notes=notes, words=timeline.title_of(trigger, offered):
                   timeline.draw(shown, cells, medium, looks, words, subtitle, notes))
    if not found:
        said.append("timeline: no series that was asked for has a trial with a trigger")


def plans(request, named, x, y, kind, selection, medium, said):
    """The figures of one pair of axes: one per workload, or one for all where workloads are the panels."""
    per_cell = check_axes([run for _, run in named], x, y) == "cells"
    curves = gather(named, x, y, selection)
    if not curves:
        said.append(f"{kind}: no cell that was asked for has a point")
        return
    workloads = list(dict.fromkeys(curve.workload for curve in curves))
    runs = [name for name, _ in named]
    percentile = percentile_of(Panel("", curves))
    if request.facet == "workload":
        yield plan_of(request, named, kind, title_of(x, y, percentile), "", [
            Panel(spoken(text), [c for c in curves if c.workload == text]) for text in workloads], x, y, runs, medium)
        return
    names = called(named)
    files = slugs(names.get(text, text) for text in workloads)
    for text in workloads:
        own = [c for c in curves if c.workload == text]
        panels = [Panel(title, group) for title, group in split(own, request.facet)]
        name = names.get(text, text)  # a curve across workloads is of none
        title = title_of(x, y, percentile)
        yield plan_of(request, named, f"{kind}-{files[name]}", f"{title}: {name}", text, panels, x, y, runs, medium,
                      shared=len(panels) > 1 and not per_cell)


def called(named):
    """{workload: what it is called beside the others} of all runs."""
    return workload_names([cell for _, run in named for cell in run.raw.cells])


def split(curves, facet):
    """[(title, curves)] by what a facet names."""
    if not facet:
        return [("", curves)]
    key = {"series": lambda c: c.series, "model": lambda c: c.cell.model, "run": lambda c: c.run}.get(facet, lambda c: c.panel)
    groups = {}
    for curve in curves:
        groups.setdefault(key(curve), []).append(curve)
    return list(groups.items())


def plan_of(request, named, name, title, text, panels, x, y, runs, medium, shared=False):
    for panel in panels:
        slos = {c.cell.number("slo_ns") for c in panel.curves}
        panel.slos = sorted(slo for slo in slos if slo > 0)
    if len(panels) == 1:
        panels[0].title = ""
    plan = Plan(name, title, subtitle_of(named, text, medium), panels, x, y, runs, "", request.x_scale, request.y_scale, shared)
    plan.notes = notes_of(plan, named) if medium.name == "web" else ""
    if medium.most:
        plan.subtitle += left_out_of(named, {c.cell.series for p in panels for c in p.curves})
        plan.subtitle += "  ·  hollow: past saturation" if plan.has_past() else ""
    return plan


def left_out_of(named, shown):
    """What a slide's subtitle says where not every series is there."""
    total = {cell.series for _, run in named for _, _, cells in run.workloads for cell in cells}
    return f"  ·  {len(shown)} of {len(total)} series" if len(shown) < len(total) else ""


def notes_of(plan, named):
    """The footnote: how to read what is there."""
    curves = [c for p in plan.panels for c in p.curves]
    said = ["Response counts from the intended arrival." if plan.y.endswith("_ns") and not plan.y.startswith("cpu_") else "", "" if plan.per_cell() else "Open loop.",
            "Hollow: past saturation." if plan.has_past() else "",
            "Bands: lowest to highest block." if any(d.blocks > 1 for c in curves for d in c.dots) else "",
            "Bars: 95% intervals." if plan.per_cell() else "",
            "Large marks on the SLO line: cliff with its 95% interval." if any(shows_slo(plan, p) for p in plan.panels) else ""]
    return " ".join([sentence for sentence in said if sentence] + warnings_of(named))


def warnings_of(named):
    return list(dict.fromkeys(f"{warning}." for _, run in named for warning in run.warnings))


def subtitle_of(named, text, medium):
    run = named[0][1]
    cpu = run.environment.get("cpu")
    cpu = cpu.get("model") if isinstance(cpu, dict) else cpu
    if medium.name == "talk":
        return spoken(text) if text else f"{len(run.workloads)} workloads"
    words = [spoken(text) if text else "", *([str(cpu or ""), named[0][0]] if len(named) == 1 else [f"{len(named)} runs"])]
    return "  ·  ".join(word for word in words if word)


def spoken(text):
    """`mixed:wait=2ms,work=500us` as a reader says it."""
    name, _, options = text.partition(":")
    return f"{name} {options.replace(',', ', ')}".strip()


def capacities(named, selection, medium, looks, kind="capacity", title="Latency cliff and saturation", figures=CAPACITY):
    """One figure with a panel per workload; on slides one per workload."""
    groups = {}
    for run_name, run in named:
        for text, name, cells in run.workloads:
            for cell in cells:
                if selection.takes(cell, text, name):
                    groups.setdefault(text, []).append((run_name, cell))
    groups = {text: cells for text, cells in groups.items() if any(cell.points for _, cell in cells)}
    if not groups:
        return
    common = "requests/s" if figures is CAPACITY else "cost of a million requests"
    notes = "Bars: 95% intervals over blocks. Arrows: not reached by the highest rate offered, or over the SLO at the lowest."
    if medium.most:
        names = called(named)
        files = slugs(names[text] for text in groups)
        for text, cells in groups.items():
            name = names[text]
            yield (f"{kind}-{files[name]}", lambda text=text, cells=cells, name=name: draw_capacity(
                [(text, cells)], medium, looks, f"{title}: {name}", spoken(text) + left_out_of(named, {cell.series for _, cell in cells})
                + "  ·  bars: 95% intervals", "", figures, common))
        return
    subtitle = subtitle_of(named, next(iter(groups)) if len(groups) == 1 else "", medium)
    yield kind, lambda: draw_capacity([(spoken(text), cells) for text, cells in groups.items()], medium, looks,
                                                    title, subtitle, " ".join([notes] + warnings_of(named)) if medium.title else "", figures, common)


def short(column):
    return slug(re.sub("_(per_s|ns|bytes)$", "", column))
