"""A room of harness/ includes only what stands left of it, models/ and workloads/ nothing of harness/, and no includes run in a circle.

With `--self-test`: three trees with one fault each, which must be found.
"""
import re
import sys
import tempfile
from pathlib import Path

ROOMS = ["", "stats", "host", "http", "trial", "serve", "drive", "capacity", "compare", "store", "report", "cli"]  # "": leaf helpers
BELOW = {"models": ["models"], "workloads": ["models", "workloads"]}
ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^">]+)[">]', re.M)
FEWEST_FILES = 100  # fewer were read: this is not the project's tree


def room_of(path):
    """"store" of harness/store/x.cpp, "" of harness/json.cpp."""
    return "" if path.parent == Path("harness") else str(path.parent.relative_to("harness"))


def own_includes(root, file):
    """The files of the project that a file includes; those that are named without their path as None."""
    for name in INCLUDE.findall(file.read_text()):
        if name.split("/")[0] in ("harness", "models", "workloads", "tests"):
            yield Path(name)
        elif (file.parent / name).exists():
            yield None


def faults(root):
    includes, read = {}, 0  # by module: a header and its source together
    for folder in ("harness", *BELOW):
        for file in sorted((root / folder).rglob("*.[hc]pp")):
            read += 1
            path = file.relative_to(root)
            if folder == "harness" and room_of(path) == "benchmarks":
                continue
            if folder == "harness" and room_of(path) not in ROOMS:
                yield f"{path} lies in no room: {', '.join(ROOMS[1:])}"
                continue
            for other in own_includes(root, file):
                if other is None:
                    yield f"{path} includes a file by a relative name: write its path from the root"
                    continue
                top = other.parts[0]
                if folder != "harness":
                    if top not in BELOW[folder]:
                        yield f"{path} includes {other}: {folder} may include only {', '.join(BELOW[folder])}"
                elif top == "tests":
                    yield f"{path} includes {other}: harness may not include tests"
                elif top == "harness":
                    room = room_of(path)
                    allowed = ROOMS[:ROOMS.index(room) + 1]
                    if room_of(other) not in allowed:
                        yield (f"{path.relative_to('harness')} includes {other.relative_to('harness')}: {room or 'a leaf helper'} "
                               f"may include only {', '.join(allowed[1:]) or 'leaf helpers'}")
                includes.setdefault(path.with_suffix(""), set()).add(other.with_suffix(""))
    if read < FEWEST_FILES:
        yield f"{root}: {read} sources were found, which is not the project"
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


def self_test():
    cases = {
        "store/x.cpp includes report/y.hpp: store may include only stats, host, http, trial, serve, drive, capacity, compare, store":
            {"harness/store/x.cpp": '#include "harness/report/y.hpp"'},
        "models/x.cpp includes harness/json.hpp: models may include only models": {"models/x.cpp": "#include <harness/json.hpp>"},
        "a circle: harness/stats/a -> harness/stats/b -> harness/stats/a":
            {"harness/stats/a.hpp": '#include "harness/stats/b.hpp"', "harness/stats/b.cpp": '#include "harness/stats/a.hpp"'},
        "harness/stats/a.cpp includes a file by a relative name: write its path from the root":
            {"harness/stats/a.cpp": '#include "../b.hpp"', "harness/b.hpp": ""},
    }
    for fault, files in cases.items():
        with tempfile.TemporaryDirectory() as tree:
            for name, text in files.items():
                (Path(tree) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(tree) / name).write_text(text + "\n")
            found = list(faults(Path(tree)))
            if fault not in found:
                yield f"not found: {fault} (found: {found})"


if __name__ == "__main__":
    found = list(self_test()) if "--self-test" in sys.argv else list(faults(ROOT))
    print("\n".join(found) or "every include runs one way")
    sys.exit(bool(found))
