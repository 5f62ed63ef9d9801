"""What series and workloads are called where several stand beside each other. Needs no library."""

import re
from collections import Counter

from figures.policies import policy_of, split_series, spoken_policy


def short_names(members):
    """{text: name} of (text, kind, options): the kind, and of its options those in which the members of that kind differ; the whole
    text where two would still have one name. `precipice show` calls its rows so too."""
    kinds, names = {}, {}
    for text, kind, options in members:
        kinds.setdefault(kind, {})[text] = options
    for kind, of_kind in kinds.items():
        keys = sorted({key for options in of_kind.values() for key in options})
        telling = [key for key in keys if len({options.get(key) for options in of_kind.values()}) > 1]
        for text, options in of_kind.items():
            names[text] = " ".join([kind] + [f"{key}={options[key]}" for key in telling if key in options])
    shared = Counter(names.values())
    return {text: name if shared[name] == 1 else text for text, name in names.items()}


def names_of(cells):
    """{series: name} of cells, or of whatever else has series, model and options: the model's, and behind a bar its policy's."""
    names = model_names(cells)
    return {series: f"{name} | {spoken_policy(policy_of(series))}" if policy_of(series) else name for series, name in names.items()}


def model_names(cells):
    """{series: name of its model}, the same for all of its policies."""
    cells = list(cells)
    models = short_names((split_series(cell.series)[0], cell.model, cell.options) for cell in cells)
    return {cell.series: models[split_series(cell.series)[0]] for cell in cells}


def workload_names(cells):
    """{workload: name} of a summary's cells."""
    return short_names((text, cell.get("workload_name") or text.split(":")[0], cell.get("workload_options") or {})
                       for cell in cells if (text := workload_of(cell)))


def workload_of(cell):
    """A summary's cell's workload as the suite has it, `sleep:wait=5ms`."""
    return cell.get("workload") or cell.get("workload_name") or "?"


def slug(text):
    """Letters, digits and dashes of a text, in a length that every file system takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:80] or "workload"


def slugs(names):
    """{name: slug}, no two the same."""
    found = {}
    for name in names:
        wanted, number = slug(name), 2
        while wanted in found.values():
            wanted, number = f"{slug(name)}-{number}", number + 1
        found[name] = wanted
    return found
