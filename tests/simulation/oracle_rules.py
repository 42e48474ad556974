"""What is allowed and what is required: predicates over a world, each asked from scratch.

The letters are those of the semantics. Nothing here changes anything.
"""

from tests.simulation.oracle_world import Step, Window, World

from wf_core.model.phases import (
    BlockReason,
    DeletionPolicy,
    Ended,
    Hook,
    Phase,
    Purpose,
    RollbackPolicy,
    Undo,
)
from wf_core.model.spec import RetryPolicy

FINISHED = (Phase.SUCCESS, Phase.ROLL_BACKED, Phase.FAILED)
RAN = (Phase.RUNNING, Phase.SUCCESS)
_UNKNOWN = (Ended.UNKNOWN, Ended.TIMED_OUT, Ended.IN_PROGRESS)


# The workflow


def orphaned(w: World) -> bool:
    """It is deleted, and goes without an undo: nothing may be called any more."""
    return w.head.deletion_asked_at is not None and (
        w.spec.deletion_policy is DeletionPolicy.ORPHAN
    )


def pivot_unknown(w: World) -> bool:
    """A4: the pivot may have happened, and has not said so."""
    if w.pivot is None or w.head.committed:
        return False
    step = w.steps[w.pivot]
    if step.phase is not Phase.RUNNING or step.failed:
        return False
    return step.flight is not None or not planned(step) or step.previous in _UNKNOWN


def must_turn_back(w: World) -> bool:
    """A1: Running or Success goes to RollingBack, not once committed; A4: the pivot says first."""
    if w.head.phase not in RAN or w.head.committed or orphaned(w):
        return False
    deleted = w.head.deletion_asked_at is not None and (
        w.head.phase is Phase.RUNNING or w.spec.deletion_policy is DeletionPolicy.ROLLBACK
    )
    return (w.head.cause or deleted) and not pivot_unknown(w)


def must_succeed(w: World) -> bool:
    """A1, I12: every step of the spec is in Success."""
    return w.head.phase is Phase.RUNNING and all(s.phase is Phase.SUCCESS for s in w.steps)


def must_end_undone(w: World) -> Phase | None:
    """A1: all is RollBacked, or nothing can move any more and a step is Failed."""
    if w.head.phase is not Phase.ROLLING_BACK or undo_can_move(w):
        return None
    undone = all(s.phase is Phase.ROLL_BACKED for s in w.steps)
    return Phase.ROLL_BACKED if undone else Phase.FAILED


def undo_can_move(w: World) -> bool:
    """An undo goes on, or has nothing left to wait for, or a hook has yet to end."""
    return any(
        s.phase is Phase.ROLLING_BACK or s.flight is not None or dependents_settled(w, i)
        for i, s in enumerate(w.steps)
        if s.phase in (Phase.ROLLING_BACK, *RAN)
    )


def can_go_on_undoing(w: World) -> bool:
    """A1: a Failed workflow that a person helped has something to do again."""
    return undo_can_move(w) or all(s.phase is Phase.ROLL_BACKED for s in w.steps)


def wholly_blocked(w: World) -> bool:
    """A5: whatever is not done waits for a person, or for a step that does."""
    moving = w.head.phase
    if moving not in (Phase.RUNNING, Phase.ROLLING_BACK):
        return False
    if not any(s.blocked or s.waits_for_person for s in w.steps):
        return False
    for i, step in enumerate(w.steps):
        flight = step.flight
        # A watch changes nothing for those who wait; a thread that was written off is lost.
        watches = flight and flight.purpose is Purpose.WATCH and moving is Phase.RUNNING
        # Nor does the look at what waits for a person: what follows from it may.
        asks = flight and flight.hook is Hook.SYNC and step.waits_for_person
        if flight and not flight.written_off and not watches and not asks:
            return False
        person = step.blocked or step.waits_for_person
        waits = person or (step.failed and moving is Phase.RUNNING)
        if step.phase is moving and not waits:
            return False
        begins = step.phase is Phase.PENDING and phases_reached(w, i) and not waits
        if moving is Phase.RUNNING and begins and status_may_come(w, i):
            return False
        if moving is Phase.ROLLING_BACK and may_be_undone(w, i):
            return False
    return True


def must_give_slot_back(w: World) -> bool:
    """A5, E3: suspended or wholly blocked."""
    if w.head.parked:
        return False
    return wholly_blocked(w) or (w.head.phase is Phase.RUNNING and w.head.suspended)


