"""A workflow's own course: beginning, standing still, ending, going (semantics A1, A5, B7, E3)."""

from wf_core.model.phases import DeletionPolicy, Hook, Phase, Purpose
from wf_core.model.spec import WorkflowSpec
from wf_core.saga import run, statuses, undo, watch
from wf_core.saga.calls import stop
from wf_core.saga.ledger import WORKFLOW_TIMER, Ledger

UNDOABLE = (Phase.RUNNING, Phase.SUCCESS)


def admit(ledger: Ledger, now: float) -> None:
    """The workflow has a slot: begin, or go on after it had given its slot back."""
    head = ledger.head
    if head.phase is Phase.PENDING and not head.suspended:
        seconds = ledger.spec.active_deadline_seconds
        deadline = None if seconds is None else now + seconds
        ledger.move_workflow(Phase.RUNNING, now, "admitted", deadline_at=deadline)
        _arm_deadline(ledger)
        for i, step in enumerate(ledger.steps):
            if step.phase is Phase.PENDING and ledger.open_conditions[i] == 0:
                ledger.offer_run(i)
    elif head.parked and wants_slot(ledger):
        left = head.deadline_left
        deadline = None if left is None else now + left
        ledger.put_head(parked=False, deadline_at=deadline, deadline_left=None)
        _arm_deadline(ledger)


def stand_still(ledger: Ledger, now: float) -> bool:
    """Give the slot back once suspended or wholly blocked; the deadline's clock stands still."""
    head = ledger.head
    suspended = head.suspended and head.phase is Phase.RUNNING
    if head.parked or not (suspended or wholly_blocked(ledger)):
        return False
    left = None if head.deadline_at is None else max(0.0, head.deadline_at - now)
    ledger.put_head(parked=True, deadline_at=None, deadline_left=left)
    ledger.timers.clear(WORKFLOW_TIMER, "deadline")
    return True


def wholly_blocked(ledger: Ledger) -> bool:
    """Whether everything that is not done waits for a person."""
    phase = ledger.head.phase
    # While rolling back, steps in Running wait for their dependents, or their call is in flight.
    return bool(
        phase in (Phase.RUNNING, Phase.ROLLING_BACK)
        and any(ledger.blocked.values())
        and ledger.count[phase] - ledger.blocked[phase] == _waiting_for_pivot(ledger)
        and not ledger.undoable
        and not any(_may_begin(ledger, i) for i in (*ledger.ready, *ledger.awaiting_status))
        and all(
            # A watch changes nothing for those who wait: going on with one needs no slot.
            flight.permit is None
            or (flight.purpose is Purpose.WATCH and phase is Phase.RUNNING)
            # Nor does the look that a person's answer wakes: what follows from it may.
            or (flight.hook is Hook.SYNC and ledger.steps[i].waits_for_person)
            for i, flight in ledger.flights.items()
        )
    )


def wants_slot(ledger: Ledger) -> bool:
    """Whether the workflow waits to be admitted, or to go on after it gave its slot back."""
    head = ledger.head
    if head.suspended:
        return False
    if head.phase is Phase.PENDING:
        return True
    return head.phase is Phase.RUNNING and head.parked and not wholly_blocked(ledger)


def holds_slot(ledger: Ledger) -> bool:
    """Whether the workflow counts against maxRunningCount (semantics E3)."""
    phase = ledger.head.phase
    if phase is Phase.RUNNING:
        return not ledger.head.parked
    return phase is Phase.ROLLING_BACK and not wholly_blocked(ledger)


def deadline_passed(ledger: Ledger) -> None:
    """`activeDeadlineSeconds` is over: turn back, once the pivot's outcome is known."""
    seconds = ledger.spec.active_deadline_seconds
    ledger.want_rollback(f"activeDeadlineSeconds: {seconds:g} s have passed")


def recover_deadline(ledger: Ledger, now: float) -> None:
    """Set the deadline's timer again; the clock may have jumped, but no further than the period."""
    head, seconds = ledger.head, ledger.spec.active_deadline_seconds
    if seconds is None:
        if head.deadline_at is not None or head.deadline_left is not None:
            ledger.put_head(deadline_at=None, deadline_left=None)  # somebody wrote it there
    elif head.deadline_at is not None and head.deadline_at > now + seconds:
        ledger.put_head(deadline_at=now + seconds)
    _arm_deadline(ledger)


def delete(ledger: Ledger, at: float, now: float) -> None:
    """Somebody wants the workflow gone: undo first what its policy says."""
    head = ledger.head
    if head.deletion_asked_at is None:
        ledger.put_head(deletion_asked_at=at)
        ledger.urgent = True
    watch.end_watches(ledger)
    if head.phase is Phase.PENDING:
        undo.never_started(ledger, "deleted before it began", now)
    elif orphaned(ledger):
        for i in ledger.flights:
            stop(ledger, i)
        for i in [i for i in ledger.open if i not in ledger.flights]:
            ledger.close_attempt(i)
    else:
        # What is past its pivot goes forward, and needs to see the statuses that it waits for.
        watch.rearm(ledger, now)


