"""Ends processes whose starter is gone: a program of its own, told over its standard input.

A line `+ID` names a process to watch over, `-ID` one that has ended. At the end of input, which
comes however the starter ends, SIGKILL goes to those that are left.
"""

import os
import signal
import sys
from collections.abc import Iterable


def main(lines: Iterable[str]) -> None:
    """Keep the list, and end what is on it when the lines end."""
    left: dict[int, None] = {}
    for line in lines:
        process = int(line[1:])
        if line.startswith("+"):
            left[process] = None
        else:
            del left[process]
    for process in reversed(left):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue  # It ended by itself meanwhile, which is what we want.


if __name__ == "__main__":
    main(sys.stdin)
