"""Workflows run from the command line, with the real engine and store."""

import json
import re
from typing import Any

import pytest
import yaml
from tests.core.cli.made import DONE, RUNNING, Shell, step, workflow

from wf_core.codec import dump
from wf_core.model.phases import BlockReason, OnFailure, Phase, RequestType, Undo
from wf_core.model.spec import StepSpec, StepTemplate, Workflow
from wf_core.model.state import StepState

NOW = {"sleepSeconds": 0}
FAILS = {"sleepSeconds": 0, "failureRate": 1}
STAYS = {"sleepSeconds": 0, "rollbackFailureRate": 1}


def impatient(made: Workflow) -> str:
    """The document, with no retry anywhere."""
    document = yaml.safe_load(dump(made))
    for each in document["spec"]["steps"]:
        each["stepTemplate"]["retryPolicy"] = {"runRetryLimit": 0, "rollbackRetryLimit": 0}
    return yaml.safe_dump(document)


def run(shell: Shell, *made: Workflow, options: tuple[str, ...] = ()) -> Any:
    files = [shell.file(f"{each.metadata.name}.yaml", impatient(each)) for each in made]
    return shell.wf("run", *files, *options)


def moves(lines: list[str]) -> list[str]:
    """The lines without the time of day, which each must have."""
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    return [line[9:] for line in lines]


def test_a_run_that_succeeds_prints_a_line_a_transition_and_exits_0(shell: Shell) -> None:
    result = run(shell, workflow(step("one", parameters=NOW), step("two", "one", parameters=NOW)))
    assert (result.code, result.err) == (0, "")
    assert moves(result.lines) == [
        "workflow order Pending -> Running (admitted)",
        "one Pending -> Running",
        "one Running -> Success",
        "two Pending -> Running",
        "two Running -> Success",
        "workflow order Running -> Success",
    ]


def test_a_run_that_is_undone_says_what_failed_and_what_was_undone_and_exits_3(
    shell: Shell,
) -> None:
    made = workflow(
        step("hotel", parameters=NOW),
        step("mail", "hotel", parameters=NOW, undoable=False),
        step("payment", "mail", parameters=FAILS),
        step("thanks", "payment", parameters=NOW),
    )
    result = run(shell, made)
    assert result.code == 3
    first, *rest = result.err.splitlines()
    assert first.startswith("wf: order is RollBacked: step 'payment' failed: ")
    assert rest == [
        "wf:   undone: payment, hotel",
        "wf:   never ran: thanks",
        "wf:   can't be undone and stays: mail",
    ]


def test_a_stuck_undo_exits_4_and_names_the_commands_that_help(shell: Shell) -> None:
    made = workflow(step("hotel", parameters=STAYS), step("payment", "hotel", parameters=FAILS))
    result = run(shell, made)
    assert result.code == 4
    assert result.err.splitlines()[-3:] == [
        "wf:     `wf retry order hotel`",
        "wf:     `wf skip-rollback order hotel`",
        "wf:     `wf mark-rolled-back order hotel`",
    ]


def test_a_paused_run_exits_5_and_names_the_commands_that_help(shell: Shell) -> None:
    made = workflow(step("one", parameters=FAILS), on_failure=OnFailure.PAUSE)
    result = run(shell, made)
    assert result.code == 5
    assert result.err.startswith("wf: order is waiting for a person")
    assert "`wf retry order one`" in result.err
    assert "`wf mark-succeeded order one`" in result.err


def test_a_suspended_run_exits_5_and_says_how_to_go_on(shell: Shell) -> None:
    result = run(shell, workflow(step("one", parameters=NOW), suspend=True))
    assert result.code == 5
    assert result.err.splitlines()[0] == "wf: order is suspended"
    assert "`wf continue order` goes on" in result.err


