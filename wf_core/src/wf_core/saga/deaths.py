"""How long the deaths of a process are held against the step whose call alone was open
(semantics B3, decision 0014).

A hook that kills and lives in turn is found out, and what was open alone now and then is innocent.
"""

from wf_core.model.state import StepState

MAX_DEATHS = 3
FORGIVEN_AFTER = 3600.0
"""Seconds since the latest death after which a call that lived counts in a step's favour."""


def kept(step: StepState, now: float) -> int:
    """The deaths that still count after a call of that step ended and its process lives."""
    return 0 if _long_ago(step, now) else step.deaths


def counted(step: StepState, now: float) -> int:
    """How many deaths count with the one that has just become known."""
    lived = bool(step.attempts) and step.attempts[-1].ended_at >= (step.died_at or 0.0)
    return 1 + (0 if lived and _long_ago(step, now) else step.deaths)


def _long_ago(step: StepState, now: float) -> bool:
    return step.died_at is None or now - step.died_at >= FORGIVEN_AFTER
