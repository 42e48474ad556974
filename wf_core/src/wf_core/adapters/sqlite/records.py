"""Between values and bytes. Encoders and decoders are made once: that is most of their cost."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import attrs
import msgspec

from wf_core.adapters.store_rules import why
from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.model.requests import Request
from wf_core.model.spec import NO_TTL, Key, StepSpec, TimeToLive, Workflow
from wf_core.model.state import (
    SCHEMA_VERSION,
    LogLine,
    OutboxEntry,
    StepState,
    Transition,
    WorkflowState,
)
from wf_core.ports import Changes

T = TypeVar("T")
SPAN = 32  # bits of a row's number within its workflow

encode = msgspec.json.Encoder().encode


def decoder(kind: type[T]) -> Callable[[bytes], T]:
    """What makes a value of stored bytes. It raises ValueError for all that it can't read: SQLite
    holds any type in any column."""
    decode = msgspec.json.Decoder(kind).decode

    def read(body: bytes) -> T:
        try:
            return decode(body)
        except (TypeError, RecursionError) as error:
            raise ValueError(str(error)) from error

    return read


_workflow_of = decoder(Workflow)
head_of = decoder(WorkflowState)
step_of = decoder(StepState)
entry_of = decoder(OutboxEntry)
transitions_of = decoder(tuple[Transition, ...])
request_of = decoder(Request)
line_of = decoder(LogLine)
_ttl_of = decoder(TimeToLive)


class _Head(msgspec.Struct, gc=False):
    phase: Phase
    cause: str = ""
    error: str | None = None


_short_head_of = decoder(_Head)


SHARED = 64
SHARED_BYTES = 16 * 1024
"""So many different lists of steps are remembered, if no larger than this."""

_steps: dict[bytes, tuple[StepSpec, ...]] = {}
_sharing = threading.Lock()


def workflow_of(body: bytes) -> Workflow:
    """The document. Those that were made from one template share their steps: an engine holds
    thousands, and the steps are most of what it holds of each."""
    workflow = _workflow_of(body)
    if len(body) > SHARED_BYTES:
        return workflow
    spec = workflow.spec
    with _sharing:
        known = _steps.setdefault(encode(spec.steps), spec.steps)
        if len(_steps) > SHARED:
            del _steps[next(iter(_steps))]
    if known is spec.steps:
        return workflow
    return msgspec.structs.replace(workflow, spec=msgspec.structs.replace(spec, steps=known))


Column = type | tuple[type, ...]
TIME: Column = (float, int)
MAYBE_TIME: Column = (float, int, type(None))


def checked(values: Sequence[object], columns: Mapping[str, Column]) -> None:
    """Raises ValueError where a value has not the type of its column: SQLite holds any type in any
    column, of what another program wrote."""
    for value, (name, kinds) in zip(values, columns.items(), strict=True):
        if not isinstance(value, kinds):
            raise ValueError(f"the column {name} holds {type(value).__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"the column {name} holds {value}")


def ttl_bytes(ttl: TimeToLive) -> bytes | None:
    """As it stands in its column; NULL where the document says nothing."""
    return None if ttl == NO_TTL else encode(ttl)


def ttl_of(body: bytes | None) -> TimeToLive:
    """What `ttl_bytes` wrote, and what a row of an older schema means."""
    return NO_TTL if body is None else _ttl_of(body)


def why_of(body: bytes) -> str:
    """As `rules.why`, decoded no further than that; a list shows what is damaged too."""
    try:
        head = _short_head_of(body)
    except ValueError as error:
        return f"its stored state can't be read: {error}"
    return why(head.phase, head.cause, head.error)


def span(number: int) -> tuple[int, int]:
    """The least and the greatest key of a row that belongs to workflow `number`."""
    low = number << SPAN
    return low, low | ((1 << SPAN) - 1)


@attrs.frozen
class Encoded:
    """A save as bytes, made on the caller's thread while the writer waits for the disk."""

    head: bytes
    steps: tuple[tuple[int, str, bytes], ...]
    outbox: tuple[tuple[int, bytes], ...]
    history: bytes | None


def encoded(changes: Changes) -> Encoded:
    """Raises TypeError, ValueError or OverflowError for a value that JSON can't hold."""
    return Encoded(
        encode(changes.head),
        tuple((index, state.phase.value, encode(state)) for index, state in changes.steps.items()),
        tuple((entry.seq, encode(entry)) for entry in changes.outbox),
        encode(changes.history) if changes.history else None,
    )


def damaged(key: Key, what: str, error: Exception) -> StoreUnavailable:
    """A stored part of a workflow can't be read (semantics C10): that workflow alone is blocked."""
    return StoreUnavailable(
        f"workflow '{key}': its stored {what} is damaged ({error}); other workflows are not "
        "touched by that. Restore the store from a backup, or remove this one with "
        f"`wf delete {key}`"
    )


def newer(key: Key, version: int) -> StoreForeign:
    """The workflow was saved by an engine newer than this one."""
    return StoreForeign(
        f"workflow '{key}' was saved with state version {version}, and this wf knows versions up "
        f"to {SCHEMA_VERSION}: upgrade wf; the workflow was left alone"
    )
