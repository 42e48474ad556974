"""Forward: starting steps, trying them again, what their outcomes mean (semantics B, A4, A5)."""

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
from wf_core.model.spec import Parameters
from wf_core.model.state import MESSAGE, Blocked
from wf_core.saga import attempts, statuses
from wf_core.saga.attempts import RUN
from wf_core.saga.calls import (
    Undecodable,
    block_for_kind,
    call,
    fresh_parameters,
    misplaced,
    quoted_references,
    saved_parameters,
    unavailable,
)
from wf_core.saga.ledger import WORKFLOW_TIMER, Flight, Ledger
from wf_core.saga.results import keep
from wf_core.saga.sizes import parameters_size, short
from wf_core.saga.watch import arm_watch

RETRY = (RequestType.RETRY_RUN, RequestType.MARK_SUCCEEDED)


def start(ledger: Ledger, i: int, now: float) -> bool:
    """Begin the first attempt of a step whose phase conditions are reached; False: no permit."""
    step = ledger.steps[i]
    if step.phase is not Phase.PENDING or step.failed:
        return True
    lacking = statuses.lacking(ledger, i)
    if lacking:
        reasons = (statuses.unreachable(ledger, condition) for condition in lacking)
        never = next((why for why in reasons if why), None)
        unseen = next((why for c in lacking if (why := statuses.unseen(ledger, c))), None)
        if never:
            fail(ledger, i, never, now)
        elif unseen:
            block_for_kind(ledger, i, unseen, now)
        else:
            ledger.awaiting_status[i] = None
        return True
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is None:
        block_for_kind(ledger, i, unavailable(ledger, i), now)
        return True
    if (why := misplaced(ledger, i)) is not None:
        block_for_kind(ledger, i, why, now, BlockReason.FOLDER_UNAVAILABLE)
        return True
    if not ledger.open_attempt(i, PermitClass.RUN, now):
        return False
    try:
        saved, decoded = fresh_parameters(ledger, i)
    except Undecodable as error:
        # Fatal without a call: the step never had an intent, so nothing of it is undone.
        ledger.drop_attempt(i, PermitClass.RUN)
        fail(ledger, i, str(error), now)
        return True
    ledger.parameter_bytes += parameters_size(saved)
    ledger.move(
        i,
        Phase.RUNNING,
        now,
        quoted_references(ledger, i),
        attempt=1,
        kind=kind.identity,
        parameters=saved,
        attempt_deadline_at=attempts.deadline_from(ledger, i, RUN, now),
        run_error=None,
        blocked=None,
    )
    call(ledger, i, Hook.RUN, Purpose.RUN, decoded, now)
    return True


def parameters_of_marked(ledger: Ledger, i: int) -> Parameters | None:
    """What is saved for the undo of a step that a person did instead; None where it can't be told,
    since its kind or a value is missing."""
    if ledger.kind_of(i) not in ledger.kinds:
        return None
    try:
        saved, _ = fresh_parameters(ledger, i)
    except Undecodable:
        return None
    ledger.parameter_bytes += parameters_size(saved)
    return saved


def again(ledger: Ledger, i: int, now: float) -> bool:
    """Call a run whose intent is saved already: a retry, or an attempt that was interrupted."""
    if not ledger.open_attempt(i, PermitClass.RUN, now):
        return False
    try:
        decoded = saved_parameters(ledger, i)
    except Undecodable as error:
        ledger.drop_attempt(i, PermitClass.RUN)
        block_for_kind(ledger, i, str(error), now, error.reason)
        return True
    attempts.begin_again(ledger, i, RUN, now)
    call(ledger, i, Hook.RUN, Purpose.RUN, decoded, now)
    return True


def outcome(ledger: Ledger, i: int, flight: Flight, result: Outcome, now: float) -> None:
    """What a run, or a look at one, reported."""
    ending: attempts.Ending | None = None
    if ledger.head.phase is not Phase.RUNNING:
        _ended_while_undoing(ledger, i, flight, result, now)
    elif isinstance(result, Succeeded):
        why = keep(ledger, i, result) or flight.too_large
        if why:
            ending = Failure(Severity.FATAL, why), Ended.SUCCEEDED
        else:
            succeed(ledger, i, Ran.CALLED, now, _said(result))
    elif isinstance(result, Progressing):
        ending = attempts.progress(ledger, i, RUN, flight, result, now)
    elif result.severity is Severity.CANNOT_LOOK:
        ending = attempts.look_again(ledger, i, RUN, flight, result.after or None, now)
    else:
        ending = result, Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
    if ending:
        _end_badly(ledger, i, ending, now)


def timed_out(ledger: Ledger, i: int, now: float) -> None:
    """The time of a run that is in progress, without a call in flight, is over."""
    _end_badly(ledger, i, attempts.timed_out(ledger, i, RUN), now)


def ended_with_its_process(ledger: Ledger, i: int, now: float) -> None:
    """A run that was stuck went with its process: it has timed out."""
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is not None and not kind.reissue:
        interrupted(ledger, i, now)  # it never said how it ended
    else:
        _end_badly(ledger, i, attempts.ended_with_its_process(RUN), now)


def interrupted(ledger: Ledger, i: int, now: float) -> None:
    """A run was cut off by a crash: call it again under its number, or give it up (B3)."""
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is not None and not kind.reissue:
        why = "interrupted by a crash, and its kind can't be called again: the outcome is unknown"
        ledger.end_attempt(i, Hook.RUN, Ended.UNKNOWN, now, why)
        if i == ledger.graph.pivot or ledger.head.committed:
            ledger.put(i, run_error=why)
            ledger.block(i, Blocked(BlockReason.OUTCOME_UNKNOWN, now, why, RETRY))
        else:
            fail(ledger, i, why, now)
        return
    failure = attempts.too_often(ledger, i, now)
    if failure is None:
        attempts.claim_again(ledger, i, RUN)
    else:
        kills(ledger, i, failure, Ended.UNKNOWN, now)


