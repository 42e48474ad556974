"""Having a process carry out an order, and reading what it said before it ended or was killed."""

import atexit
import functools
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import attrs
import msgspec

from wf_core.testing.lives.orders import Answered, Checkpointed, Died, Order, said_in

KEPT_WORDS = 2_000
"""Characters of what a process said that a report keeps, from their end."""


class LifeFailed(Exception):  # noqa: N818
    """A process ended in a way that nobody ordered; str() says how."""


@attrs.frozen
class Life:
    """What came of one call. `answer` is None where the process was killed, as ordered: `killed`
    says where."""

    answer: Answered | None
    checkpoints: tuple[Checkpointed, ...]
    killed: str = ""


class Nursery:
    """The process that others are forked from, and the `folder` for what they say and keep."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="wf-lives-")
        self.folder = Path(self._temporary.name)
        self._process = subprocess.Popen(
            # -P: what lies in the folder of the tests must not stand in for a module of ours.
            [sys.executable, "-P", "-m", "wf_core.testing.lives.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._write(msgspec.json.encode(sys.path))

    def life(self, order: Order) -> Life:
        """Carry out an order. Raises LifeFailed for an end that it did not ask for."""
        self._write(msgspec.json.encode(order))
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LifeFailed("the process that calls hooks ended by itself")
        return _read(order, int(line))

    def close(self) -> None:
        """End it, now that no order is under way."""
        self._process.communicate()
        self._temporary.cleanup()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()


@functools.cache
def nursery() -> Nursery:
    """The one of this process, which ends with it."""
    made = Nursery()
    atexit.register(made.close)
    return made


def _read(order: Order, code: int) -> Life:
    said = said_in(Path(order.said)) if Path(order.said).exists() else []
    checkpoints = tuple(each for each in said if isinstance(each, Checkpointed))
    last = said[-1] if said else None
    if code == -signal.SIGKILL and isinstance(last, Died):
        return Life(None, checkpoints, last.where)
    if code == 0 and isinstance(last, Answered):
        return Life(last, checkpoints)
    if code == -signal.SIGALRM:
        raise LifeFailed(f"`{order.hook}` did not return within {order.patience:g} s")
    words = Path(f"{order.said}.words").read_text(errors="replace").strip()
    raise LifeFailed(
        f"the process that called `{order.hook}` ended with code {code}: {words[-KEPT_WORDS:]}"
    )
