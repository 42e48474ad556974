"""What observers are told after a save."""

from collections.abc import Iterator

from wf_core.model.spec import Key
from wf_core.ports import Event
from wf_core.saga.delta import Delta
from wf_core.saga.machine import Saga


def announced(saga: Saga, delta: Delta, now: float) -> Iterator[Event]:
    """The events of one save: runs that failed for good, which move no phase, come first.

    `now` is epoch seconds.
    """
    metadata = saga.workflow.metadata
    key = Key(metadata.namespace, metadata.name)
    created, annotations = saga.head.created_at, metadata.annotations
    for i in delta.failed:
        name, step = saga.workflow.spec.steps[i].name, saga.steps[i]
        yield Event(
            key,
            saga.key_uid,
            step.phase,
            now,
            name,
            step.run_error,
            failed=True,
            created_at=created,
            annotations=annotations,
        )
    for each in delta.history:
        yield Event(
            key,
            saga.key_uid,
            each.after,
            each.at,
            each.step,
            each.reason or None,
            created_at=created,
            annotations=annotations,
        )