def change_policy(ledger: Ledger, spec: WorkflowSpec, now: float) -> None:
    """What deletion means has changed: so has the course of a workflow that is being deleted."""
    ledger.spec = spec
    ledger.put_head()  # what is saved tells that the change was seen
    if ledger.head.deletion_asked_at is not None:
        delete(ledger, ledger.head.deletion_asked_at, now)


def removable(ledger: Ledger) -> bool:
    """Whether a workflow whose deletion was asked may go (invariant I14)."""
    head = ledger.head
    if head.deletion_asked_at is None or ledger.flights:
        return False
    policy = ledger.spec.deletion_policy
    if policy is DeletionPolicy.ORPHAN:
        return True
    if ledger.outbox:
        return False
    if head.phase is Phase.FAILED:
        return not any(step.attempt for step in ledger.steps)
    if head.phase is Phase.SUCCESS:
        return head.committed or policy is not DeletionPolicy.ROLLBACK
    return head.phase is Phase.ROLL_BACKED


def orphaned(ledger: Ledger) -> bool:
    """Whether nothing may be called any more, since the workflow goes without an undo."""
    return (
        ledger.head.deletion_asked_at is not None
        and ledger.spec.deletion_policy is DeletionPolicy.ORPHAN
    )


def turn_back(ledger: Ledger, now: float) -> bool:
    """Act on the cause to turn back, unless the pivot has yet to say how it ended."""
    cause = cause_to_turn_back(ledger)
    if not cause or run.pivot_unknown(ledger):
        return False
    undo.begin(ledger, cause, now)
    return True


def cause_to_turn_back(ledger: Ledger) -> str:
    """Why the workflow has to turn back, or nothing."""
    head = ledger.head
    if head.committed or head.phase not in UNDOABLE or orphaned(ledger):
        return ""
    return head.cause or ("deleted" if _undone_by_deletion(ledger) else "")


def finish(ledger: Ledger, now: float) -> None:
    """End a workflow in which nothing can move."""
    total = len(ledger.steps)
    if ledger.head.phase is Phase.RUNNING and ledger.count[Phase.SUCCESS] == total:
        ledger.move_workflow(
            Phase.SUCCESS, now, parked=False, suspended=False, deadline_at=None, deadline_left=None
        )
        ledger.timers.clear(WORKFLOW_TIMER, "deadline")
        watch.rearm(ledger, now)
    elif ledger.head.phase is Phase.ROLLING_BACK and not undo_can_move(ledger):
        if ledger.count[Phase.ROLL_BACKED] == total:
            ledger.move_workflow(Phase.ROLL_BACKED, now, ledger.head.cause, parked=False)
        elif ledger.count[Phase.FAILED]:  # else it is deleted without an undo, and stays as it is
            ledger.move_workflow(Phase.FAILED, now, ledger.head.cause, parked=False)


def undo_can_move(ledger: Ledger) -> bool:
    """Whether an undo is going on, waits to be tried, or has nothing left to wait for."""
    if ledger.count[Phase.ROLLING_BACK] or ledger.flights or ledger.undoable:
        return True
    if ledger.head.phase is Phase.FAILED:
        if ledger.count[Phase.ROLL_BACKED] == len(ledger.steps):
            return True
        return any(
            step.phase in UNDOABLE and ledger.open_dependents[i] == 0
            for i, step in enumerate(ledger.steps)
        )
    return False


def _waiting_for_pivot(ledger: Ledger) -> int:
    """How many runs failed for good and wait until the pivot says how it ended."""
    if ledger.head.phase is not Phase.RUNNING or not ledger.head.cause:
        return 0
    return sum(s.failed and not s.blocked and s.phase is Phase.RUNNING for s in ledger.steps)


def _may_begin(ledger: Ledger, i: int) -> bool:
    """Whether step i, its phases reached, lacks no status, or one that watching may show."""
    lacking = statuses.lacking(ledger, i)
    return not lacking or any(ledger.steps[c.on].phase is Phase.SUCCESS for c in lacking)


def _undone_by_deletion(ledger: Ledger) -> bool:
    """Whether the deletion of a workflow in Running or Success undoes it first."""
    return ledger.head.deletion_asked_at is not None and (
        ledger.head.phase is Phase.RUNNING or ledger.spec.deletion_policy is DeletionPolicy.ROLLBACK
    )


def _arm_deadline(ledger: Ledger) -> None:
    if ledger.head.deadline_at is not None:
        ledger.timers.set(WORKFLOW_TIMER, "deadline", ledger.head.deadline_at)
