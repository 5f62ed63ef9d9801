"""Files that scripts read and write by names that a user gives, or that somebody else has put there."""

import errno
import os
import stat


def opened(path, mode="r", **how):
    """`open` of a file that ends: an OSError for a pipe or a device, whose other end would be waited for."""
    # A pipe without a writer is opened at once so, and looked at afterwards: nothing can be put in its place between the two.
    stream = open(path, mode, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_CLOEXEC), **how)
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return stream


def make_directories(path):
    """`os.makedirs`, where there is already one too; an OSError also for a path of thousands of names, through which it recurs."""
    try:
        os.makedirs(path, exist_ok=True)
    except RecursionError:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path) from None


def replaced(path, write):
    """Calls `write` with a name beside `path` and gives it that of `path`, so that nobody finds half a file; what stood there stays where
    that fails. A device or a pipe is written to and never replaced; a pipe that nobody reads is an OSError and not waited for."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        mode = 0
    if mode and not stat.S_ISREG(mode):
        if stat.S_ISFIFO(mode):
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            except OSError as error:
                raise OSError(error.errno, "it is a pipe that nobody reads" if error.errno == errno.ENXIO else error.strerror, path) from None
        write(path)
        return
    part = path + ".part"
    try:
        write(part)
        os.replace(part, path)
    except BaseException:
        try:
            os.unlink(part)
        except OSError:
            pass
        raise


def write_text(path, text):
    """A text file, replaced as a whole."""
    def write(place):
        with open(place, "w", encoding="utf-8") as stream:
            stream.write(text)
    replaced(path, write)
