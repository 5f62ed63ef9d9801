"""Finished figures, written so that the same data gives the same bytes, whenever and wherever it is drawn."""

import os

from matplotlib.backends.backend_pdf import PdfPages

from files import replaced

CREATOR = "precipice"


class Built:
    """A finished figure, and what a build-up adds step by step: one list of artists per series."""

    def __init__(self, figure, steps, title):
        self.figure, self.steps, self.title = figure, steps, title

    def frames(self):
        """Yields the figure with nothing but its axes, then with one series more each time; axes stay where they are."""
        for shown in range(len(self.steps) + 1):
            for at, artists in enumerate(self.steps):
                for artist in artists:
                    artist.set_visible(at < shown)
            yield shown, self.figure


def metadata(form, title):
    """No dates and no versions; None keeps matplotlib from writing its own, whatever SOURCE_DATE_EPOCH says."""
    kept = {"svg": {"Date": None, "Creator": CREATOR}, "png": {"Software": CREATOR},
            "pdf": {"CreationDate": None, "Creator": CREATOR, "Producer": None}}[form]
    return kept | ({"Title": title} if title else {})


def save(built, directory, name, formats):
    """Writes beside and renames; the names of the files."""
    return [saved(directory, f"{name}.{form}", lambda path, form=form: built.figure.savefig(
        path, format=form, facecolor=built.figure.get_facecolor(), metadata=metadata(form, built.title))) for form in formats]


def save_reveal(built, directory, name, formats):
    """A build-up: one PDF with a page per step, and a PNG or SVG file per step, the first with axes only."""
    last, files = len(built.steps), []
    for form in formats:
        if form == "pdf":
            files.append(saved(directory, f"{name}-reveal.pdf", lambda path: save_pages(built, path)))
            continue
        for step, figure in built.frames():
            files.append(saved(directory, f"{name}-reveal-{step}of{last}.{form}", lambda path, form=form, figure=figure: figure.savefig(
                path, format=form, facecolor=figure.get_facecolor(), metadata=metadata(form, built.title))))
    return files


def save_pages(built, path):
    with PdfPages(path, metadata=metadata("pdf", built.title)) as pages:
        for _, figure in built.frames():
            pages.savefig(figure, facecolor=figure.get_facecolor())


def saved(directory, name, write):
    replaced(os.path.join(directory, name), write)
    return name
