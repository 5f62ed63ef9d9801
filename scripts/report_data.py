"""What the page of a report needs of a run, as one JSON document: merged curves, heat maps, environment, invalid trials.

Read from the run's directory alone (results/README.md), once slo_grid.py has seen to the cells' grids. Times are ns, rates per second; numbers keep five digits.
Percentiles come from histograms that were added up, never from averages.
"""

import math
import shlex
import statistics

from curves import by_rate, merge_rate, rising, trial_row
from figures import palette, policies
from figures.names import model_names, workload_names, workload_of
from figures.triggers import lasts
from precipice_run import Histogram, bucket_highest, estimate, finite
from shown import shown

CHOICES = [50, 90, 95, 99, 99.9]  # the percentiles that a reader chooses from
SPECTRUM = [1, 10, 25, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.3, 99.5, 99.7, 99.9, 99.95, 99.97, 99.99,
            99.995, 99.999]
STEPS = 8  # of a heat map, per power of two
SYMBOLS = {"s": "square", "o": "circle", "D": "diamond", "^": "triangle-up", "v": "triangle-down", "X": "x", "P": "cross",
           "*": "star", "h": "hexagon", "p": "pentagon", "<": "triangle-left", ">": "triangle-right", "d": "diamond-tall"}
FIGURES = ("cliff_per_s", "saturation_per_s", "knee_per_s", "overload_retention", "recovery", "cliff_of_ideal",
           "saturation_of_ideal", "cost_per_million")
# What moves on any machine while it works, and the timer slack that the program sets for itself; everything else that
# differs is a setting that somebody changed.
MOVES = ("time", "steal_ticks", "pressure", "load", "memory.MemAvailable", "memory.MemFree", "memory.SwapFree", "uptime", "cpu.mhz_now",
         "network", "timer", "cgroup.throttling", "limits.file_nr", "cpu.frequencies", "threads.in_use", "kernel.timer_slack_ns")


def short(value, digits=5):
    """A number without needless digits, or None where there is none."""
    value = finite(value)
    if math.isnan(value):
        return None
    value = float(f"{value:.{digits}g}")
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def whole(value):
    """A count, or None for whatever else a file may hold there."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def for_page(value):
    """A document as JavaScript holds it without loss: text fit to be shown, whole numbers past 2^53 as text, no NaN and no infinity."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {shown(str(name)): for_page(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [for_page(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool) or isinstance(value, int) and abs(value) <= 2 ** 53 else shown(str(value))


def interval(cell, name):
    value, low, high, reached = estimate(cell, name)
    stored = cell.get(name)
    limited = stored.get("limited_by") if isinstance(stored, dict) else None
    return {"value": short(value, 7), "low": short(low, 7), "high": short(high, 7), "reached": reached, "limited": limited}


def percentiles(histogram, wanted):
    """Nearest rank; None where less than one request lies beyond the percentile."""
    total = histogram.count() if histogram else 0
    if not total:
        return [None] * len(wanted)
    values, below = histogram.cumulative()
    found, at = [], 0
    for p in wanted:
        if total * (100 - p) / 100 < 1 - 1e-9:
            found.append(None)
            continue
        rank = max(1, math.ceil(p / 100 * total - 1e-9))
        while at < len(below) and below[at] < rank:
            at += 1
        found.append(short(values[at]) if at < len(values) else None)
    return found


def heat(slices):
    """Counts by latency step for each slice of a window, [step, count, step, count, ...]."""
    rows = []
    for stored in slices:
        steps = {}
        for index, count in Histogram.from_journal(stored).counts.items():
            step = math.floor(math.log2(max(int(bucket_highest(index)), 1)) * STEPS)
            steps[step] = steps.get(step, 0) + count
        rows.append([n for step in sorted(steps) for n in (step, steps[step])])
    return rows


def middle(values):
    values = [v for v in map(finite, values) if not math.isnan(v)]
    return short(statistics.median(values)) if values else None


def attempts(trials):
    """What policies handed to the model, by the definitions of the summary; None without policies."""
    each, wasted = [], []
    for trial in trials:
        counts = trial.get("attempts") if isinstance(trial.get("attempts"), dict) else {}
        begun, won, sent = finite(counts.get("begun")), finite(counts.get("won")), finite((trial.get("counts") or {}).get("sent"))
        each.append(begun / sent if sent > 0 else math.nan)
        wasted.append(1 - won / begun if begun > 0 else math.nan)
    return {"attempts": middle(each), "wasted": middle(wasted)}


