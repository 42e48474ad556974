"""The object as it is stored, decoded in one go: the status holds the model's values verbatim."""

from typing import Any

import msgspec

from wf_core.errors import StoreForeign, WfError
from wf_core.model.phases import Phase, RequestType
from wf_core.model.requests import Answer, Request
from wf_core.model.spec import Json, Metadata, Parameters, Wire
from wf_core.model.state import (
    SCHEMA_VERSION,
    Condition,
    Folder,
    OutboxEntry,
    StepState,
    Transition,
    Writer,
)
from wf_k8s.client.nested import LEVELS, shallow


def _fields(value: msgspec.Struct, of: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in of.__struct_fields__}


def _written(request: msgspec.Struct) -> dict[str, Any]:
    names = (name for name in Request.__struct_fields__ if name != "verified")
    return {name: getattr(request, name) for name in names}


class OwnerReference(msgspec.Struct, gc=False):
    """What an object goes with."""

    uid: str = ""
    controller: bool | None = None


class Meta(msgspec.Struct, rename="camel", gc=False):
    """What we use of an object's metadata."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = "0"
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    owner_references: list[OwnerReference] | None = None

    @property
    def controller(self) -> str:
        """The uid of the object that made this one and looks after it; empty where none did."""
        owners = self.owner_references or ()
        return next((each.uid for each in owners if each.controller), "")

    def model(self) -> Metadata:
        """As the model has it."""
        return Metadata(
            name=self.name,
            namespace=self.namespace,
            uid=self.uid,
            labels=self.labels or {},
            annotations=self.annotations or {},
        )


class WireRequest(Wire, frozen=True):
    """An entry of `spec.requests`, made by `wf` or by hand."""

    id: str
    type: RequestType
    step: str | None = None
    reason: str = ""
    name: str | None = None
    value: Json = None
    created_at: str = ""
    by: str = ""

    @classmethod
    def of(cls, request: Request, id: str, created_at: str) -> "WireRequest":
        """A request as it is stored."""
        return cls(id=id, created_at=created_at, **_written(request))

    def plain(self, *, verified: bool) -> Request:
        """As the model has it."""
        return Request(verified=verified, **_written(self))


class WireAnswer(Answer, frozen=True):
    """An answer, and the id of the request that it answers."""

    id: str = ""

    @classmethod
    def of(cls, answer: Answer, id: str) -> "WireAnswer":
        """An answer as it is stored."""
        return cls(id=id, **_fields(answer, Answer))

    def plain(self) -> Answer:
        """As the model has it."""
        return Answer(**_fields(self, Answer))


class Requests(msgspec.Struct, gc=False):
    """The part of the spec that people add to."""

    requests: tuple[WireRequest, ...] = ()


class Status(Wire, frozen=True):
    """The stored part of the status. What is derived for people to see is not read back."""

    phase: Phase = Phase.PENDING
    schema_version: int = SCHEMA_VERSION
    revision: int = 0
    epoch: int = 0
    owner: str = ""
    writer: Writer = Writer()
    save_id: str = ""
    created_at: float = 0.0
    key_uid: str = ""
    folder: Folder | None = None
    reached: dict[Phase, float] = {}
    deadline_at: float | None = None
    deadline_left: float | None = None
    suspended: bool = False
    parked: bool = False
    committed: bool = False
    deletion_asked_at: float | None = None
    cause: str = ""
    error: str | None = None
    signals: Parameters = {}
    remarks: tuple[Condition, ...] = ()
    answers: tuple[WireAnswer, ...] = ()
    request_seq: int = 0
    outbox_seq: int = 0
    outbox_delivered: int = 0
    outbox_dropped: int = 0
    steps: dict[str, StepState] = {}
    outbox: tuple[OutboxEntry, ...] = ()
    history: tuple[Transition, ...] = ()


class Body(msgspec.Struct, gc=False):
    """The object: spec and status are decoded by whoever needs them."""

    metadata: Meta
    spec: msgspec.Raw = msgspec.Raw(b"{}")
    status: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def goes(self) -> bool:
        """Whether its deletion was asked for."""
        return self.metadata.deletion_timestamp is not None


class _Version(msgspec.Struct, rename="camel"):
    schema_version: int = SCHEMA_VERSION


_body = msgspec.json.Decoder(Body)
_status = msgspec.json.Decoder(Status)
_version = msgspec.json.Decoder(_Version)


def read_body(raw: bytes) -> Body:
    """The object's envelope. Raises msgspec.DecodeError, RecursionError."""
    return _body.decode(raw)


def read_status(name: str, raw: bytes) -> Status:
    """The status. Raises StoreForeign where it is not ours to read: newer, or garbled (C10)."""
    try:
        return _status.decode(raw)
    except Exception as error:
        try:
            newer = _version.decode(shallow(raw)).schema_version
        except msgspec.DecodeError:
            newer = SCHEMA_VERSION
        if newer > SCHEMA_VERSION:
            raise StoreForeign(_too_new(name, newer)) from error
        raise StoreForeign(
            f"workflow '{name}': its stored status can't be read: {why_unreadable(error)}; it was "
            f"left alone. `kubectl get saga {name} -o yaml` shows it"
        ) from error


def why_unreadable(error: Exception) -> str:
    """Why one object can't be decoded, in words: whatever is raised is that object's own."""
    if isinstance(error, RecursionError):
        return f"it is nested too deep: keep lists and objects within {LEVELS} levels"
    if isinstance(error, WfError):
        return str(error)
    if isinstance(error, msgspec.DecodeError | ValueError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def check_version(name: str, version: int) -> None:
    """Raises StoreForeign where a newer engine wrote it."""
    if version > SCHEMA_VERSION:
        raise StoreForeign(_too_new(name, version))


def _too_new(name: str, version: int) -> str:
    return (
        f"workflow '{name}' was saved by a newer engine (schema {version}, this one knows "
        f"{SCHEMA_VERSION}); it was left alone. Upgrade this one"
    )
