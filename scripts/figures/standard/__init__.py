"""The standard charts of a run: which there are, and drawing all of them or some."""

from figures.names import slugs
from figures.save import Built, save
from figures.standard import capacity, cost, frontier, load, pool, spectrum, timeline, verdict, work
from figures.standard.base import Skip, titled
from precipice_run import RunError

OF_RUN = (("verdict", verdict.verdict), ("capacity", capacity.capacity))  # chart(run) -> Slide, or Skip
OF_WORKLOAD = (("response", load.response), ("goodput", load.goodput), ("spectrum", spectrum.spectrum),
               ("pool-threads", pool.pool_threads), ("frontier", frontier.frontier), ("work", work.work),
               ("cost", cost.cost), ("timeline", timeline.timeline))  # chart(run, text, name, cells)
OF_POLICIES, OF_PRICE, OF_TRIGGER = ("frontier", "work"), ("cost",), ("timeline",)  # where a run has none, these are not even told as skipped


def draw(run, directory, formats, wanted=()):
    """Draws all charts, or those whose name or kind (`response`) is wanted; returns (names drawn, reasons for those left out)."""
    jobs = [(name, name, chart, (run,)) for name, chart in OF_RUN]
    files = slugs(name for _, name, _ in titled(run))
    jobs += [(f"{kind}-{files[workload[1]]}", kind, chart, (run, *workload)) for workload in titled(run) for kind, chart in OF_WORKLOAD]
    for one in wanted:
        if not any(one in (name, kind) for name, kind, _, _ in jobs):
            raise RunError(f"--chart: {one!r} is none of {', '.join(dict.fromkeys(kind for _, kind, _, _ in jobs))}")
    needless = (() if run.has_policies else OF_POLICIES) + (() if run.suite.get("price_per_cpu_hour") else OF_PRICE)
    load = run.suite.get("load")
    needless += () if isinstance(load, dict) and load.get("trigger") else OF_TRIGGER
    drawn, skipped = [], []
    for name, kind, chart, arguments in jobs:
        if not {name, kind} & set(wanted) if wanted else kind in needless:
            continue
        try:
            page = chart(*arguments)
        except Skip as reason:
            skipped.append(f"{name}: {reason}")
            continue
        save(Built(page.figure, [], ""), directory, name, formats)
        drawn.append(name)
    return drawn, skipped
