"""What follows: every step is asked what it may do, until nothing moves (C1)."""

import math

from tests.simulation import oracle_moves as moves
from tests.simulation import oracle_rules as rules
from tests.simulation.oracle_world import (
    RUN_HELP,
    UNDO_HELP,
    Block,
    Window,
    World,
)

from wf_core.model.phases import BlockReason, Hook, Phase, Purpose, RollbackMode


def derive(w: World) -> None:
    """Everything that follows, until nothing moves."""
    while True:
        w.refused = {}
        moved = False
        if rules.must_turn_back(w):
            moves.turn_back(w)
            moved = True
        for i in w.indices:
            moved = step_moves(w, i) or moved
        if not moved and not workflow_moves(w):
            return


def workflow_moves(w: World) -> bool:
    """The workflow's own row of the table, once no step moves."""
    if rules.must_succeed(w):
        moves.move_workflow(w, Phase.SUCCESS)
        w.head.parked = w.head.suspended = False
        moves.stop_the_clock(w)
        moves.arm_watches(w)
        return True
    if ended := rules.must_end_undone(w):
        moves.move_workflow(w, ended)
        w.head.parked = False
        return True
    if rules.must_give_slot_back(w):
        head = w.head
        head.parked = True
        head.deadline_left = (
            None if head.deadline_at is None else max(0.0, head.deadline_at - w.now)
        )
        head.deadline_at = None
        return True
    return False


def step_moves(w: World, i: int) -> bool:
    """What step i may do now, and has to do if there is a permit."""
    step = w.steps[i]
    if rules.may_be_undone(w, i):
        return _undo(w, i)
    if rules.may_undo_again(w, i):
        return _call(w, i, Hook.ROLLBACK, Purpose.ROLLBACK)
    if rules.may_be_looked_at(w, i):
        undoing = step.phase is Phase.ROLLING_BACK
        return _look(w, i, Purpose.ROLLBACK if undoing else Purpose.RUN, step.look)
    if rules.may_run_again(w, i):
        return _call(w, i, Hook.RUN, Purpose.RUN)
    if rules.may_begin(w, i):
        return _begin(w, i)
    if step.watch is not None and step.watch.earliest <= w.now:
        if step.flight is None and rules.is_watched(w, i):
            return _look(w, i, Purpose.WATCH, step.watch)
        if step.watch.latest <= w.now:
            step.watch = None
    return False


def _granted(w: World, i: int, hook: Hook, purpose: Purpose, *, required: bool = True) -> bool:
    """E1: whether the call got its permit. One that is due and got none is remembered."""
    called = {step for step, *_ in w.calls}
    if w.seen.calls.get(i) == (hook, purpose) and i not in called:
        return True
    # Who is about to turn back in this very turn need not start anything any more.
    if required and not rules.must_turn_back(w):
        w.refused[i] = purpose
    return False


def _look(w: World, i: int, purpose: Purpose, window: Window | None) -> bool:
    assert window is not None
    required = window.latest <= w.now
    if not rules.decodes(w, i):
        if purpose is not Purpose.WATCH:
            return _block(w, i)
        return _watch_in_vain(w, i, required=required)
    if not _granted(w, i, Hook.SYNC, purpose, required=required):
        return False
    if purpose is Purpose.WATCH:
        w.steps[i].watch = None
    moves.begin_call(w, i, Hook.SYNC, purpose)
    return True


def _watch_in_vain(w: World, i: int, *, required: bool) -> bool:
    """B10: step i can't be looked at, and whoever waits for its status waits for the kind now."""
    step = w.steps[i]
    waiters = [k for k in w.indices if rules.may_begin(w, k) and i in rules.lacking(w, k)]
    said = w.seen.steps[i].sync_error is not None and not step.sync_error
    if not (required or said or any(w.seen.steps[k].blocked for k in waiters)):
        return False
    step.sync_error = True
    for k in waiters:
        _block(w, k)
    # When the next one is due can't be seen: the watch leaves no trace.
    step.watch = Window(math.nextafter(w.now, math.inf), w.now + 1.1 * rules.watch_period(w, i))
    return True


def _begin(w: World, i: int) -> bool:
    """Pending to Running, where every condition holds in this very state (A1, A6)."""
    step = w.steps[i]
    lacking = rules.lacking(w, i)
    if any(rules.unreachable(w, on) for on in lacking):
        return _fail_without_a_call(w, i)
    if any(w.steps[on].phase is Phase.SUCCESS and w.kind(on) is None for on in lacking):
        # Nobody can look for the status: this step waits for the missing kind (B10, I10).
        return _block(w, i)
    if lacking:
        return False
    if w.kind(i) is None:
        return _block(w, i)
    if not rules.decodes(w, i):
        # B6: parameters that can't be decoded are fatal without a call.
        return _fail_without_a_call(w, i)
    if not _granted(w, i, Hook.RUN, Purpose.RUN):
        return False
    moves.move(w, i, Phase.RUNNING)
    timeout = moves.limit_of(w, i, Hook.RUN)[2]
    step.attempt, step.open, step.run_error = 1, True, False
    step.attempt_deadline_at = None if timeout is None else w.now + timeout
    moves.begin_call(w, i, Hook.RUN, Purpose.RUN)
    return True


def _fail_without_a_call(w: World, i: int) -> bool:
    """It never had an intent. Who else fails in the turn that turns back anyway, is left open."""
    if w.seen.phase is Phase.ROLLING_BACK and not w.seen.steps[i].failed:
        return False
    moves.fail_run(w, i)
    return True


def _undo(w: World, i: int) -> bool:
    """Running or Success to RollingBack (A1, A3)."""
    step = w.steps[i]
    if w.template(i).rollback is RollbackMode.NONE:
        moves.irreversible(w, i)
        return True
    known = rules.decodes(w, i)
    if known and not _granted(w, i, Hook.ROLLBACK, Purpose.ROLLBACK):
        return False
    moves.move(w, i, Phase.ROLLING_BACK)
    timeout = moves.limit_of(w, i, Hook.ROLLBACK)[2]
    step.rollback_attempt, step.open, step.interruptions = 1, True, 0
    step.attempt_deadline_at = None if timeout is None else w.now + timeout
    if not known:
        step.next_attempt_at = step.planned_at = w.now
        step.counted = step.clamped = False
        return _block(w, i)
    moves.begin_call(w, i, Hook.ROLLBACK, Purpose.ROLLBACK)
    return True


def _call(w: World, i: int, hook: Hook, purpose: Purpose) -> bool:
    """The saved attempt of step i is called (again)."""
    if not rules.decodes(w, i):
        return _block(w, i)
    if not _granted(w, i, hook, purpose):
        return False
    moves.claim(w, i, hook)
    moves.begin_call(w, i, hook, purpose)
    return True


def _block(w: World, i: int) -> bool:
    """B10: a kind that is missing blocks the step; it neither fails nor undoes."""
    step = w.steps[i]
    help_ = UNDO_HELP if step.phase is Phase.ROLLING_BACK else RUN_HELP
    step.blocked = Block(BlockReason.KIND_UNAVAILABLE, help_, w.now)
    return True
