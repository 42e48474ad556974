"""What people ask, and what comes of it (semantics D).

Each request is answered once, in the save that applies it, at the first turn in which the step it
names has no call in flight.
"""

from collections.abc import Callable

from wf_core.model.phases import (
    BlockReason,
    Phase,
    Ran,
    RequestType,
    Undo,
    Verdict,
)
from wf_core.model.requests import Answer, Asked
from wf_core.model.state import MAX_ATTRIBUTES
from wf_core.saga import course, look, run, undo, watch
from wf_core.saga.attempts import UNDO, leave
from wf_core.saga.ledger import Ledger
from wf_core.saga.sizes import size

MAX_SIGNALS = 64
_Verdict = tuple[Verdict, str]
_APPLIED: _Verdict = (Verdict.APPLIED, "")


def answer_all(ledger: Ledger, now: float) -> None:
    """Answer, in order, every request whose time has come."""
    waiting: list[Asked] = []
    for asked in ledger.asked:
        ledger.applying = asked.request
        answered = _answer(ledger, asked, now)
        ledger.applying = None
        if answered is None:
            waiting.append(asked)
            continue
        verdict, reason = answered
        request = asked.request
        ledger.answer(
            Answer(
                asked.seq,
                request.type,
                verdict,
                now,
                request.step,
                reason,
                request.by,
                request.verified,
                request.reason,
            )
        )
    ledger.asked = waiting


def _answer(ledger: Ledger, asked: Asked, now: float) -> _Verdict | None:
    request = asked.request
    of_workflow = _OF_WORKFLOW.get(request.type)
    if of_workflow is not None and not (request.type in _OF_STEP and request.step):
        return of_workflow(ledger, asked, now)
    i = ledger.index.get(request.step or "")
    if i is None:
        what = f"no step '{request.step}'" if request.step else "say which step"
        return Verdict.REFUSED, what
    if i in ledger.flights:
        return None
    return _OF_STEP[request.type](ledger, i, now)


def _cancel(ledger: Ledger, asked: Asked, now: float) -> _Verdict | None:
    head = ledger.head
    cause = f"cancelled: {asked.request.reason}" if asked.request.reason else "cancelled"
    if head.phase is Phase.PENDING:
        undo.never_started(ledger, cause, now)
        return _APPLIED
    if head.phase is Phase.ROLLING_BACK:
        return Verdict.NO_EFFECT, "it is rolling back already"
    if head.phase is not Phase.RUNNING:
        return Verdict.REFUSED, f"it is {head.phase}; only what is Pending or Running is cancelled"
    if head.committed:
        return Verdict.REFUSED, "it is past its pivot and only goes forward"
    if run.pivot_unknown(ledger):
        return None
    undo.begin(ledger, cause, now)
    return _APPLIED


def _rollback(ledger: Ledger, asked: Asked, now: float) -> _Verdict | None:
    head = ledger.head
    if head.phase is not Phase.SUCCESS:
        return Verdict.REFUSED, f"it is {head.phase}; only a workflow in Success is rolled back"
    if head.committed:
        return Verdict.REFUSED, "it is past its pivot and only goes forward"
    undo.begin(ledger, asked.request.reason or "rollback was asked for", now)
    return _APPLIED


def _suspend(ledger: Ledger, _asked: Asked, _now: float) -> _Verdict | None:
    head = ledger.head
    if head.phase not in (Phase.PENDING, Phase.RUNNING):
        return Verdict.REFUSED, f"it is {head.phase}; only what is Pending or Running is suspended"
    if head.suspended:
        return Verdict.NO_EFFECT, "it is suspended already"
    ledger.put_head(suspended=True)
    watch.end_watches(ledger)
    return _APPLIED


def _continue(ledger: Ledger, _asked: Asked, now: float) -> _Verdict | None:
    head = ledger.head
    if head.phase not in (Phase.PENDING, Phase.RUNNING):
        return Verdict.REFUSED, f"it is {head.phase}; only a suspended workflow continues"
    if not head.suspended:
        return Verdict.NO_EFFECT, "it is not suspended"
    ledger.put_head(suspended=False)
    watch.rearm(ledger, now)
    return _APPLIED


def _start_over(ledger: Ledger, _asked: Asked, now: float) -> _Verdict | None:
    """RetryRun without a step: a workflow that could never start, else every blocked run."""
    if ledger.head.phase is Phase.FAILED and not any(s.attempt for s in ledger.steps):
        ledger.move_workflow(Phase.PENDING, now, "RetryRun", error=None)
        return _APPLIED
    blocked = [i for i in range(len(ledger.steps)) if _run_is_blocked(ledger, i)]
    for i in blocked:
        run.retry_by_hand(ledger, i, now)
    return _APPLIED if blocked else (Verdict.REFUSED, "no run waits for a person")


def _undo_again(ledger: Ledger, _asked: Asked, now: float) -> _Verdict | None:
    """RetryRollback without a step: every undo that waits for a person."""
    stuck = [i for i in range(len(ledger.steps)) if _undo_is_stuck(ledger, i)]
    for i in stuck:
        undo.retry_by_hand(ledger, i, now)
    if not stuck:
        return Verdict.REFUSED, f"it is {ledger.head.phase}, and no undo waits for a person"
    _turn_again(ledger, "RetryRollback", now)
    return _APPLIED


