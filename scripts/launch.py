"""How a command of scripts/ begins and ends: on Debian's Python, apart from the user's environment, and with one line for what is wrong.

    import launch                                  # before any package
    launch.begin(__name__, "numpy", "matplotlib")
    ...
    launch.end(__name__, main)

Exit codes: what `main` returns; 2 for what cannot be done, 5 where standard output cannot be written, 130 after Ctrl-C.
"""

import importlib
import importlib.machinery
import importlib.util
import io
import logging
import os
import select
import subprocess
import sys
import warnings

from shown import shown

DEBIAN_PYTHON = "/usr/bin/python3"
NAME = os.path.basename(sys.argv[0])


class Failure(Exception):
    """Why a command cannot do what it was asked for, in one line for the user."""

    code = 2


class CannotWrite(Failure):
    """Standard output is closed, full or gone."""

    code = 5


# -- the interpreter and its packages -------------------------------------------------------------


def begin(name, *packages):
    """For a module called `name`: where it is the command, goes on in Debian's interpreter. Then imports the packages that it needs, each
    before those that build on it."""
    if name == "__main__":
        on_debian_python()
    if packages:
        require(packages)


def on_debian_python():
    """Goes on in Debian's interpreter, since Debian's packages serve no other, isolated (-I) from PYTHONPATH and the user's own
    site-packages. Where there is none, the one that runs is isolated. From then on the standard streams are Streams."""
    python = DEBIAN_PYTHON if os.access(DEBIAN_PYTHON, os.X_OK) else sys.executable
    settled = "debian" in sys._xoptions or sys.flags.isolated and os.path.realpath(sys.executable) == os.path.realpath(python)
    if not settled:
        os.execv(python, [python, "-IB", "-X", "debian", os.path.realpath(sys.argv[0]), *sys.argv[1:]])
    own_streams()


def require(packages):
    """Imports packages; exits with 2 and says why where one cannot be imported."""
    if sys.flags.isolated:  # what pip has put into /usr/local comes before Debian's
        sys.path[:] = [place for place in sys.path if not (place.startswith("/usr/local/") and place.endswith("/dist-packages"))]
    logging.disable(logging.WARNING)  # what they say of caches, fonts and masked numbers is for their developers
    warnings.simplefilter("ignore")
    here = os.open(".", os.O_PATH)
    os.environ["MATPLOTLIBRC"] = os.devnull  # neither the user's settings
    os.environ.pop("MPLBACKEND", None)
    os.chdir(os.path.dirname(os.path.abspath(__file__)))  # nor those of the working directory
    try:
        for package in packages:
            try:
                importlib.import_module(package)
            except Exception as reason:  # a package that is half there fails in any way
                complain(unusable(package, reason))
                sys.exit(2)
    finally:
        os.fchdir(here)
        os.close(here)
    for sentence in broken_on_path(packages):
        complain(sentence)
        sys.exit(2)


def unusable(package, reason):
    """Why a package cannot be used, where it lies, and the cure."""
    if isinstance(reason, ModuleNotFoundError) and reason.name == package:
        return f"{sys.executable} has no {package}: apt-get install python3-{package}"
    spec = importlib.util.find_spec(package) if package not in sys.modules else sys.modules[package].__spec__
    place = os.path.dirname(spec.origin) if spec and spec.origin else "an unknown place"
    return (f"{package} in {place} cannot be imported: {type(reason).__name__}: {reason}; "
            f"apt-get install --reinstall python3-{package} puts it right")


def broken_on_path(packages):
    """A sentence for every package that PYTHONPATH puts before Debian's and that cannot be imported. One that can is passed over all
    the same: it would change the pictures."""
    places = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    for package in packages if sys.flags.isolated and places else ():
        spec = importlib.machinery.PathFinder.find_spec(package, places)
        if spec is None or not spec.origin:
            continue
        try:
            tried = subprocess.run([sys.executable, "-B", "-c", f"import {package}"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                   errors="replace", timeout=20, check=False)
            why = (tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"])[-1] if tried.returncode else ""
        except subprocess.TimeoutExpired:
            why = "it does not end"
        if why:
            yield f"{package} in {os.path.dirname(spec.origin)} cannot be imported: {why}; unset PYTHONPATH to use Debian's python3-{package}"


# -- standard streams -----------------------------------------------------------------------------


class Stream(io.TextIOBase):
    """A standard stream on which nothing is left unwritten unseen, and text cannot steer the terminal."""

    def __init__(self, descriptor, encoding, strict):
        super().__init__()
        self.descriptor, self.to, self.strict = descriptor, encoding or "utf-8", strict

    def writable(self):
        return True

    def write(self, text):
        data = "\n".join(shown(line) for line in text.split("\n")).encode(self.to, "backslashreplace")
        while data:
            try:
                data = data[os.write(self.descriptor, data):]
            except BlockingIOError:  # a reader that is slow
                select.select([], [self.descriptor], [])
            except OSError as error:
                if self.strict:
                    raise CannotWrite(f"cannot write standard output: {error.strerror}") from error
                break
        return len(text)


def own_streams():
    """Standard output and error as Streams. What is closed is opened on /dev/null, so that no file of ours takes its place."""
    out, err = sys.stdout, sys.stderr  # None: closed
    for _ in [stream for stream in (sys.stdin, out, err) if stream is None]:
        os.open(os.devnull, os.O_RDWR)
    sys.stdout = Stream(1 if out else -1, getattr(out, "encoding", None), True)
    sys.stderr = Stream(2, getattr(err, "encoding", None), False)


def complain(sentence):
    """One line to standard error."""
    print(f"{NAME}: {sentence}", file=sys.stderr)


def end(name, main):
    """Where the module called `name` is the command, runs `main` and exits with its code."""
    if name != "__main__":
        return
    try:
        code = main()
    except Failure as wrong:
        complain(wrong)
        code = wrong.code
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
