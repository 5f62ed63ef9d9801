"""The standard charts of a run: which there are, and drawing all of them."""

from figures.names import slugs
from figures.save import Built, save
from figures.standard.base import Skip, titled
from figures.standard.capacity import CapacityChart
from figures.standard.load import CurveCharts
from figures.standard.pool import PoolChart
from figures.standard.spectrum import SpectrumChart


class Charts(CurveCharts, CapacityChart, SpectrumChart, PoolChart):
    """Each chart is a method that returns a page, or raises Skip."""


def draw(run, directory, formats):
    """Draws all charts; returns (names drawn, reasons for those left out)."""
    charts = Charts(run)
    jobs = [("capacity", charts.capacity)]
    files = slugs(title for _, title, _ in titled(run))
    for text, title, cells in titled(run):
        short = files[title]
        for kind, chart in (("response", charts.response), ("goodput", charts.goodput), ("spectrum", charts.spectrum),
                            ("pool-threads", charts.pool_threads)):
            jobs.append((f"{kind}-{short}", lambda chart=chart, text=text, title=title, cells=cells: chart(text, title, cells)))
    drawn, skipped = [], []
    for name, job in jobs:
        try:
            page = job()
        except Skip as reason:
            skipped.append(f"{name}: {reason}")
            continue
        save(Built(page.figure, [], ""), directory, name, formats)
        drawn.append(name)
    return drawn, skipped
