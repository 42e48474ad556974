"""Exit codes."""

import pytest
from tests.core.cli.made import stored, workflow

from wf_core import errors
from wf_core.cli.exits import ExitCode, of_error, of_stored, worst
from wf_core.model.phases import Phase


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        (Phase.PENDING, 5),
        (Phase.RUNNING, 5),
        (Phase.SUCCESS, 0),
        (Phase.ROLLING_BACK, 4),
        (Phase.ROLL_BACKED, 3),
        (Phase.FAILED, 4),
    ],
)
def test_a_workflow_that_rests_has_its_code(phase: Phase, code: int) -> None:
    assert of_stored(stored(workflow(), phase=phase)) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DocumentInvalid([]), 2),
        (errors.WorkflowNotFound(), 2),
        (errors.KindUnavailable(), 2),
        (errors.StoreUnavailable(), 1),
        (errors.ConfigInvalid(), 1),
        (errors.EngineError(), 1),
    ],
)
def test_an_error_has_the_code_of_who_must_act(error: errors.WfError, code: int) -> None:
    assert of_error(error) == code


def test_of_several_the_worst_counts_and_a_stuck_undo_is_worse_than_an_undo() -> None:
    codes = [ExitCode.SUCCESS, ExitCode.ROLLED_BACK, ExitCode.FAILED, ExitCode.WAITING]
    assert worst(codes) is ExitCode.FAILED
    assert worst(codes[:2]) is ExitCode.ROLLED_BACK
    assert worst([]) is ExitCode.SUCCESS
