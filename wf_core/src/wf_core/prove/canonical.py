"""When two states are the same: all that later behaviour depends on, and nothing else.

Left out are times (only the order of timers counts), texts, histories, numbers of attempts and
revisions. States that differ by a symmetry of the graph alone are one.
"""

from itertools import permutations
from typing import TYPE_CHECKING

import msgspec

from wf_core.model.spec import Workflow
from wf_core.model.state import StepState, WorkflowState
from wf_core.saga.branch import timers, unanswered, volatile

if TYPE_CHECKING:
    from wf_core.prove.search import Node

_encode = msgspec.msgpack.Encoder().encode
_MOST_SYMMETRIES = 24


class Canonical:
    """Keys of the states of one workflow."""

    def __init__(self, workflow: Workflow) -> None:
        self._symmetries = list(_symmetries(workflow))

    def key(self, node: "Node") -> bytes:
        """The same for states that behave alike."""
        steps = _steps(node)
        head = _head(node)
        due = timers(node.saga)
        return min(
            _encode(
                (
                    head,
                    [steps[i] for i in symmetry],
                    [(symmetry.index(i) if i >= 0 else i, name) for i, name in due],
                )
            )
            for symmetry in self._symmetries
        )


def _steps(node: "Node") -> list[object]:
    saved_differs = node.saga.dirty
    return [
        (
            _step(node.saga.steps[i]),
            _step(node.saved.steps[i]) if saved_differs else None,
            volatile(node.saga, i),
            int(node.effects[i]),
            i in node.calls,
        )
        for i in range(len(node.effects))
    ]


def _head(node: "Node") -> object:
    saved = _of_head(node.saved.head) if node.saga.dirty else None
    return (
        node.crashes,
        node.cancels,
        node.oddities,
        unanswered(node.saga),
        _of_head(node.saga.head),
        saved,
    )


def _of_head(head: WorkflowState) -> object:
    return (
        head.phase,
        head.committed,
        head.parked,
        head.suspended,
        bool(head.cause),
        head.deadline_at is not None,
        len(head.answers),
    )


def _step(step: StepState) -> object:
    return (
        step.phase,
        step.undo,
        step.ran,
        step.failed,
        step.attempt > 0,
        step.run_retry_count,
        step.rollback_retry_count,
        step.in_progress,
        step.interruptions,
        step.next_attempt_at is not None,
        step.attempt_deadline_at is not None,
        step.previous,
        None if step.blocked is None else step.blocked.reason,
    )


def _symmetries(workflow: Workflow) -> list[tuple[int, ...]]:
    """The permutations of the steps that leave the document as it is; at most four steps."""
    steps = workflow.spec.steps
    identity = tuple(range(len(steps)))
    if len(steps) > 4:
        return [identity]
    index = {step.name: i for i, step in enumerate(steps)}
    found = []
    for order in permutations(identity):
        place = {old: new for new, old in enumerate(order)}
        same = all(
            steps[old].step_template == steps[new].step_template
            and steps[old].pivot == steps[new].pivot
            and steps[old].rollback == steps[new].rollback
            and {(place[index[d.name]], d.phase) for d in steps[old].depend_ons}
            == {(index[d.name], d.phase) for d in steps[new].depend_ons}
            for new, old in enumerate(order)
        )
        if same:
            found.append(order)
    return found[:_MOST_SYMMETRIES]
