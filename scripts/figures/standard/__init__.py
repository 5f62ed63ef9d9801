"""The standard charts of a run: which there are, and drawing all of them."""

from figures.names import slugs
from figures.save import Built, save
from figures.standard import capacity, load, pool, spectrum, verdict
from figures.standard.base import Skip, titled

OF_RUN = (("verdict", verdict.verdict), ("capacity", capacity.capacity))  # chart(run) -> Slide, or Skip
OF_WORKLOAD = (("response", load.response), ("goodput", load.goodput), ("spectrum", spectrum.spectrum),
               ("pool-threads", pool.pool_threads))  # chart(run, text, name, cells)


def draw(run, directory, formats):
    """Draws all charts; returns (names drawn, reasons for those left out)."""
    jobs = [(name, chart, (run,)) for name, chart in OF_RUN]
    files = slugs(name for _, name, _ in titled(run))
    jobs += [(f"{kind}-{files[workload[1]]}", chart, (run, *workload)) for workload in titled(run) for kind, chart in OF_WORKLOAD]
    drawn, skipped = [], []
    for name, chart, arguments in jobs:
        try:
            page = chart(*arguments)
        except Skip as reason:
            skipped.append(f"{name}: {reason}")
            continue
        save(Built(page.figure, [], ""), directory, name, formats)
        drawn.append(name)
    return drawn, skipped