def test_several_files_run_at_once_and_the_worst_exit_code_counts(shell: Shell) -> None:
    good = workflow(step("one", parameters={"sleepSeconds": 0.3}), name="good")
    bad = workflow(step("one", parameters=FAILS), name="bad")
    result = run(shell, good, bad)
    assert result.code == 3
    said = moves(result.lines)
    assert "good/one Running -> Success" in said
    assert said.index("bad/one Pending -> Running") < said.index("workflow good Running -> Success")


def test_a_run_can_answer_with_the_document_alone(shell: Shell) -> None:
    result = run(shell, workflow(step("one", parameters=NOW)), options=("-o", "json"))
    assert json.loads(result.out)["status"]["phase"] == "Success"
    again = run(shell, workflow(step("one", parameters=NOW)), options=("--replace", "-o", "name"))
    assert again.out == "order\n"


def test_resume_goes_on_with_everything_unfinished(shell: Shell) -> None:
    shell.keep(workflow(step("one", parameters=NOW)), [RUNNING], phase=Phase.RUNNING)
    shell.keep(workflow(step("one", parameters=NOW), name="done"), [DONE], phase=Phase.SUCCESS)
    result = shell.wf("resume")
    assert result.code == 0
    assert moves(result.lines)[-1] == "workflow order Running -> Success"
    assert not any("done" in line for line in result.lines)
    assert "nothing to resume" in shell.wf("resume").out


def test_resume_applies_what_was_asked_meanwhile(shell: Shell) -> None:
    stuck = StepState(
        phase=Phase.FAILED, attempt=1, rollback_attempt=1, undo=Undo.FAILED, kind="random"
    )
    shell.keep(workflow(step("one", parameters=NOW)), [stuck], phase=Phase.FAILED)
    assert shell.wf("mark-rolled-back", "order", "one").code == 0
    result = shell.wf("resume")
    assert result.code == 3
    assert shell.load().steps[0].undo is Undo.MARKED


def test_resume_of_a_deleted_workflow_undoes_and_removes_it(shell: Shell) -> None:
    shell.keep(workflow(step("one", parameters=NOW)), [DONE], phase=Phase.RUNNING)
    shell.wf("delete", "order")
    shell.wf("resume")
    assert shell.wf("list", "-o", "name").out == ""


def test_resume_of_a_name_that_is_not_there_is_an_error(shell: Shell) -> None:
    result = shell.wf("resume", "nosuch")
    assert result.code == 2
    assert "no workflow 'nosuch'" in result.err


def test_a_run_that_was_retried_by_hand_goes_on(shell: Shell) -> None:
    made = workflow(
        step("one", parameters={"sleepSeconds": 0, "failAttempts": 1}), on_failure=OnFailure.PAUSE
    )
    assert run(shell, made).code == 5
    blocked = shell.load().steps[0].blocked
    assert blocked is not None
    assert blocked.reason is BlockReason.PAUSED
    assert shell.wf("retry", "order", "one").code == 0
    asked = shell.load().asked[0].request
    assert (asked.type, asked.step) == (RequestType.RETRY_RUN, "one")
    assert shell.wf("resume", "order").code == 0


def test_a_faulty_configuration_stops_a_run_before_it_begins(shell: Shell) -> None:
    config = shell.file("c.yaml", "controllerConfig: {concurrency: many}")
    result = run(shell, workflow(step("one", parameters=NOW)), options=("--config", config))
    assert result.code == 1
    assert shell.wf("list", "-o", "name").out == ""


@pytest.mark.parametrize("kind", ["random", "gone"])
def test_resume_of_one_that_was_cancelled_before_it_began_runs_nothing(
    shell: Shell, kind: str
) -> None:
    """As `serve` does, and whether or not its kind is installed."""
    shell.keep(workflow(StepSpec("one", StepTemplate(kind))))
    assert shell.wf("cancel", "order", "--reason", "late").code == 0
    assert shell.wf("resume", "order").code == 3
    history = json.loads(shell.wf("history", "order", "-o", "json").out)["items"]
    assert [move["to"] for move in history] == ["RollBacked", "RollBacked"]
    assert {step.undo for step in shell.load().steps} == {Undo.NEVER_RAN}
