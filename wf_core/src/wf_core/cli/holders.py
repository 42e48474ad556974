"""Who holds what a workflow waits for: slots, and permits of a kind; told from what is stored."""

import contextlib
from collections.abc import Sequence

import attrs

from wf_core.cli.registry import installed
from wf_core.cli.settings import key_of
from wf_core.cli.stores import all_rows, now
from wf_core.errors import StoreUnavailable, WorkflowNotFound
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.ports import Row, Store
from wf_core.saga.explain import Reason, Waiting, holds_slot, in_flight

LOOKED_AT = 100
"""Workflows that are loaded to find holders; those of the same queue first."""

NAMED = 5


async def with_holders(store: Store, stored: Stored, found: Sequence[Waiting]) -> list[Waiting]:
    """`found`, with the holders of slots and permits named in the sentences that wait for them."""
    if not any(each.reason in (Reason.ADMISSION, Reason.PERMIT) for each in found):
        return list(found)
    try:
        others, more = await _others(store, stored)
    except StoreUnavailable as error:
        return [*found, Waiting(None, Reason.ADMISSION, f"who holds slots is not known: {error}")]
    kinds = {spec.name: spec.step_template.type for spec in stored.workflow.spec.steps}
    return [
        _slots(each, others, more)
        if each.step is None
        else _permits(each, [stored, *others], more, kinds[each.step])
        for each in found
    ]


def _slots(each: Waiting, others: Sequence[Stored], more: int) -> Waiting:
    if each.reason is not Reason.ADMISSION:
        return each
    known = installed().kinds
    holders = [_slot(other) for other in others if holds_slot(other, known)]
    return _adding(each, _list("slots are held by", holders, more))


def _permits(each: Waiting, others: Sequence[Stored], more: int, kind: str) -> Waiting:
    if each.reason is not Reason.PERMIT:
        return each
    at = now()
    sure: list[str] = []
    perhaps: list[str] = []
    for other in others:
        for names, into in zip(in_flight(other, kind, at), (sure, perhaps), strict=True):
            into += [f"{key_of(other.workflow)}/{name}" for name in names]
    said = _list("permits are held by", sure, more)
    return _adding(each, said + _list("held, or waited for, by", perhaps, more))


def _adding(each: Waiting, said: str) -> Waiting:
    return attrs.evolve(each, sentence=each.sentence + said)


def _slot(holder: Stored) -> str:
    return f"{key_of(holder.workflow)} (queue '{holder.workflow.spec.queue}')"


def _list(what: str, names: Sequence[str], more: int) -> str:
    if not names:
        return ""
    left = max(0, len(names) - NAMED) + more
    rest = f" and {'up to ' if more else ''}{left:,} more" if left else ""
    return f"; {what} {', '.join(names[:NAMED])}{rest}"


def _may_count(row: Row, own: Key) -> bool:
    """What gave its slot back holds up nobody; while it is undone, its own namespace (E5)."""
    return not row.parked or (row.slotless and row.key.namespace == own.namespace)


async def _others(store: Store, stored: Stored) -> tuple[list[Stored], int]:
    """Other workflows that are under way, and how many were not looked at."""
    own, queue = key_of(stored.workflow), stored.workflow.spec.queue
    under_way = await all_rows(store, [Phase.RUNNING, Phase.ROLLING_BACK])
    rows = [row for row in under_way if _may_count(row, own) and row.key != own]
    rows.sort(key=lambda row: (row.queue != queue, row.created_at))
    others = []
    for row in rows[:LOOKED_AT]:
        with contextlib.suppress(WorkflowNotFound):  # it is gone meanwhile, and holds nothing
            others.append(await store.load(row.key))
    return others, max(0, len(rows) - LOOKED_AT)
