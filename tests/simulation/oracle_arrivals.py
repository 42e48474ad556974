"""What a slot, a deletion, a new owner and time do, before anything starts."""

from tests.simulation import oracle_moves as moves
from tests.simulation import oracle_rules as rules
from tests.simulation.oracle_world import (
    Block,
    Window,
    World,
)

from wf_core.model.phases import BlockReason, Ended, Hook, Phase


def admit(w: World) -> None:
    """A slot: Pending to Running, or on from where it stood still, with the time left (B7)."""
    head, seconds = w.head, w.spec.active_deadline_seconds
    if head.phase is Phase.PENDING and not head.suspended:
        moves.move_workflow(w, Phase.RUNNING)
        head.deadline_at = None if seconds is None else w.now + seconds
    elif head.parked and rules.wants_slot(w):
        head.parked = False
        head.deadline_at = None if head.deadline_left is None else w.now + head.deadline_left
        head.deadline_left = None


def delete(w: World, at: float) -> None:
    """A deletion: watches end; what never began is over; what is orphaned is let go."""
    if w.head.deletion_asked_at is None:
        w.head.deletion_asked_at = at
    moves.end_watches(w)
    if w.head.phase is Phase.PENDING:
        moves.end_before_it_began(w)
    elif rules.orphaned(w):
        for i in w.indices:
            moves.stop(w, i)
    moves.arm_watches(w)


def recover(w: World) -> None:
    """What a new owner finds (B3, B7, B8, B10, H)."""
    head = w.head
    if head.phase is Phase.PENDING and not head.saved and w.spec.suspend:
        head.suspended = True
    for i, step in enumerate(w.steps):
        # B10: tried at every start. And a hook that was stuck died with its process.
        tried_again = (BlockReason.HOOK_STUCK, BlockReason.KIND_UNAVAILABLE)
        stuck = False
        if step.blocked and step.blocked.reason in tried_again:
            stuck = step.blocked.reason is BlockReason.HOOK_STUCK
            step.blocked = None
        if head.phase is Phase.RUNNING and step.phase is Phase.RUNNING:
            if not step.blocked and not step.failed:
                _recover_attempt(w, i, Hook.RUN, stuck)
        elif head.phase is Phase.ROLLING_BACK and step.phase is Phase.ROLLING_BACK:
            _recover_attempt(w, i, Hook.ROLLBACK, stuck)
        elif head.phase is Phase.ROLLING_BACK and step.phase is Phase.RUNNING and step.open:
            # Its run was being stopped: how it ended is not known.
            left = Ended.IN_PROGRESS if step.in_progress else Ended.UNKNOWN
            moves.end_attempt(w, i, Hook.RUN, left)
    seconds = w.spec.active_deadline_seconds
    if head.deadline_at is not None and seconds is not None:
        head.deadline_at = min(head.deadline_at, w.now + seconds)
    moves.arm_watches(w)
    if head.deletion_asked_at is not None:
        delete(w, head.deletion_asked_at)


def _recover_attempt(w: World, i: int, hook: Hook, stuck: bool) -> None:
    step, kind = w.steps[i], w.kind(i)
    timeout = moves.limit_of(w, i, hook)[2]
    if step.in_progress:
        # B8: looked at at once. B7: before a deadline that passed acts; H: none is longer than its
        # period, whatever the clock did.
        step.look = Window(w.now, w.now)
        if step.attempt_deadline_at is not None and step.attempt_deadline_at > w.now:
            if timeout is not None:
                step.attempt_deadline_at = min(step.attempt_deadline_at, w.now + timeout)
            step.times_out_at = step.attempt_deadline_at
        return
    if stuck:
        # B7: a hook that did not stop has timed out once its process is gone. One that can't be
        # called again never said how it ended.
        if hook is Hook.RUN and kind is not None and not kind.reissue:
            moves.interrupted(w, i, hook)
        else:
            moves.timed_out(w, i, hook)
        return
    at = step.next_attempt_at
    # A retry that starts on time is not saved again: one whose time has passed was perhaps called.
    if at is None or (at <= w.now and not rules.must_know(w, i)):
        moves.interrupted(w, i, hook)
        return
    # H: a saved wait is clamped to its period (the longest that its jitter allows); one that is no
    # retry's (throttled, asked for) has no period.
    # Set back twice, the clock has no word of how long that was.
    wait = at - step.planned_at if step.counted or not step.clamped else 0.0
    if w.now + wait < at:
        latest = w.now + wait / 0.9 if step.counted else at
        at = min(
            at, moves.within(w.seen.steps[i].next_attempt_at, w.now + wait - 1e-6, latest + 1e-6)
        )
    if at != step.next_attempt_at:
        step.next_attempt_at, step.planned_at, step.clamped = at, w.now, True
        step.attempt_deadline_at = None if timeout is None else at + timeout


def let_time_act(w: World) -> None:
    """What is due by now (B7)."""
    if (
        w.head.deadline_at is not None
        and w.head.deadline_at <= w.now
        and (w.head.phase is Phase.RUNNING)
    ):
        w.head.cause = True
    for i, step in enumerate(w.steps):
        flight = step.flight
        if flight is not None and flight.grace_ends is not None and flight.grace_ends <= w.now:
            flight.grace_ends, flight.written_off = None, True
            step.blocked = Block(BlockReason.HOOK_STUCK, (), w.now)
            w.written_off.append(i)
        attempt_over = step.times_out_at is not None and step.times_out_at <= w.now
        look_over = (
            flight is not None and flight.look_ends is not None and flight.look_ends <= w.now
        )
        if attempt_over:
            step.times_out_at = None
        if flight is None:
            # B10: what waits for its kind neither fails nor is undone.
            if attempt_over and not rules.orphaned(w) and not step.blocked:
                undoing = step.phase is Phase.ROLLING_BACK
                moves.timed_out(w, i, Hook.ROLLBACK if undoing else Hook.RUN)
        elif attempt_over or look_over:
            flight.timed_out = flight.timed_out or attempt_over
            flight.look_ends = None if look_over else flight.look_ends
            moves.stop(w, i)
            if not flight.written_off and flight.grace_ends is None:
                flight.grace_ends = w.now + w.grace
