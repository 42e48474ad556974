"""Fault 13 of the design this project started from: a panic in a step was swallowed, and the step
stuck for an hour."""

from typing import ClassVar

import attrs
import pytest

from wf_core import run
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.model.phases import Phase

DOCUMENT = """\
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
  - name: first
    stepTemplate: {type: panics, retryPolicy: {runRetryLimit: 0, rollbackRetryLimit: 0}}
"""


@attrs.define
class Panics(StepKind):
    """Raises `error` in `run`, or in `rollback` where `late`."""

    name: ClassVar[str] = "panics"
    error: BaseException
    late: bool = False

    def run(self, call: StepCall) -> Answer:  # noqa: ARG002
        raise self.error

    def rollback(self, call: StepCall) -> Answer:  # noqa: ARG002
        if self.late:
            raise self.error
        return None


PANICS = [
    ZeroDivisionError("division by zero"),
    AssertionError("never"),
    SystemExit(3),
    RecursionError(),
]


@pytest.mark.parametrize("error", PANICS, ids=lambda error: type(error).__name__)
def test_seed_fault_13_a_panic_fails_the_attempt_at_once_and_is_shown(error: BaseException) -> None:
    result = run(DOCUMENT, plugins=[Panics(error)])
    assert result.head.phase is Phase.ROLL_BACKED
    assert result.steps[0].run_error is not None
    assert type(error).__name__ in result.steps[0].run_error


@pytest.mark.parametrize("error", PANICS, ids=lambda error: type(error).__name__)
def test_seed_fault_13_a_panic_in_an_undo_is_shown_too(error: BaseException) -> None:
    result = run(DOCUMENT, plugins=[Panics(error, late=True)])
    assert result.head.phase is Phase.FAILED
    assert result.steps[0].rollback_error is not None
    assert type(error).__name__ in result.steps[0].rollback_error
