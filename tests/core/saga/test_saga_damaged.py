"""States that no engine leaves: somebody else wrote them, and nothing would ever move their steps
on (semantics C10)."""

import pytest
from msgspec.structs import replace

from wf_core.errors import EngineError
from wf_core.model.phases import Phase
from wf_core.model.state import StepState, Stored
from wf_core.saga.machine import Saga
from wf_core.saga.table import STEPS_IN
from wf_core.testing.saga_driver import KINDS, Gate, fresh, step, workflow

DAMAGED = [(whole, part) for whole in Phase for part in Phase if part not in STEPS_IN[whole]]
SOUND = [(whole, part) for whole in Phase for part in Phase if part in STEPS_IN[whole]]


def written(whole: Phase, part: Phase, attempt: int = 0) -> Stored:
    """A workflow in the phase `whole`, of whose steps the second is in `part`."""
    stored = fresh(workflow(step("a"), step("b")))
    first = StepState(Phase.SUCCESS if whole is Phase.SUCCESS else min(STEPS_IN[whole]))
    steps = (first, StepState(part, attempt=attempt))
    return replace(stored, head=replace(stored.head, phase=whole), steps=steps)


@pytest.mark.parametrize(("whole", "part"), DAMAGED)
def test_c10_a_step_that_nothing_would_move_on_makes_no_machine(whole: Phase, part: Phase) -> None:
    with pytest.raises(EngineError, match=f"step 'b' is {part} in a workflow that is {whole}; no"):
        Saga(written(whole, part), KINDS, Gate())


@pytest.mark.parametrize(("whole", "part"), SOUND)
def test_c10_what_engines_leave_makes_one(whole: Phase, part: Phase) -> None:
    assert Saga(written(whole, part), KINDS, Gate()).head.phase is whole


def test_c10_a_step_that_perhaps_ran_is_not_passed_over_by_an_undo() -> None:
    with pytest.raises(EngineError, match="step 'b' is Pending and was begun in a workflow that"):
        Saga(written(Phase.ROLLING_BACK, Phase.PENDING, attempt=1), KINDS, Gate())