def _signal(ledger: Ledger, asked: Asked, now: float) -> _Verdict | None:
    request = asked.request
    if not request.name:
        return Verdict.REFUSED, "a signal needs a name"
    if ledger.head.phase not in (Phase.PENDING, Phase.RUNNING, Phase.ROLLING_BACK):
        return Verdict.NO_EFFECT, f"it is {ledger.head.phase}"
    signals = {**ledger.head.signals, request.name: request.value}
    if len(signals) > MAX_SIGNALS:
        return Verdict.REFUSED, f"at most {MAX_SIGNALS} signals are kept"
    if size(signals) > MAX_ATTRIBUTES:
        return Verdict.REFUSED, f"signals may be {MAX_ATTRIBUTES} bytes in all"
    ledger.put_head(signals=signals)
    for i in dict.fromkeys((*ledger.open, *ledger.flights)):
        look.wake(ledger, i, now)
    return _APPLIED


def _retry_run(ledger: Ledger, i: int, now: float) -> _Verdict:
    if not _run_is_blocked(ledger, i):
        return _refused(ledger, i, "no run of it waits for a person")
    run.retry_by_hand(ledger, i, now)
    return _APPLIED


def _mark_succeeded(ledger: Ledger, i: int, now: float) -> _Verdict:
    if not _run_is_blocked(ledger, i):
        return _refused(ledger, i, "no run of it waits for a person")
    if ledger.steps[i].phase is Phase.PENDING:
        # It never had an intent; the person vouches for it, and the undo will be asked to undo it.
        saved = run.parameters_of_marked(ledger, i)
        ledger.move(
            i, Phase.RUNNING, now, "MarkSucceeded", attempt=1, blocked=None, parameters=saved
        )
    run.succeed(ledger, i, Ran.MARKED, now)
    return _APPLIED


def _retry_rollback(ledger: Ledger, i: int, now: float) -> _Verdict:
    if not _undo_waits(ledger, i):
        return _refused(ledger, i, "no undo of it waits")
    undo.retry_by_hand(ledger, i, now)
    _turn_again(ledger, "RetryRollback", now)
    return _APPLIED


def _skip_rollback(ledger: Ledger, i: int, now: float) -> _Verdict:
    if not _undo_waits(ledger, i):
        return _refused(ledger, i, "no undo of it waits")
    step = ledger.steps[i]
    if step.phase is Phase.FAILED:
        if step.undo is Undo.SKIPPED:
            return Verdict.NO_EFFECT, "it is skipped already"
        ledger.put(i, undo=Undo.SKIPPED, blocked=None)
        if not ledger.settled[i]:
            ledger.settle(i)
    else:
        leave(ledger, i, UNDO, now)
        undo.give_up(ledger, i, Undo.SKIPPED, step.rollback_error or "", now)
    _turn_again(ledger, "SkipRollback", now)
    return _APPLIED


def _mark_rolled_back(ledger: Ledger, i: int, now: float) -> _Verdict:
    if not _undo_waits(ledger, i):
        return _refused(ledger, i, "no undo of it waits")
    if ledger.steps[i].phase is Phase.ROLLING_BACK:
        leave(ledger, i, UNDO, now)
    undo.undone(ledger, i, Undo.MARKED, now)
    _turn_again(ledger, "MarkRolledBack", now)
    return _APPLIED


def _turn_again(ledger: Ledger, reason: str, now: float) -> None:
    """A Failed workflow goes on undoing, if something can move now."""
    if ledger.head.phase is Phase.FAILED and course.undo_can_move(ledger):
        ledger.move_workflow(Phase.ROLLING_BACK, now, reason, parked=True)
        for i in range(len(ledger.steps)):
            ledger.offer_undo(i)


def _run_is_blocked(ledger: Ledger, i: int) -> bool:
    step = ledger.steps[i]
    return (
        ledger.head.phase is Phase.RUNNING
        and step.phase in (Phase.PENDING, Phase.RUNNING)
        and step.blocked is not None
        and step.blocked.reason is not BlockReason.HOOK_STUCK
    )


def _undo_waits(ledger: Ledger, i: int) -> bool:
    return ledger.head.phase in (Phase.ROLLING_BACK, Phase.FAILED) and ledger.steps[i].phase in (
        Phase.FAILED,
        Phase.ROLLING_BACK,
    )


def _undo_is_stuck(ledger: Ledger, i: int) -> bool:
    step = ledger.steps[i]
    failed = step.phase is Phase.FAILED and step.undo is not Undo.SKIPPED
    return (
        _undo_waits(ledger, i) and i not in ledger.flights and (failed or step.blocked is not None)
    )


def _refused(ledger: Ledger, i: int, why: str) -> _Verdict:
    return Verdict.REFUSED, f"step '{ledger.step_spec(i).name}' is {ledger.steps[i].phase}; {why}"


_OF_WORKFLOW: dict[RequestType, Callable[[Ledger, Asked, float], _Verdict | None]] = {
    RequestType.CANCEL: _cancel,
    RequestType.ROLLBACK: _rollback,
    RequestType.SUSPEND: _suspend,
    RequestType.CONTINUE: _continue,
    RequestType.SIGNAL: _signal,
    RequestType.RETRY_RUN: _start_over,
    RequestType.RETRY_ROLLBACK: _undo_again,
}
_OF_STEP: dict[RequestType, Callable[[Ledger, int, float], _Verdict]] = {
    RequestType.RETRY_RUN: _retry_run,
    RequestType.MARK_SUCCEEDED: _mark_succeeded,
    RequestType.RETRY_ROLLBACK: _retry_rollback,
    RequestType.SKIP_ROLLBACK: _skip_rollback,
    RequestType.MARK_ROLLED_BACK: _mark_rolled_back,
}