def kills(ledger: Ledger, i: int, failure: Failure, ended: Ended, now: float) -> None:
    """An attempt is not called again, since its process did not live through it. What must not be
    undone on a guess, or goes forward only, waits for a person."""
    goes_forward = i == ledger.graph.pivot or ledger.head.committed
    if failure.severity is Severity.FATAL and goes_forward:
        ledger.end_attempt(i, Hook.RUN, ended, now, short(failure.message))
        ledger.put(i, run_error=short(failure.message))
        ledger.block(i, Blocked(BlockReason.OUTCOME_UNKNOWN, now, failure.message, RETRY))
    else:
        _end_badly(ledger, i, (failure, ended), now)


def _said(result: Succeeded) -> str:
    """The sentence of the kind's about what is done, where it gave one with it."""
    message = "" if result.resource is None else result.resource.attributes.get(MESSAGE, "")
    return message if isinstance(message, str) else ""


def succeed(ledger: Ledger, i: int, ran: Ran, now: float, reason: str = "") -> None:
    """Step i is in Success; the pivot's Success commits the workflow (semantics A4)."""
    if ran is Ran.CALLED:
        ledger.end_attempt(i, Hook.RUN, Ended.SUCCEEDED, now, None)
    else:
        attempts.leave(ledger, i, RUN, now)
    ledger.move(i, Phase.SUCCESS, now, reason, ran=ran, failed=False, blocked=None, run_error=None)
    if i == ledger.graph.pivot:
        _commit(ledger, now)
    statuses.recheck(ledger, i)
    arm_watch(ledger, i, now)


def fail(ledger: Ledger, i: int, message: str, now: float) -> None:
    """Step i's run failed for good: only the workflow moves (semantics A1)."""
    ledger.put(i, failed=True, run_error=short(message))
    ledger.failed(i, now)
    if ledger.head.committed:
        ledger.block(i, Blocked(BlockReason.COMMITTED_FAILURE, now, message, RETRY))
    elif ledger.spec.on_failure is OnFailure.PAUSE:
        options = (*RETRY, RequestType.CANCEL)
        ledger.block(i, Blocked(BlockReason.PAUSED, now, message, options))
    else:
        ledger.want_rollback(f"step '{ledger.name_of(i)}' failed: {message}")


def retry_by_hand(ledger: Ledger, i: int, now: float) -> None:
    """A person asked for another go at a run."""
    if ledger.steps[i].phase is Phase.PENDING:
        ledger.put(i, failed=False, blocked=None)
        ledger.offer_run(i)
    else:
        ledger.put(i, failed=False)
        attempts.retry_by_hand(ledger, i, RUN, now)


def pivot_unknown(ledger: Ledger) -> bool:
    """Whether the pivot may have happened and has not said so: it is never undone then (A4)."""
    pivot = ledger.graph.pivot
    if pivot is None or ledger.head.committed:
        return False
    step = ledger.steps[pivot]
    if step.phase is not Phase.RUNNING or step.failed:
        return False
    return (
        pivot in ledger.flights
        or not attempts.planned(ledger, pivot)
        or step.previous in (Ended.UNKNOWN, Ended.TIMED_OUT, Ended.IN_PROGRESS)
    )


def _commit(ledger: Ledger, now: float) -> None:
    if ledger.head.cause:
        ledger.condition("Degraded", "Committed", ledger.head.cause, now)
    ledger.put_head(committed=True, cause="", deadline_at=None, deadline_left=None)
    ledger.timers.clear(WORKFLOW_TIMER, "deadline")
    for i, step in enumerate(ledger.steps):
        if step.failed and step.phase is not Phase.SUCCESS:
            message = step.run_error or ""
            ledger.block(i, Blocked(BlockReason.COMMITTED_FAILURE, now, message, RETRY))


def _end_badly(ledger: Ledger, i: int, ending: attempts.Ending, now: float) -> None:
    """An attempt failed. A pivot that has not said how it ended is called again under its key until
    it reports; what is committed has no limit (A4)."""
    failure, ended = ending
    committed = ledger.head.committed
    unknown = i == ledger.graph.pivot and (
        ended in (Ended.UNKNOWN, Ended.IN_PROGRESS)
        or (ended is Ended.TIMED_OUT and failure.severity is not Severity.FATAL)
    )
    if unknown and failure.severity is Severity.FATAL:
        failure = Failure(Severity.RETRYABLE, failure.message)
    if not attempts.try_later(
        ledger, i, RUN, (failure, ended), now, unlimited=unknown or committed
    ):
        fail(ledger, i, failure.message, now)


def _ended_while_undoing(
    ledger: Ledger, i: int, flight: Flight, result: Outcome, now: float
) -> None:
    """A run that ends after its workflow turned back: what it left is kept for the undo (B7)."""
    if isinstance(result, Failure):
        message: str | None = short(result.message)
        if result.severity is Severity.CANNOT_LOOK:
            ended = Ended.IN_PROGRESS
        else:
            ended = Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
            ledger.put(i, run_error=message)
    else:
        message = keep(ledger, i, result)
        ended = Ended.SUCCEEDED if isinstance(result, Succeeded) else Ended.IN_PROGRESS
    ledger.end_attempt(i, Hook.RUN, ended, now, message)
    ledger.offer_undo(i)
