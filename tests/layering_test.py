"""A room of harness/ includes only what stands left of it, and no includes run in a circle."""
import re
import sys
from pathlib import Path

ROOMS = ["", "stats", "host", "trial", "capacity", "compare", "store", "report", "cli"]  # "": leaf helpers
HARNESS = Path(__file__).resolve().parent.parent / "harness"


def faults(harness):
    includes = {}  # by module: a header and its source together
    for file in sorted(harness.rglob("*.[hc]pp")):
        inside = file.relative_to(harness)
        room = str(inside.parent).replace(".", "")
        if room == "benchmarks":
            continue
        if room not in ROOMS:
            yield f"{inside} lies in no room: {', '.join(ROOMS[1:])}"
            continue
        allowed = ROOMS[:ROOMS.index(room) + 1]
        for name in re.findall(r'#include "harness/([^"]+)"', file.read_text()):
            other = str(Path(name).parent).replace(".", "")
            if other not in allowed:
                yield f"{inside} includes {name}: {room or 'a leaf helper'} may include only {', '.join(allowed[1:]) or 'leaf helpers'}"
            includes.setdefault(inside.with_suffix(""), set()).add(Path(name).with_suffix(""))
    done, path = set(), []

    def visit(module):
        if module in path:
            yield "a circle: " + " -> ".join(map(str, path[path.index(module):] + [module]))
        elif module not in done:
            path.append(module)
            for other in sorted(includes.get(module, set()) - {module}):
                yield from visit(other)
            path.pop()
            done.add(module)

    for module in sorted(includes):
        yield from visit(module)


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1]) if len(sys.argv) > 1 else HARNESS))
    print("\n".join(found) or "every include runs one way")
    sys.exit(bool(found))
