"""The transitions of a workflow and of a step, and which phases they have at one time: one literal
(semantics A1). Docs and tests read it.

A run that fails for good leaves its step in Running and moves only the workflow; one row alone
moves steps to RollingBack. Only RollBacked absorbs.
"""

from collections.abc import Iterable

import attrs

from wf_core.errors import EngineError
from wf_core.model.phases import Phase
from wf_core.model.state import StepState

_P, _R, _S = Phase.PENDING, Phase.RUNNING, Phase.SUCCESS
_RB, _D, _F = Phase.ROLLING_BACK, Phase.ROLL_BACKED, Phase.FAILED


@attrs.frozen
class Move:
    """A permitted transition and when it happens."""

    before: Phase
    after: Phase
    when: str


WORKFLOW = (
    Move(_P, _R, "admitted"),
    Move(_P, _D, "cancelled or deleted before admission"),
    Move(_P, _F, "it can never start: kind unknown, document invalid for this engine"),
    Move(_F, _P, "RetryRun of a workflow that could never start"),
    Move(_R, _S, "all steps of the spec in Success"),
    Move(_R, _RB, "a step's run failed for good, deadline, cancel, delete, fatal watch"),
    Move(_S, _RB, "fatal watch, Rollback request, deletionPolicy Rollback; not once committed"),
    Move(_RB, _D, "all steps RollBacked"),
    Move(_RB, _F, "nothing can move and a step is Failed"),
    Move(_F, _RB, "RetryRollback, MarkRolledBack, SkipRollback that lets something move"),
)

STEP = (
    Move(_P, _R, "conditions reached, permit taken; saved as the intent before the call"),
    Move(_R, _R, "retry, InProgress, interrupted"),
    Move(_R, _S, "run reported success, or MarkSucceeded"),
    Move(_P, _D, "workflow rolling back; never called"),
    Move(_R, _RB, "workflow rolling back, no call in flight, every dependent settled"),
    Move(_S, _RB, "workflow rolling back, no call in flight, every dependent settled"),
    Move(_RB, _RB, "retry, InProgress"),
    Move(_RB, _D, "undone, irreversible, or MarkRolledBack"),
    Move(_RB, _F, "retries used up, a fatal error, or SkipRollback"),
    Move(_F, _RB, "RetryRollback"),
    Move(_F, _D, "MarkRolledBack"),
)

STEPS_IN = {
    _P: frozenset({_P}),
    _R: frozenset({_P, _R, _S}),
    _S: frozenset({_S}),
    _RB: frozenset(Phase),
    _D: frozenset({_D}),
    _F: frozenset(Phase),
}
"""The phases that steps have while their workflow is in a phase."""

_WORKFLOW = frozenset((m.before, m.after) for m in WORKFLOW)
_STEP = frozenset((m.before, m.after) for m in STEP)


def check_workflow(before: Phase, after: Phase) -> None:
    """Raises EngineError unless the table lists the move."""
    if (before, after) not in _WORKFLOW:
        raise EngineError(f"a workflow never goes from {before} to {after}")


def check_step(before: Phase, after: Phase) -> None:
    """Raises EngineError unless the table lists the move."""
    if (before, after) not in _STEP:
        raise EngineError(f"a step never goes from {before} to {after}")


def check_together(workflow: Phase, steps: Iterable[tuple[str, StepState]]) -> None:
    """Raises EngineError where a step, given by its name, is where no engine leaves it: nothing
    would ever move it on."""
    for name, step in steps:
        perhaps_ran = workflow is _RB and step.phase is _P and step.attempt
        if step.phase not in STEPS_IN[workflow] or perhaps_ran:
            begun = " and was begun" if perhaps_ran else ""
            raise EngineError(
                f"step '{name}' is {step.phase}{begun} in a workflow that is {workflow}; no engine "
                "of wf leaves that, so somebody else changed the state. Put it back, or give the "
                "workflow up: deleted with deletionPolicy Orphan, it leaves what it did as it is"
            )
