"""Feeding one random history to a store, step by step, to compare stores with each other (I16)."""

from collections.abc import Sequence

import attrs
import msgspec

from wf_core.model.phases import Phase
from wf_core.model.requests import Request
from wf_core.model.state import Owner, Stored, Transition
from wf_core.ports import Row, Store
from wf_core.testing.store_strategies import STEPS, Turn
from wf_core.testing.store_values import key_of, next_save, saved, workflow


async def replay(
    store: Store, events: Sequence[object]
) -> tuple[list[Stored], tuple[Transition, ...], Row]:
    """Everything a reader sees after each event, with the owner's id made comparable."""
    stored = await store.create(workflow(steps=STEPS, uid="one-uid"), 1.0)
    key = key_of(stored)
    owner = await store.claim(key)
    seen = [stored]
    for at, event in enumerate(events, 2):
        if isinstance(event, Turn):
            entries = event.entries(stored.head.outbox_seq)
            seq = stored.head.outbox_seq + len(entries)
            changes = next_save(
                stored,
                owner,
                phase=event.phase,
                steps=event.steps,
                outbox=entries,
                history=event.history,
                answered=[asked.seq for asked in stored.asked[:1]] if event.answer else (),
                reached={event.phase: float(at)},
                signals=event.signals,
                outbox_delivered=seq if event.deliver else stored.head.outbox_delivered,
            )
            await saved(store, stored, changes)
        elif isinstance(event, Request):
            await store.request(key, event, float(at))
        elif event == "delete":
            await store.delete(key, float(at))
        elif event == "release":
            await store.release(key)
            owner = await store.claim(key)
        else:
            owner = await store.claim(key)
        stored = await store.load(key)
        seen.append(stored)
    page = await store.list(phases=tuple(Phase))
    return [_plain(one) for one in seen], await store.history(key), _plain_row(page.rows[0])


def _plain(stored: Stored) -> Stored:
    head = msgspec.structs.replace(stored.head, owner=_plain_owner(stored.head.owner))
    return msgspec.structs.replace(stored, head=head)


def _plain_row(row: Row) -> Row:
    return attrs.evolve(row, owner=_plain_owner(row.owner))


def _plain_owner(owner: Owner) -> Owner:
    return Owner("someone" if owner.id else "", owner.epoch)
