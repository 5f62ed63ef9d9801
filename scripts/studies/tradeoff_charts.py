"""The charts of docs/tradeoffs.md, one for each study: what was measured, as marks, beside its closed form, as a dashed line, and
beside what was published, as a star. A chart is made of the trials and runs of its table, and of cheap trials between them."""

from figures import settings
from figures.save import Built, save
from files import make_directories
from studies import tradeoff_charts_attempts, tradeoff_charts_batches, tradeoff_charts_overload, tradeoff_charts_routes

CHARTS = {chart.__name__: chart for module in (tradeoff_charts_batches, tradeoff_charts_attempts, tradeoff_charts_overload,
                                               tradeoff_charts_routes) for chart in module.CHARTS}  # chart(program) -> Page


def draw(study, program, directory):
    """Writes DIRECTORY/STUDY.svg."""
    settings.apply()
    make_directories(directory)
    save(Built(CHARTS[study](program).figure, [], ""), directory, study, ("svg",))
