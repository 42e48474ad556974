"""What a life of the engine is told before it starts, and what it leaves for whoever started it."""

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from wf_core.model.spec import Key, Workflow


class Goal(StrEnum):
    """What a life works towards: the end of the workflow, or its undoing once it is in Success."""

    RUN = "run"
    UNDO = "undo"


class Side(StrEnum):
    """Which side of a save or of a hook's call."""

    BEFORE = "before"
    AFTER = "after"


class Fault(StrEnum):
    """What is done to one call of a hook, in the words of the report."""

    RETRYABLE_BEFORE = "failed before it acted, to be tried again"
    RETRYABLE_AFTER = "acted and then raised, to be tried again"
    FATAL_BEFORE = "failed for good before it acted"
    FATAL_AFTER = "acted and then failed for good"
    LATE = "answered late"


class Orders(msgspec.Struct, frozen=True):
    """One life. `chance` is the text that its faults are drawn from.

    It is killed at its boundary `kill_at` (from 1; 0 is never), or `kill_after` seconds later.
    With `faults` calls of hooks fail or answer late; the run of the step `doomed` fails for good.
    """

    workflow: Workflow
    store: str
    trace: str
    goal: Goal
    life: int
    chance: str
    config: str | None = None
    kill_at: int = 0
    kill_after: float = 0.0
    faults: bool = False
    doomed: str = ""

    @property
    def key(self) -> Key:
        """How the store finds the workflow."""
        return Key(self.workflow.metadata.namespace, self.workflow.metadata.name)


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a trace: a boundary that a life crossed (`n` from 1), or a fault (`n` is 0).

    `what` is `save` or the hook's name, `detail` the step or what was saved. `killed`: the life was
    killed here, or `after` seconds later.
    """

    life: int
    n: int
    side: Side
    what: str
    detail: str
    fault: Fault | None = None
    killed: bool = False
    after: float = 0.0

    @property
    def place(self) -> str:
        """The kind of boundary: `before save`, `after run`, ..."""
        return f"{self.side} {self.what}"

    def __str__(self) -> str:
        return f"{self.place} of {self.detail}"


class Trace:
    """Where a life writes marks. A line is one `write`, so what was written outlives a SIGKILL."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)

    def write(self, mark: Mark) -> None:
        """Add a mark."""
        os.write(self._file, msgspec.json.encode(mark) + b"\n")


def marks_in(path: Path) -> tuple[Mark, ...]:
    """The marks that lives wrote so far, in the order in which they were written."""
    if not path.exists():
        return ()
    lines: Iterable[bytes] = path.read_bytes().splitlines()
    return tuple(msgspec.json.decode(line, type=Mark) for line in lines)
