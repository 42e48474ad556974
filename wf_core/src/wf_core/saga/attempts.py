"""What an attempt to run and an attempt to undo have in common (semantics B1, B3, B6, B7)."""

import attrs
from msgspec.structs import replace

from wf_core.model.outcomes import Failure, Progressing, Severity
from wf_core.model.phases import Ended, Hook, PermitClass
from wf_core.model.spec import RetryPolicy, StepTemplate
from wf_core.model.state import StepState
from wf_core.saga import deaths
from wf_core.saga.backoff import THROTTLED_LEAST, longest_retry, retry_delay
from wf_core.saga.ledger import Flight, Ledger
from wf_core.saga.look import schedule_look
from wf_core.saga.results import keep
from wf_core.saga.sizes import short

MAX_CALLED_AGAIN = 5
_PERMIT_DELAY = 1.0  # seconds; what a retry waited for a permit beyond this is not its own time


@attrs.frozen
class Side:
    """A direction: its hook, its permit and the fields under which a step keeps its attempts."""

    hook: Hook
    permit: PermitClass
    attempt: str
    count: str
    latest: str
    error: str

    def timeout(self, template: StepTemplate) -> float | None:
        """Seconds that one attempt may take."""
        forward = self.hook is Hook.RUN
        return template.timeout_seconds if forward else template.rollback_timeout_seconds

    def limit(self, policy: RetryPolicy) -> int:
        """How many failures may be followed by a retry; -1 is no limit."""
        forward = self.hook is Hook.RUN
        return policy.run_retry_limit if forward else policy.rollback_retry_limit

    def period(self, policy: RetryPolicy) -> float:
        """Seconds before the first retry."""
        if self.hook is Hook.RUN:
            return policy.run_retry_period_seconds
        return policy.rollback_retry_period_seconds


RUN = Side(
    Hook.RUN, PermitClass.RUN, "attempt", "run_retry_count", "latest_run_retry_at", "run_error"
)
UNDO = Side(
    Hook.ROLLBACK,
    PermitClass.ROLLBACK,
    "rollback_attempt",
    "rollback_retry_count",
    "latest_rollback_retry_at",
    "rollback_error",
)
Ending = tuple[Failure, Ended]


def policy_of(ledger: Ledger, i: int) -> RetryPolicy:
    """What the document says of retries, with what is below the floor raised to it (semantics E8):
    a maximum too, since no retry waits longer than that."""
    policy, floor = ledger.step_spec(i).step_template.retry_policy, ledger.retry_floor
    if not floor:
        return policy
    return replace(
        policy,
        run_retry_period_seconds=max(policy.run_retry_period_seconds, floor),
        rollback_retry_period_seconds=max(policy.rollback_retry_period_seconds, floor),
        max_period_seconds=max(policy.max_period_seconds, floor),
    )


def deadline_from(ledger: Ledger, i: int, side: Side, start: float) -> float | None:
    """When an attempt that is first called at `start` has had its time."""
    timeout = side.timeout(ledger.step_spec(i).step_template)
    return None if timeout is None else start + timeout


def is_open(step: StepState) -> bool:
    """Whether the last run of a step whose workflow turns back has not ended yet."""
    return not step.attempts or step.attempts[-1].number != step.attempt


def planned(ledger: Ledger, i: int) -> bool:
    """Whether the saved attempt of a step without a call in flight has not been called yet."""
    return ledger.steps[i].next_attempt_at is not None and i not in ledger.interrupted


def plan(ledger: Ledger, i: int, side: Side, at: float) -> None:
    """Put down the next attempt, to be called at `at`: its intent."""
    ledger.put(
        i,
        next_attempt_at=at,
        attempt_deadline_at=deadline_from(ledger, i, side, at),
        **{side.attempt: _number(ledger.steps[i], side) + 1},
    )
    ledger.timers.set(i, "attempt", at)


def leave(ledger: Ledger, i: int, side: Side, now: float) -> None:
    """Make an end of what step i has open without a call in flight: something in progress or cut
    off by a crash is an attempt that ended, one that was only planned has never begun."""
    ledger.timers.clear(i, "attempt")
    if ledger.steps[i].in_progress:
        ledger.end_attempt(i, side.hook, Ended.IN_PROGRESS, now, None)
    elif i in ledger.interrupted:
        ledger.end_attempt(i, side.hook, Ended.UNKNOWN, now, None)
    elif planned(ledger, i):
        ledger.put(
            i,
            next_attempt_at=None,
            attempt_deadline_at=None,
            **{side.attempt: _number(ledger.steps[i], side) - 1},
        )


