"""What follows from a rule that applies: the oracle's verbs."""

from tests.simulation import oracle_rules as rules
from tests.simulation.oracle_world import (
    PAUSE_HELP,
    RUN_HELP,
    UNDO_HELP,
    Block,
    Flight,
    Window,
    World,
)

from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import (
    BlockReason,
    Ended,
    Hook,
    OnFailure,
    Phase,
    Purpose,
    Ran,
    RollbackMode,
    Undo,
)

INTERRUPTED_IN_A_ROW = 5


# Phases


def move(w: World, i: int, to: Phase) -> None:
    """Step i is in `to`, and has reached it."""
    w.steps[i].phase = to
    w.steps[i].reached[to] = w.now
    w.report(i, to)


def move_workflow(w: World, to: Phase) -> None:
    """The workflow is in `to`, and has reached it."""
    w.head.phase = to
    w.head.reached[to] = w.now
    w.report(None, to)


def stop_the_clock(w: World) -> None:
    """B7: activeDeadlineSeconds has no say any more."""
    w.head.deadline_at = w.head.deadline_left = None


def turn_back(w: World) -> None:
    """A1: Running or Success to RollingBack. What never ran is RollBacked, what runs is stopped."""
    had_slot = w.head.phase is Phase.RUNNING and not w.head.parked
    move_workflow(w, Phase.ROLLING_BACK)
    w.head.cause = True
    w.head.parked, w.head.suspended = not had_slot, False
    stop_the_clock(w)
    for i, step in enumerate(w.steps):
        step.watch = step.look = None
        if step.blocked and step.blocked.reason is not BlockReason.HOOK_STUCK:
            step.blocked = None
        if step.phase is Phase.PENDING:
            never_ran(w, i)
        elif step.flight is None:
            leave(w, i, Hook.RUN)
        else:
            step.flight.dropped = step.flight.purpose is Purpose.WATCH
            stop(w, i)


def undo_again(w: World) -> None:
    """A1: Failed to RollingBack. It has no slot (E5)."""
    move_workflow(w, Phase.ROLLING_BACK)
    w.head.parked = True


def end_before_it_began(w: World) -> None:
    """A1: Pending to RollBacked."""
    move_workflow(w, Phase.ROLL_BACKED)
    w.head.cause = True
    w.head.suspended = False
    for i in w.indices:
        never_ran(w, i)


def never_ran(w: World, i: int) -> None:
    """A3: RollBacked without a call."""
    move(w, i, Phase.ROLL_BACKED)
    w.steps[i].undo = Undo.NEVER_RAN
    w.steps[i].blocked = None


def succeed(w: World, i: int, ran: Ran) -> None:
    """Step i is in Success; a pivot's Success commits the workflow (A4)."""
    step = w.steps[i]
    if ran is Ran.CALLED:
        end_attempt(w, i, Hook.RUN, Ended.SUCCEEDED)
    else:
        leave(w, i, Hook.RUN)
    move(w, i, Phase.SUCCESS)
    step.ran, step.failed, step.run_error, step.blocked = ran, False, False, None
    if i == w.pivot:
        if w.head.cause:
            remark(w, "Degraded", "Committed")
        w.head.committed, w.head.cause = True, False
        stop_the_clock(w)
        for other in w.steps:
            if other.failed and other.phase is not Phase.SUCCESS:
                other.blocked = Block(BlockReason.COMMITTED_FAILURE, RUN_HELP, w.now)


def fail_run(w: World, i: int) -> None:
    """Step i's run failed for good: the step stays where it is (A1)."""
    step = w.steps[i]
    step.failed = step.run_error = True
    w.report(i, Phase.FAILED)
    if w.head.committed:
        step.blocked = Block(BlockReason.COMMITTED_FAILURE, RUN_HELP, w.now)
    elif w.spec.on_failure is OnFailure.PAUSE:
        step.blocked = Block(BlockReason.PAUSED, PAUSE_HELP, w.now)
    else:
        w.head.cause = True


def undone(w: World, i: int, how: Undo) -> None:
    """Step i is RollBacked."""
    move(w, i, Phase.ROLL_BACKED)
    step = w.steps[i]
    step.undo, step.rollback_error, step.blocked = how, False, None


def fail_undo(w: World, i: int) -> None:
    """Step i could not be undone."""
    move(w, i, Phase.FAILED)
    step = w.steps[i]
    step.undo, step.rollback_error = Undo.FAILED, True
    step.blocked = Block(BlockReason.ROLLBACK_FAILED, UNDO_HELP, w.now)


def remark(w: World, type_: str, reason: str) -> None:
    """A standing condition, once."""
    if (type_, reason) not in w.head.conditions:
        w.head.conditions.append((type_, reason))


# Attempts