def wants_slot(w: World) -> bool:
    """It waits to be admitted, or to go on."""
    if w.head.suspended:
        return False
    if w.head.phase is Phase.PENDING:
        return True
    return w.head.phase is Phase.RUNNING and w.head.parked and not wholly_blocked(w)


def holds_slot(w: World) -> bool:
    """E3: Running and RollingBack, unless suspended or wholly blocked."""
    if w.head.phase is Phase.RUNNING:
        return not w.head.parked
    return w.head.phase is Phase.ROLLING_BACK and not wholly_blocked(w)


def rests(w: World) -> bool:
    """Only a person, or a watch, moves it."""
    calls = any(s.flight for s in w.steps)
    if w.head.phase in FINISHED:
        return not calls
    if w.head.suspended and w.head.phase in (Phase.PENDING, Phase.RUNNING):
        return not calls and not any(s.in_progress and not s.blocked for s in w.steps)
    asked = any(s.waits_for_person and not s.blocked for s in w.steps)
    return wholly_blocked(w) and not asked


def removable(w: World) -> bool:
    """I14; F: it waits until everything is told, but for one that is let go."""
    if w.head.deletion_asked_at is None or any(s.flight for s in w.steps):
        return False
    if orphaned(w) or w.head.undelivered:
        return orphaned(w)
    if w.head.phase is Phase.FAILED:
        return not any(s.attempt for s in w.steps)
    if w.head.phase is Phase.SUCCESS:
        return w.head.committed or w.spec.deletion_policy is not DeletionPolicy.ROLLBACK
    return w.head.phase is Phase.ROLL_BACKED


# A step going forward


def planned(step: Step) -> bool:
    """Its next attempt is put down, and was not called yet."""
    return step.next_attempt_at is not None and not step.cut_off


def runs_go_on(w: World) -> bool:
    """A5: no new run attempt while suspended, or before a slot is there again."""
    h = w.head
    return h.phase is Phase.RUNNING and not h.suspended and not h.parked and not orphaned(w)


def phases_reached(w: World, i: int) -> bool:
    """A6: every phase that step i waits for was reached once (I1)."""
    return all(phase in w.steps[on].reached for on, phase, _ in w.conditions(i))


def may_begin(w: World, i: int) -> bool:
    """Step i may start, as far as phases go."""
    step = w.steps[i]
    fresh = step.phase is Phase.PENDING and not step.failed and not step.blocked
    return fresh and runs_go_on(w) and phases_reached(w, i)


def lacking(w: World, i: int) -> list[int]:
    """A6: the steps whose resource does not show, at this very moment, what step i asks for."""
    return [
        on
        for on, _, status in w.conditions(i)
        if status is not None and status_of(w.steps[on]) != status
    ]


def status_may_come(w: World, i: int) -> bool:
    """Step i has every status that it asks for, or watching a step in Success may show it."""
    missing = lacking(w, i)
    return not missing or any(w.steps[on].phase is Phase.SUCCESS for on in missing)


def status_of(step: Step) -> str:
    """What the resource of a step shows."""
    return step.resource.status if step.resource else ""


def unreachable(w: World, on: int) -> bool:
    """A6: step `on` is done, and nobody can look whether it comes to another status."""
    kind = w.kind(on)
    return w.steps[on].phase is Phase.SUCCESS and kind is not None and not kind.has_sync


def may_run_again(w: World, i: int) -> bool:
    """The saved attempt of step i may be called: its time has come, or it was cut off (B3, B6)."""
    step = w.steps[i]
    idle = step.phase is Phase.RUNNING and not step.flight and not step.in_progress
    due = step.cut_off or (step.next_attempt_at is not None and step.next_attempt_at <= w.now)
    return idle and due and runs_go_on(w) and not step.failed and not step.blocked


# A step going back


def settled(w: World, i: int) -> bool:
    """A2."""
    step = w.steps[i]
    if step.phase is Phase.ROLL_BACKED:
        return True
    own = w.template(i).step_template.rollback_policy or w.spec.rollback_policy
    return step.phase is Phase.FAILED and (
        own is RollbackPolicy.ALWAYS or step.undo is Undo.SKIPPED
    )


def dependents_settled(w: World, i: int) -> bool:
    """Whoever depends on step i no longer holds up its undo (I3)."""
    return all(settled(w, k) for k in w.dependents(i))


def may_be_undone(w: World, i: int) -> bool:
    """A1: Running or Success goes to RollingBack."""
    step = w.steps[i]
    back = w.head.phase is Phase.ROLLING_BACK and step.phase in RAN and not orphaned(w)
    return back and step.flight is None and dependents_settled(w, i)


