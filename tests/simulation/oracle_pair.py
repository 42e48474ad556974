"""The machine and the oracle side by side: the same events to both, compared after every turn."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.simulation import oracle_rules as rules
from tests.simulation.oracle import Oracle
from tests.simulation.oracle_events import Delete, Halfway, Never, Report, Slot, Told, Wake, What
from tests.simulation.oracle_world import KnownKind, Seen, Step, Window

from wf_core.model.outcomes import Succeeded
from wf_core.model.phases import BlockReason, PermitClass, Phase, Purpose
from wf_core.model.requests import Asked
from wf_core.model.spec import Workflow
from wf_core.model.state import StepState
from wf_core.saga.events import (
    Admitted,
    Call,
    CallbackSettled,
    Checkpointed,
    DeletionAsked,
    Effect,
    Event,
    Refused,
    Reported,
    Stop,
    Woken,
    WriteOff,
)
from wf_core.saga.telling import UNDELIVERED
from wf_core.testing.saga_driver import KINDS, Drive

_SAME = (
    "phase",
    "reached",
    "ran",
    "undo",
    "failed",
    "attempt",
    "run_retry_count",
    "latest_run_retry_at",
    "rollback_attempt",
    "rollback_retry_count",
    "latest_rollback_retry_at",
    "in_progress",
    "waits_for_person",
    "interruptions",
    "next_attempt_at",
    "attempt_deadline_at",
    "previous",
    "resource",
    "attributes",
)
_SAID = ("run_error", "rollback_error", "sync_error")
_HEAD = (
    "phase",
    "reached",
    "deadline_at",
    "deadline_left",
    "suspended",
    "parked",
    "committed",
    "deletion_asked_at",
    "signals",
)
CLASS = {
    Purpose.ROLLBACK: PermitClass.ROLLBACK,
    Purpose.RUN: PermitClass.RUN,
    Purpose.WATCH: PermitClass.WATCH,
}
GRACE, SYNC_TIMEOUT = 10.0, 60.0


class Disagreement(AssertionError):  # noqa: N818  (it does not say whose error)
    """The machine and the oracle do not agree; the story that led there is in the message."""


class Pair(Drive):
    """A drive whose every turn is judged. `lingers`: saves that nobody waits for are put off."""

    def __init__(self, document: Workflow, **options: Any) -> None:
        self.lingers = False
        self.story: list[str] = []
        self.reasons: dict[BlockReason, None] = {}
        self.oracle = Oracle(document.spec, grace=GRACE, sync_timeout=SYNC_TIMEOUT)
        super().__init__(document, grace=GRACE, sync_timeout=SYNC_TIMEOUT, **options)

    def _boot(self) -> None:
        super()._boot()
        self.story.append("boot")
        self.oracle.crash(
            {name: KnownKind(k.has_sync, k.reissue) for name, k in self.kinds.items()}
        )

    def turn(self, *events: Event, lost: bool = False) -> list[Effect]:
        """One turn of both, compared. `lost`: its save never reaches the disk, nothing follows."""
        self.story.append(f"{self.now:.3f}: {', '.join(map(_told, events)) or 'time'}")
        translated = list(self._translated(events))
        told = self.saga.head.outbox_seq
        effects = self.saga.advance(events, self.now)
        calls = {e.step: (e.hook, e.purpose) for e in effects if isinstance(e, Call)}
        world = self.oracle.turn(
            translated,
            self.now,
            Seen(calls, tuple(self.saga.steps), self.saga.head.phase),
        )
        differences = [*self._of_effects(effects), *self._of_state(), *self._of_permits(effects)]
        differences += self._of_outbox(told)
        if not differences:
            differences = list(self._of_course())
        if differences:
            lines = [*self.story, *map(str, self.saga.steps), "", *differences]
            raise Disagreement("\n".join([f"{world.spec}", *lines]))
        self.reasons |= {s.blocked.reason: None for s in self.saga.steps if s.blocked}
        if lost:
            return effects
        if self.saga.dirty and (effects or self.saga.urgent or not self.lingers):
            self.save()
            self.oracle.save()
        self.perform(effects)
        return effects

    # What is told to the oracle

    def _translated(self, events: Sequence[Event]) -> Iterator[What]:
        for event in events:
            match event:
                case Reported(i, _, outcome):
                    yield Report(i, self._number(i), outcome)
                case Checkpointed(i, _, resource, attributes):
                    yield Halfway(i, self._number(i), Succeeded(resource, attributes))
                case Admitted():
                    yield Slot()
                case Refused():
                    yield Never()
                case Woken(i):
                    yield Wake(i)
                case DeletionAsked(at):
                    yield Delete(at)
                case CallbackSettled(seq, _):
                    yield Told(seq)
                case Asked():
                    yield event

    def _number(self, i: int) -> int:
        flight = self.oracle.world.steps[i].flight
        return -1 if flight is None else flight.number

    # What is compared

    def _of_effects(self, effects: Sequence[Effect]) -> Iterator[str]:
        world = self.oracle.world
        called = sorted(
            (e.step, e.hook, e.purpose, e.attempt, e.deadline)
            for e in effects
            if isinstance(e, Call)
        )
        yield from _differ("calls", called, sorted(world.calls))
        stops = sorted(e.step for e in effects if isinstance(e, Stop))
        yield from _differ("stops", stops, sorted(world.stops))
        written_off = sorted(e.step for e in effects if isinstance(e, WriteOff))
        yield from _differ("written off", written_off, sorted(world.written_off))

    def _of_state(self) -> Iterator[str]:
        world, head = self.oracle.world, self.saga.head
        for name in _HEAD:
            yield from _differ(name, getattr(head, name), getattr(world.head, name))
        yield from _differ("cause", bool(head.cause), world.head.cause)
        # What is said of callbacks that are not delivered is no part of the rules of A and B.
        remarks = [(c.type, c.reason) for c in head.conditions if c.type != UNDELIVERED]
        yield from _differ("conditions", remarks, world.head.conditions)
        answers = [(a.seq, a.type, a.verdict, a.step) for a in head.answers]
        yield from _differ("answers", answers, world.head.answers[-64:])
        for i, (ours, theirs) in enumerate(zip(self.saga.steps, world.steps, strict=True)):
            yield from _of_step(f"step {i}", ours, theirs)

    def _of_outbox(self, told: int) -> Iterator[str]:
        """F: numbered without a gap; who comes first within a turn is left open."""
        world, outbox = self.oracle.world, self.saga.snapshot().outbox
        new = sorted((e.step or "", e.phase) for e in outbox if e.seq > told)
        yield from _differ("the outbox has news", new, sorted(world.reports))
        yield from _differ("the outbox", [e.seq for e in outbox], world.head.undelivered)

    def _of_permits(self, effects: Sequence[Effect]) -> Iterator[str]:
        """E1, E2: nobody lacks a permit that is free, or that a lesser call was given."""
        world = self.oracle.world
        # What was called before the workflow turned back in this very turn, was called in its time.
        turned = world.head.reached.get(Phase.ROLLING_BACK) == self.now
        for i, purpose in world.refused.items():
            kind = world.template(i).step_template.type
            if not self._short(i):
                yield f"step {i} must be called ({purpose}) and a permit of {kind} is free"
            for call in effects:
                if not isinstance(call, Call):
                    continue
                same = world.template(call.step).step_template.type == kind
                if same and CLASS[call.purpose] > CLASS[purpose] and not turned:
                    yield f"step {call.step} ({call.purpose}) was called before {i} ({purpose})"

    def _of_course(self) -> Iterator[str]:
        saga, world = self.saga, self.oracle.world
        yield from _differ("removable", saga.removable, rules.removable(world))
        if rules.orphaned(world):
            return
        yield from _differ("wants a slot", saga.wants_slot, rules.wants_slot(world))
        yield from _differ("holds a slot", saga.holds_slot, rules.holds_slot(world))
        yield from _differ("rests", saga.rests, rules.rests(world))
        due = list(self._due())
        wake = saga.next_wake
        if due and (wake is None or wake > min(due)):
            yield f"must wake by {min(due)}, wakes at {wake}"
        waits = saga.rests or saga.wants_slot or saga.removable
        permits = any(map(self._short, world.indices))
        if not waits and not permits and wake is None and not saga.in_flight:
            yield "I10: neither at rest nor moving"

    def _short(self, i: int) -> bool:
        kind, gate = self.oracle.world.template(i).step_template.type, self.permits
        return kind in gate.limits and gate.taken.get(kind, 0) >= gate.limits[kind]

    def _due(self) -> Iterator[float]:
        """When time must be an event, by the oracle."""
        world = self.oracle.world
        for i, step in enumerate(world.steps):
            yield from _later(self.now, step.times_out_at)
            if step.flight:
                yield from _later(self.now, step.flight.look_ends)
                yield from _later(self.now, step.flight.grace_ends)
            elif self._short(i) or not rules.decodes(world, i):
                continue  # it waits for a permit, or for its kind
            elif step.in_progress and not step.blocked:
                yield from _later(self.now, step.look)
            elif step.watch and rules.is_watched(world, i):
                yield from _later(self.now, step.watch)
            elif step.phase in (Phase.RUNNING, Phase.ROLLING_BACK) and not step.blocked:
                yield from _later(self.now, step.next_attempt_at)
        yield from _later(self.now, world.head.deadline_at)


def _later(now: float, when: Window | float | None) -> Iterator[float]:
    at = when.latest if isinstance(when, Window) else when
    if at is not None and at > now:
        yield at


def _of_step(name: str, ours: StepState, theirs: Step) -> Iterator[str]:
    for field in _SAME:
        yield from _differ(f"{name} {field}", getattr(ours, field), getattr(theirs, field))
    for field in _SAID:
        said = getattr(ours, field) is not None
        yield from _differ(f"{name} {field}", said, getattr(theirs, field))
    attempts = [(a.hook, a.number, a.outcome) for a in ours.attempts]
    yield from _differ(f"{name} attempts", attempts, theirs.attempts)
    blocked = ours.blocked and (ours.blocked.reason, ours.blocked.options, ours.blocked.since)
    block = theirs.blocked and (theirs.blocked.reason, theirs.blocked.options, theirs.blocked.since)
    yield from _differ(f"{name} blocked", blocked, block)


def _differ(what: str, machine: object, oracle: object) -> Iterator[str]:
    if machine != oracle:
        yield f"{what}: the machine says {machine!r}, the oracle {oracle!r}"


def _told(event: Event) -> str:
    match event:
        case Reported(i, _, outcome):
            return f"s{i} reports {_short(outcome)}"
        case Asked(seq, request):
            return f"#{seq} {request.type} {request.step or ''}"
    return _short(event)


def _short(value: object) -> str:
    return textwrap.shorten(str(value), 100)


def installed(names: Sequence[str]) -> Mapping[str, Any]:
    """The kinds of these names."""
    return {name: kind for name, kind in KINDS.items() if name in names}
