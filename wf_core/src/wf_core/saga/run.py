"""Forward: starting steps, trying them again, and what their outcomes mean (semantics B, A4, A5)."""

from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import (
    BlockReason,
    Ended,
    Hook,
    OnFailure,
    PermitClass,
    Phase,
    Purpose,
    Ran,
    RequestType,
)
from wf_core.model.state import Blocked
from wf_core.saga import sizes
from wf_core.saga.backoff import THROTTLED_LEAST, retry_delay
from wf_core.saga.calls import Undecodable, call, fresh_parameters, known_parameters
from wf_core.saga.ledger import WORKFLOW_TIMER, Flight, Ledger, short
from wf_core.saga.look import schedule_look
from wf_core.saga.watch import arm_watch, recheck_statuses, statuses

MAX_INTERRUPTIONS = 5
_PERMIT_DELAY = 1.0  # seconds; what a retry waited for a permit beyond this is not its own time
_UNKNOWN = (Ended.UNKNOWN, Ended.TIMED_OUT, Ended.IN_PROGRESS)


def start(ledger: Ledger, i: int, now: float) -> bool:
    """Begin the first attempt of a step whose phase conditions are reached; False: no permit."""
    step = ledger.steps[i]
    if step.phase is not Phase.PENDING or step.failed:
        return True
    lacking = statuses(ledger, i)
    if lacking:
        unreachable = next((why for why in lacking if why), None)
        if unreachable:
            fail(ledger, i, unreachable, now)
        else:
            ledger.awaiting_status[i] = None
        return True
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is None:
        known_parameters(ledger, i, now)
        return True
    if not ledger.open_attempt(i, PermitClass.RUN, now):
        return False
    try:
        resolved, decoded = fresh_parameters(ledger, i)
    except Undecodable as error:
        # Fatal without a call: the step never had an intent, so nothing of it is undone.
        ledger.drop_attempt(i, PermitClass.RUN)
        fail(ledger, i, str(error), now)
        return True
    timeout = ledger.step_spec(i).step_template.timeout_seconds
    ledger.move(
        i,
        Phase.RUNNING,
        now,
        attempt=1,
        kind=kind.identity,
        parameters=resolved,
        attempt_deadline_at=None if timeout is None else now + timeout,
        run_error=None,
        blocked=None,
    )
    call(ledger, i, Hook.RUN, Purpose.RUN, decoded, now)
    return True


def again(ledger: Ledger, i: int, now: float) -> bool:
    """Call a run whose intent is saved already: a retry, or an attempt that was interrupted."""
    step = ledger.steps[i]
    if step.phase is not Phase.RUNNING or i in ledger.flights or step.in_progress or step.failed:
        return True
    if not ledger.open_attempt(i, PermitClass.RUN, now):
        return False
    known = known_parameters(ledger, i, now)
    if known is None:
        ledger.drop_attempt(i, PermitClass.RUN)
        return True
    begin_again(ledger, i, ledger.step_spec(i).step_template.timeout_seconds, now)
    call(ledger, i, Hook.RUN, Purpose.RUN, known[0], now)
    return True


def begin_again(ledger: Ledger, i: int, timeout: float | None, now: float) -> None:
    """Book that an attempt whose intent is saved is called now: its claim, and its time limit.

    A retry that starts on time needs no save: its not-before and deadline were saved before.
    """
    step = ledger.steps[i]
    deadline = step.attempt_deadline_at
    if i in ledger.interrupted:
        del ledger.interrupted[i]
        # The limit runs from the first call; one that passed while nobody was there begins again.
        if timeout is not None and (deadline is None or deadline <= now):
            deadline = now + timeout
        ledger.put(i, interruptions=step.interruptions + 1, attempt_deadline_at=deadline)
    elif timeout is not None and (step.next_attempt_at or 0.0) < now - _PERMIT_DELAY:
        ledger.put(i, attempt_deadline_at=now + timeout)
    if step.next_attempt_at is not None and _must_know(ledger, i):
        ledger.put(i, next_attempt_at=None)
    if ledger.steps[i].blocked is not None:
        ledger.put(i, blocked=None)


def _must_know(ledger: Ledger, i: int) -> bool:
    """Whether a crash must tell a retry that was called from one that was not, whatever the clock
    does: a pivot is not undone and a kind without reissue not called again on a guess."""
    kind = ledger.kinds.get(ledger.kind_of(i))
    return i == ledger.graph.pivot or (kind is not None and not kind.reissue)


