"""What DejaVu Sans has a glyph for. Every figure is drawn with it alone, so that fonts of a machine change no picture."""

import functools
import os

import matplotlib
from matplotlib.ft2font import FT2Font

from shown import escaped, shown

FONT = "DejaVu Sans"
lacking = {}  # characters met that have no glyph, in the order in which they were met


def files():
    """Those that matplotlib brings along, whatever else is installed: regular and bold."""
    return [os.path.join(matplotlib.get_data_path(), "fonts", "ttf", f"DejaVuSans{weight}.ttf") for weight in ("", "-Bold")]


@functools.cache
def known():
    regular, bold = ({chr(code) for code in FT2Font(file).get_charmap()} for file in files())
    return regular & bold


def drawable(text):
    """The text as `shown`, and what has no glyph, which would be a box like every other, escaped in the same way."""
    text = shown(text)
    if text.isascii():
        return text
    missing = [character for character in text if character not in known()]
    lacking.update(dict.fromkeys(missing))
    return "".join(escaped(character) if character in missing else character for character in text)


def remark():
    """A sentence on what was met and has no glyph, or ''."""
    if not lacking:
        return ""
    few = ", ".join(f"{character} ({escaped(character)})" for character in list(lacking)[:5])
    return f"{FONT} has no glyph for {few}{' and others' if len(lacking) > 5 else ''}: drawn as numbers; NAME=RUN gives a run another name"
