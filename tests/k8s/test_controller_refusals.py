"""What can never start on a cluster says so in its status, and nothing of it is called."""

import re

from tests.k8s.controller_process import Controllers, Notes, await_phase
from tests.k8s.crd_objects import Json, Sagas, workflow

from wf_core.model.spec import Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_k8s.store.sizes import MOST, STEP, misfit


def refusal(sagas: Sagas, name: str = "order") -> str:
    """Why a workflow is Failed, as its conditions tell; they and the object are held to the rules
    of what never began."""
    found = await_phase(sagas, "Failed", name)
    conditions = {each["type"]: each for each in found["status"]["conditions"]}
    stalled = conditions["Stalled"]
    assert (stalled["status"], stalled["reason"]) == ("True", "InvalidSpec")
    assert conditions["Reconciling"]["status"] == "False"
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    assert "finalizers" not in found["metadata"]
    assert "steps" not in found["status"] or not found["status"]["steps"]
    message: str = stalled["message"]
    return message


def large(notes: Notes, steps: int, bytes_: int) -> Json:
    """A workflow of steps that each have so many bytes of parameters."""
    return workflow(*(notes.step(f"s{n}", then="#" * bytes_) for n in range(steps)))


def test_k5_k9_fault_3_fault_7_what_can_never_start_is_refused_with_a_sentence(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    sagas.create(large(notes, 6, 245_000))
    assert re.search(
        r"its document has 1,47\d,\d{3} bytes, .* more than the 1,468,006 .* split the workflow",
        refusal(sagas),
    )
    cycle = workflow(notes.step("a", "b"), notes.step("b", "a"), notes.step("c"), name="cycle")
    sagas.create(cycle)
    assert "a -> b -> a" in refusal(sagas, "cycle")
    unknown = notes.step("b", "a")
    unknown["stepTemplate"]["type"] = "comand"
    sagas.create(workflow(notes.step("a"), unknown, name="unknown"))
    said = refusal(sagas, "unknown")
    assert "$.spec.steps[1].stepTemplate.type" in said
    assert "'comand'" in said
    assert notes.lines() == []


def test_c7_more_values_than_a_save_should_cost_are_refused_with_a_sentence(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    made = workflow(notes.step("a"))
    made["spec"]["parameters"] = {"x": [[]] * 20_000}
    sagas.create(made)
    said = refusal(sagas)
    assert "its parameters hold more than 20,000 values" in said
    assert "keep the data elsewhere and pass its address" in said
    assert notes.lines() == []


def test_c7_parameters_that_could_not_be_saved_are_refused_before_the_call_and_all_is_undone(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """Each step saves its parameters as they were resolved: here one text, again and again."""
    leader = controllers.leader()
    names = [f"s{n}" for n in range(16)]
    steps = [notes.step(name, *names[max(0, n - 1) : n]) for n, name in enumerate(names)]
    for step in steps:
        step["stepTemplate"]["parameters"]["env"] = {"TEXT": "${parameters.text}"}
    made = workflow(*steps)
    made["spec"]["parameters"] = {"text": "x" * 100_000}
    sagas.create(made)
    status = await_phase(sagas, "RollBacked")["status"]
    ((failed, error),) = status["runError"].items()
    assert re.match(r"ParametersTooLarge: its parameters are 100,\d{3} bytes", error)
    ran = [line for line in notes.lines() if line.startswith("run")]
    assert ran == [f"run-s{n}" for n in range(2)]
    assert failed == "s2"
    assert notes.lines()[2:] == ["undo-s1", "undo-s0"]
    assert leader.end() == 0


def test_k9_what_fits_is_decided_by_the_document_and_its_steps() -> None:
    def told(parameters: int, steps: int) -> str | None:
        listed = tuple(StepSpec(f"s{n}", StepTemplate("x")) for n in range(steps))
        spec = WorkflowSpec(listed, parameters={"text": "x" * parameters})
        return misfit(Workflow(Metadata("order"), spec))

    assert told(0, 500) is None
    assert told(MOST - 2_000, 1) is None
    assert told(MOST - 2_000 - 499 * STEP, 500) is not None
    assert told(MOST, 1) is not None


def test_k9_parameters_with_references_need_room_twice() -> None:
    def told(text: str) -> str | None:
        template = StepTemplate("x", {"text": text + "x" * (MOST // 2)})
        spec = WorkflowSpec((StepSpec("a", template),))
        return misfit(Workflow(Metadata("order"), spec))

    assert told("") is None
    assert told("${parameters.name}") is not None
