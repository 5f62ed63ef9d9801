"""How each series looks in a medium: colour, marker and dash, each enough to tell it from the others."""

from dataclasses import dataclass, replace

from figures.names import model_names, names_of
from figures.palette import MODELS, SPARE, contrast, luminance, mix, natural, ranks_in
from figures.policies import places_of, policy_of, spoken_policy
from precipice_run import RunError


def against(colour, background, wanted):
    """The colour, moved away from the background until it has that contrast."""
    towards = "#FFFFFF" if luminance(background) < 0.2 else "#000000"
    for step in range(20):
        moved = mix(colour, towards, 0.05 * step)
        if contrast(moved, background) >= wanted:
            return moved
    return towards


# A model's second and later series need marks of their own: fills cannot be told apart at 4 pt.
MORE_MARKERS = ("X", "P", "*", "<", ">", "d", "h", "p")
RUN_DASHES = ("-", (0, (4, 1.6)), (0, (1, 1.3)), (0, (6, 1.5, 1, 1.5)), (0, (9, 2)), (0, (3, 1, 1, 1, 1, 1)))
DASHES = ("-", (0, (5, 1.5)), (0, (8, 1.5, 2, 1.5)), (0, (2.5, 1)), (0, (11, 2)), (0, (6, 1, 1, 1, 1, 1)),
          (0, (3, 1, 1, 1)), (0, (5, 1, 2, 1, 2, 1)))


@dataclass
class Look:
    """One series in one medium. Marker and dash are its own, so that grey print tells series apart."""

    label: str
    colour: object
    ink: object  # for text
    marker: str
    dash: object
    width: float
    size: float
    front: int  # added to the z-order

    def solid(self, background, scale=1.0):
        return {"marker": self.marker, "ms": self.size * scale, "mfc": self.colour, "mec": background,
                "mew": self.size * 0.1}

    def hollow(self, background):
        return {"marker": self.marker, "ms": self.size * 0.92, "mfc": background, "mec": self.colour,
                "mew": max(self.size * 0.17, 0.7)}


def shade(place, medium):
    """Light to dark around a model's hue, of a place from 0 to 1. On a dark ground what is darker than the hue would sink into it."""
    return 0.65 * (place - 1) if medium.dark else 0.8 * place - 0.35


def dash_of(rank, at):
    """The dash of a policy, with ranks; else one of the series' own."""
    if rank is None:
        return DASHES[at % len(DASHES)]
    return DASHES[0] if rank.policy < 0 else DASHES[1 + rank.policy % (len(DASHES) - 1)]


def looks_of(cells, medium, highlight=()):
    """Look by series, from all cells of all runs, so that every figure of them agrees. Where there are policies the dash is theirs: a model
    without one is solid."""
    cells = list(cells)
    ranks, members = ranks_in(cells), {}
    for cell in cells:
        members.setdefault(cell.model, {}).setdefault(cell.series, cell)
    known = [model for model in MODELS if model in members] + sorted(set(members) - set(MODELS))
    unknown = sorted(set(members) - set(MODELS))
    taken = {MODELS[model][1] for model in MODELS if model in members}
    spare = [marker for marker in MORE_MARKERS if marker not in taken] + sorted(taken)
    spare = spare[:len(spare) - 1 + len(spare) % 2]  # an odd number: with the even one of dashes, pairs recur late
    looks, at, more, names = {}, 0, 0, names_of(cells)
    for model in known:
        base, marker, _ = MODELS.get(model) or SPARE[unknown.index(model) % len(SPARE)]
        series = sorted(members[model], key=natural)
        for i, one in enumerate(series):
            where = shade(i / (len(series) - 1), medium) if len(series) > 1 else 0.0
            if one in ranks:
                where = shade(ranks[one].shade, medium) if ranks[one].shade != 0.5 else 0.0
            colour = mix(base, "#FFFFFF", -where) if where < 0 else mix(base, "#000000", where)
            label = names[one]
            mark = marker if i == 0 else spare[more % len(spare)]
            more += i > 0
            lit = not highlight or bool({model, one, label} & set(highlight))
            if not lit:
                colour = mix(medium.background, medium.ink, 0.42)
            looks[one] = Look(label, against(colour, medium.background, 2.0), against(colour, medium.background, 4.5), mark,
                              dash_of(ranks.get(one), at), medium.line * (1 if lit else 0.75) * (1.35 if highlight and lit else 1),
                              medium.marker * (1 if lit else 0.85) * (1.4 if ranks and mark == "*" else 1), 20 if highlight and lit else 0)
            at += 1
        hue = base if not highlight or model in highlight else mix(medium.background, medium.ink, 0.42)
        for one in series:  # for a curve over all of a model's series, with a policy or without
            policy = policy_of(one)
            across = f"{model}|{policy}" if policy else model
            if across not in looks:
                looks[across] = replace(looks[one], label=f"{model} | {spoken_policy(policy)}" if policy else model,
                                        colour=against(hue, medium.background, 2.0), ink=against(hue, medium.background, 4.5),
                                        dash=looks[one].dash if policy else "-")
    places = places_of(model_names(cells))
    for name in dict.fromkeys(place.family for place in places.values() if place.knob):  # for curves over a policy's knob
        family = sorted((one for one in places if places[one].family == name), key=lambda one: places[one].value)
        looks[name] = replace(looks[family[len(family) // 2]], label=name)
    for name in highlight:
        if not any(name in (cell.model, cell.series, looks[cell.series].label) for cell in cells):
            raise RunError(f"--highlight: {name!r} is no model or series here; there are {', '.join(known)}")
    return looks
