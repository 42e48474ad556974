"""Whether an attempt fails."""

import random

from wf_core.kinds import Retryable, StepCall
from wf_core.model.phases import Purpose
from wf_random.parameters import RandomParameters


def raise_if_unlucky(call: StepCall, parameters: RandomParameters) -> None:
    """Raise `Retryable` if this attempt of the run or the undo is one that fails.

    With a seed the answer is the same however often the attempt is asked about, so an attempt
    called again after a crash, and a look at it, agree.
    """
    undoing = call.purpose is Purpose.ROLLBACK
    if not undoing and call.attempt <= parameters.fail_attempts:
        raise Retryable(
            f"attempt {call.attempt} fails, as the first {parameters.fail_attempts} are told to"
        )
    rate = parameters.rollback_failure_rate if undoing else parameters.failure_rate
    if _draw(call, parameters.seed) < rate:
        name = "rollbackFailureRate" if undoing else "failureRate"
        raise Retryable(f"attempt {call.attempt} fails by chance: {name} is {rate:g}")


def _draw(call: StepCall, seed: int | None) -> float:
    """A number in [0, 1). Of the key only the step's name takes part: the workflow's uid, which is
    new for every run of a document, would make a seed worthless."""
    if seed is None:
        return random.SystemRandom().random()
    return random.Random(f"{seed}/{call.step}/{call.purpose}/{call.attempt}").random()
