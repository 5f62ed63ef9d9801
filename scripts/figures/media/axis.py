"""How a column reads on an axis: its words, its unit, linear or logarithmic, its ticks."""

import math
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from figures.media.select import HALF_LOAD, RESPONSE
from figures.words import percentile_name, plain, rate

WORDS = {
    "load": "load, share of own saturation", "rate_per_s": "offered load (requests/s)",
    "offered_per_s": "offered load, realised (requests/s)", "goodput_per_s": "goodput (requests/s)",
    "saturation_per_s": "saturation (requests/s)", "cliff_per_s": "cliff (requests/s)", "knee_per_s": "knee (requests/s)",
    "closed_loop_plateau_per_s": "closed-loop plateau (requests/s)", "in_flight_mean": "requests in flight",
    "cpu_model_ns": "model's CPU per request", "cpu_generator_ns": "generator's CPU per request",
    "context_switches_per_request": "context switches per request", "peak_rss_bytes": "peak memory",
    "threads": "threads", "mean_ns": "mean response", "max_ns": "longest response",
    "attempts_per_request": "attempts per request", "wasted": "wasted share of attempts",
    "cost_per_million": "cost of a million requests", "overload_retention": "goodput at 1.5x saturation, share", "saturation_of_ideal": "saturation, share of the ideal",
    "cliff_of_ideal": "cliff, share of the ideal",
}
SHARES = ("load", "loss", "wasted", "io_share", "overload_retention", "saturation_of_ideal", "cliff_of_ideal", "steal_percent")
TIMES = ((1e9, 5e8, "s"), (1e6, 1.5e5, "ms"), (1e3, 1.5e2, "µs"), (1, 0, "ns"))


@dataclass
class Axis:
    column: str
    label: str
    factor: float  # data = value / factor
    logarithmic: bool
    low: float  # limits, in data's units
    high: float
    ticks: tuple = ()  # where a few values alone are there

    def of(self, value):
        return value / self.factor

    def shows(self, value):
        return math.isfinite(value) and (value > 0 or not self.logarithmic)

    def share(self, data):
        """Where along the axis data lies, 0 to 1."""
        if self.logarithmic:
            return math.log(data / self.low) / math.log(self.high / self.low)
        return (data - self.low) / (self.high - self.low)

    def widest(self, medium):
        """The width of the widest tick label on an upright axis of a panel's usual height, in type sizes."""
        figure = Figure(figsize=(2, 4), dpi=100)
        FigureCanvasAgg(figure)
        axes = figure.add_axes([0, 0, 1, 1])
        self.put(axes.yaxis, medium.panel_height or 0.6 * medium.height, medium.size)
        renderer = figure.canvas.get_renderer()
        texts = [label for label in axes.get_yticklabels() if label.get_text()]
        return max((text.get_window_extent(renderer).width for text in texts), default=0) / 100 * 72 / medium.size

    def put(self, axis, inches, size):
        """Scale, limits, label and ticks on a matplotlib axis that is so long and has type of that size."""
        axes, which = axis.axes, axis.axis_name
        if self.logarithmic:
            getattr(axes, f"set_{which}scale")("log")
        getattr(axes, f"set_{which}lim")(self.low, self.high)
        getattr(axes, f"set_{which}label")(self.label)

        def words(value):
            return rate(value) if abs(value) >= 1e4 or self.column.endswith("_per_s") else plain(value)

        if self.ticks or not self.logarithmic:
            room = int(inches * 72 / size / (3.6 if which == "x" else 2.6))  # ticks that fit
            put_ticks(axis, words, self.ticks or None, most=max(2, min(8, room)))
            return
        for subs in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
            ticks = [s * 10.0 ** e for e in range(math.floor(math.log10(self.low)) - 1, math.ceil(math.log10(self.high)) + 1) for s in subs]
            ticks = [t for t in ticks if self.low <= t <= self.high]
            # The closest pair decides whether the labels fit.
            apart = min((math.log(b / a) for a, b in zip(ticks, ticks[1:])), default=math.inf) / math.log(self.high / self.low)
            if apart * inches * 72 > size * (3.4 if which == "x" else 1.5):
                break
        put_ticks(axis, words, subs=subs, minor=range(2, 10) if subs == (1,) else ())


def put_ticks(axis, words, places=None, subs=(), minor=(), most=8):
    """Major ticks with words of their values: at `places`; else, on a logarithmic axis, at these parts of every decade, with `minor` ones
    that have no words; else at round values, at most so many."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_locator(FixedLocator(places) if places is not None else LogLocator(subs=subs, numticks=60) if subs
                           else MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_minor_locator(LogLocator(subs=minor, numticks=200) if minor else NullLocator())


def words_of(column, percentile):
    if column == RESPONSE:
        return f"{percentile_name(percentile)} response"
    if column == HALF_LOAD:
        return f"{percentile_name(percentile)} response at half load"
    if column in WORDS:
        return WORDS[column]
    stem = column[:-3] if column.endswith("_ns") else column
    if stem in ("p50", "p90", "p95", "p99", "p999"):
        return f"{stem} response"
    stem = stem.replace("_per_s", " (requests/s)").replace("_bytes", "").replace("_percent", " (%)")
    return stem.replace("_", " ")


def axis_of(column, values, scale="auto", percentile=99.0, duration=False, top=None):
    """The axis that shows these values (in the column's own unit); `top` cuts it off above."""
    positive = [v for v in values if v > 0 and math.isfinite(v)]
    label, factor = words_of(column, percentile), 1.0
    if column.endswith("_ns") or duration:
        middle = math.exp(sum(map(math.log, positive)) / len(positive)) if positive else 1.0
        factor, unit = next((f, u) for f, least, u in TIMES if middle >= least)
        label += f" ({unit})"
    elif column.endswith("_bytes"):
        factor, label = 2.0 ** 20, label + " (MiB)"
    logarithmic = scale == "log" or (scale == "auto" and column not in SHARES and bool(positive)
                                     and max(positive) > 10 * min(positive))
    most = max(positive, default=1.0)
    if top is not None:
        most = min(most, top)
    if logarithmic and positive:
        low, high = min(positive), most
        room = (high / low) ** 0.05 * 1.02
        low, high = low / room, high * room if top is None or high < top else top
    else:
        logarithmic = False
        low = min([v for v in values if math.isfinite(v)] + [0.0])
        high = top if top is not None and most >= top else most * 1.05
    return Axis(column, label, factor, logarithmic, low / factor, high / factor)