def may_undo_again(w: World, i: int) -> bool:
    """The saved attempt to undo step i may be called."""
    step = w.steps[i]
    idle = step.phase is Phase.ROLLING_BACK and not step.flight and not step.in_progress
    due = step.cut_off or (step.next_attempt_at is not None and step.next_attempt_at <= w.now)
    back = w.head.phase is Phase.ROLLING_BACK and not orphaned(w)
    return idle and due and back and not step.blocked


# Looks and watches


def may_be_looked_at(w: World, i: int) -> bool:
    """B1: something is in progress outside, and a look at it is due or may be."""
    step = w.steps[i]
    if step.flight or step.blocked or not step.in_progress or orphaned(w):
        return False
    return step.look is not None and step.look.earliest <= w.now


def is_watched(w: World, i: int) -> bool:
    """A6, B9: step i in Success is looked at again and again."""
    head, kind = w.head, w.kind(i)
    if w.steps[i].phase is not Phase.SUCCESS or kind is None or not kind.has_sync:
        return False
    if head.phase not in RAN or head.suspended or orphaned(w) or watch_period(w, i) <= 0:
        return False
    # Deletion ends watches, but for the statuses that what is past its pivot waits for.
    if head.deletion_asked_at is not None:
        return head.phase is Phase.RUNNING and status_is_awaited(w, i)
    return True


def status_is_awaited(w: World, i: int) -> bool:
    """A6: a step that has not begun asks for a status of step i's resource."""
    return any(
        on == i and status is not None
        for k in w.indices
        if w.steps[k].phase is Phase.PENDING
        for on, _, status in w.conditions(k)
    )


def watch_period(w: World, i: int) -> float:
    """Seconds between looks; at least 5 where a status is awaited."""
    period = w.template(i).step_template.sync_period_seconds
    return max(period, 5.0) if status_is_awaited(w, i) else period


# Times


def retry_wait(policy: RetryPolicy, period: float, failures: int) -> Window:
    """B6: seconds before the retry after the n-th counted failure. The jitter is a tenth, and none
    of it lies beyond the maximum; a default maximum gives way to a longer period."""
    longest = policy.max_period_seconds
    if longest == 3600.0 and period > longest:
        longest = period * 1.1
    wait = min(period * policy.factor ** (failures - 1), longest)
    least = period if period <= longest else 0.0
    earliest = min(wait, max(least, 0.9 * longest))
    return Window(earliest - 1e-6, min(wait * 1.1, longest) + 1e-6)


def poll_wait(w: World, i: int, poll_after: float | None) -> Window:
    """B1: seconds before the next look, from 10 backing off to 60 unless told otherwise."""
    if poll_after is not None:
        return Window(max(poll_after, 0.1), max(poll_after, 0.1))  # E8
    period = w.template(i).step_template.sync_period_seconds
    if period > 0:
        return Window(max(period, 0.1), max(period, 0.1))
    return Window(10.0, 10.0) if w.steps[i].looks == 0 else Window(10.0, 60.0)


def decodes(w: World, i: int) -> bool:
    """B10: the kind of step i is there, and takes its parameters."""
    return w.kind(i) is not None and "bad" not in w.template(i).step_template.parameters


def must_know(w: World, i: int) -> bool:
    """Nobody may guess after a crash whether a retry of step i was called (A4, B3)."""
    kind = w.kind(i)
    return i == w.pivot or (kind is not None and not kind.reissue)


def run_is_blocked(w: World, i: int) -> bool:
    """D: RetryRun and MarkSucceeded are for a blocked run."""
    step = w.steps[i]
    waits = w.head.phase is Phase.RUNNING and step.phase in (Phase.PENDING, Phase.RUNNING)
    return waits and step.blocked is not None and step.blocked.reason is not BlockReason.HOOK_STUCK


def undo_waits(w: World, i: int) -> bool:
    """D: the requests about an undo are for a step that is Failed, or waits in RollingBack."""
    back = w.head.phase in (Phase.ROLLING_BACK, Phase.FAILED)
    return back and w.steps[i].phase in (Phase.ROLLING_BACK, Phase.FAILED)


def undo_is_stuck(w: World, i: int) -> bool:
    """D: an undo that waits for a person and has no call in flight."""
    step = w.steps[i]
    failed = step.phase is Phase.FAILED and step.undo is not Undo.SKIPPED
    return undo_waits(w, i) and not step.flight and (failed or step.blocked is not None)
