"""Watching steps in Success (semantics A6, B9)."""

from wf_core.model.outcomes import Failure, Outcome, Severity
from wf_core.model.phases import Hook, PermitClass, Phase, Purpose
from wf_core.saga import statuses
from wf_core.saga.attempts import survived
from wf_core.saga.backoff import LEAST_STATUS_WATCH, watch_delay
from wf_core.saga.calls import Undecodable, block_for_kind, call, saved_parameters, stop
from wf_core.saga.ledger import Ledger
from wf_core.saga.results import keep
from wf_core.saga.sizes import short


def watch_period(ledger: Ledger, i: int) -> float:
    """Seconds between looks at step i in Success; 0 is never."""
    period = ledger.step_spec(i).step_template.sync_period_seconds
    return max(period, LEAST_STATUS_WATCH) if statuses.awaited(ledger, i) else period


def arm_watch(ledger: Ledger, i: int, now: float) -> None:
    """Look at step i in Success after its period, where it has one and can be looked at."""
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is None or not kind.has_sync or not _watching(ledger, i):
        return
    period = watch_period(ledger, i)
    if period > 0:
        jitter = ledger.jitter(i, "watch", now)
        ledger.timers.set(i, "watch", now + watch_delay(period, jitter))


def watch(ledger: Ledger, i: int, now: float) -> bool:
    """Look at a step in Success; False: no permit."""
    # Nobody may wait for its status any more since the timer was set.
    if i in ledger.flights or not _watching(ledger, i) or watch_period(ledger, i) <= 0:
        return True
    if not ledger.permits.take(ledger.kind_of(i), PermitClass.WATCH, now, opens=False):
        return False
    try:
        decoded = saved_parameters(ledger, i)
    except Undecodable as error:
        ledger.permits.give(ledger.kind_of(i), PermitClass.WATCH)
        if ledger.steps[i].sync_error is None:
            ledger.put(i, sync_error=short(str(error)), latest_sync_at=now)
        _block_waiters(ledger, i, str(error), now)
        arm_watch(ledger, i, now)
        return True
    call(ledger, i, Hook.SYNC, Purpose.WATCH, decoded, now)
    return True


def outcome(ledger: Ledger, i: int, result: Outcome, now: float) -> None:
    """What a watch found: saved only where it changes something (B9)."""
    survived(ledger, i, now)
    before = ledger.steps[i]
    error: str | None
    if isinstance(result, Failure):
        error = short(result.message)
        if result.severity is Severity.FATAL:
            _fatal(ledger, i, error, now)
    else:
        error = keep(ledger, i, result)
    if (error is None) != (before.sync_error is None):
        ledger.put(i, sync_error=error and short(error))
    if ledger.steps[i] is not before:
        ledger.put(i, latest_sync_at=now)
    arm_watch(ledger, i, now)


def kills(ledger: Ledger, i: int, message: str, now: float) -> None:
    """No look at a step in Success is made again, since its process did not live through it."""
    ledger.put(i, deaths=0)
    _fatal(ledger, i, short(message), now)


def rearm(ledger: Ledger, now: float) -> None:
    """Watch all steps in Success again, after a suspension or a restart."""
    for i in range(len(ledger.steps)):
        if ledger.timers.due(i, "watch") is None:
            arm_watch(ledger, i, now)


def end_watches(ledger: Ledger) -> None:
    """Watch nothing any more; what a look that goes on will say is of no interest (B9)."""
    ledger.looks[Purpose.WATCH].clear()
    for i in range(len(ledger.steps)):
        ledger.timers.clear(i, "watch")
    for i, flight in ledger.flights.items():
        if flight.purpose is Purpose.WATCH:
            flight.dropped = True
            stop(ledger, i)


def _block_waiters(ledger: Ledger, i: int, why: str, now: float) -> None:
    """Nobody can see the status that others wait for: they wait for a person then (A5, B10)."""
    for waiter in ledger.graph.status_waiters[i]:
        lacks = any(condition.on == i for condition in statuses.lacking(ledger, waiter))
        if lacks and ledger.awaiting_status.pop(waiter, 0) is None:
            what = f"it waits for a status of '{ledger.name_of(i)}', which can't be looked at"
            block_for_kind(ledger, waiter, f"{what}: {why}", now)


def _fatal(ledger: Ledger, i: int, message: str, now: float) -> None:
    name = ledger.name_of(i)
    why = f"step '{name}' was found broken: {message}"
    if ledger.head.committed:
        ledger.condition("Degraded", f"Watch.{name}", why, now)
    else:
        ledger.put(i, sync_error=message)
        ledger.want_rollback(why)


def _watching(ledger: Ledger, i: int) -> bool:
    head = ledger.head
    if ledger.steps[i].phase is not Phase.SUCCESS or head.suspended:
        return False
    if head.deletion_asked_at is not None:
        # What still goes forward (it is past its pivot) needs the statuses that it waits for.
        return head.phase is Phase.RUNNING and statuses.awaited(ledger, i)
    return head.phase in (Phase.RUNNING, Phase.SUCCESS)