def limit_of(w: World, i: int, hook: Hook) -> tuple[int, float, float | None]:
    """Retries, the period between them, and the seconds that one attempt may take."""
    template = w.template(i).step_template
    policy = template.retry_policy
    if hook is Hook.RUN:
        return policy.run_retry_limit, policy.run_retry_period_seconds, template.timeout_seconds
    return (
        policy.rollback_retry_limit,
        policy.rollback_retry_period_seconds,
        template.rollback_timeout_seconds,
    )


def number_of(w: World, i: int, hook: Hook) -> int:
    """How many attempts were begun."""
    return w.steps[i].attempt if hook is Hook.RUN else w.steps[i].rollback_attempt


def count_attempt(w: World, i: int, hook: Hook, by: int) -> None:
    """Begin one more, or take one back that was only planned."""
    if hook is Hook.RUN:
        w.steps[i].attempt += by
    else:
        w.steps[i].rollback_attempt += by


def end_attempt(w: World, i: int, hook: Hook, how: Ended) -> None:
    """An attempt is over, and the next one is told how (B2)."""
    step = w.steps[i]
    step.attempts = [*step.attempts, (hook, number_of(w, i, hook), how)][-5:]
    step.previous = how
    step.interruptions = 0
    stand_still(w, i)


def stand_still(w: World, i: int) -> None:
    """Nothing of step i is open or due."""
    step = w.steps[i]
    step.in_progress = step.waits_for_person = False
    step.open = step.cut_off = step.woken = False
    step.next_attempt_at = step.attempt_deadline_at = step.times_out_at = step.look = None
    step.looks = 0
    step.may_look_at = 0.0


def leave(w: World, i: int, hook: Hook) -> None:
    """Make an end of what is open without a call in flight; what was only planned never began."""
    step = w.steps[i]
    if step.in_progress:
        end_attempt(w, i, hook, Ended.IN_PROGRESS)
    elif step.cut_off:
        end_attempt(w, i, hook, Ended.UNKNOWN)
    elif rules.planned(step):
        count_attempt(w, i, hook, -1)
        stand_still(w, i)


def plan(w: World, i: int, hook: Hook, wait: Window) -> None:
    """Put the next attempt down: the failure's save carries its intent (C1)."""
    step = w.steps[i]
    count_attempt(w, i, hook, 1)
    earliest, latest = w.now + wait.earliest, w.now + wait.latest
    at = within(w.seen.steps[i].next_attempt_at, earliest, latest)
    timeout = limit_of(w, i, hook)[2]
    step.next_attempt_at, step.planned_at, step.open = at, w.now, True
    step.counted = step.clamped = False
    step.attempt_deadline_at = None if timeout is None else at + timeout


def within(seen: float | None, earliest: float, latest: float) -> float:
    """What was chosen, where the choice is allowed."""
    return seen if seen is not None and earliest <= seen <= latest else earliest


def attempt_failed(w: World, i: int, hook: Hook, failure: Failure, how: Ended) -> None:
    """B6: tried again later, or failed for good. A4: without limit where the pivot has not said how
    it ended, or where there is no way back."""
    step = w.steps[i]
    severity = failure.severity
    unlimited = hook is Hook.RUN and w.head.committed
    if hook is Hook.RUN and i == w.pivot:
        silent = how in (Ended.UNKNOWN, Ended.IN_PROGRESS)
        late = how is Ended.TIMED_OUT and severity is not Severity.FATAL
        if silent or late:
            unlimited = True
            severity = Severity.RETRYABLE if severity is Severity.FATAL else severity
    end_attempt(w, i, hook, how)
    if hook is Hook.RUN:
        step.run_error = True
    else:
        step.rollback_error = True
    if severity is Severity.THROTTLED:
        wait = max(failure.after, 1.0)
        plan(w, i, hook, Window(wait, wait))
        return
    limit, period, _ = limit_of(w, i, hook)
    if severity is not Severity.FATAL:
        failures = _count_failure(w, i, hook)
        if unlimited or limit < 0 or failures <= limit:
            policy = w.template(i).step_template.retry_policy
            plan(w, i, hook, rules.retry_wait(policy, period, failures))
            step.counted = True
            return
    if hook is Hook.RUN:
        fail_run(w, i)
    else:
        fail_undo(w, i)


def _count_failure(w: World, i: int, hook: Hook) -> int:
    step = w.steps[i]
    if hook is Hook.RUN:
        step.run_retry_count += 1
        step.latest_run_retry_at = w.now
        return step.run_retry_count
    step.rollback_retry_count += 1
    step.latest_rollback_retry_at = w.now
    return step.rollback_retry_count


def timed_out(w: World, i: int, hook: Hook) -> None:
    """B7: the time of something in progress is over."""
    attempt_failed(w, i, hook, Failure(Severity.RETRYABLE, "timed out"), Ended.TIMED_OUT)


