"""Backward: turning a workflow round, undoing steps in reverse order (semantics A1 to A3)."""

from wf_core.model.outcomes import Failure, Outcome, Progressing, Severity, Succeeded
from wf_core.model.phases import (
    BlockReason,
    Ended,
    Hook,
    PermitClass,
    Phase,
    Purpose,
    RollbackMode,
    Undo,
)
from wf_core.model.state import Blocked
from wf_core.saga import attempts
from wf_core.saga.attempts import RUN, UNDO
from wf_core.saga.calls import (
    UNDO_OPTIONS,
    Undecodable,
    block_for_kind,
    call,
    saved_parameters,
    stop,
)
from wf_core.saga.ledger import WORKFLOW_TIMER, Flight, Ledger
from wf_core.saga.results import keep
from wf_core.saga.sizes import short


def begin(ledger: Ledger, cause: str, now: float) -> None:
    """Turn the workflow round: what never ran is settled, what runs is asked to stop.

    It keeps its slot if it has one; one that has none stays `parked` and goes on without (E5).
    """
    head = ledger.head
    ledger.move_workflow(
        Phase.ROLLING_BACK,
        now,
        cause,
        cause=short(cause),
        parked=head.parked or head.phase is not Phase.RUNNING,
        suspended=False,
        deadline_at=None,
        deadline_left=None,
    )
    ledger.timers.clear(WORKFLOW_TIMER, "deadline")
    ledger.forget_waiting()
    for i, step in enumerate(ledger.steps):
        if step.phase is Phase.PENDING:
            ledger.move(i, Phase.ROLL_BACKED, now, undo=Undo.NEVER_RAN, blocked=None)
        else:
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
    for timer in ("watch", "look"):
        ledger.timers.clear(i, timer)
    if step.blocked is not None and step.blocked.reason is not BlockReason.HOOK_STUCK:
        ledger.put(i, blocked=None)
    flight = ledger.flights.get(i)
    if flight is None:
        attempts.leave(ledger, i, RUN, now)
    else:
        flight.dropped = flight.purpose is Purpose.WATCH
        stop(ledger, i)


def start(ledger: Ledger, i: int, now: float) -> bool:
    """Begin to undo step i; False: no permit."""
    step = ledger.steps[i]
    if step.phase not in (Phase.RUNNING, Phase.SUCCESS) or ledger.open_dependents[i]:
        return True
    if ledger.step_spec(i).rollback is RollbackMode.NONE:
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
    ledger.move(
        i,
        Phase.ROLLING_BACK,
        now,
        rollback_attempt=1,
        interruptions=0,
        deaths=0,
        attempt_deadline_at=attempts.deadline_from(ledger, i, UNDO, now),
    )
    return _call(ledger, i, now)


def again(ledger: Ledger, i: int, now: float) -> bool:
    """Call an undo whose intent is saved already; False: no permit."""
    step = ledger.steps[i]
    if step.phase is not Phase.ROLLING_BACK or i in ledger.flights or step.in_progress:
        return True
    if not ledger.open_attempt(i, PermitClass.ROLLBACK, now):
        return False
    return _call(ledger, i, now)


def outcome(ledger: Ledger, i: int, flight: Flight, result: Outcome, now: float) -> None:
    """What an undo, or a look at one, reported."""
    ending: attempts.Ending | None = None
    if isinstance(result, Succeeded):
        keep(ledger, i, result)
        ledger.end_attempt(i, Hook.ROLLBACK, Ended.SUCCEEDED, now, None)
        undone(ledger, i, Undo.CALLED, now)
    elif isinstance(result, Progressing):
        ending = attempts.progress(ledger, i, UNDO, flight, result, now)
    elif result.severity is Severity.CANNOT_LOOK:
        ending = attempts.look_again(ledger, i, UNDO, flight, result.after or None, now)
    else:
        ending = result, Ended.TIMED_OUT if flight.timed_out else Ended.FAILED
    if ending:
        _end_badly(ledger, i, ending, now)


def timed_out(ledger: Ledger, i: int, now: float) -> None:
    """The time of an undo that is in progress, without a call in flight, is over."""
    _end_badly(ledger, i, attempts.timed_out(ledger, i, UNDO), now)


def ended_with_its_process(ledger: Ledger, i: int, now: float) -> None:
    """An undo that was stuck went with its process: it has timed out."""
    _end_badly(ledger, i, attempts.ended_with_its_process(UNDO), now)


def kills(ledger: Ledger, i: int, failure: Failure, now: float) -> None:
    """A look at an undo is not made again, since its process did not live through it."""
    _end_badly(ledger, i, (failure, Ended.IN_PROGRESS), now)


def interrupted(ledger: Ledger, i: int, now: float) -> None:
    """An undo was cut off by a crash: it is called again under its number (B3)."""
    failure = attempts.too_often(ledger, i, now)
    if failure is None:
        attempts.claim_again(ledger, i, UNDO)
    else:
        _end_badly(ledger, i, (failure, Ended.UNKNOWN), now)


def undone(ledger: Ledger, i: int, undo: Undo, now: float) -> None:
    """Step i is RollBacked."""
    ledger.move(i, Phase.ROLL_BACKED, now, undo=undo, rollback_error=None, blocked=None)


def give_up(ledger: Ledger, i: int, undo: Undo, message: str, now: float) -> None:
    """Step i could not be undone, or a person says to leave it."""
    error = short(message) or None
    ledger.move(i, Phase.FAILED, now, undo=undo, rollback_error=error, blocked=None)
    if undo is Undo.FAILED:
        ledger.block(i, Blocked(BlockReason.ROLLBACK_FAILED, now, message, UNDO_OPTIONS))


def retry_by_hand(ledger: Ledger, i: int, now: float) -> None:
    """A person asked for another go at an undo."""
    if ledger.steps[i].phase is Phase.FAILED:
        ledger.move(i, Phase.ROLLING_BACK, now, "RetryRollback", undo=None, blocked=None)
    attempts.retry_by_hand(ledger, i, UNDO, now)


def _call(ledger: Ledger, i: int, now: float) -> bool:
    try:
        decoded = saved_parameters(ledger, i)
    except Undecodable as error:
        ledger.drop_attempt(i, PermitClass.ROLLBACK)
        if i not in ledger.interrupted and ledger.steps[i].next_attempt_at is None:
            # Planned, not called: whoever asks to try again does not begin another attempt.
            ledger.put(i, next_attempt_at=now)
        block_for_kind(ledger, i, str(error), now, error.reason)
        return True
    attempts.begin_again(ledger, i, UNDO, now)
    call(ledger, i, Hook.ROLLBACK, Purpose.ROLLBACK, decoded, now)
    return True


def _end_badly(ledger: Ledger, i: int, ending: attempts.Ending, now: float) -> None:
    if not attempts.try_later(ledger, i, UNDO, ending, now):
        give_up(ledger, i, Undo.FAILED, ending[0].message, now)