def outcome(ledger: Ledger, i: int, flight: Flight, result: Outcome, now: float) -> None:
    """What a run, or a look at one, reported."""
    if ledger.head.phase is not Phase.RUNNING:
        _ended_while_undoing(ledger, i, flight, result, now)
    elif isinstance(result, Succeeded):
        why = keep(ledger, i, result)
        if why:
            _ended_badly(ledger, i, Failure(Severity.FATAL, why), Ended.SUCCEEDED, now)
        else:
            succeed(ledger, i, Ran.CALLED, now)
    elif isinstance(result, Progressing):
        _progress(ledger, i, flight, result, now)
    elif result.severity is Severity.CANNOT_LOOK:
        _look_again(ledger, i, flight, result.after, now)
    else:
        ended = Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
        _ended_badly(ledger, i, result, ended, now)


def timed_out(ledger: Ledger, i: int, now: float) -> None:
    """The time of an attempt that is in progress, without a call in flight, is over."""
    seconds = ledger.step_spec(i).step_template.timeout_seconds
    failure = Failure(Severity.RETRYABLE, f"timed out after {seconds:g} s")
    _ended_badly(ledger, i, failure, Ended.TIMED_OUT, now)


def interrupted(ledger: Ledger, i: int, now: float) -> None:
    """An attempt was cut off by a crash: call it again under its number, or give it up (B3)."""
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is not None and not kind.reissue:
        why = "interrupted by a crash, and its kind can't be called again: the outcome is unknown"
        ledger.end_attempt(i, Hook.RUN, Ended.UNKNOWN, now, why)
        if i == ledger.graph.pivot or ledger.head.committed:
            ledger.put(i, run_error=why)
            options = (RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED)
            ledger.block(i, Blocked(BlockReason.OUTCOME_UNKNOWN, now, why, options))
        else:
            fail(ledger, i, why, now)
    elif ledger.steps[i].interruptions >= MAX_INTERRUPTIONS and i != ledger.graph.pivot:
        why = f"interrupted {MAX_INTERRUPTIONS} times in a row: does the hook kill its process?"
        _ended_badly(ledger, i, Failure(Severity.RETRYABLE, why), Ended.UNKNOWN, now)
    else:
        ledger.put_previous(i, Ended.UNKNOWN)
        ledger.interrupted[i] = None
        ledger.offer_again(i, PermitClass.RUN)


def keep(ledger: Ledger, i: int, result: Succeeded | Progressing) -> str | None:
    """Keep what a hook gave; the reason where it is too large.

    Then the attributes are dropped and the resource kept: the effect has happened and must be undone.
    """
    step = ledger.steps[i]
    why = sizes.too_large(step, result.attributes, result.resource, ledger.attribute_bytes)
    changes: dict[str, object] = {}
    if result.resource is not None and result.resource != step.resource:
        changes["resource"] = sizes.fitting(result.resource)
    if why is None and result.attributes is not None and result.attributes != step.attributes:
        changes["attributes"] = dict(result.attributes)
        ledger.attribute_bytes += sizes.size(result.attributes) - sizes.size(step.attributes)
    if changes:
        ledger.put(i, **changes)
        recheck_statuses(ledger, i)
    return why and f"ResultTooLarge: {why}"


def succeed(ledger: Ledger, i: int, ran: Ran, now: float) -> None:
    """Step i is in Success; the pivot's Success commits the workflow (semantics A4)."""
    if ran is Ran.CALLED:
        ledger.end_attempt(i, Hook.RUN, Ended.SUCCEEDED, now, None)
    ledger.move(i, Phase.SUCCESS, now, ran=ran, failed=False, blocked=None, run_error=None)
    if i == ledger.graph.pivot:
        _commit(ledger, now)
    recheck_statuses(ledger, i)
    arm_watch(ledger, i, now)


def fail(ledger: Ledger, i: int, message: str, now: float) -> None:
    """Step i's run failed for good: only the workflow moves (semantics A1)."""
    ledger.put(i, failed=True, run_error=short(message), next_attempt_at=None)
    ledger.failed(i, now)
    name = ledger.step_spec(i).name
    retry = (RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED)
    if ledger.head.committed:
        ledger.block(i, Blocked(BlockReason.COMMITTED_FAILURE, now, short(message), retry))
    elif ledger.spec.on_failure is OnFailure.PAUSE:
        options = (*retry, RequestType.CANCEL)
        ledger.block(i, Blocked(BlockReason.PAUSED, now, short(message), options))
    else:
        ledger.want_rollback(f"step '{name}' failed: {message}")


