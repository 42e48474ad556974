"""`wf approve` and `wf reject`: which step is meant, who answers, and why none waits."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from tests.badinput.wf_process import Desk, Said, until
from tests.core.cli.made import DONE, RUNNING, Shell, stored

from wf_approval.gate import APPROVED, WAITING, Answer, Gate, answer_of, signalled
from wf_approval.waiting import must_count, waiting_for
from wf_core.adapters.account import account
from wf_core.errors import AuthorError
from wf_core.model.phases import Phase, RequestType
from wf_core.model.spec import Key, Metadata, StepSpec, StepTemplate, Workflow, WorkflowSpec
from wf_core.model.state import StepState

EXAMPLE = Path(__file__).parents[2] / "examples" / "approval.yaml"
KEY = Key("default", "order")
STEPS = (
    StepSpec("book", StepTemplate("random")),
    StepSpec("release", StepTemplate("approval")),
    StepSpec("ship", StepTemplate("approval")),
)
ORDER = Workflow(Metadata("order"), WorkflowSpec(STEPS))


def open_(name: str, *approvers: str) -> StepState:
    resource = Gate(name, approvers).resource(WAITING, "Go?")
    return replace(RUNNING, in_progress=True, resource=resource)


ANSWERED = StepState(
    phase=Phase.SUCCESS,
    attributes={"approvedBy": "ann", "approvedAt": "2026-01-02T03:04:05Z"},
    resource=Gate("release").resource(APPROVED, "approved by ann: go"),
)


def test_the_only_step_that_waits_is_meant() -> None:
    found = waiting_for(stored(ORDER, DONE, ANSWERED, open_("go")), KEY, "approval", None, {})
    assert (found.step, found.gate.signal) == ("ship", "go")


@pytest.mark.parametrize(
    ("states", "step", "said"),
    [
        ([DONE, open_("a"), open_("b")], None, "'release', 'ship' of workflow 'order' wait"),
        ([DONE], "book", "no step 'book' of the kind 'approval'; it has 'release', 'ship'"),
        ([DONE, ANSWERED], "release", r"has its answer: approved by ann: go \(at 2026-01-02T03:"),
        ([RUNNING], "release", "does not wait for an approval: it waits for 'book'"),
        (
            [RUNNING],
            None,
            "waits for 'book'; step 'ship' does not wait for an approval: it is",
        ),
    ],
)
def test_why_none_waits(states: list[StepState], step: str | None, said: str) -> None:
    with pytest.raises(AuthorError, match=said):
        waiting_for(stored(ORDER, *states), KEY, "approval", step, {"release": "waits for 'book'"})


def test_a_workflow_without_gates_says_so() -> None:
    other = Workflow(Metadata("order"), WorkflowSpec(STEPS[:1]))
    with pytest.raises(AuthorError, match="has no step of the kind 'approval'"):
        waiting_for(stored(other, RUNNING), KEY, "approval", None, {})


def test_who_is_no_approver_is_told_who_is() -> None:
    gated = waiting_for(stored(ORDER, DONE, open_("a", "ann", "bob")), KEY, "approval", None, {})
    must_count(gated, "bob")
    with pytest.raises(AuthorError, match=r"'eve' is not one of the approvers .*: ann, bob"):
        must_count(gated, "eve")


@pytest.mark.parametrize(
    "value",
    [None, True, "yes", {"approved": True}, {"approved": "yes", "by": "ann"}, {"by": "ann"}],
)
def test_a_value_that_is_no_answer_says_what_it_lacks(value: Any) -> None:
    with pytest.raises(ValueError, match="an answer has `approved`"):
        answer_of(value)


def test_an_answer_is_read_as_it_was_sent() -> None:
    answer = Answer(approved=False, by="ann", reason="too dear")
    assert answer_of(signalled(answer, 0.0)) == answer
    assert signalled(answer, 0.0) != signalled(answer, 1.0)


def test_the_answer_is_a_signal_under_the_account_s_name(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wf_core.cli.asking.GLANCE", 0.0)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    shell.keep(ORDER, [DONE, open_("go")], phase=Phase.RUNNING)
    result = shell.wf("approve", "order", "--reason", "in stock")
    assert result.code == 0, result.err
    assert "nothing is running it: `wf resume order` continues it" in result.out
    (asked,) = shell.load().asked
    assert (asked.request.type, asked.request.name) == (RequestType.SIGNAL, "go")
    answer = answer_of(asked.request.value)
    assert (answer.approved, answer.reason) == (True, "in stock")
    assert answer.by == account() != "somebody-else"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, tmp_path / "wf.db")


def submitted(desk: Desk, name: str) -> None:
    """The example under another name; returns once its gate waits."""
    assert desk.wf("submit", str(EXAMPLE), "--name", name).code == 0
    until(
        lambda: "waiting for approval: Charge ada 120 EUR?" in desk.wf("explain", name).out,
        "the gate waits",
    )


def shown(desk: Desk, name: str) -> Any:
    return yaml.safe_load(desk.wf("get", name, "-o", "yaml").out)["status"]


def rested(desk: Desk, name: str, phase: str) -> Any:
    until(lambda: shown(desk, name)["phase"] == phase, f"{name} is {phase}")
    return shown(desk, name)


@pytest.mark.slow
def test_a_person_answers_two_workflows_that_an_engine_serves(desk: Desk) -> None:
    server = desk.start("serve")
    try:
        submitted(desk, "dear")
        submitted(desk, "cheap")
        said = desk.wf("approve", "cheap", "--reason", "why not")
        who = account()
        assert said == Said(0, f"cheap: step 'release' is approved by {who}: why not\n", "")
        attributes = rested(desk, "cheap", "Success")["steps"]["charge"]["attributes"]
        assert f"approved by {who}: why not" in desk.wf("history", "cheap").out
        assert attributes["receipt"] == f"approved by {who}"

        said = desk.wf("reject", "dear", "release", "--reason", "too dear", "--as", "ann")
        assert said == Said(0, "dear: step 'release' is rejected by ann: too dear\n", "")
        assert "rejected by ann: too dear" in rested(desk, "dear", "RollBacked")["cause"]
        assert "rejected by ann: too dear" in desk.wf("history", "dear", "--step", "release").out
        assert "rejected by ann: too dear" in desk.wf("logs", "dear").out

        again = desk.wf("approve", "cheap")
        assert again.code == 2
        assert f"step 'release' has its answer: approved by {who}: why not (at " in again.err
    finally:
        server.terminate()
        server.communicate(timeout=30)
