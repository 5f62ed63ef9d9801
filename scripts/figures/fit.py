"""Text in the room that there is: measured, broken between options, and cut in the middle where nothing else helps."""

import functools
import re

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

DPI = 100


@functools.cache
def renderer():
    return RendererAgg(1, 1, DPI)


@functools.lru_cache(maxsize=None)
def inches(text, size, weight="normal"):
    """How wide the widest line of a text is."""
    font = FontProperties(size=size, weight=weight)
    return max(renderer().get_text_width_height_descent(line, font, False)[0] for line in text.split("\n")) / DPI


def cut(line, room, size, weight="normal"):
    """A line with as much of its middle left out as is too wide."""
    for kept in range(min(len(line), int(room * 4 * 72 / size)), 0, -1):  # no glyph is narrower than a quarter of its size
        text = line if kept == len(line) else line[:(kept + 1) // 2] + "…" + line[len(line) - kept // 2:]
        if inches(text, size, weight) <= room:
            return text
    return "…" if line else ""


def fitted(text, room, size, lines=1, weight="normal"):
    """At most so many lines of at most `room` inches, broken before a policy and between options; what is wider still is cut in its
    middle."""
    model, bar, policy = text.rpartition(" | ")
    if bar and lines > 1 and inches(text, size, weight) > room:
        above = fitted(model, room, size, lines - 1, weight)
        return above + "\n" + fitted(f"| {policy}", room, size, lines - above.count("\n") - 1, weight)
    found = [""]
    for part in re.findall(r"(?:\([^)]*\)|[^\s,(])+[\s,]*|[\s,]+|\(", text):
        if found[-1] and len(found) < lines and inches((found[-1] + part).rstrip(), size, weight) > room:
            found.append("")
        found[-1] += part
    return "\n".join(cut(line.rstrip(), room, size, weight) for line in found)


def shrink(artist, room, least):
    """Makes a line of text smaller, down to `least` points, until it is at most `room` inches wide; then cuts it."""
    text, size, weight = artist.get_text(), artist.get_fontsize(), artist.get_fontweight()
    wide = inches(text, size, weight)
    if wide > room:
        size = max(least, size * room / wide * 0.995)
        artist.set_fontsize(size)
        artist.set_text(cut(text, room, size, weight))
