"""Where lives come from: `python -m wf_core.chaos.nursery`, a process that has imported the engine.

Each line on its standard input, a JSON list of the orders' file and a file for what the life says,
starts one life, forked before any plugin is imported or any thread started. It answers with the
life's pid, and with its exit code once it has ended. A life keeps the same standard input: when
that is closed, it stops its hooks and ends.
"""

import json
import os
import sys
from pathlib import Path

from wf_core.chaos import child


def main() -> int:
    """Start lives until the standard input is closed."""
    for line in iter(_line, b""):
        orders, words = json.loads(line)
        pid = os.fork()
        if not pid:
            _be_born(orders, words)
        _answer(pid)
        _, status = os.waitpid(pid, 0)
        _answer(os.waitstatus_to_exitcode(status))
    return 0


def _line() -> bytes:
    """One line; a life must not find half of the next one in a buffer."""
    found = b""
    while not found.endswith(b"\n"):
        read = os.read(sys.stdin.fileno(), 4096)
        if not read:
            return b""
        found += read
    return found


def _answer(number: int) -> None:
    os.write(sys.stdout.fileno(), b"%d\n" % number)


def _be_born(orders: str, words: str) -> None:
    """Become a life. Ends the process without a look back at what the nursery holds."""
    code = 1
    try:
        os.setsid()
        said = os.open(words, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(said, sys.stdout.fileno())
        os.dup2(said, sys.stderr.fileno())
        code = child.main(Path(orders))
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
