"""Backward: turning a workflow round, undoing steps in reverse order (semantics A1 to A3)."""

from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import (
    BlockReason,
    Ended,
    Hook,
    PermitClass,
    Phase,
    Purpose,
    RequestType,
    RollbackMode,
    Undo,
)
from wf_core.model.state import Blocked
from wf_core.saga.backoff import THROTTLED_LEAST, retry_delay
from wf_core.saga.calls import call, known_parameters, stop
from wf_core.saga.ledger import WORKFLOW_TIMER, Flight, Ledger, short
from wf_core.saga.look import schedule_look
from wf_core.saga.run import MAX_INTERRUPTIONS, begin_again, keep

OPTIONS = (
    RequestType.RETRY_ROLLBACK,
    RequestType.SKIP_ROLLBACK,
    RequestType.MARK_ROLLED_BACK,
)


def begin(ledger: Ledger, cause: str, now: float) -> None:
    """Turn the workflow round: what never ran is settled, what runs is asked to stop."""
    ledger.move_workflow(
        Phase.ROLLING_BACK,
        now,
        cause,
        cause=short(cause),
        parked=False,
        suspended=False,
        deadline_at=None,
        deadline_left=None,
    )
    ledger.clear_timer(WORKFLOW_TIMER, "deadline")
    for queues in (ledger.ready, ledger.retries[PermitClass.RUN], *ledger.looks.values()):
        queues.clear()
    ledger.awaiting_status.clear()
    for i, step in enumerate(ledger.steps):
        if step.phase is Phase.PENDING:
            ledger.move(i, Phase.ROLL_BACKED, now, undo=Undo.NEVER_RAN, blocked=None)
        elif step.phase in (Phase.RUNNING, Phase.SUCCESS):
            turn(ledger, i, now)
    for i in range(len(ledger.steps)):
        ledger.offer_undo(i)


def never_started(ledger: Ledger, cause: str, now: float) -> None:
    """End a workflow that was never admitted: nothing of it ran."""
    ledger.move_workflow(Phase.ROLL_BACKED, now, cause, cause=short(cause), suspended=False)
    for i in range(len(ledger.steps)):
        ledger.move(i, Phase.ROLL_BACKED, now, undo=Undo.NEVER_RAN)


def turn(ledger: Ledger, i: int, now: float) -> None:
    """Make step i stand still, so that it can be undone."""
    step = ledger.steps[i]
    for timer in ("watch", "attempt", "look"):
        ledger.clear_timer(i, timer)
    if step.blocked is not None and step.blocked.reason is not BlockReason.HOOK_STUCK:
        ledger.put(i, blocked=None)
    flight = ledger.flights.get(i)
    if flight is not None:
        flight.dropped = flight.purpose is Purpose.WATCH
        stop(ledger, i)
    elif step.in_progress:
        ledger.end_attempt(i, Hook.RUN, Ended.IN_PROGRESS, now, None)
    elif i in ledger.interrupted:
        ledger.end_attempt(i, Hook.RUN, Ended.UNKNOWN, now, None)
    elif step.next_attempt_at is not None:
        ledger.put(i, next_attempt_at=None, attempt_deadline_at=None)


def start(ledger: Ledger, i: int, now: float) -> bool:
    """Begin to undo step i; False: no permit."""
    step = ledger.steps[i]
    if (
        step.phase not in (Phase.RUNNING, Phase.SUCCESS)
        or i in ledger.flights
        or ledger.open_dependents[i]
    ):
        return True
    spec = ledger.step_spec(i)
    if spec.rollback is RollbackMode.NONE:
        ledger.move(i, Phase.ROLLING_BACK, now)
        ledger.move(i, Phase.ROLL_BACKED, now, undo=Undo.IRREVERSIBLE)
        ledger.condition(
            "PartiallyReverted",
            "Irreversible",
            "steps that ran and can't be undone stay as they are; see status.steps",
            now,
        )
        return True
    if not ledger.open_attempt(i, PermitClass.ROLLBACK, now):
        return False
    timeout = spec.step_template.rollback_timeout_seconds
    ledger.move(
        i,
        Phase.ROLLING_BACK,
        now,
        rollback_attempt=1,
        interruptions=0,
        next_attempt_at=None,
        attempt_deadline_at=None if timeout is None else now + timeout,
        blocked=None,
    )
    _call(ledger, i, now)
    return True


def again(ledger: Ledger, i: int, now: float) -> bool:
    """Call an undo whose intent is saved already; False: no permit."""
    step = ledger.steps[i]
    if step.phase is not Phase.ROLLING_BACK or i in ledger.flights or step.in_progress:
        return True
    if not ledger.open_attempt(i, PermitClass.ROLLBACK, now):
        return False
    begin_again(ledger, i, ledger.step_spec(i).step_template.rollback_timeout_seconds, now)
    _call(ledger, i, now)
    return True


def outcome(ledger: Ledger, i: int, flight: Flight, result: Outcome, now: float) -> None:
    """What an undo, or a look at one, reported."""
    if isinstance(result, Succeeded):
        keep(ledger, i, result)
        ledger.end_attempt(i, Hook.ROLLBACK, Ended.SUCCEEDED, now, None)
        undone(ledger, i, Undo.CALLED, now)
    elif isinstance(result, Progressing):
        _progress(ledger, i, flight, result, now)
    elif result.severity is Severity.CANNOT_LOOK:
        _look_again(ledger, i, flight, result.after or None, now)
    else:
        ended = Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
        _ended_badly(ledger, i, result, ended, now)


