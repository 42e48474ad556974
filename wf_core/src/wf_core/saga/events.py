"""What comes into the machine and what it asks for."""

from collections.abc import Mapping
from typing import Protocol

import attrs

from wf_core.model.outcomes import Outcome
from wf_core.model.phases import DeletionPolicy, Hook, PermitClass, Purpose
from wf_core.model.places import Place, Way
from wf_core.model.requests import Asked
from wf_core.model.spec import Json, Parameters
from wf_core.model.state import Resource


@attrs.frozen
class Admitted:
    """The workflow has a slot: it may begin, or go on after it gave its slot back."""


@attrs.frozen
class Refused:
    """The workflow can never start with this engine: Pending becomes Failed."""

    error: str


@attrs.frozen
class Reported:
    """A call ended. `call` numbers the call, so that a stale report is dropped."""

    step: int
    call: int
    outcome: Outcome


@attrs.frozen
class Checkpointed:
    """A hook saves what it just made, in the middle of its call."""

    step: int
    call: int
    resource: Resource | None
    attributes: Mapping[str, Json] | None


@attrs.frozen
class Woken:
    """A hint that something in progress may be done (semantics B8)."""

    step: int


@attrs.frozen
class DeletionAsked:
    """Somebody wants the workflow gone."""

    at: float


@attrs.frozen
class PolicyChanged:
    """The workflow's `deletionPolicy`, the one thing of a document that may change, is another."""

    policy: DeletionPolicy


@attrs.frozen
class CallbackSettled:
    """The outbox entry was delivered, or dropped."""

    seq: int
    dropped: bool
    error: str = ""


@attrs.frozen
class CallbackFailing:
    """The outbox entry could not be delivered for a while; it is tried again."""

    seq: int
    error: str


Event = (
    Admitted
    | Refused
    | Reported
    | Checkpointed
    | Woken
    | DeletionAsked
    | PolicyChanged
    | CallbackSettled
    | CallbackFailing
    | Asked
)


@attrs.frozen
class Call:
    """Call a hook, once the state is saved. `parameters` are decoded already."""

    step: int
    call: int
    hook: Hook
    purpose: Purpose
    attempt: int
    parameters: object
    deadline: float | None


@attrs.frozen
class Stop:
    """Ask the running hook of a step to stop."""

    step: int
    call: int


@attrs.frozen
class WriteOff:
    """The hook of a step did not stop in time: give its thread up."""

    step: int
    call: int


Effect = Call | Stop | WriteOff


class KnownKind(Protocol):
    """What the machine must know of a step kind."""

    @property
    def has_sync(self) -> bool:
        """Whether the kind can be looked at."""

    @property
    def reissue(self) -> bool:
        """Whether an interrupted run may be called again (semantics B3)."""

    @property
    def identity(self) -> str:
        """Distribution and version."""

    def places(self, parameters: Parameters) -> Mapping[Place, Way]:
        """How references enter the texts of a document's parameters, where not as text (B5)."""

    def decode(self, parameters: dict[str, Json]) -> object:
        """The typed parameters; raises ValueError with what is wrong."""

    def encode(self, decoded: object) -> dict[str, Json]:
        """Typed parameters as a document would write them, with every default (semantics B5)."""


class Permits(Protocol):
    """Permits of one workflow (semantics E1), taken inside the turn."""

    def take(self, kind: str, cls: PermitClass, now: float, *, opens: bool) -> bool:
        """One call, and with `opens` one open attempt: all or none."""

    def give(self, kind: str, cls: PermitClass) -> None:
        """The call ended."""

    def close(self, kind: str) -> None:
        """The attempt ended."""

    def reopen(self, kind: str) -> None:
        """An attempt was found open after a crash."""
