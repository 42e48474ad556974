"""Where processes come from: `python -m wf_core.testing.lives.nursery`, which imported all.

Each line on its standard input, an `Order`, is carried out in a process that is forked for it; the
answer, a line on its standard output, is how that ended: the exit code, negative for a signal.
"""

import os
import sys

import msgspec

from wf_core.plugins.parameters import decoding
from wf_core.testing.lives import child
from wf_core.testing.lives.orders import Order

PRELOADED = (decoding,)
"""Imported here once rather than in every process."""


def main() -> int:
    """Carry out orders until the standard input is closed, or the terminal interrupts all."""
    try:
        _serve()
    except KeyboardInterrupt:
        return 130
    return 0


def _serve() -> None:
    sys.dont_write_bytecode = True  # a file that only the first process writes would be counted
    sys.path[:0] = msgspec.json.decode(sys.stdin.readline(), type=list[str])
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        _preload(order.kind)
        pid = os.fork()
        if not pid:
            _be_born(order)
        _, status = os.waitpid(pid, 0)
        os.write(sys.stdout.fileno(), b"%d\n" % os.waitstatus_to_exitcode(status))


def _preload(kind: str) -> None:
    """Import the kind's module, so that every process finds it the way the tests' own found it."""
    try:
        child.kind_of(kind)
    except Exception:  # the process that needs it says why
        return


def _be_born(order: Order) -> None:
    """Become the process of an order; ends without a look back at what the nursery holds."""
    code = 1
    try:
        words = os.open(f"{order.said}.words", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for mine, theirs in ((nothing, sys.stdin), (words, sys.stdout), (words, sys.stderr)):
            os.dup2(mine, theirs.fileno())
        child.live(order)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
