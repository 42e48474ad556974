"""What a new owner makes of a state that was left unfinished (semantics B3, B7, B8, H)."""

from msgspec.structs import replace

from wf_core.model.phases import BlockReason, Ended, Hook, Phase, Undo
from wf_core.model.state import INTERNAL_ERROR
from wf_core.saga import attempts, course, run, undo, watch
from wf_core.saga.attempts import RUN, UNDO, Side
from wf_core.saga.ledger import Ledger

_GOES_AWAY = (
    BlockReason.HOOK_STUCK,
    BlockReason.KIND_UNAVAILABLE,
    BlockReason.FOLDER_UNAVAILABLE,
)


def recover(ledger: Ledger, now: float) -> None:
    """Set everything in motion that a crash, or a hand-over, has stopped."""
    phase = ledger.head.phase
    # What is true of a workflow that goes on rides along with its next save.
    ledger.drop_condition(INTERNAL_ERROR)
    if not ledger.head.key_uid and any(step.attempt for step in ledger.steps):
        # Begun before this was saved.
        ledger.head = replace(ledger.head, key_uid=ledger.uid)
    if phase is Phase.PENDING and ledger.head.revision == 0 and ledger.spec.suspend:
        ledger.put_head(suspended=True)
    for i, step in enumerate(ledger.steps):
        stuck = False
        if step.blocked is not None and step.blocked.reason in _GOES_AWAY:
            # A hook that did not stop, and ended with its process; a look is just repeated.
            stuck = step.blocked.reason is BlockReason.HOOK_STUCK and not step.in_progress
            ledger.put(i, blocked=None)
        if i in ledger.died and _killed_by_look(ledger, i, now):
            continue
        if phase is Phase.RUNNING:
            _forward(ledger, i, now, stuck)
        elif phase is Phase.ROLLING_BACK:
            _backward(ledger, i, now, stuck)
    course.recover_deadline(ledger, now)
    watch.rearm(ledger, now)
    if ledger.head.deletion_asked_at is not None:
        course.delete(ledger, ledger.head.deletion_asked_at, now)


def _killed_by_look(ledger: Ledger, i: int, now: float) -> bool:
    """Whether looking at step i ended its process too often, and so is over."""
    step, phase = ledger.steps[i], ledger.head.phase
    watched = step.phase is Phase.SUCCESS and phase in (Phase.RUNNING, Phase.SUCCESS)
    looked_at = step.in_progress and step.phase is phase
    if not (looked_at or watched) or not ledger.died[i]:
        return False
    failure = attempts.killed(ledger, i, now)
    if failure is None:
        return False
    if watched:
        watch.kills(ledger, i, failure.message, now)
    elif phase is Phase.ROLLING_BACK:
        undo.kills(ledger, i, failure, now)
    else:
        run.kills(ledger, i, failure, Ended.IN_PROGRESS, now)
    return not watched


def _forward(ledger: Ledger, i: int, now: float, stuck: bool) -> None:
    step = ledger.steps[i]
    if step.phase is Phase.PENDING:
        if ledger.open_conditions[i] == 0 and step.blocked is None and not step.failed:
            ledger.offer_run(i)
    elif step.phase is Phase.RUNNING and step.blocked is None and not step.failed:
        if stuck:
            run.ended_with_its_process(ledger, i, now)
        elif not _waits(ledger, i, RUN, now):
            run.interrupted(ledger, i, now)


def _backward(ledger: Ledger, i: int, now: float, stuck: bool) -> None:
    step = ledger.steps[i]
    if step.phase is Phase.PENDING:
        # The save that turned it round settled this too; whoever wrote otherwise, nothing ran (A1).
        ledger.move(i, Phase.ROLL_BACKED, now, undo=Undo.NEVER_RAN, blocked=None)
    elif step.phase is Phase.ROLLING_BACK:
        if stuck:
            undo.ended_with_its_process(ledger, i, now)
        elif not _waits(ledger, i, UNDO, now):
            undo.interrupted(ledger, i, now)
    elif step.phase in (Phase.RUNNING, Phase.SUCCESS):
        if step.phase is Phase.RUNNING and attempts.is_open(step):
            left = Ended.IN_PROGRESS if step.in_progress else Ended.UNKNOWN
            ledger.end_attempt(i, Hook.RUN, left, now, None)
        ledger.offer_undo(i)


def _waits(ledger: Ledger, i: int, side: Side, now: float) -> bool:
    """Whether the attempt of step i is in progress outside, or its time has not come."""
    step = ledger.steps[i]
    if step.in_progress:
        ledger.reopen_attempt(i)
        # One look before a deadline that passed meanwhile acts (semantics B7).
        ledger.offer_look(i)
        latest = attempts.deadline_from(ledger, i, side, now)
        deadline = step.attempt_deadline_at
        if deadline is not None and latest is not None and deadline > now:
            if deadline > latest:
                ledger.put(i, attempt_deadline_at=latest)
            ledger.timers.set(i, "timeout", min(deadline, latest))
        return True
    if step.next_attempt_at is None:
        return False
    if step.next_attempt_at <= now and not attempts.must_know(ledger, i):
        return False
    latest = now + attempts.longest_wait(ledger, i, side)
    if step.next_attempt_at > latest:
        ledger.put(
            i,
            next_attempt_at=latest,
            attempt_deadline_at=attempts.deadline_from(ledger, i, side, latest),
        )
    ledger.timers.set(i, "attempt", min(step.next_attempt_at, latest))
    return True
