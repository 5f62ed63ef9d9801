"""What text is in a figure, and whether all of it can be read."""

import itertools

from matplotlib.text import Text


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def words(figure):
    return [text.get_text() for text in texts(figure)]


def shown_texts(figure):
    """(words, box in pixels) of the texts that are drawn: an axis keeps labels of ticks outside its limits."""
    renderer = figure.canvas.get_renderer()
    outside = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            shown = {id(label) for tick in axis._update_ticks() for label in (tick.label1, tick.label2)}
            every = {id(label) for tick in axis.get_major_ticks() + axis.get_minor_ticks() for label in (tick.label1, tick.label2)}
            outside |= every - shown
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts(figure)  # a leader is no text
            if id(text) not in outside and text.get_rotation() in (0, 90)]


def check_page(test, page, name):
    """No text leaves the page, and none covers another."""
    page.canvas.draw()
    width, height = page.bbox.width, page.bbox.height
    boxes = shown_texts(page)
    for text, box in boxes:
        test.assertTrue(box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, f"{name}: {text!r} leaves the page")
    for (a, first), (b, second) in itertools.combinations(boxes, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        up = min(first.y1, second.y1) - max(first.y0, second.y0)
        least = 0.15 * min(first.height, second.height, first.width, second.width)
        test.assertFalse(across > least and up > least, f"{name}: {a!r} covers {b!r}")