def claim_again(ledger: Ledger, i: int, side: Side) -> None:
    """An attempt was cut off by a crash: it is called again under its number (semantics B3)."""
    if ledger.steps[i].previous is not Ended.UNKNOWN:
        ledger.put(i, previous=Ended.UNKNOWN)
    ledger.interrupted[i] = None
    ledger.offer_again(i, side.permit)


def too_often(ledger: Ledger, i: int, now: float) -> Failure | None:
    """The failure of an attempt that was interrupted too often in a row (semantics B3).

    Where it is known what was open when the process died, a call that was not alone is as innocent
    as its neighbours, and one that was alone three times is not called a fourth time.
    """
    alone = ledger.died.get(i)
    if alone is not None:
        return killed(ledger, i, now) if alone else None
    called_again = ledger.steps[i].interruptions
    if called_again < MAX_CALLED_AGAIN:
        return None
    why = f"interrupted {called_again + 1} times in a row: does the hook kill its process?"
    return Failure(Severity.RETRYABLE, why)


def killed(ledger: Ledger, i: int, now: float) -> Failure | None:
    """Count a death of the process during which step i's call alone was open; the failure for good
    once that happened too often."""
    count = deaths.counted(ledger.steps[i], now)
    ledger.put(i, deaths=count, died_at=now)
    if count < deaths.MAX_DEATHS:
        return None
    why = (
        f"the process died {count} times while nothing but a call of this step was open: the hook "
        "kills its process. See the system's log for the cause (out of memory, a crash)"
    )
    return Failure(Severity.FATAL, why)


def begin_again(ledger: Ledger, i: int, side: Side, now: float) -> None:
    """Book that an attempt whose intent is saved is called now: its claim, and its time limit.

    A retry that starts on time needs no save: its not-before and deadline were saved before.
    """
    step = ledger.steps[i]
    changes: dict[str, object] = {}
    latest = deadline_from(ledger, i, side, now)
    if i in ledger.interrupted:
        del ledger.interrupted[i]
        changes["interruptions"] = step.interruptions + 1
        # The limit runs from the first call; one that passed while nobody was there begins again,
        # and no clock makes it longer.
        deadline = step.attempt_deadline_at
        if latest is not None and (deadline is None or not now < deadline <= latest):
            changes["attempt_deadline_at"] = latest
    elif latest is not None and (
        (step.next_attempt_at or 0.0) < now - _PERMIT_DELAY
        or (step.attempt_deadline_at or latest) > latest
    ):
        changes["attempt_deadline_at"] = latest
    if step.next_attempt_at is not None and must_know(ledger, i):
        changes["next_attempt_at"] = None
    kind = ledger.kinds[ledger.kind_of(i)]
    if kind.identity != step.kind:
        changes["kind"] = kind.identity
        if side is UNDO and not step.run_kind:
            changes["run_kind"] = step.kind
    if changes:
        ledger.put(i, **changes)


def must_know(ledger: Ledger, i: int) -> bool:
    """Whether a crash must tell a retry that was called from one that was not, whatever the clock
    does: a pivot is not undone and a kind without reissue not called again on a guess."""
    kind = ledger.kinds.get(ledger.kind_of(i))
    return i == ledger.graph.pivot or (kind is not None and not kind.reissue)


def progress(
    ledger: Ledger, i: int, side: Side, flight: Flight, result: Progressing, now: float
) -> Ending | None:
    """The work goes on outside: look again later. Gives how the attempt ends where it can't."""
    why = keep(ledger, i, result)
    kind = ledger.kinds.get(ledger.kind_of(i))
    if kind is not None and not kind.has_sync:
        why = f"the kind '{ledger.kind_of(i)}' answered InProgress but has no sync"
        return Failure(Severity.FATAL, why), Ended.IN_PROGRESS
    # An undo goes on without its attributes: what it makes is of no use to anybody.
    if why and side is RUN:
        return Failure(Severity.FATAL, why), Ended.IN_PROGRESS
    step, waits = ledger.steps[i], result.waits_for_person
    if not step.in_progress or step.waits_for_person is not waits:
        ledger.put(i, in_progress=True, waits_for_person=waits, next_attempt_at=None)
    return look_again(ledger, i, side, flight, result.poll_after, now)


def survived(ledger: Ledger, i: int, now: float) -> None:
    """A call of step i ended, and its process lives. Saved only where it changes something."""
    step = ledger.steps[i]
    if (kept := deaths.kept(step, now)) != step.deaths:
        ledger.put(i, deaths=kept)


