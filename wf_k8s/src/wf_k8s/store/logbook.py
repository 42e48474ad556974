"""Output of hooks: too much for an object. The last lines of each step stay in this process's
memory, and every line goes to the log, where `kubectl logs` of the controller shows it."""

import logging
from collections import deque
from collections.abc import Sequence
from itertools import islice

from wf_core.errors import OperatorError
from wf_core.model.phases import Hook
from wf_core.model.spec import Key
from wf_core.model.state import LogLine

LINES = 200
"""Lines kept for a step."""
WORKFLOWS = 1_000
"""Workflows whose lines are kept; those that wrote last."""
ALIKE = 8
"""A look that says what one of so many lines before it said, says nothing new: a step may be looked
at ten times a second, for ever."""

log = logging.getLogger("wf.hooks")


class Logbook:
    """The last lines of each step, by workflow."""

    def __init__(self) -> None:
        self._kept: dict[Key, dict[str, deque[tuple[int, LogLine]]]] = {}
        self._count = 0

    def write(self, key: Key, lines: Sequence[LogLine]) -> None:
        """Add lines."""
        steps = self._kept.pop(key, {})
        self._kept[key] = steps
        for line in lines:
            kept = steps.setdefault(line.step, deque(maxlen=LINES))
            if line.hook is Hook.SYNC and _said(line, kept):
                continue
            self._count += 1
            kept.append((self._count, line))
            log.info("%s/%s %s: %s", key, line.step, line.hook.value, line.text)
        if len(self._kept) > WORKFLOWS:
            del self._kept[next(iter(self._kept))]

    def has(self, key: Key) -> bool:
        """Whether lines of that workflow are kept."""
        return key in self._kept

    def read(self, key: Key, step: str | None) -> tuple[LogLine, ...]:
        """What is kept, oldest first."""
        steps = self._kept.get(key, {})
        chosen = steps.values() if step is None else [steps.get(step, deque())]
        return tuple(line for _, line in sorted((each for one in chosen for each in one), key=_age))

    def forget(self, key: Key) -> None:
        """The workflow is gone."""
        self._kept.pop(key, None)


def _said(line: LogLine, kept: "deque[tuple[int, LogLine]]") -> bool:
    latest = islice(reversed(kept), ALIKE)
    return any((each.hook, each.text) == (line.hook, line.text) for _, each in latest)


def _age(numbered: tuple[int, LogLine]) -> int:
    return numbered[0]


def elsewhere(key: Key) -> OperatorError:
    """The output of a workflow's hooks is not here."""
    return OperatorError(
        "the output of hooks is not kept in the cluster, but goes to the log of whoever ran them: "
        f"`kubectl logs` of the controller has that of '{key}'"
    )
