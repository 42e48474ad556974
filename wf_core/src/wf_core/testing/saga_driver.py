"""Drive a saga by hand: scripted outcomes, virtual time, saves that are counted, crashes.

    saga = Drive(workflow(step("a"), step("b", "a")))
    saga.outcomes["b", Hook.RUN] = [fatal("no")]
    saga.go()
    assert saga.phase is Phase.ROLL_BACKED

A turn is what the engine does: advance once, save once, perform the effects. What is saved is put
together from the changes alone, so that a change which is forgotten shows after a crash.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from msgspec.structs import replace

from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import Hook, PermitClass, Phase, RequestType, Verdict
from wf_core.model.places import Place, Way
from wf_core.model.requests import Answer, Asked, Request
from wf_core.model.spec import (
    DependOn,
    Metadata,
    RetryPolicy,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.model.state import Owner, Resource, StepState, Stored, Transition, WorkflowState
from wf_core.saga.events import Admitted, Call, Effect, Event, Reported, Stop, WriteOff
from wf_core.saga.machine import Saga

START = 1_000_000.0
_STEP_FIELDS = ("depend_ons", "pivot", "rollback")


# Building


def step(name: str, *after: str | DependOn, kind: str = "plain", **options: Any) -> StepSpec:
    """A step that depends on the Success of `after`; `options` are fields of the step, of its
    template, or of its retry policy."""
    own = {k: options.pop(k) for k in _STEP_FIELDS if k in options}
    retry = {k: options.pop(k) for k in RetryPolicy.__struct_fields__ if k in options}
    template = StepTemplate(type=kind, retry_policy=RetryPolicy(**retry), **options)
    conditions = tuple(a if isinstance(a, DependOn) else DependOn(a) for a in after)
    return StepSpec(name, template, conditions, **own)


def workflow(*steps: StepSpec, **spec: Any) -> Workflow:
    """A workflow of these steps; `spec` are further fields of its spec."""
    return Workflow(Metadata("w", uid="uid-w"), WorkflowSpec(steps, **spec))


def fresh(document: Workflow) -> Stored:
    """A workflow as a store creates it."""
    head = WorkflowState(created_at=START)
    return Stored(document, head, tuple(StepState() for _ in document.spec.steps))


def chain(n: int, **options: Any) -> list[StepSpec]:
    """Steps s0, s1, ... each after the one before it."""
    return [step(f"s{k}", *([f"s{k - 1}"] if k else []), **options) for k in range(n)]


def done(status: str | None = None, **attributes: Any) -> Succeeded:
    """Success, with a resource of this status and these attributes."""
    resource = None if status is None else Resource(status=status)
    return Succeeded(resource, attributes or None)


def going(
    poll_after: float | None = None, status: str | None = None, *, waits_for_person: bool = False
) -> Progressing:
    """InProgress."""
    resource = None if status is None else Resource(status=status)
    return Progressing(poll_after, resource, waits_for_person=waits_for_person)


def retryable(message: str = "broken") -> Failure:
    """A failure that is counted and tried again."""
    return Failure(Severity.RETRYABLE, message)


def fatal(message: str = "no") -> Failure:
    """A failure for good."""
    return Failure(Severity.FATAL, message)


def throttled(after: float = 1.0) -> Failure:
    """A failure that is not counted."""
    return Failure(Severity.THROTTLED, "busy", after=after)


def blind() -> Failure:
    """A look that found nothing out."""
    return Failure(Severity.CANNOT_LOOK, "blind")


@attrs.define
class Kind:
    """A kind of step as the machine knows it. Parameters with the key `bad` don't decode;
    `defaults` are filled in."""

    has_sync: bool = True
    reissue: bool = True
    identity: str = "test 1.0"
    defaults: Mapping[str, Any] = attrs.Factory(dict)

    def places(self, _parameters: dict[str, Any]) -> Mapping[Place, Way]:
        """Every text takes references as text."""
        return {}

    def decode(self, parameters: dict[str, Any]) -> object:
        """The parameters themselves; raises ValueError where one is called `bad`."""
        if "bad" in parameters:
            raise ValueError("bad: unknown key")
        return {**self.defaults, **parameters}

    def encode(self, decoded: Any) -> dict[str, Any]:
        """They are written as they are."""
        return dict(decoded)


KINDS: Mapping[str, Kind] = {
    "plain": Kind(),
    "blind": Kind(has_sync=False),
    "once": Kind(reissue=False),
}


@attrs.define
class Gate:
    """Permits that a test opens and closes: `limits` by kind, none where absent."""

    limits: dict[str, int] = attrs.Factory(dict)
    taken: dict[str, int] = attrs.Factory(dict)
    open_attempts: dict[str, int] = attrs.Factory(dict)

    def take(self, kind: str, _cls: PermitClass, _now: float, *, opens: bool) -> bool:
        """One permit, where the limit allows it."""
        if kind in self.limits and self.taken.get(kind, 0) >= self.limits[kind]:
            return False
        self.taken[kind] = self.taken.get(kind, 0) + 1
        if opens:
            self.reopen(kind)
        return True

    def give(self, kind: str, _cls: PermitClass) -> None:
        """A call ended."""
        self.taken[kind] -= 1
        assert self.taken[kind] >= 0, f"{kind}: a permit was given back twice"

    def close(self, kind: str) -> None:
        """An attempt ended."""
        self.open_attempts[kind] -= 1
        assert self.open_attempts[kind] >= 0, f"{kind}: an attempt was ended twice"

    def reopen(self, kind: str) -> None:
        """An attempt is open."""
        self.open_attempts[kind] = self.open_attempts.get(kind, 0) + 1


@attrs.frozen
class Called:
    """A call that was performed: when, and what it was."""

    at: float
    step: str
    call: Call


# Driving


class Drive:
    """One saga and what an engine does with it.

    `outcomes[step, hook]` are what its calls report, in order; the last of them again and again,
    success where there are none. `held` steps report only by `report`.
    """

    def __init__(
        self,
        document: Workflow | Stored,
        *,
        kinds: Mapping[str, Any] = KINDS,
        limits: Mapping[str, int] | None = None,
        grace: float = 10.0,
        sync_timeout: float = 60.0,
        admitted: bool = True,
    ) -> None:
        stored = document if isinstance(document, Stored) else fresh(document)
        self.saved = stored
        self.kinds = kinds
        self.outcomes: dict[tuple[str, Hook], list[Outcome]] = {}
        self.held: dict[str, None] = {}
        self.now = START
        self.saves = 0
        self.calls: list[Called] = []
        self.stops: list[str] = []
        self.written_off: list[str] = []
        self.history: list[Transition] = []
        self.failed: list[str] = []
        self.asked = max((asked.seq for asked in stored.asked), default=0)
        self._grace = grace
        self._sync_timeout = sync_timeout
        self._limits = dict(limits or {})
        self._names = [each.name for each in stored.workflow.spec.steps]
        self._boot()
        self.turn(*([Admitted()] if admitted and self.saga.wants_slot else []))

    def _boot(self) -> None:
        self.permits = Gate(self._limits)
        self.epoch = self.saved.head.owner.epoch + 1
        self.writes = 0
        self.flying: dict[str, Call] = {}
        self.saga = Saga(
            self.saved,
            self.kinds,
            self.permits,
            grace=self._grace,
            sync_timeout=self._sync_timeout,
        )

    # Reading

    @property
    def phase(self) -> Phase:
        """The workflow's phase."""
        return self.saga.head.phase

    @property
    def phases(self) -> dict[str, Phase]:
        """Each step's phase."""
        return {n: s.phase for n, s in zip(self._names, self.saga.steps, strict=True)}

    def state(self, name: str) -> StepState:
        """The state of a step."""
        return self.saga.steps[self._names.index(name)]

    def called(self, hook: Hook | None = None, name: str | None = None) -> list[str]:
        """The steps that were called, in order."""
        return [
            each.step
            for each in self.calls
            if hook in (None, each.call.hook) and name in (None, each.step)
        ]

    def answer(self, seq: int) -> Answer | None:
        """The answer to a request, once there is one."""
        return next((a for a in self.saga.head.answers if a.seq == seq), None)

    # Turns

    def turn(self, *events: Event) -> list[Effect]:
        """Advance once with everything that arrived, save what changed, perform."""
        effects = self.saga.advance(events, self.now)
        if self.saga.dirty:
            self.save()
        self.perform(effects)
        return effects

    def save(self) -> None:
        """Apply the changes, and nothing else, to what is saved."""
        self.saves += 1
        self.writes += 1
        delta = self.saga.take_changes(Owner("test", self.epoch), self.writes)
        steps = list(self.saved.steps)
        for i, state in delta.steps.items():
            steps[i] = state
        kept = (*self.saved.outbox, *delta.outbox)
        self.saved = replace(
            self.saved,
            head=delta.head,
            steps=tuple(steps),
            outbox=tuple(e for e in kept if e.seq > delta.head.outbox_delivered),
            asked=tuple(a for a in self.saved.asked if a.seq not in delta.answered),
        )
        self.history += delta.history
        self.failed += [self._names[i] for i in delta.failed]

    def perform(self, effects: Iterable[Effect]) -> None:
        """What the engine does once the save is on disk."""
        for effect in effects:
            name = self._names[effect.step]
            match effect:
                case Call():
                    assert name not in self.flying, f"two calls of {name} at once"
                    assert self.saved.head.owner.epoch == self.epoch, "called before it was owned"
                    self.flying[name] = effect
                    self.calls.append(Called(self.now, name, effect))
                case Stop():
                    self.stops.append(name)
                case WriteOff():
                    self.written_off.append(name)

    def outcome(self, name: str) -> Outcome:
        """What the call in flight of a step reports, by the script."""
        script = self.outcomes.get((name, self.flying[name].hook))
        if not script:
            return Succeeded()
        return script.pop(0) if len(script) > 1 else script[0]

    def reported(self, name: str, outcome: Outcome | None = None) -> Reported:
        """The event that ends the call in flight of a step."""
        outcome = self.outcome(name) if outcome is None else outcome
        call = self.flying.pop(name)
        return Reported(call.step, call.call, outcome)

    def report(self, name: str, outcome: Outcome | None = None) -> None:
        """End the call in flight of a step, in a turn of its own."""
        self.turn(self.reported(name, outcome))

    def layer(self) -> bool:
        """End every call in flight that is not held, all in one turn; False: there was none."""
        ending = [name for name in self.flying if name not in self.held]
        if ending:
            self.turn(*[self.reported(name) for name in ending])
        return bool(ending)

    def wait(self, seconds: float) -> None:
        """Let time pass: a turn at each moment that the machine asked for."""
        until = self.now + seconds
        while (wake := self.saga.next_wake) is not None and wake <= until:
            self.now = max(self.now, wake)
            self.turn()
        self.now = until

    def go(self, turns: int = 1000) -> None:
        """Let everything run, layer by layer, until it rests or only held calls are left. There is
        a slot as soon as it wants one."""
        for _ in range(turns):
            if self.saga.wants_slot:
                self.turn(Admitted())
            if self.layer():
                continue
            wake = self.saga.next_wake
            if self.saga.rests or wake is None:
                return
            self.now = max(self.now, wake)
            self.turn()
        raise AssertionError(f"still not at rest after {turns} turns: {self.phases}")

    # People and crashes

    def request(
        self, type_: RequestType, on: str | None = None, /, *, take: bool = True, **more: Any
    ) -> int:
        """Ask for something; `take=False` leaves it unread. Gives its seq."""
        self.asked += 1
        asked = Asked(self.asked, Request(type_, on, **more), self.now)
        self.saved = replace(self.saved, asked=(*self.saved.asked, asked))
        if take:
            self.turn(asked)
        return self.asked

    def ask(self, type_: RequestType, on: str | None = None, /, **more: Any) -> Verdict | None:
        """Ask for something, and give the verdict if there is one at once."""
        given = self.answer(self.request(type_, on, **more))
        return None if given is None else given.verdict

    def crash(self, *, after: float = 0.0, take: bool = True) -> None:
        """Lose everything that is not saved, calls in flight too; a new owner goes on.

        `after` seconds pass meanwhile (negative: the clock was put back).
        """
        self.now += after
        self._boot()
        if take:
            self.turn()
