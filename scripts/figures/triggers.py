"""What a trigger of a suite does, as its text says: `stall 500ms at 2s`, `step 1.4x for 1s at 2s`. Needs no library."""

import math


def seconds(text):
    for unit, factor in (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)):
        if text.endswith(unit) and text[:-len(unit)].replace(".", "", 1).isdigit():
            return float(text[:-len(unit)]) * factor
    return 0.0


def lasts(trigger):
    """(begin, end) of what the trigger does, from the start of the window in seconds; an open end is infinite."""
    words = trigger.split()
    begin = seconds(words[-1])
    if words[0] == "stall":
        return begin, begin + seconds(words[1])
    return begin, begin + seconds(words[words.index("for") + 1]) if "for" in words else math.inf
