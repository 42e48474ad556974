"""Output of hooks: too much for an object. The last lines of each step stay in this process's
memory, and every line goes to the log, where `kubectl logs` of the controller shows it."""

import logging
import sys
from collections import deque
from collections.abc import Sequence
from itertools import islice

from wf_core.errors import OperatorError
from wf_core.model.phases import Hook
from wf_core.model.spec import Key
from wf_core.model.state import LogLine
from wf_k8s.store.budget import Budget

LINES = 200
"""Lines kept for a step."""
BYTES = 32 * 2**20
"""Memory for the lines of all workflows. Where it does not suffice, the namespace that has most of
it loses its oldest line."""
ALIKE = 8
"""A look that says what one of so many lines before it said, says nothing new: a step may be looked
at ten times a second, for ever."""
_LINE = 1_000  # bytes that a line takes besides its text, what leads to it included
_Lines = deque[tuple[int, LogLine]]  # each with its number in the order of writing

log = logging.getLogger("wf.hooks")


class Logbook:
    """The last lines of each step, by workflow."""

    def __init__(self) -> None:
        self._steps: dict[Key, dict[str, _Lines]] = {}
        self._budget: Budget[tuple[Key, str, int]] = Budget(BYTES)
        self._count = 0

    def write(self, key: Key, lines: Sequence[LogLine]) -> None:
        """Add lines."""
        for line in lines:
            kept = self._steps.get(key, {}).get(line.step, ())
            if line.hook is Hook.SYNC and _said(line, kept):
                continue
            log.info("%s/%s %s: %s", key, line.step, line.hook.value, line.text)
            self._add(key, line)

    def has(self, key: Key) -> bool:
        """Whether lines of that workflow are kept."""
        return key in self._steps

    def read(self, key: Key, step: str | None) -> tuple[LogLine, ...]:
        """What is kept, oldest first."""
        steps = self._steps.get(key, {})
        chosen = steps.values() if step is None else [steps.get(step, ())]
        return tuple(line for _, line in sorted((each for one in chosen for each in one), key=_age))

    def forget(self, key: Key) -> None:
        """The workflow is gone."""
        for step, lines in self._steps.pop(key, {}).items():
            for number, _ in lines:
                self._budget.drop(key.namespace, (key, step, number))

    def _add(self, key: Key, line: LogLine) -> None:
        self._count += 1
        lines = self._steps.setdefault(key, {}).setdefault(line.step, deque())
        if len(lines) == LINES:
            self._budget.drop(key.namespace, (key, line.step, lines.popleft()[0]))
        lines.append((self._count, line))
        size = _LINE + sys.getsizeof(line.text)
        for of, step, _ in self._budget.put(key.namespace, (key, line.step, self._count), size):
            self._drop_oldest(of, step)

    def _drop_oldest(self, key: Key, step: str) -> None:
        lines = self._steps[key][step]
        lines.popleft()
        if not lines:
            del self._steps[key][step]
        if not self._steps[key]:
            del self._steps[key]


def _said(line: LogLine, kept: "_Lines | tuple[()]") -> bool:
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