def look_again(
    ledger: Ledger, i: int, side: Side, flight: Flight, poll_after: float | None, now: float
) -> Ending | None:
    """Look later at what is in progress, or end the attempt whose time is over."""
    survived(ledger, i, now)
    deadline = ledger.steps[i].attempt_deadline_at
    if flight.timed_out or (deadline is not None and now >= deadline):
        return timed_out(ledger, i, side)
    schedule_look(ledger, i, poll_after, now, looked=flight.hook is Hook.SYNC)
    return None


def timed_out(ledger: Ledger, i: int, side: Side) -> Ending:
    """How an attempt ends that is in progress when its time is over."""
    seconds = side.timeout(ledger.step_spec(i).step_template)
    why = f"timed out after {seconds:g} s"
    return Failure(Severity.RETRYABLE, why), Ended.TIMED_OUT


def ended_with_its_process(side: Side) -> Ending:
    """How an attempt ends whose hook did not stop when its time was over, and is gone now (B7)."""
    why = f"timed out: its {side.hook} did not stop, and ended with its process"
    return Failure(Severity.RETRYABLE, why), Ended.TIMED_OUT


def longest_wait(ledger: Ledger, i: int, side: Side) -> float:
    """Seconds that the planned attempt of step i waits at most, whatever the clock did (H)."""
    step, policy = ledger.steps[i], policy_of(ledger, i)
    period, failures = side.period(policy), int(getattr(step, side.count))
    if not step.attempts or step.next_attempt_at is None:
        return longest_retry(period, policy)
    ended_at = step.attempts[-1].ended_at
    waits = step.next_attempt_at - ended_at
    if failures and getattr(step, side.latest) == ended_at:
        longest = retry_delay(period, policy, failures, 1.0)
        if waits <= longest:
            return longest
    # Throttled: how long is said by nothing but the two times.
    return max(longest_retry(period, policy), waits)


def raised_wait(ledger: Ledger, i: int, side: Side) -> float | None:
    """The seconds that the document asks for before the planned retry of step i, where the engine
    that planned it waits longer (semantics E8); None where it does not."""
    step, policy = ledger.steps[i], ledger.step_spec(i).step_template.retry_policy
    failures = int(getattr(step, side.count))
    if not failures or not step.attempts or step.next_attempt_at is None:
        return None
    ended_at = step.attempts[-1].ended_at
    if getattr(step, side.latest) != ended_at:
        return None  # throttled: its kind said how long
    asked = retry_delay(side.period(policy), policy, failures, 0.0)
    longest = retry_delay(side.period(policy), policy, failures, 1.0)
    return asked if step.next_attempt_at - ended_at > longest else None


def try_later(
    ledger: Ledger, i: int, side: Side, ending: Ending, now: float, *, unlimited: bool = False
) -> bool:
    """End an attempt that failed and plan the next; False where it failed for good."""
    failure, ended = ending
    step = ledger.steps[i]
    policy = policy_of(ledger, i)
    message = short(failure.message)
    ledger.end_attempt(i, side.hook, ended, now, message)
    ledger.put(i, **{side.error: message})
    if failure.severity is Severity.FATAL:
        return False
    if failure.severity is Severity.THROTTLED:
        delay = max(failure.after, THROTTLED_LEAST)
    else:
        failures = int(getattr(step, side.count)) + 1
        ledger.put(i, **{side.count: failures, side.latest: now})
        if not unlimited and 0 <= side.limit(policy) < failures:
            return False
        jitter = ledger.jitter(i, side.hook, _number(step, side))
        delay = retry_delay(side.period(policy), policy, failures, jitter)
    plan(ledger, i, side, now + delay)
    return True


def retry_by_hand(ledger: Ledger, i: int, side: Side, now: float) -> None:
    """A person asked for another go: the counters begin again (semantics B6).

    What could not be called for want of its kind is taken up where it was; an attempt that is
    planned comes now; else a new attempt begins.
    """
    unblocked = ledger.steps[i].blocked is not None
    ledger.put(i, blocked=None, interruptions=0, deaths=0, **{side.count: 0})
    if i in ledger.interrupted:
        ledger.offer_again(i, side.permit)
    elif unblocked and ledger.steps[i].in_progress:
        ledger.offer_look(i)
    else:
        leave(ledger, i, side, now)
        plan(ledger, i, side, now)


def _number(step: StepState, side: Side) -> int:
    return int(getattr(step, side.attempt))
