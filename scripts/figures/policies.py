"""What a series says of its policies: `event_loop|batched:size=8` is a model and, behind the bar, what a suite calls the chain before it.
Needs no library."""

import math
import re
from typing import NamedTuple

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def split_series(series):
    """(model with its options, policy); the policy is empty without one."""
    bare, _, policy = series.partition("|")
    return bare, policy


def policy_of(series):
    return split_series(series)[1]


def model_name(series):
    """The model of a series, for cells that do not say it."""
    return split_series(series)[0].split(":")[0].split(".")[0]


def options_in(policy):
    """(name, {key: text}) of `batched:size=8,linger=5ms`. Commas inside of parentheses belong to a value."""
    name, _, rest = policy.partition(":")
    return name, dict(part.partition("=")[::2] for part in re.findall(r"(?:\([^)]*\)|[^,(])+", rest) if "=" in part)


def spoken_policy(policy):
    """`batched:size=8` as a label has it: `batched size=8`."""
    name, options = options_in(policy)
    return " ".join([name] + [f"{key}={value}" for key, value in options.items()])


def option_number(text):
    """A numeric option; durations in ns, so that they read as other times. NaN of what is neither."""
    match = re.fullmatch(r"([0-9.]+)(ns|us|µs|ms|s)?", str(text).strip())
    if not match:
        return math.nan
    try:
        number = float(match[1])
    except ValueError:
        return math.nan
    return number * UNITS[match[2]] * 1e9 if match[2] else number


def knob_number(text):
    """The same for a policy, whose options are also percentiles (p95) and shares (5%)."""
    match = re.fullmatch(r"p([0-9.]+)|([0-9.]+)%", text.strip())
    return option_number((match[1] or match[2]) if match else text)


class Place(NamedTuple):
    """Where a series stands among those that differ from it in one numeric option of their policy."""

    family: str  # all that the members have in common: `event_loop | batched`; the series' own label where it is alone
    knob: str  # the option in which they differ; empty where it is alone
    text: str  # its value, as the suite has it
    value: float


def places_of(names):
    """{series: Place} of {series: label of its model}. Of several numeric options the one with the most values is the knob."""
    groups, places = {}, {}
    for series, model in names.items():
        bare, policy = split_series(series)
        name, options = options_in(policy)
        label = f"{model} | {name}" if policy else model
        places[series] = Place(f"{model} | {spoken_policy(policy)}" if policy else model, "", "", math.nan)
        if options:
            groups.setdefault((bare, name), []).append((series, label, options))
    for members in groups.values():
        values = {key: {options.get(key) for _, _, options in members if not math.isnan(knob_number(options.get(key, "")))}
                  for key in sorted({key for _, _, options in members for key in options})}
        knob = max(values, key=lambda key: len(values[key]))
        families = {}
        for series, label, options in members:
            rest = " ".join(f"{key}={value}" for key, value in options.items() if key != knob)
            if not math.isnan(knob_number(options.get(knob, ""))):
                families.setdefault(f"{label} {rest}".rstrip(), []).append((series, options[knob]))
        for family, alike in families.items():
            for series, text in alike if len(alike) > 1 else ():
                places[series] = Place(family, knob, text, knob_number(text))
    return places
