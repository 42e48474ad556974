"""An object as a list needs it: decoded no further than that."""

import attrs
import msgspec

from wf_core.adapters import store_rules as rules
from wf_core.errors import StoreForeign
from wf_core.model.phases import FINISHED, DeletionPolicy, Phase
from wf_core.model.spec import NO_TTL, Json, Key, TimeToLive
from wf_core.model.state import Owner
from wf_core.ports import Row
from wf_k8s.client.nested import shallow
from wf_k8s.store import guard
from wf_k8s.store.times import epoch_seconds
from wf_k8s.store.wire import Meta, WireAnswer, WireRequest, why_unreadable


class _Template(msgspec.Struct, rename="camel", gc=False):
    sync_period_seconds: float = 0.0


class _Step(msgspec.Struct, rename="camel", gc=False):
    step_template: _Template


class _Spec(msgspec.Struct, rename="camel", gc=False):
    steps: tuple[_Step, ...]
    queue: str = "default"
    priority: int = 0
    suspend: bool = False
    deletion_policy: DeletionPolicy = DeletionPolicy.ROLLBACK_UNFINISHED
    ttl_seconds_after_finished: TimeToLive = NO_TTL
    requests: tuple[WireRequest, ...] = ()


class _Phased(msgspec.Struct, gc=False):
    phase: Phase = Phase.PENDING


class _Status(msgspec.Struct, rename="camel", gc=False):
    phase: Phase = Phase.PENDING
    revision: int = 0
    epoch: int = 0
    owner: str = ""
    created_at: float = 0.0
    deletion_asked_at: float | None = None
    suspended: bool = False
    parked: bool = False
    reached: dict[Phase, float] = {}
    steps: dict[str, _Phased] = {}
    outbox: tuple[msgspec.Raw, ...] = ()
    answers: tuple[WireAnswer, ...] = ()
    request_seq: int = 0
    cause: str = ""
    error: str | None = None
    reason: str = ""

    @property
    def stuck(self) -> str:
        """Why it goes no further without a person, as it is shown."""
        return "" if self.suspended or self.phase is Phase.ROLL_BACKED else self.reason


class _Object(msgspec.Struct, gc=False):
    metadata: Meta
    spec: _Spec
    status: _Status = msgspec.field(default_factory=_Status)


class _Named(msgspec.Struct, gc=False):
    metadata: Meta


_object = msgspec.json.Decoder(_Object)
_named = msgspec.json.Decoder(_Named)


@attrs.frozen
class Place:
    """A row, and what tells whether it has to be looked at. `version` orders the states of all
    objects; `requests` and `answers` are for numbering; `deleting_at` is when the API server was
    asked to delete it; `frees`: the finalizer is on it in vain.
    `unreadable` says why the object can't be read; then the rest is what could be told of it."""

    row: Row
    version: int
    revision: int
    generation: int
    deleting_at: float | None
    deletion_policy: DeletionPolicy
    deletion_asked_at: float | None
    requests: tuple[WireRequest, ...]
    answers: tuple[WireAnswer, ...]
    request_seq: int
    frees: bool
    unreadable: str = ""

    @property
    def rests(self) -> bool:
        """Whether it is finished and nobody waits for anything: then its row is enough."""
        row = self.row
        if self.unreadable:
            return True
        return row.phase in FINISHED and not (row.asked or row.deleting or row.reporting)


def identity(raw: bytes) -> Meta:
    """An object's metadata. Raises StoreForeign."""
    try:
        try:
            return _named.decode(raw).metadata
        except RecursionError:
            return _named.decode(shallow(raw)).metadata
    except Exception as error:
        why = why_unreadable(error)
        raise StoreForeign(f"an object of the API server can't be read: {why}") from error


