"""What can happen to a saga, and what it leaves outside.

Time is abstract: a timer may fire whenever it is the next one, whatever is in flight. The outside
is one word a step: nothing was done, something may have been, it was undone.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

import attrs

from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import Hook, PermitClass, Purpose
from wf_core.model.places import Place, Way
from wf_core.model.spec import Json
from wf_core.saga.events import Call


class Effect(IntEnum):
    """What step i has done outside."""

    NOTHING = 0
    MAYBE = 1
    DONE = 2
    UNDONE = 3


class Answer(StrEnum):
    """How a call may end. A call that hangs is one that does not end before something else does."""

    SUCCEEDS = "succeeds"
    FAILS = "fails for good"
    FAILS_ONCE = "fails, to be tried again"
    PROGRESSES = "goes on by itself"


ODD = (Answer.FAILS_ONCE, Answer.PROGRESSES)
"""Answers that only delay: they are rationed, since they multiply the states."""

_OUTCOMES: Mapping[Answer, Outcome] = {
    Answer.SUCCEEDS: Succeeded(),
    Answer.FAILS: Failure(Severity.FATAL, "failed for good"),
    Answer.FAILS_ONCE: Failure(Severity.RETRYABLE, "failed"),
    Answer.PROGRESSES: Progressing(),
}


def outcome_of(answer: Answer) -> Outcome:
    """What the machine is told."""
    return _OUTCOMES[answer]


@attrs.frozen
class Outcomes:
    """Which answers are tried: `run` and `rollback` in full, a look with those that end it."""

    run: tuple[Answer, ...] = (Answer.SUCCEEDS, Answer.FAILS)
    rollback: tuple[Answer, ...] = (Answer.SUCCEEDS, Answer.FAILS)
    look: tuple[Answer, ...] = (Answer.SUCCEEDS, Answer.FAILS)

    def of(self, call: Call) -> tuple[Answer, ...]:
        """The answers that a call may give."""
        if call.hook is Hook.SYNC:
            return self.look
        return self.run if call.hook is Hook.RUN else self.rollback


EVERYTHING = Outcomes(run=tuple(Answer), rollback=tuple(Answer))


@attrs.frozen
class AbstractKind:
    """Every kind of a searched saga: it takes any parameters; only its promises matter."""

    has_sync: bool = True
    reissue: bool = True
    identity: str = "searched"

    def places(self, _parameters: dict[str, Json]) -> Mapping[Place, Way]:
        """Values play no part in a search."""
        return {}

    def decode(self, parameters: dict[str, Json]) -> object:
        """Anything goes: documents are validated before they are searched."""
        return parameters

    def encode(self, decoded: object) -> dict[str, Json]:
        """No kind has defaults here."""
        assert isinstance(decoded, dict)
        return decoded


class EveryKind(Mapping[str, AbstractKind]):
    """All kinds are known."""

    _kind = AbstractKind()

    def __getitem__(self, name: str) -> AbstractKind:
        return self._kind

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(())

    def __len__(self) -> int:
        return 0

    def get(self, name, default=None):  # type: ignore[no-untyped-def] # noqa: ARG002
        return self._kind


class NoLimits:
    """Permits are always there."""

    def take(self, kind: str, cls: PermitClass, now: float, *, opens: bool) -> bool:  # noqa: ARG002
        """Taken."""
        return True

    def give(self, kind: str, cls: PermitClass) -> None:
        """Given back."""

    def close(self, kind: str) -> None:
        """Over."""

    def reopen(self, kind: str) -> None:
        """Open again."""


def effect_of_call(call: Call, before: Effect) -> Effect:
    """What may be outside while a call is in flight."""
    if call.hook is Hook.RUN and before is not Effect.DONE:
        return Effect.MAYBE
    return before


def effect_of_answer(call: Call, answer: Answer, before: Effect) -> Effect:
    """What is outside once a call has answered."""
    if answer is not Answer.SUCCEEDS:
        return before
    return Effect.UNDONE if call.purpose is Purpose.ROLLBACK else Effect.DONE
