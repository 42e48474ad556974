"""Cleans up after a starter that is gone: a program of its own, told over its standard input.

A line `+ID` names a process to watch over, `-ID` one that has ended, and `!` with a JSON list a
command to run at the end. At the end of input, which comes however the starter ends, SIGKILL goes
to the processes that are left; then the commands run. Both go from the last to the first.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable


def main(lines: Iterable[str]) -> int:
    """Keep the lists, and act on them when the lines end; 1 where a command failed."""
    left: dict[int, None] = {}
    commands: list[list[str]] = []
    for line in lines:
        if line.startswith("!"):
            commands.append(json.loads(line[1:]))
        elif line.startswith("+"):
            left[int(line[1:])] = None
        else:
            del left[int(line[1:])]
    for process in reversed(left):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue  # It ended by itself meanwhile, which is what we want.
    # All of them, though one fails.
    codes = [subprocess.run(each, check=False).returncode for each in reversed(commands)]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.stdin))