def read_place(raw: bytes) -> Place:
    """Decode an object as far as a list needs it. Raises StoreForeign where it can't be."""
    try:
        held = _object.decode(raw)
        meta, spec, status = held.metadata, held.spec, held.status
        created_at = status.created_at or epoch_seconds(meta.creation_timestamp)
        deleted = epoch_seconds(meta.deletion_timestamp) if meta.deletion_timestamp else None
    except Exception as error:
        raise StoreForeign(why_unreadable(error)) from error
    deletion = status.deletion_asked_at if status.deletion_asked_at is not None else deleted
    wanted = Phase.ROLL_BACKED if status.phase in rules.UNDOING else Phase.SUCCESS
    answered = {answer.id for answer in status.answers}
    row = Row(
        key=Key(meta.namespace, meta.name),
        uid=meta.uid,
        queue=spec.queue,
        priority=spec.priority,
        phase=status.phase,
        created_at=created_at,
        done=sum(step.phase is wanted for step in status.steps.values()),
        total=len(spec.steps),
        owner=Owner(status.owner, status.epoch),
        deleting=deletion is not None,
        suspended=status.suspended if status.revision else spec.suspend,
        parked=status.parked,
        watched=status.phase is Phase.SUCCESS
        and any(step.step_template.sync_period_seconds > 0 for step in spec.steps),
        asked=any(each.id not in answered for each in spec.requests),
        reporting=bool(status.outbox),
        finished_at=status.reached.get(status.phase) if status.phase in FINISHED else None,
        ttl=spec.ttl_seconds_after_finished,
        why=rules.why(status.phase, status.cause, status.error),
        stuck=status.stuck,
    )
    return Place(
        row=row,
        version=int(meta.resource_version),
        revision=status.revision,
        generation=meta.generation,
        deleting_at=deleted,
        deletion_policy=spec.deletion_policy,
        deletion_asked_at=deletion,
        requests=spec.requests,
        answers=status.answers,
        request_seq=status.request_seq,
        frees=not row.deleting
        and guard.FINALIZER in (meta.finalizers or ())
        and guard.nothing_left(row.phase, spec.deletion_policy, reporting=row.reporting),
    )


class _LooseSpec(msgspec.Struct, rename="camel", gc=False):
    queue: Json = "default"
    steps: Json = ()


class _LooseStatus(msgspec.Struct, gc=False):
    phase: Json = Phase.PENDING.value


class _Loose(msgspec.Struct, gc=False):
    spec: _LooseSpec = msgspec.field(default_factory=_LooseSpec)
    status: _LooseStatus = msgspec.field(default_factory=_LooseStatus)


_loose = msgspec.json.Decoder(_Loose)


def place_unread(raw: bytes, why: str) -> Place:
    """What can be told of an object that can't be read. Raises StoreForeign where not even that is
    an object."""
    meta = identity(raw)
    try:
        held = _loose.decode(shallow(raw))
        version = int(meta.resource_version)
        created_at = epoch_seconds(meta.creation_timestamp)
        deleted = epoch_seconds(meta.deletion_timestamp) if meta.deletion_timestamp else None
    except Exception as error:
        raise StoreForeign(f"an object can't be read: {why_unreadable(error)}") from error
    phase, queue, steps = held.status.phase, held.spec.queue, held.spec.steps
    row = Row(
        key=Key(meta.namespace, meta.name),
        uid=meta.uid,
        queue=queue if isinstance(queue, str) else "default",
        priority=0,
        phase=Phase(phase) if isinstance(phase, str) and phase in set(Phase) else Phase.PENDING,
        created_at=created_at,
        done=0,
        total=len(steps) if isinstance(steps, list) else 0,
        owner=Owner(),
        deleting=deleted is not None,
        unreadable=why,
        stuck=f"LeftAlone: {why}",
    )
    return Place(
        row=row,
        version=version,
        revision=0,
        generation=meta.generation,
        deleting_at=deleted,
        deletion_policy=DeletionPolicy.ROLLBACK_UNFINISHED,
        deletion_asked_at=deleted,
        requests=(),
        answers=(),
        request_seq=0,
        frees=False,
        unreadable=why,
    )
