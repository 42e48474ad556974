"""Looks at what is in progress: `sync` for a run or an undo (semantics B1, B8, E8)."""

import attrs

from wf_core.model.outcomes import Failure, Outcome, Severity
from wf_core.model.phases import Hook
from wf_core.saga.backoff import LEAST_LOOK, THROTTLED_LEAST, poll_delay
from wf_core.saga.calls import (
    PERMIT_OF,
    Undecodable,
    block_for_kind,
    call,
    saved_parameters,
)
from wf_core.saga.ledger import Flight, Ledger


def schedule_look(
    ledger: Ledger, i: int, poll_after: float | None, now: float, *, looked: bool
) -> None:
    """Look again later; as soon as may be where a wake came while the last call was going on.
    `looked`: that call was a look itself."""
    if looked:
        ledger.next_look[i] = now + LEAST_LOOK
    if i in ledger.woken:
        del ledger.woken[i]
        _look_soon(ledger, i, now)
        return
    polls = ledger.polls.get(i, 0)
    ledger.polls[i] = polls + 1
    period = ledger.step_spec(i).step_template.sync_period_seconds
    ledger.timers.set(i, "look", now + poll_delay(poll_after, period, polls))


def wake(ledger: Ledger, i: int, now: float) -> None:
    """A hint that something in progress may be done: sticky until a later look has started."""
    if i in ledger.flights:
        ledger.woken[i] = None
    elif ledger.steps[i].in_progress:
        _look_soon(ledger, i, now)


def _look_soon(ledger: Ledger, i: int, now: float) -> None:
    """Look at once; soon after another look only once its time has come (semantics E8)."""
    earliest = ledger.next_look.get(i, now)
    if earliest > now:
        ledger.timers.set(i, "look", earliest)
    else:
        ledger.timers.clear(i, "look")
        ledger.offer_look(i)


def look(ledger: Ledger, i: int, now: float) -> bool:
    """Look at what is in progress; False: no permit."""
    step = ledger.steps[i]
    if not step.in_progress or step.blocked is not None or i in ledger.flights:
        return True
    purpose = ledger.purpose_of(i)
    if not ledger.permits.take(ledger.kind_of(i), PERMIT_OF[purpose], now, opens=False):
        return False
    try:
        decoded = saved_parameters(ledger, i)
    except Undecodable as error:
        ledger.permits.give(ledger.kind_of(i), PERMIT_OF[purpose])
        block_for_kind(ledger, i, str(error), now, error.reason)
        return True
    ledger.timers.clear(i, "look")
    ledger.woken.pop(i, None)
    call(ledger, i, Hook.SYNC, purpose, decoded, now)
    return True


def understood(flight: Flight, outcome: Outcome) -> Outcome:
    """What an outcome says of the attempt.

    A look that was throttled, or that failed once it was asked to stop, could not look: it says
    nothing of the attempt. `run` and `rollback` do not look, so they can't say that they could not.
    """
    if not isinstance(outcome, Failure):
        return outcome
    severity = outcome.severity
    if flight.hook is not Hook.SYNC:
        if severity is Severity.CANNOT_LOOK:
            return attrs.evolve(outcome, severity=Severity.RETRYABLE)
    elif severity is Severity.THROTTLED:
        after = max(outcome.after, THROTTLED_LEAST)
        return attrs.evolve(outcome, severity=Severity.CANNOT_LOOK, after=after)
    elif severity is Severity.RETRYABLE and flight.stopping:
        return attrs.evolve(outcome, severity=Severity.CANNOT_LOOK)
    return outcome