def why(trials):
    """Medians over the trials of a rate of what explains a latency."""
    def each(*path):
        found = []
        for trial in trials:
            for name in path:
                trial = trial.get(name) if isinstance(trial, dict) else None
            found.append(trial)
        return middle(found)

    queued = [finite(t.get("response_ns", {}).get("mean")) - finite(t.get("residence_ns", {}).get("mean")) for t in trials]
    told = {"switches": each("context_switches_per_request"), "cpu": each("cpu_ns_per_request", "model"),
            "generator": each("cpu_ns_per_request", "generator"), "in_flight": each("little", "in_flight_mean"),
            "before": middle([max(q, 0) for q in queued]), "submit": each("submit_ns", "p99"),
            "rss": each("peak_rss_bytes")}
    told["rss"] = told["rss"] and short(told["rss"] / 2 ** 20)
    told |= attempts(trials)
    told["run_queue"] = each("host", "run_queue_wait_ns")
    names = sorted({name for t in trials for name in t.get("model_stats") or {}})
    told["engine"] = {name: each("model_stats", name) for name in names}
    return told


def point(merged, histograms):
    """One rate of a cell, merged over its blocks."""
    blocks = []
    for block in merged.blocks:
        own = merge_rate(merged.rate, [row for row in merged.rows if row["block"] == block], histograms)
        blocks.append({"block": block, "stable": own.stable, "q": percentiles(own.histogram, CHOICES), "goodput": short(own.goodput),
                       "heat": heat(own.drawn[0]["entry"].get("slices") or [])})
    trials = [row["entry"]["trial"] for row in merged.rows]
    return {"rate": short(merged.rate, 6), "stable": merged.stable, "requests": merged.histogram.count() if merged.histogram else 0,
            "q": percentiles(merged.histogram, CHOICES), "spectrum": percentiles(merged.histogram, SPECTRUM),
            "goodput": [short(merged.goodput), short(merged.goodput_low), short(merged.goodput_high)], "blocks": blocks,
            "window": middle([finite((trial.get("request") or {}).get("window_ns")) for trial in trials]), "why": why(trials)}


def curve(entries):
    """By rate, from the journal's lines of a cell's trials. `line` is where the curve goes at each of the percentiles: it never falls."""
    rows = [trial_row(entry) for entry in entries]
    histograms = {row["key"]: Histogram.from_journal(row["entry"]["histogram"]) for row in rows if row["entry"].get("histogram")}
    points = [point(merge_rate(rate, group, histograms), histograms) for rate, group in sorted(by_rate(rows).items())]
    for one in points:
        one["line"] = [None] * len(CHOICES)
    for at in range(len(CHOICES)):
        good = [one for one in points if one["stable"] and one["q"][at] is not None]
        for one, level in zip(good, rising([one["q"][at] for one in good], [max(1, one["requests"]) for one in good])):
            one["line"][at] = short(level)
    return points


def grid(cell):
    """The program's cliffs of a cell over bounds and percentiles, [value, low, high, reached, limited by] each; None where it has none."""
    stored = cell.get("slo_grid")
    if not stored:
        return None

    def column(cliffs):
        numbers = [[short(value, 7) for value in cliffs[name]] for name in ("value", "low", "high")]
        words = [[None if word == "-" else word for word in cliffs[name].split()] for name in ("reached", "limited_by")]
        return list(zip(*numbers, *words, strict=True))

    return {"percentiles": stored["percentiles"], "bounds": [short(bound, 7) for bound in stored["bounds_ns"]],
            "cliffs": [column(cliffs) for cliffs in stored["cliffs"]]}


def flat(document, prefix=""):
    rows = {}
    for name, value in (document.items() if isinstance(document, dict) else enumerate(document)):
        path = f"{prefix}{name}"
        if isinstance(value, (dict, list)):
            rows.update(flat(value, path + "."))
        else:
            rows[path] = value
    return rows


def changes(before, after):
    """What differs between two environments: [name, before, after, whether it moves by itself]."""
    if not before or not after:
        return []
    old, new = flat(before), flat(after)
    return [[name, old.get(name), new.get(name), name.startswith(MOVES)]
            for name in sorted(set(old) | set(new)) if old.get(name) != new.get(name) and name != "time"]


