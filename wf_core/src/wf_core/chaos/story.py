"""What happened in a run, line by line, for whoever has to find out why it broke the promise."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from wf_core.chaos.orders import Mark
from wf_core.model.state import Transition

SHOWN = 12
"""Boundaries of one life that are shown, from its last; faults are always shown."""


def story(
    marks: Sequence[Mark], killed: Sequence[Mark], history: Sequence[Transition]
) -> Iterator[str]:
    """The lives with their boundaries and faults, then every transition that was saved."""
    for life, crossed in groupby(marks, key=lambda mark: mark.life):
        yield f"life {life}:"
        yield from _life(list(crossed), killed)
    yield "saved:"
    for move in history:
        why = f" ({move.reason})" if move.reason else ""
        yield f"  {move.step or 'workflow'}: {move.before} -> {move.after}{why}"


def _life(marks: Sequence[Mark], killed: Sequence[Mark]) -> Iterator[str]:
    boundaries = sum(mark.fault is None for mark in marks)
    passed_over = max(0, boundaries - SHOWN)
    if passed_over:
        yield f"  ... {passed_over} boundaries"
    seen = 0
    for mark in marks:
        seen += mark.fault is None
        if mark.fault is not None:
            yield f"  fault: {mark.what} of {mark.detail} {mark.fault}"
        elif seen > passed_over:
            yield f"  {mark.n:>3} {mark}"
        if mark in killed:
            yield f"  killed {mark.after * 1000:.0f} ms later" if mark.after else "  killed here"
