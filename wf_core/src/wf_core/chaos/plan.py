"""What each run is to meet, drawn from the seed and the run's number alone."""

from collections.abc import Sequence
from random import Random  # noqa: TID251  (drawn from a seed that the author names)

import attrs

from wf_core.chaos.orders import Fault
from wf_core.model.phases import Hook, Phase, RollbackMode
from wf_core.model.spec import StepSpec

MOST_CRASHES = 4
"""In one run and one goal. The fifth interruption in a row would count as a failed attempt."""

MOST_FAILURES = 2
"""Retryable failures that one run of a step is given; its own limit may be lower."""

SOONEST, LATEST = 0.001, 0.05
"""Seconds between the start of a hook and a crash in the middle of it."""

LATE = (0.05, 0.2)
"""Seconds that a late answer takes longer."""


@attrs.frozen
class Plan:
    """One run. Number 0 is the one without faults.

    It crashes at boundary `crash_at`, counted from its beginning. Calls of hooks are given faults
    from the start, or (`faults_at_once` false) from the first crash on.
    """

    number: int
    chance: str
    crash_at: int = 0
    kill_after: float = 0.0
    faults: bool = False
    faults_at_once: bool = False
    doomed: str = ""

    def another_crash(self, life: int, crashes: int, boundaries: int) -> tuple[int, float]:
        """At which boundary a later life is killed, and how many seconds after; 0 is never."""
        chance = Random(f"{self.chance}/crash/{life}")
        if not self.number or not crashes or crashes >= MOST_CRASHES or chance.random() < 0.5:
            return 0, 0.0
        return chance.randint(1, max(2, boundaries // 2)), _delay(chance)


UNDISTURBED = Plan(0, "undisturbed")


def plan_of(seed: int, number: int, boundaries: int, steps: Sequence[StepSpec]) -> Plan:
    """Run `number` (from 1) where a run without faults crosses so many boundaries.

    Any `boundaries` runs with numbers that follow each other crash at every boundary once. The
    first so many meet no other fault before that crash, so that they do reach it.
    """
    order = list(range(1, boundaries + 1))
    Random(f"{seed}/order").shuffle(order)
    text = f"{seed}/{number}"
    chance = Random(text)
    exact = number <= boundaries
    faults = chance.random() < 0.5
    candidates = may_be_doomed(steps)
    doomed = chance.choice(candidates) if faults and candidates and chance.random() < 0.6 else ""
    delay = _delay(chance)
    return Plan(
        number,
        text,
        order[(number - 1) % boundaries],
        0.0 if exact else delay,
        faults,
        not exact,
        doomed,
    )


def may_be_doomed(steps: Sequence[StepSpec]) -> list[str]:
    """Steps whose run may fail for good: those before the pivot. Past it a person has to help."""
    beyond: set[str] = set()
    for _ in steps:  # steps may stand in any order
        for spec in steps:
            waits = any(d.name in beyond and d.phase is Phase.SUCCESS for d in spec.depend_ons)
            if spec.pivot or waits:
                beyond.add(spec.name)
    return [spec.name for spec in steps if spec.name not in beyond]


def fault_of(
    chance: str, life: int, hook: Hook, attempt: int, spec: StepSpec, doomed: str
) -> tuple[Fault, float] | None:
    """The fault of one call, and by how many seconds a late answer is late; None for no fault.

    An undo is disturbed in its first attempt only and where it may be tried again, so that it is
    never our doing that it fails for good.
    """
    draw = Random(f"{chance}/{life}/{spec.name}/{hook}/{attempt}")
    roll, seconds = draw.random(), draw.uniform(*LATE)
    policy = spec.step_template.retry_policy
    late = (Fault.LATE, seconds) if roll > 0.75 and not _in_a_hurry(spec) else None
    if hook is Hook.SYNC:
        return late
    if hook is Hook.RUN and spec.name == doomed:
        acts = roll < 0.5 and spec.rollback is not RollbackMode.NONE
        return (Fault.FATAL_AFTER if acts else Fault.FATAL_BEFORE), 0.0
    limit, most = policy.run_retry_limit, MOST_FAILURES
    if hook is Hook.ROLLBACK:
        limit, most = policy.rollback_retry_limit, 1
    if attempt > (most if limit < 0 else min(limit, most)):
        return late if hook is Hook.RUN else None
    if roll < 0.15:
        return Fault.RETRYABLE_BEFORE, 0.0
    if roll < 0.35:
        return Fault.RETRYABLE_AFTER, 0.0
    return late


def _in_a_hurry(spec: StepSpec) -> bool:
    """Whether a late answer could run into the step's own time limit."""
    template = spec.step_template
    limits = (template.timeout_seconds, template.rollback_timeout_seconds)
    return any(limit is not None and limit < 1.0 for limit in limits)


def _delay(chance: Random) -> float:
    """Half of the crashes come at the boundary itself, half shortly after it."""
    return chance.uniform(SOONEST, LATEST) if chance.random() < 0.5 else 0.0