def interrupted(w: World, i: int, hook: Hook) -> None:
    """B3: called again under its number, or counted as failed, or (reissue = False) unknown."""
    step, kind = w.steps[i], w.kind(i)
    if hook is Hook.RUN and kind is not None and not kind.reissue:
        end_attempt(w, i, hook, Ended.UNKNOWN)
        step.run_error = True
        if i == w.pivot or w.head.committed:
            step.blocked = Block(BlockReason.OUTCOME_UNKNOWN, RUN_HELP, w.now)
        else:
            fail_run(w, i)
    elif step.interruptions >= INTERRUPTED_IN_A_ROW:
        attempt_failed(w, i, hook, Failure(Severity.RETRYABLE, "interrupted"), Ended.UNKNOWN)
    else:
        step.previous, step.cut_off = Ended.UNKNOWN, True


def by_hand(w: World, i: int, hook: Hook) -> None:
    """B6: a request to retry resets the counters, and comes now."""
    step = w.steps[i]
    was_blocked, step.blocked = step.blocked is not None, None
    step.interruptions = 0
    if hook is Hook.RUN:
        step.run_retry_count, step.failed = 0, False
    else:
        step.rollback_retry_count = 0
    step.counted = False
    if step.phase is Phase.PENDING or step.cut_off:
        return
    if was_blocked and step.in_progress:
        step.look = Window(w.now, w.now)
    else:
        leave(w, i, hook)
        plan(w, i, hook, Window(0.0, 0.0))


# Calls


def begin_call(w: World, i: int, hook: Hook, purpose: Purpose) -> None:
    """A call whose permit was taken."""
    step = w.steps[i]
    w.numbers += 1
    step.flight = Flight(w.numbers, hook, purpose)
    attempt = step.rollback_attempt if purpose is Purpose.ROLLBACK else step.attempt
    deadline = None
    if hook is Hook.SYNC:
        step.flight.look_ends = w.now + w.sync_timeout
        step.look = step.look if purpose is Purpose.WATCH else None
        step.woken = False
    else:
        deadline = step.attempt_deadline_at
        step.times_out_at = deadline
    w.calls.append((i, hook, purpose, attempt, deadline))


def claim(w: World, i: int, hook: Hook) -> None:
    """The saved attempt of step i is called now: B3 its claim, B7 its time from the first call."""
    step = w.steps[i]
    timeout = limit_of(w, i, hook)[2]
    if step.cut_off:
        step.cut_off = False
        step.interruptions += 1
        at = step.attempt_deadline_at
        if timeout is not None and (at is None or not w.now < at <= w.now + timeout):
            step.attempt_deadline_at = w.now + timeout
    elif timeout is not None:
        latest = w.now + timeout
        step.attempt_deadline_at = within(w.seen.steps[i].attempt_deadline_at, latest - 1.0, latest)
    if rules.must_know(w, i):
        step.next_attempt_at = None


def stop(w: World, i: int) -> None:
    """Ask what is in flight to stop, once."""
    flight = w.steps[i].flight
    if flight is not None and not flight.stopping:
        flight.stopping = True
        w.stops.append(i)


def wake(w: World, i: int) -> None:
    """B8: a hint, sticky until a later look has started."""
    step = w.steps[i]
    if step.flight is not None:
        step.woken = True
    elif step.in_progress:
        look_soon(w, i)


def look_soon(w: World, i: int) -> None:
    """E8: one look follows another after at least 0.1 s."""
    at = max(w.now, w.steps[i].may_look_at)
    w.steps[i].look = Window(at, at)


def arm_watch(w: World, i: int) -> None:
    """B9: the next watch is due after its period, give or take a tenth."""
    if rules.is_watched(w, i):
        period = rules.watch_period(w, i)
        wait = max(0.9 * period, 0.1), max(1.1 * period, 0.1) + 1e-6  # E8
        w.steps[i].watch = Window(w.now + wait[0], w.now + wait[1])


def arm_watches(w: World) -> None:
    """Watch again whatever is not watched yet."""
    for i, step in enumerate(w.steps):
        if step.watch is None:
            arm_watch(w, i)


def end_watches(w: World) -> None:
    """B9: they end, and what one in flight will say is dropped."""
    for i, step in enumerate(w.steps):
        step.watch = None
        if step.flight and step.flight.purpose is Purpose.WATCH:
            step.flight.dropped = True
            stop(w, i)


def irreversible(w: World, i: int) -> None:
    """A3: rollback None."""
    assert w.template(i).rollback is RollbackMode.NONE
    move(w, i, Phase.ROLLING_BACK)
    undone(w, i, Undo.IRREVERSIBLE)
    remark(w, "PartiallyReverted", "Irreversible")
