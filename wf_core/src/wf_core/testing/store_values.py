"""Workflows and saves for tests of stores."""

from collections.abc import Iterable, Mapping

import msgspec

from wf_core.model.phases import Phase
from wf_core.model.spec import (
    NO_TTL,
    Key,
    Metadata,
    StepSpec,
    StepTemplate,
    TimeToLive,
    Workflow,
    WorkflowSpec,
)
from wf_core.model.state import OutboxEntry, Owner, StepState, Stored, Transition, Writer
from wf_core.ports import Changes, Saved, Store


def workflow(
    name: str = "order",
    steps: int = 2,
    *,
    uid: str = "",
    queue: str = "default",
    sync_period_seconds: float = 0.0,
    ttl: TimeToLive = NO_TTL,
) -> Workflow:
    """A workflow of `steps` independent steps."""
    return Workflow(
        Metadata(name=name, uid=uid),
        WorkflowSpec(
            queue=queue,
            ttl_seconds_after_finished=ttl,
            steps=tuple(
                StepSpec(f"step{n}", StepTemplate("any", sync_period_seconds=sync_period_seconds))
                for n in range(steps)
            ),
        ),
    )


def key_of(stored: Stored) -> Key:
    """The key of what a store gave back."""
    return Key(stored.workflow.metadata.namespace, stored.workflow.metadata.name)


def next_save(
    stored: Stored,
    owner: Owner,
    *,
    phase: Phase | None = None,
    steps: Mapping[int, StepState] | None = None,
    outbox: tuple[OutboxEntry, ...] = (),
    history: tuple[Transition, ...] = (),
    answered: Iterable[int] = (),
    **head: object,
) -> Changes:
    """The save by `owner` that builds on `stored`; `head` replaces fields of the head."""
    old = stored.head
    fields: dict[str, object] = {
        "phase": phase or old.phase,
        "revision": old.revision + 1,
        "owner": owner,
        "writer": Writer(owner.epoch, old.revision + 1),
        "outbox_seq": max([old.outbox_seq, *(entry.seq for entry in outbox)]),
        **head,
    }
    return Changes(
        uid=stored.workflow.metadata.uid,
        base_epoch=old.owner.epoch,
        base_revision=old.revision,
        head=msgspec.structs.replace(old, **fields),
        steps=steps or {},
        outbox=outbox,
        history=history,
        answered=tuple(answered),
    )


async def saved(store: Store, stored: Stored, changes: Changes) -> Stored:
    """Save, insist that it was, and load."""
    key = key_of(stored)
    answer = await store.save(key, changes)
    assert answer is Saved.SAVED, f"the save of '{key}' was answered {answer}"
    return await store.load(key)


async def finished(
    store: Store, phase: Phase, made: Workflow | None = None, *, hold: bool = False
) -> Stored:
    """A new workflow (`made`) whose one save brought it to an end; nobody owns it any more, unless
    its owner shall `hold` it. Something of it ran."""
    stored = await store.create(made or workflow(), 1.0)
    owner = await store.claim(key_of(stored))
    steps = {0: StepState(phase=phase, attempt=1)}
    changes = next_save(stored, owner, phase=phase, steps=steps, reached={phase: 9.0})
    stored = await saved(store, stored, changes)
    if not hold:
        await store.release(key_of(stored))
    return await store.load(key_of(stored))
