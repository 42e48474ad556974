"""A call for the unit test of one kind."""

from pathlib import Path

import attrs
import pytest

from wf_core.kinds import Answer, Previous, StepCall, StepKind, Success
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.state import Resource
from wf_core.plugins import ParametersInvalid
from wf_core.testing.calls import Checkpoint, Logged, call_for


@attrs.frozen
class Parameters:
    file_name: str = "x"


class Writing(StepKind):
    name = "writing"
    Parameters = Parameters

    def run(self, call: StepCall) -> Answer:
        path = call.folder / call.parameters.file_name
        path.write_text(call.key)
        call.log("written")
        call.checkpoint(Resource(id=str(path)), {"n": 1})
        return Success()

    def rollback(self, call: StepCall) -> Answer: ...


def test_a_hook_is_called_as_the_engine_would(tmp_path: Path) -> None:
    call = call_for(Writing(), {"fileName": "y"}, folder=tmp_path / "step")
    Writing().run(call)
    written = tmp_path / "step" / "y"
    assert written.read_text() == call.key
    assert call.logs == [Logged("written", "log")]
    assert call.checkpoints == [Checkpoint(Resource(id=str(written)), {"n": 1})]


def test_parameters_may_be_an_instance_and_are_decoded_otherwise() -> None:
    assert call_for(Writing(), Parameters("z")).parameters == Parameters("z")
    assert call_for(Writing()).parameters == Parameters()
    with pytest.raises(ParametersInvalid, match=r"\$\.fileNam: .*did you mean 'fileName'"):
        call_for(Writing(), {"fileNam": "y"})


def test_i7_keys_differ_by_step_and_hook_and_not_by_attempt() -> None:
    run = call_for(Writing())
    undo = call_for(Writing(), hook=Hook.ROLLBACK)
    assert call_for(Writing(), attempt=2).key == run.key == undo.run_key
    assert len({run.key, undo.key, call_for(Writing(), step="other").key}) == 3


def test_purpose_follows_from_the_hook_unless_given() -> None:
    assert call_for(Writing(), hook=Hook.ROLLBACK).purpose is Purpose.ROLLBACK
    assert call_for(Writing(), hook=Hook.SYNC).purpose is Purpose.RUN
    watch = call_for(Writing(), hook=Hook.SYNC, purpose=Purpose.WATCH)
    assert watch.purpose is Purpose.WATCH


def test_what_came_before_can_be_given() -> None:
    previous = Previous(Ended.UNKNOWN, Resource(id="7"))
    call = call_for(
        Writing(), previous=previous, attributes={"a": 1}, resources={"up": Resource(id="1")}
    )
    assert call.previous == previous
    assert call.attributes == {"a": 1}
    assert call.resources == {"up": Resource(id="1")}


def test_without_a_folder_a_hook_that_asks_for_one_is_told() -> None:
    with pytest.raises(ValueError, match="folder=tmp_path"):
        Writing().run(call_for(Writing()))
