"""Output of hooks: too much for an object. The last lines of each step stay in this process's
memory, and every line goes to the log, where `kubectl logs` of the controller shows it."""

import logging
import sys
from collections import deque
from collections.abc import Sequence
from itertools import islice

import attrs

from wf_core.errors import OperatorError
from wf_core.model.phases import Hook
from wf_core.model.spec import Key
from wf_core.model.state import LogLine

LINES = 200
"""Lines kept for a step."""
BYTES = 32 * 2**20
"""Memory for the lines of all workflows. Where it does not suffice, the namespace that has most of
it loses the oldest line of its step that wrote longest ago: nobody's output costs another's."""
ALIKE = 8
"""A look that says what one of so many lines before it said, says nothing new: a step may be looked
at ten times a second, for ever."""
_LINE = 1_000  # bytes that a line takes besides its text, what leads to it included
_Lines = deque[tuple[int, LogLine]]  # each with its number in the order of writing

log = logging.getLogger("wf.hooks")


@attrs.define
class _Share:
    """What one namespace takes: its steps in the order of their last line, and the bytes."""

    steps: dict[tuple[Key, str], "_Lines"] = attrs.field(factory=dict)
    size: int = 0


class Logbook:
    """The last lines of each step, by workflow."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}
        self._steps: dict[Key, dict[str, _Lines]] = {}
        self._size = 0
        self._count = 0

    def write(self, key: Key, lines: Sequence[LogLine]) -> None:
        """Add lines."""
        for line in lines:
            kept = self._steps.get(key, {}).get(line.step, ())
            if line.hook is Hook.SYNC and _said(line, kept):
                continue
            log.info("%s/%s %s: %s", key, line.step, line.hook.value, line.text)
            self._add(key, line)
            while self._size > BYTES:
                most = max(self._shares.values(), key=_size_of)
                self._drop_oldest(*next(iter(most.steps)))

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
        for step, lines in tuple(self._steps.get(key, {}).items()):
            for _ in range(len(lines)):
                self._drop_oldest(key, step)

    def _add(self, key: Key, line: LogLine) -> None:
        share = self._shares.setdefault(key.namespace, _Share())
        lines = share.steps.pop((key, line.step), None) or deque()
        share.steps[key, line.step] = self._steps.setdefault(key, {})[line.step] = lines
        self._count += 1
        lines.append((self._count, line))
        share.size += (size := _bytes(line))
        self._size += size
        if len(lines) > LINES:
            self._drop_oldest(key, line.step)

    def _drop_oldest(self, key: Key, step: str) -> None:
        share = self._shares[key.namespace]
        lines = share.steps[key, step]
        share.size -= (size := _bytes(lines.popleft()[1]))
        self._size -= size
        if lines:
            return
        del share.steps[key, step], self._steps[key][step]
        if not self._steps[key]:
            del self._steps[key]
        if not share.steps:
            del self._shares[key.namespace]


def _bytes(line: LogLine) -> int:
    return _LINE + sys.getsizeof(line.text)


def _size_of(share: _Share) -> int:
    return share.size


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