def hexadecimal(colour):
    return colour if isinstance(colour, str) else "#" + "".join(f"{round(255 * part):02X}" for part in colour)


class Row:
    """What palette.styles_of asks of a cell."""

    def __init__(self, cell):
        self.series, self.model = cell["series"], cell.get("model") or policies.model_name(cell["series"])
        self.options = {k: str(v) for k, v in (cell.get("model_options") or {}).items()}


def series_of(runs):
    """How each series looks, the same in every run of the report and in the charts of plot.py."""
    rows = [Row(cell) for run in runs for cell in run.cells]
    styles, places, known = palette.styles_of(rows), policies.places_of(model_names(rows)), {}
    for row in rows:
        style, place = styles[row.series], places[row.series]
        # Matplotlib counts a dash in line widths; the page draws lines 2 px wide.
        dash = "solid" if isinstance(style.dash, str) else ",".join(f"{2 * part:g}px" for part in style.dash[1])
        known.setdefault(row.series, {"id": row.series, "model": row.model, "label": style.label, "colour": hexadecimal(style.colour),
                                      "symbol": SYMBOLS.get(style.marker, "circle"), "dash": dash, "options": row.options,
                                      "policy": policies.spoken_policy(policies.policy_of(row.series)),
                                      "family": place.family, "knob": place.knob, "setting": place.text, "at": short(place.value)})
    models = [row.model for row in rows]
    return sorted(known.values(), key=lambda one: (models.index(one["model"]), palette.natural(one["id"])))


def trial_name(entry):
    request = entry["trial"].get("request") or {}
    closed = finite(request.get("closed"))
    return {"series": entry.get("series"), "workload": entry.get("workload"), "phase": entry.get("phase"), "block": entry.get("block"),
            "attempt": whole(entry.get("attempt")), "closed": int(closed) if closed > 0 else 0,
            "rate": short(entry["trial"].get("rate_per_s")), "at": entry.get("at_s")}


def timeline(trial):
    """The slices of a trial in which something was made to happen: of each cell the first block's at its highest rate is shown."""
    stored, trigger = trial["timeline"], trial["request"]["trigger"]
    begin, end = lasts(trigger)
    named = (("goodput", "goodput_per_s"), ("p99", "p99_ns"), ("attempts", "attempts_per_s"), ("knob", "knob_values"))
    return {"rate": short(trial.get("rate_per_s")), "trigger": trigger, "begin": short(begin), "end": short(end), "slice": short(stored.get("slice_s")),
            "recovered": short(stored.get("recovered_after_s")), "knobName": stored.get("knob") or "",
            **{name: [short(value) for value in stored.get(field) or []] for name, field in named}}


