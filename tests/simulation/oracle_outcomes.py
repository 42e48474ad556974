"""What an outcome means: a call ended, and so (B1, B2, B6, B7, B9, C7)."""

import json
from collections.abc import Mapping
from typing import Any

import attrs
from tests.simulation import oracle_moves as moves
from tests.simulation import oracle_rules as rules
from tests.simulation.oracle_world import Flight, Window, World

from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import BlockReason, Ended, Hook, Phase, Purpose, Ran, Undo
from wf_core.model.state import MAX_STEP_ATTRIBUTES, Resource


def keep(w: World, i: int, resource: Resource | None, attributes: Mapping[str, Any] | None) -> bool:
    """Keep what a hook gave; C7: False where it is too large, then only the resource is kept."""
    step = w.steps[i]
    fits = not attributes or len(json.dumps(attributes)) <= MAX_STEP_ATTRIBUTES
    if resource is not None:
        step.resource = resource
    if fits and attributes is not None:
        step.attributes = dict(attributes)
    return fits


def reported(w: World, i: int, flight: Flight, outcome: Outcome) -> None:
    """A call ended."""
    step = w.steps[i]
    step.flight = None
    if step.blocked and step.blocked.reason is BlockReason.HOOK_STUCK:
        step.blocked = None
    if rules.orphaned(w):
        return
    outcome = _understood(flight, outcome)
    if flight.purpose is Purpose.WATCH:
        if not flight.dropped:
            _watched(w, i, outcome)
        step.watch = None
        moves.arm_watch(w, i)
    elif flight.purpose is Purpose.RUN and w.head.phase is not Phase.RUNNING:
        _ended_too_late(w, i, flight, outcome)
    else:
        hook = Hook.RUN if flight.purpose is Purpose.RUN else Hook.ROLLBACK
        _ended(w, i, hook, flight, outcome)


def _understood(flight: Flight, outcome: Outcome) -> Outcome:
    """B1: what a look could not find out says nothing of the attempt."""
    if not isinstance(outcome, Failure):
        return outcome
    severity, looks = outcome.severity, flight.hook is Hook.SYNC
    if not looks and severity is Severity.CANNOT_LOOK:
        return attrs.evolve(outcome, severity=Severity.RETRYABLE)
    if looks and severity is Severity.THROTTLED:
        return Failure(Severity.CANNOT_LOOK, "", after=max(outcome.after, 1.0))
    if looks and severity is Severity.RETRYABLE and flight.stopping:
        return attrs.evolve(outcome, severity=Severity.CANNOT_LOOK)
    return outcome


def _watched(w: World, i: int, outcome: Outcome) -> None:
    """B9; seed: a fatal one turns the workflow back. A4: past the pivot it is a remark."""
    step = w.steps[i]
    if not isinstance(outcome, Failure):
        step.sync_error = not keep(w, i, outcome.resource, outcome.attributes)
        return
    step.sync_error = True
    if outcome.severity is Severity.FATAL and w.head.committed:
        moves.remark(w, "Degraded", f"Watch.{w.template(i).name}")
    elif outcome.severity is Severity.FATAL:
        w.head.cause = True


def _ended_too_late(w: World, i: int, flight: Flight, outcome: Outcome) -> None:
    """B7: a run that ends once its workflow turned back leaves what it made to the undo."""
    if isinstance(outcome, Succeeded | Progressing):
        keep(w, i, outcome.resource, outcome.attributes)
        how = Ended.SUCCEEDED if isinstance(outcome, Succeeded) else Ended.IN_PROGRESS
    elif outcome.severity is Severity.CANNOT_LOOK:
        how = Ended.IN_PROGRESS
    else:
        w.steps[i].run_error = True
        how = Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
    moves.end_attempt(w, i, Hook.RUN, how)


def _ended(w: World, i: int, hook: Hook, flight: Flight, outcome: Outcome) -> None:
    step, kind = w.steps[i], w.kind(i)
    if isinstance(outcome, Failure):
        if outcome.severity is Severity.CANNOT_LOOK:
            _look_again(w, i, hook, flight, outcome.after or None)
        else:
            how = Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
            moves.attempt_failed(w, i, hook, outcome, how)
        return
    fits = keep(w, i, outcome.resource, outcome.attributes) and not (
        flight.too_large and isinstance(outcome, Succeeded)
    )
    too_large = Failure(Severity.FATAL, "too large")
    if isinstance(outcome, Progressing):
        if (kind is not None and not kind.has_sync) or (not fits and hook is Hook.RUN):
            moves.attempt_failed(w, i, hook, too_large, Ended.IN_PROGRESS)
            return
        step.in_progress, step.next_attempt_at = True, None
        step.waits_for_person = outcome.waits_for_person
        _look_again(w, i, hook, flight, outcome.poll_after)
    elif hook is Hook.ROLLBACK:
        moves.end_attempt(w, i, hook, Ended.SUCCEEDED)
        moves.undone(w, i, Undo.CALLED)
    elif fits:
        moves.succeed(w, i, Ran.CALLED)
        moves.arm_watch(w, i)
    else:
        moves.attempt_failed(w, i, hook, too_large, Ended.SUCCEEDED)


def _look_again(w: World, i: int, hook: Hook, flight: Flight, poll_after: float | None) -> None:
    step = w.steps[i]
    late = step.attempt_deadline_at is not None and step.attempt_deadline_at <= w.now
    if flight.timed_out or late:
        moves.timed_out(w, i, hook)
        return
    if flight.hook is Hook.SYNC:
        step.may_look_at = w.now + 0.1
    if step.woken:
        step.woken = False
        moves.look_soon(w, i)
    else:
        wait = rules.poll_wait(w, i, poll_after)
        step.look = Window(w.now + wait.earliest, w.now + wait.latest)
        step.looks += 1