def retry_by_hand(ledger: Ledger, i: int, now: float) -> None:
    """A person asked for another go: the counters begin again (semantics B6)."""
    step = ledger.put(i, failed=False, blocked=None, run_retry_count=0, interruptions=0)
    if step.phase is Phase.PENDING:
        if ledger.open_conditions[i] == 0:
            ledger.offer_run(i)
        return
    timeout = ledger.step_spec(i).step_template.timeout_seconds
    ledger.put(
        i,
        attempt=step.attempt + 1,
        next_attempt_at=now,
        attempt_deadline_at=None if timeout is None else now + timeout,
    )
    ledger.offer_again(i, PermitClass.RUN)


def pivot_unknown(ledger: Ledger) -> bool:
    """Whether the pivot may have happened and has not said so: it is never undone then (A4)."""
    pivot = ledger.graph.pivot
    if pivot is None or ledger.head.committed:
        return False
    step = ledger.steps[pivot]
    if step.phase is not Phase.RUNNING:
        return False
    if step.failed:
        return False
    return (
        pivot in ledger.flights
        or step.in_progress
        or pivot in ledger.interrupted
        or step.previous in _UNKNOWN
        or step.next_attempt_at is None
    )


def _commit(ledger: Ledger, now: float) -> None:
    if ledger.head.cause:
        ledger.condition("Degraded", "Committed", ledger.head.cause, now)
    ledger.put_head(committed=True, cause="", deadline_at=None, deadline_left=None)
    ledger.clear_timer(WORKFLOW_TIMER, "deadline")
    options = (RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED)
    for i, step in enumerate(ledger.steps):
        if step.failed and step.phase is not Phase.SUCCESS:
            message = step.run_error or ""
            ledger.block(i, Blocked(BlockReason.COMMITTED_FAILURE, now, message, options))


def _progress(ledger: Ledger, i: int, flight: Flight, result: Progressing, now: float) -> None:
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is not None and not kind.has_sync:
        why = f"the kind '{ledger.kind_of(i)}' answered InProgress but has no sync"
        keep(ledger, i, result)
        _ended_badly(ledger, i, Failure(Severity.FATAL, why), Ended.IN_PROGRESS, now)
        return
    why_large = keep(ledger, i, result)
    if why_large:
        _ended_badly(ledger, i, Failure(Severity.FATAL, why_large), Ended.IN_PROGRESS, now)
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
        schedule_look(ledger, i, poll_after or None, now)


def _ended_badly(ledger: Ledger, i: int, failure: Failure, ended: Ended, now: float) -> None:
    message = short(failure.message)
    before = ledger.steps[i]
    template = ledger.step_spec(i).step_template
    policy = template.retry_policy
    ledger.end_attempt(i, Hook.RUN, ended, now, message)
    # A pivot that has not said how it ended is called again under its key until it reports (A4).
    unknown = i == ledger.graph.pivot and ended in _UNKNOWN and not ledger.head.committed
    if failure.severity is Severity.FATAL and not unknown:
        fail(ledger, i, message, now)
        return
    if failure.severity is Severity.THROTTLED:
        delay = max(failure.after, THROTTLED_LEAST)
        ledger.put(i, run_error=message)
    else:
        failures = before.run_retry_count + 1
        limit = policy.run_retry_limit
        ledger.put(i, run_error=message, run_retry_count=failures, latest_run_retry_at=now)
        if not (unknown or ledger.head.committed) and 0 <= limit < failures:
            fail(ledger, i, message, now)
            return
        jitter = ledger.jitter(i, "run", before.attempt)
        delay = retry_delay(policy.run_retry_period_seconds, policy, failures, jitter)
    timeout = template.timeout_seconds
    at = now + delay
    ledger.put(
        i,
        attempt=before.attempt + 1,
        next_attempt_at=at,
        attempt_deadline_at=None if timeout is None else at + timeout,
    )
    ledger.set_timer(i, "attempt", at)


def _ended_while_undoing(
    ledger: Ledger, i: int, flight: Flight, result: Outcome, now: float
) -> None:
    """A run that ends after its workflow turned back: what it left is kept for the undo (B7)."""
    message = None
    if isinstance(result, Failure):
        message = short(result.message)
        looked = flight.hook is Hook.SYNC and result.severity is Severity.CANNOT_LOOK
        ended = Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
        ended = Ended.IN_PROGRESS if looked else ended
        ledger.put(i, run_error=ledger.steps[i].run_error or message)
    else:
        message = keep(ledger, i, result)
        ended = Ended.SUCCEEDED if isinstance(result, Succeeded) else Ended.IN_PROGRESS
    ledger.end_attempt(i, Hook.RUN, ended, now, message)
    ledger.offer_undo(i)