def document(run):
    """One run."""
    entries, invalid, valid, slices = {}, [], 0, {}
    for entry in run.trials():
        trial = entry.get("trial")
        if not isinstance(trial, dict):
            continue
        if trial.get("valid"):
            valid += 1
        else:
            reasons = [{"cause": r.get("cause"), "gate": r.get("gate"), "text": r.get("text")}
                       for r in trial.get("invalid_reasons") or [] if isinstance(r, dict)]
            invalid.append({**trial_name(entry), "reasons": reasons})
        request = trial.get("request") or {}
        closed = finite(request.get("closed"))
        if entry.get("used") and request.get("trigger") and isinstance(trial.get("timeline"), dict):
            key, order = (entry.get("series"), entry.get("workload")), (finite(trial.get("rate_per_s")), -(whole(entry.get("block")) or 0))
            if key not in slices or order > slices[key][0]:
                slices[key] = order, timeline(trial)
        # Where something was made to happen in a trial, it says nothing of its rate as such.
        if entry.get("used") and not closed > 0 and finite(trial.get("rate_per_s")) > 0 and not request.get("trigger"):
            entries.setdefault((entry.get("series"), entry.get("workload")), []).append(entry)
    workloads = {}
    for cell in run.cells:
        text = workload_of(cell)
        one = workloads.setdefault(text, {"text": text, "name": cell.get("workload_name") or text.split(":")[0],
                                          "options": cell.get("workload_options") or {}, "cells": []})
        causes = cell.get("invalid_causes") or {}
        one["cells"].append({
            "series": cell["series"], "slo": short(cell.get("slo_ns"), 7), "percentile": short(cell.get("slo_percentile")) or 99,
            "service": short(cell.get("service_time_ns")), "figures": {name[:-6] if name.endswith("_per_s") else name: interval(cell, name)
                                                                       for name in FIGURES if cell.get(name) is not None},
            "ideal_saturation": short(cell.get("ideal_saturation_per_s")), "ideal_cliff": short(cell.get("ideal_cliff_per_s")),
            "cpu": short(cell.get("cpu_ns_per_request")), "trials": cell.get("trials"), "invalid": cell.get("invalid"), "causes": causes,
            "indicative": (cell.get("indicative") or {}).get("text"),
            "indicative_cliff": interval(cell.get("indicative") or {}, "cliff_per_s"),
            "indicative_saturation": interval(cell.get("indicative") or {}, "saturation_per_s"),
            "timeline": slices.get((cell["series"], text), (None, None))[1],
            "note": cell.get("note") or "", "failure": cell.get("failure") or "", "grid": grid(cell),
            "points": curve(entries.get((cell["series"], text), []))})
    manifest = run.manifest
    nothing = run.summary.get("nothing_valid") or ""
    return {"name": run.name, "suite": run.summary.get("suite"), "blocks": whole(run.summary.get("blocks_done")),
            "interrupted": bool(run.summary.get("interrupted")), "finished": run.finished if manifest else None,
            "started": manifest.get("started"), "ended": manifest.get("ended"), "command": shlex.join(map(str, manifest.get("argv") or [])), "seed": manifest.get("seed"),
            "git": manifest.get("git_sha"), "binary": manifest.get("binary_hash"), "suite_hash": manifest.get("suite_hash"),
            "load": run.suite.get("load") if isinstance(run.suite.get("load"), dict) else {}, "slo": run.suite.get("slo"),
            "workloads": list(workloads.values()), "ranking": run.summary.get("ranking") or [],
            "levers": levers(run.summary.get("levers")), "verdict": verdict(run.summary.get("verdict")), "nothing_valid": nothing,
            "speed": [] if nothing else (run.summary.get("speed") or {}).get("sentences") or [], "valid": valid, "invalid": invalid,
            "environment": [[name, value] for name, value in flat(run.before).items()], "changes": changes(run.before, run.after),
            "has_after": bool(run.after), "warnings": list(run.warnings)}


def verdict(stored):
    """The verdicts of a run, with numbers shortened: [{workload, text, kind, best, rest, none, unmeasured}]."""
    def row(one):
        return {"series": one["series"], "cliff": interval(one, "cliff_per_s"), "reached": one.get("reached"), "apart": bool(one.get("apart")),
                "groups": one.get("groups") or "",
                **{name: short(one.get(name)) for name in ("share", "low", "high")}}

    return [{"workload": one["workload"], "text": one["text"], "kind": one.get("kind"), "unmeasured": one.get("unmeasured") or [],
             **{name: [row(each) for each in one.get(field) or []] for name, field in (("best", "best"), ("rest", "rest"), ("none", "none_holds"))}}
            for one in stored or []]


def levers(stored):
    """What policies moved, with numbers shortened; None where an older program wrote no such thing."""
    def side(one):
        value, low, high, reached = estimate(one, "side")
        return {"value": short(value), "low": short(low), "high": short(high), "reached": reached}

    return None if stored is None else [
        {**{name: one[name] for name in ("workload", "series", "without", "missing")},
         "figures": [{"figure": each["figure"], "load": short(each.get("load_per_s")), "missing": each.get("missing") or "",
                      **{name: side({"side": each.get(name)}) for name in ("with", "without", "ratio")}} for each in one["figures"]]}
        for one in stored]


def report(runs):
    documents = [document(run) for run in runs]
    titles = workload_names([cell for run in runs for cell in run.cells])
    for one in documents:
        for workload in one["workloads"]:
            workload["title"] = titles[workload["text"]]
    return for_page({"percentiles": CHOICES, "spectrum": SPECTRUM, "steps": STEPS, "series": series_of(runs), "runs": documents,
                     "between": [changes(runs[0].before, run.before) for run in runs[1:]]})