def timed_out(ledger: Ledger, i: int, now: float) -> None:
    """The time of an undo that is in progress, without a call in flight, is over."""
    seconds = ledger.step_spec(i).step_template.rollback_timeout_seconds
    failure = Failure(Severity.RETRYABLE, f"timed out after {seconds:g} s")
    _ended_badly(ledger, i, failure, Ended.TIMED_OUT, now)


def interrupted(ledger: Ledger, i: int, now: float) -> None:
    """An undo was cut off by a crash: it is called again under its number (B3)."""
    if ledger.steps[i].interruptions >= MAX_INTERRUPTIONS:
        why = f"interrupted {MAX_INTERRUPTIONS} times in a row: does the hook kill its process?"
        _ended_badly(ledger, i, Failure(Severity.RETRYABLE, why), Ended.UNKNOWN, now)
    else:
        ledger.put_previous(i, Ended.UNKNOWN)
        ledger.interrupted[i] = None
        ledger.offer_again(i, PermitClass.ROLLBACK)


def undone(ledger: Ledger, i: int, undo: Undo, now: float) -> None:
    """Step i is RollBacked."""
    ledger.move(i, Phase.ROLL_BACKED, now, undo=undo, rollback_error=None, blocked=None)


def give_up(ledger: Ledger, i: int, undo: Undo, message: str, now: float) -> None:
    """Step i could not be undone, or a person says to leave it."""
    ledger.move(i, Phase.FAILED, now, undo=undo, rollback_error=message or None, blocked=None)
    if undo is Undo.FAILED:
        ledger.block(i, Blocked(BlockReason.ROLLBACK_FAILED, now, message, OPTIONS))


def retry_by_hand(ledger: Ledger, i: int, now: float) -> None:
    """A person asked for another go at an undo: the counters begin again (semantics B6)."""
    step = ledger.steps[i]
    timeout = ledger.step_spec(i).step_template.rollback_timeout_seconds
    changes: dict[str, object] = {
        "undo": None,
        "blocked": None,
        "rollback_retry_count": 0,
        "interruptions": 0,
        "rollback_attempt": step.rollback_attempt + 1,
        "next_attempt_at": now,
        "attempt_deadline_at": None if timeout is None else now + timeout,
    }
    if step.phase is Phase.FAILED:
        ledger.move(i, Phase.ROLLING_BACK, now, "RetryRollback", **changes)
    else:
        ledger.clear_timer(i, "attempt")
        ledger.put(i, **changes)
    ledger.offer_again(i, PermitClass.ROLLBACK)


def _call(ledger: Ledger, i: int, now: float) -> None:
    known = known_parameters(ledger, i, now)
    if known is None:
        ledger.drop_attempt(i, PermitClass.ROLLBACK)
    else:
        call(ledger, i, Hook.ROLLBACK, Purpose.ROLLBACK, known[0], now)


def _progress(ledger: Ledger, i: int, flight: Flight, result: Progressing, now: float) -> None:
    kind = ledger.kinds.get(ledger.kind_of(i))
    keep(ledger, i, result)
    if kind is not None and not kind.has_sync:
        why = f"the kind '{ledger.kind_of(i)}' answered InProgress but has no sync"
        _ended_badly(ledger, i, Failure(Severity.FATAL, why), Ended.IN_PROGRESS, now)
        return
    if not ledger.steps[i].in_progress:
        ledger.put(i, in_progress=True, next_attempt_at=None)
    _look_again(ledger, i, flight, result.poll_after, now)


def _look_again(
    ledger: Ledger, i: int, flight: Flight, poll_after: float | None, now: float
) -> None:
    deadline = ledger.steps[i].attempt_deadline_at
    if flight.timed_out or (deadline is not None and now >= deadline):
        timed_out(ledger, i, now)
    else:
        schedule_look(ledger, i, poll_after, now)


def _ended_badly(ledger: Ledger, i: int, failure: Failure, ended: Ended, now: float) -> None:
    message = short(failure.message)
    before = ledger.steps[i]
    template = ledger.step_spec(i).step_template
    policy = template.retry_policy
    ledger.end_attempt(i, Hook.ROLLBACK, ended, now, message)
    if failure.severity is Severity.FATAL:
        give_up(ledger, i, Undo.FAILED, message, now)
        return
    if failure.severity is Severity.THROTTLED:
        delay = max(failure.after, THROTTLED_LEAST)
        ledger.put(i, rollback_error=message)
    else:
        failures = before.rollback_retry_count + 1
        ledger.put(i, rollback_retry_count=failures, latest_rollback_retry_at=now)
        if 0 <= policy.rollback_retry_limit < failures:
            give_up(ledger, i, Undo.FAILED, message, now)
            return
        jitter = ledger.jitter(i, "rollback", before.rollback_attempt)
        delay = retry_delay(policy.rollback_retry_period_seconds, policy, failures, jitter)
    timeout = template.rollback_timeout_seconds
    at = now + delay
    ledger.put(
        i,
        rollback_error=message,
        rollback_attempt=before.rollback_attempt + 1,
        next_attempt_at=at,
        attempt_deadline_at=None if timeout is None else at + timeout,
    )
    ledger.set_timer(i, "attempt", at)
