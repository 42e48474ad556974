"""One save as one JSON patch on the status (kubernetes.md 7: tests first, no resourceVersion)."""

from collections.abc import Sequence
from typing import Any

import attrs
import msgspec

from wf_core.model.phases import Verdict
from wf_core.model.state import (
    OutboxEntry,
    StepState,
    Transition,
    WorkflowState,
)
from wf_core.ports import Changes
from wf_k8s.store.guard import keeps_guard, still_guarded
from wf_k8s.store.known import SAME, Known
from wf_k8s.store.numbers import Numbers, id_of
from wf_k8s.store.pointers import Op, add, changed, escaped, remove, test
from wf_k8s.store.shown import MAPS, shown
from wf_k8s.store.wire import Status, WireAnswer

HISTORY_LINES = 100
HISTORY_BYTES = 32 * 1024
FEW = 8
"""List items up to which a patch removes them one by one instead of writing the list anew."""

_encode = msgspec.json.Encoder().encode
_FIRST = frozenset({"schema_version", "owner"})
"""Fields that the first save writes in any case: what reads and tests them must find them."""
_ALWAYS = _FIRST | {"phase", "revision", "epoch", "save_id"}
"""Fields that are there from the first save on, whatever they hold."""
_WIRE_NAMES = dict(zip(Status.__struct_fields__, Status.__struct_encode_fields__, strict=True))
_EMPTY = Status()


@attrs.frozen
class Prepared:
    """A save that is ready to be sent: the patch, and what is known once it has landed."""

    body: bytes
    save_id: str
    after: Known


def prepare(
    known: Known, changes: Changes, numbers: Numbers, *, save_id: str, now: float
) -> Prepared:
    """The patch for `changes`, which builds on `known`."""
    head, status, workflow = changes.head, known.status, known.workflow
    claims = head.owner.epoch > changes.base_epoch
    ops: list[Op] = [
        test("/metadata/uid", changes.uid),
        test("/status/epoch", changes.base_epoch),
        test("/status/revision", changes.base_revision),
    ]
    if keeps_guard(known, changes):
        ops.append(still_guarded(known))
    if not claims:
        # Who gave its claim up keeps the epoch, and may not go on writing.
        ops.append(test("/status/owner", head.owner.id))
    names = [step.name for step in workflow.spec.steps]
    steps = dict(status.steps)
    for index, state in changes.steps.items():
        steps[names[index]] = state
    answers = _answers(known, changes, numbers)
    after = msgspec.structs.replace(
        status,
        **{name: getattr(head, name) for name in SAME},
        epoch=head.owner.epoch,
        owner=head.owner.id,
        save_id=save_id,
        remarks=head.conditions,
        answers=answers,
        request_seq=max((status.request_seq, *(answer.seq for answer in answers))),
        steps=steps,
        outbox=_outbox(status.outbox, changes),
        history=_history((*status.history, *changes.history)),
    )
    ops += _plain(status, after)
    ops += [
        add(f"/status/steps/{escaped(names[index])}", state)
        for index, state in changes.steps.items()
    ]
    ops += _list("/status/outbox", status.outbox, after.outbox)
    ops += _list("/status/history", status.history, after.history)
    derived = _derived(known, head, after, changes, now)
    ops += changed("/status", known.shown, derived, by_key=MAPS)
    body = _encode(ops)
    return Prepared(body, save_id, attrs.evolve(known, status=after, shown=derived))


def release(known: Known) -> bytes:
    """The patch that gives a claim up, and touches no revision."""
    return _encode(
        [
            test("/metadata/uid", known.uid),
            test("/status/epoch", known.status.epoch),
            test("/status/owner", known.status.owner),
            add("/status/owner", ""),
        ]
    )


def _plain(before: Status, after: Status) -> list[Op]:
    """Fields that are written whole. What equals the default is not stored, with exceptions."""
    ops: list[Op] = []
    for name, wire in _WIRE_NAMES.items():
        if name in ("steps", "outbox", "history"):
            continue
        old, new = getattr(before, name), getattr(after, name)
        first = before.revision == 0 and name in _FIRST
        if old == new and not first:
            continue
        if name in _ALWAYS or new != getattr(_EMPTY, name):
            ops.append(add(f"/status/{wire}", new))
        else:
            ops.append(remove(f"/status/{wire}"))
    return ops


def _list(path: str, before: Sequence[Any], after: Sequence[Any]) -> list[Op]:
    """From one list to another that has lost some at its front and won some at its end."""
    gone = next((n for n in range(len(before) + 1) if before[n:] == after[: len(before) - n]), 0)
    if gone > FEW or len(after) < len(before) - gone:
        return [add(path, after)]
    new = after[len(before) - gone :]
    return [remove(f"{path}/0")] * gone + [add(f"{path}/-", each) for each in new]


def _outbox(stored: tuple[OutboxEntry, ...], changes: Changes) -> tuple[OutboxEntry, ...]:
    delivered = changes.head.outbox_delivered
    return tuple(entry for entry in (*stored, *changes.outbox) if entry.seq > delivered)


def _history(lines: tuple[Transition, ...]) -> tuple[Transition, ...]:
    kept, size = 0, 0
    for line in reversed(lines[-HISTORY_LINES:]):
        size += len(_encode(line)) + 1
        if size > HISTORY_BYTES:
            break
        kept += 1
    return lines[len(lines) - kept :]


def _answers(known: Known, changes: Changes, numbers: Numbers) -> tuple[WireAnswer, ...]:
    """The head's answers with the ids they belong to, and older ones as long as their requests
    stand in the spec: without its answer a request would be asked once more."""
    status = known.status
    if not changes.answered:
        return status.answers
    numbers.learn(known.requests, status.answers, status.request_seq)
    by_seq = {
        answer.seq: WireAnswer.of(answer, numbers.id(answer.seq) or id_of(answer.seq))
        for answer in changes.head.answers
    }
    standing = {each.id: each for each in known.requests}
    for old in status.answers:
        if old.id in standing:
            by_seq.setdefault(old.seq, old)
    for seq in changes.answered:
        request = standing.get(numbers.id(seq) or "")
        if request is not None and seq not in by_seq:
            by_seq[seq] = WireAnswer(
                seq,
                request.type,
                Verdict.NO_EFFECT,
                0.0,
                request.step,
                by=request.by,
                request_reason=request.reason,
                id=request.id,
            )
    return tuple(by_seq[seq] for seq in sorted(by_seq))


def _derived(
    known: Known, head: WorkflowState, after: Status, changes: Changes, now: float
) -> dict[str, Any]:
    steps: tuple[StepState, ...] = tuple(
        after.steps.get(step.name, StepState()) for step in known.workflow.spec.steps
    )
    return shown(
        known.workflow,
        head,
        steps,
        known.shown,
        touched=changes.steps,
        generation=known.generation,
        now=now,
    )
