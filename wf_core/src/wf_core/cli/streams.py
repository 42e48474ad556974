"""Standard streams that a command can rely on, whatever the caller left open."""

import errno
import os
import sys

from wf_core.cli.exits import ExitCode

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE))


def open_missing() -> None:
    """Give every standard stream that is closed to the null device.

    A file that is opened later, such as the store, would otherwise get its number, and what a
    step's process prints would go into that file.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def is_lost_output(error: OSError) -> bool:
    """Whether an error that names no file is that of writing to a standard stream."""
    return error.filename is None and error.errno in _NO_ROOM


def abandon(error: OSError) -> ExitCode:
    """Write nothing more to stdout; what that means for whoever called."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())  # the interpreter flushes at its end
    os.close(null)
    return ExitCode.BROKEN_PIPE if isinstance(error, BrokenPipeError) else ExitCode.OPERATOR
