"""The oracle: a second, naive answer to "what must happen now".

It is written to be read beside the semantics and shares nothing with the machine but the model. It
keeps no count and no queue: every turn asks every question of every step again. Where the rules
leave a choice (which of several gets a scarce permit, the jitter of a wait) it looks at what the
machine chose and judges whether that was allowed, and whether more was required.
"""

import copy
import math
from collections.abc import Mapping, Sequence

import attrs
from tests.simulation import oracle_moves as moves
from tests.simulation import oracle_outcomes as outcomes
from tests.simulation import oracle_requests as requests
from tests.simulation import oracle_rules as rules
from tests.simulation.oracle_world import (
    RUN_HELP,
    UNDO_HELP,
    Block,
    Head,
    KnownKind,
    Seen,
    Step,
    Window,
    World,
    fresh,
    remembered,
)

from wf_core.model.outcomes import Outcome, Succeeded
from wf_core.model.phases import BlockReason, Ended, Hook, Phase, Purpose, RollbackMode
from wf_core.model.requests import Asked
from wf_core.model.spec import WorkflowSpec


@attrs.frozen
class Report:
    """A call of a step ended."""

    step: int
    number: int
    outcome: Outcome


@attrs.frozen
class Halfway:
    """A hook saves what it just made (B4)."""

    step: int
    number: int
    result: Succeeded


@attrs.frozen
class Slot:
    """The workflow was admitted, or may go on."""


@attrs.frozen
class Never:
    """It can never start."""


@attrs.frozen
class Wake:
    """A hint about something in progress."""

    step: int


@attrs.frozen
class Delete:
    """Somebody wants it gone."""

    at: float


What = Report | Halfway | Slot | Never | Wake | Delete | Asked


class Oracle:
    """One workflow. `turn` says what must follow, `save` what stays, `crash` forgets the rest."""

    def __init__(self, spec: WorkflowSpec, *, grace: float, sync_timeout: float) -> None:
        self.world = fresh(spec, {}, (), grace=grace, sync_timeout=sync_timeout)
        self._asked: list[Asked] = []
        self._recovered = False
        self._saved: tuple[Head, list[Step]] = copy.deepcopy((self.world.head, self.world.steps))

    def save(self) -> None:
        """All of this is on disk."""
        self._saved = remembered(self.world)

    def crash(self, kinds: Mapping[str, KnownKind]) -> None:
        """All but what is on disk is lost; a new owner, with these kinds, goes on."""
        head, steps = copy.deepcopy(self._saved)
        answered = {seq for seq, *_ in head.answers}
        world = self.world
        self.world = World(
            world.spec,
            head,
            steps,
            [a for a in self._asked if a.seq not in answered],
            kinds,
            world.grace,
            world.sync_timeout,
        )
        self._recovered = False

    def turn(self, events: Sequence[What], now: float, seen: Seen) -> World:
        """C1: fold what arrived, starting nothing; then derive until nothing moves."""
        w = self.world
        w.now, w.seen = now, seen
        w.calls, w.stops, w.written_off = [], [], []
        if not self._recovered:
            self._recovered = True
            recover(w)
        for report in sorted(
            (e for e in events if isinstance(e, Report | Halfway)),
            key=lambda e: (e.step, isinstance(e, Report)),
        ):
            flight = w.steps[report.step].flight
            if flight is None or flight.number != report.number:
                continue
            if isinstance(report, Report):
                outcomes.reported(w, report.step, flight, report.outcome)
            elif not flight.dropped:
                kept = report.result
                flight.too_large = not outcomes.keep(w, report.step, kept.resource, kept.attributes)
        for event in events:
            match event:
                case Slot():
                    admit(w)
                case Never() if w.head.phase is Phase.PENDING:
                    moves.move_workflow(w, Phase.FAILED)
                case Wake(step):
                    moves.wake(w, step)
                case Delete(at):
                    delete(w, at)
                case Asked():
                    self._asked.append(event)
                    w.asked.append(event)
        requests.answer_all(w)
        let_time_act(w)
        derive(w)
        return w


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
        if step.blocked and step.blocked.reason in tried_again:
            step.blocked = None
        if head.phase is Phase.RUNNING and step.phase is Phase.RUNNING:
            if not step.blocked and not step.failed:
                _recover_attempt(w, i, Hook.RUN)
        elif head.phase is Phase.ROLLING_BACK and step.phase is Phase.ROLLING_BACK:
            _recover_attempt(w, i, Hook.ROLLBACK)
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


def _recover_attempt(w: World, i: int, hook: Hook) -> None:
    step = w.steps[i]
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
        latest = w.now + 1.1 * wait if step.counted else at
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
