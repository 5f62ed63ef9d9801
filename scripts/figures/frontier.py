"""What a policy's knob trades: capacity against the response at half of it, as one curve over the values of an option of the policy."""

import math
from dataclasses import dataclass

HALF, REACH = 0.5, 0.2  # of the saturation: where the response is read, and how far from there a measured rate may lie


@dataclass
class Spot:
    """One series: what it carries at most, and its response at half of that."""

    cell: object
    place: object  # of the series among those of its family
    saturation: object  # Estimate, per second
    response: tuple  # ns, with the lowest and the highest block


def at_half(cell):
    """(response, lowest block, highest block) in ns at half of the cell's own saturation, interpolated on the logarithm between the measured
    stable rates beside it; the nearest one's where all lie on one side. None where none is near."""
    middle = HALF * cell.estimate("saturation_per_s").value
    near = [p for p in cell.stable_points() if abs(p.rate / middle - 1) * HALF <= REACH] if middle > 0 else []
    below = max((p for p in near if p.rate <= middle), key=lambda p: p.rate, default=None)
    above = min((p for p in near if p.rate >= middle), key=lambda p: p.rate, default=None)
    if below is None or above is None or below is above:
        one = below or above
        return (one.response_ns, one.response_low, one.response_high) if one else None
    share = (middle - below.rate) / (above.rate - below.rate)
    return tuple(math.exp((1 - share) * math.log(a) + share * math.log(b)) for a, b in (
        (below.response_ns, above.response_ns), (below.response_low, above.response_low), (below.response_high, above.response_high)))


def spot_of(cell, place):
    """The cell's Spot, or in words why it has none."""
    saturation = cell.estimate("saturation_per_s")
    if cell.reason and not cell.points:
        return cell.reason
    if not saturation.value > 0:
        return "saturation not measured"
    response = at_half(cell)
    return Spot(cell, place, saturation, response) if response else "no stable rate near half of its saturation"


def families(cells, places):
    """([spots of a family, by the knob's value], [(cell, why it has no spot)])."""
    found, without = {}, []
    for cell in cells:
        spot = spot_of(cell, places[cell.series])
        if isinstance(spot, Spot):
            found.setdefault((cell.series.partition("|")[0], spot.place.family), []).append(spot)
        else:
            without.append((cell, spot))
    return [sorted(spots, key=lambda spot: (spot.place.value, spot.cell.series)) for spots in found.values()], without
