"""What a callback says, and which there are."""

import msgspec
import pytest

from wf_core.callbacks import body, wanted
from wf_core.model.phases import Phase
from wf_core.model.spec import (
    Callback,
    DependOn,
    Metadata,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.model.state import OutboxEntry, StepState, Stored, WorkflowState

AT = 1_800_000_000.25
URL = "http://a.test/"


def step(name: str, *after: str) -> StepSpec:
    return StepSpec(name, StepTemplate("random"), tuple(DependOn(each) for each in after))


def stored(phase: Phase = Phase.ROLLING_BACK) -> Stored:
    """Three steps, written in another order than they run in: a, then b, then c."""
    spec = WorkflowSpec((step("c", "b"), step("a"), step("b", "a")))
    return Stored(
        Workflow(Metadata("example", "team", "uid-1"), spec),
        WorkflowState(phase=phase),
        (
            StepState(attributes={"who": "c", "c": 1}, sync_error="lost"),
            StepState(attributes={"who": "a", "a": 1}, rollback_error="stuck"),
            StepState(attributes={"who": "b"}, run_error="boom"),
        ),
    )


def test_the_body_has_the_fields_of_the_seed_and_names_the_event() -> None:
    assert body(stored(), OutboxEntry(7, Phase.SUCCESS, AT, "a")) == {
        "eventId": "uid-1/7",
        "type": "step.Success",
        "time": "2027-01-15T08:00:00.250Z",
        "namespace": "team",
        "uid": "uid-1",
        "name": "example",
        "step": "a",
        "by": "",
        "reason": "",
        "phase": "RollingBack",
        "attributes": {"who": "c", "a": 1, "c": 1},
        "runError": {"b": "boom"},
        "rollbackError": {"a": "stuck"},
        "syncError": {"c": "lost"},
    }


def test_the_body_says_who_asked_for_a_move_and_why() -> None:
    found = body(stored(), OutboxEntry(7, Phase.ROLLING_BACK, AT, None, "ann", "customer called"))
    assert (found["by"], found["reason"]) == ("ann", "customer called")


def test_the_body_has_every_field_where_there_is_nothing_to_say() -> None:
    empty = Stored(
        Workflow(Metadata("example", uid="u"), WorkflowSpec((step("a"),))),
        WorkflowState(phase=Phase.RUNNING),
        (StepState(),),
    )
    found = body(empty, OutboxEntry(1, Phase.RUNNING, AT))
    assert found["type"] == "workflow.Running"
    assert found["step"] is None
    assert found["attributes"] == found["runError"] == found["rollbackError"] == {}
    assert found["syncError"] == {}


def test_the_body_is_plain_json() -> None:
    found = body(stored(), OutboxEntry(7, Phase.SUCCESS, AT, "a"))
    assert msgspec.json.decode(msgspec.json.encode(found)) == found


def test_seed_fault_09_the_phase_is_the_saved_one() -> None:
    entry = OutboxEntry(1, Phase.SUCCESS, AT)
    found = body(stored(Phase.SUCCESS), entry)
    assert (found["phase"], found["type"]) == ("Success", "workflow.Success")


def test_seed_fault_09_the_event_id_is_the_same_on_every_repeat() -> None:
    entry = OutboxEntry(7, Phase.SUCCESS, AT, "a")
    first, repeat = body(stored(Phase.RUNNING), entry), body(stored(Phase.FAILED), entry)
    assert first["eventId"] == repeat["eventId"] == "uid-1/7"
    assert first["time"] == repeat["time"]
    assert body(stored(), msgspec.structs.replace(entry, seq=8))["eventId"] != "uid-1/7"


@pytest.mark.parametrize("callback", [None, Callback(), Callback(url="", events=("workflow.*",))])
def test_seed_fault_09_an_empty_url_is_no_callback(callback: Callback | None) -> None:
    assert not wanted(callback, OutboxEntry(1, Phase.SUCCESS, AT))


@pytest.mark.parametrize(
    ("events", "yes", "no"),
    [
        (
            None,
            ["workflow.Running", "workflow.RollBacked", "step.Success", "step.Failed"],
            ["step.Running", "step.RollingBack", "step.RollBacked"],
        ),
        (("workflow.Success",), ["workflow.Success"], ["workflow.Failed", "step.Success"]),
        (("workflow.*",), ["workflow.Success", "workflow.Failed"], ["step.Success"]),
        (("step.*",), ["step.Running"], ["workflow.Success"]),
        ((), [], ["workflow.Success", "step.Failed"]),
    ],
)
def test_f_events_narrow_what_is_reported(
    events: tuple[str, ...] | None, yes: list[str], no: list[str]
) -> None:
    def is_wanted(name: str) -> bool:
        what, phase = name.split(".")
        entry = OutboxEntry(1, Phase(phase), AT, "a" if what == "step" else None)
        return wanted(Callback(URL, events=events), entry)

    assert [name for name in yes if not is_wanted(name)] == []
    assert [name for name in no if is_wanted(name)] == []
