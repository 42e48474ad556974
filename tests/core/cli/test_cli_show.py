"""What is shown of a store, whoever runs what is in it."""

import json
import os
import sqlite3
from datetime import datetime

import pytest
import yaml
from msgspec.structs import replace
from tests.core.cli.made import BORN, DONE, RUNNING, Shell, step, workflow

from wf_core.adapters.sqlite.ownership import Ownership
from wf_core.model.phases import BlockReason, Phase, RequestType, Undo, Verdict
from wf_core.model.requests import Answer
from wf_core.model.state import Blocked, StepState, Transition

ORDER = workflow(step("hotel"), step("payment", "hotel"))
STUCK = StepState(
    phase=Phase.FAILED,
    attempt=1,
    undo=Undo.FAILED,
    rollback_error="locked",
    blocked=Blocked(
        BlockReason.ROLLBACK_FAILED,
        BORN,
        "locked",
        ("RetryRollback", "SkipRollback", "MarkRolledBack"),
    ),
)


def test_a_list_shows_where_each_workflow_is(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    shell.keep(workflow(name="later", queue="night"), suspended=True)
    head, first, second = (line.split() for line in shell.wf("list").lines)
    assert head == ["NAME", "PHASE", "DONE", "QUEUE", "AGE", "REMARK"]
    assert first[:4] == ["order", "Running", "1/2", "default"]
    assert (second[:4], second[-1]) == (["later", "Pending", "0/1", "night"], "suspended")


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.ROLL_BACKED])
def test_a_list_says_why_a_workflow_did_not_succeed(shell: Shell, phase: Phase) -> None:
    cause = "step 'hotel' failed: " + "no room, " * 40
    shell.keep(ORDER, [STUCK], phase=phase, cause=cause)
    (_, row) = shell.wf("list").lines
    assert "step 'hotel' failed: no room" in row
    assert row.endswith("...")
    (item,) = json.loads(shell.wf("list", "-o", "json").out)["items"]
    assert item["why"] == cause


def test_a_list_shows_a_workflow_whose_stored_state_is_damaged(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    with sqlite3.connect(shell.folder / "wf.db") as database:
        database.execute("UPDATE workflows SET head = '{'")
    database.close()
    result = shell.wf("list")
    assert result.code == 0
    assert "its stored state can't be read" in result.lines[1]


def test_a_list_can_be_narrowed(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    shell.keep(workflow(name="later", queue="night"))
    assert shell.wf("list", "-o", "name", "--phase", "Pending").out == "later\n"
    assert shell.wf("list", "-o", "name", "--queue", "default").out == "order\n"
    assert shell.wf("list", "-o", "name", "--namespace", "shop").out == ""
    assert shell.wf("list", "--phase", "Done").code == 2


def test_an_empty_store_says_what_to_do(shell: Shell) -> None:
    result = shell.wf("list")
    assert (result.code, result.out) == (0, "")
    assert "`wf run FILE` runs one" in result.err
    assert json.loads(shell.wf("list", "-o", "json").out) == {"items": []}


@pytest.mark.parametrize("shape", ["json", "yaml"])
def test_a_list_is_a_document(shell: Shell, shape: str) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    shown = shell.wf("list", "-o", shape).out
    (item,) = (json.loads(shown) if shape == "json" else yaml.safe_load(shown))["items"]
    assert (item["name"], item["phase"], item["done"]) == ("order", "Running", 1)


def test_get_shows_the_steps_and_what_helps(shell: Shell) -> None:
    never = StepState(phase=Phase.ROLL_BACKED, undo=Undo.NEVER_RAN)
    shell.keep(ORDER, [STUCK, never], phase=Phase.FAILED, cause="step 'payment' failed: no")
    shown = shell.wf("get", "order")
    assert "Phase:       Failed" in shown.lines
    assert "Cause:       step 'payment' failed: no" in shown.lines
    assert ["payment", "random", "RollBacked", "never", "ran"] in [x.split() for x in shown.lines]
    assert shown.lines[-1] == (
        "hotel waits for a person: `wf retry order hotel`, `wf skip-rollback order hotel`, "
        "`wf mark-rolled-back order hotel`"
    )


def test_get_as_yaml_is_the_document_with_its_status(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    document = yaml.safe_load(shell.wf("get", "order", "-o", "yaml").out)
    assert document["spec"]["steps"][1]["dependOns"] == [{"name": "hotel"}]
    assert document["status"]["stepPhases"] == {"hotel": "Success", "payment": "Running"}


def test_a_workflow_that_is_not_there_is_a_usage_error(shell: Shell) -> None:
    for command in ("get", "history", "logs", "explain", "cancel", "delete", "watch"):
        result = shell.wf(command, "nosuch")
        assert (result.code, result.out) == (2, ""), command
        assert "no workflow 'nosuch'" in result.err


HISTORY = (
    Transition(BORN, Phase.PENDING, Phase.RUNNING, None, "admitted"),
    Transition(BORN + 1, Phase.PENDING, Phase.RUNNING, "hotel", attempt=1),
    Transition(BORN + 2, Phase.RUNNING, Phase.SUCCESS, "hotel", attempt=1),
)


def test_c8_history_shows_every_transition(shell: Shell) -> None:
    shell.keep(ORDER, [DONE], HISTORY, phase=Phase.RUNNING)
    rows = [line.split()[2:] for line in shell.wf("history", "order").lines]
    assert rows == [
        ["FROM", "TO", "ATTEMPT", "BY", "REASON"],
        ["(workflow)", "Pending", "Running", "admitted"],
        ["hotel", "Pending", "Running", "1"],
        ["hotel", "Running", "Success", "1"],
    ]


def test_history_shows_what_people_asked_for_and_what_became_of_it(shell: Shell) -> None:
    asked = RequestType.RETRY_RUN
    answers = (
        Answer(1, asked, Verdict.REFUSED, BORN, "hotel", "no run waits", "ann", True, "again"),
        Answer(2, RequestType.SUSPEND, Verdict.APPLIED, BORN, by="bob"),
    )
    moves = (Transition(BORN, Phase.PENDING, Phase.RUNNING, None, "admitted", by="ann"),)
    shell.keep(ORDER, [DONE], moves, phase=Phase.RUNNING, answers=answers)
    lines = shell.wf("history", "order").lines
    assert lines[1].split()[2:] == ["(workflow)", "Pending", "Running", "ann", "admitted"]
    assert lines[4].split()[2:] == (
        ["RetryRun", "hotel", "ann", "again", "Refused", "no", "run", "waits"]
    )
    assert lines[5].split()[2:] == ["Suspend", "bob", "(not", "verified)", "Applied"]
    document = json.loads(shell.wf("history", "order", "-o", "json").out)
    assert [item["by"] for item in document["items"]] == ["ann"]
    assert document["requests"][0] == {
        "at": document["requests"][0]["at"],
        "request": "RetryRun",
        "step": "hotel",
        "by": "ann",
        "verified": True,
        "requestReason": "again",
        "verdict": "Refused",
        "reason": "no run waits",
    }


def test_times_for_programs_have_their_zone(shell: Shell) -> None:
    shell.keep(ORDER, [DONE], HISTORY, phase=Phase.RUNNING)
    moved = json.loads(shell.wf("history", "order", "-o", "json").out)["items"][0]["at"]
    made = json.loads(shell.wf("list", "-o", "json").out)["items"][0]["createdAt"]
    for text in (moved, made):
        assert datetime.fromisoformat(text).timestamp() == BORN
        assert text.endswith("Z")


def test_history_of_one_step(shell: Shell) -> None:
    shell.keep(ORDER, [DONE], HISTORY, phase=Phase.RUNNING)
    moves = json.loads(shell.wf("history", "order", "--step", "hotel", "-o", "json").out)["items"]
    assert [move["to"] for move in moves] == ["Running", "Success"]
    refused = shell.wf("history", "order", "--step", "hotl")
    assert (refused.code, refused.out) == (2, "")
    assert "has no step 'hotl'" in refused.err


def test_watch_of_a_workflow_that_rests_shows_its_past_and_ends_with_its_code(
    shell: Shell,
) -> None:
    shell.keep(ORDER, [DONE, DONE], HISTORY, phase=Phase.SUCCESS)
    result = shell.wf("watch", "order")
    assert result.code == 0
    assert [line.split(maxsplit=1)[1] for line in result.lines] == [
        "workflow order Pending -> Running (admitted)",
        "hotel Pending -> Running",
        "hotel Running -> Success",
    ]


def test_watch_ends_where_only_a_person_helps(shell: Shell) -> None:
    shell.keep(ORDER, [STUCK], phase=Phase.FAILED, cause="cancelled")
    result = shell.wf("watch", "order")
    assert result.code == 4
    assert result.err.splitlines() == [
        "wf: order is Failed: cancelled",
        "wf:   step 'hotel' waits for a person, RollbackFailed: locked",
        "wf:     `wf retry order hotel`",
        "wf:     `wf skip-rollback order hotel`",
        "wf:     `wf mark-rolled-back order hotel`",
    ]


def test_a_table_that_is_piped_is_not_coloured(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    assert "\x1b" not in shell.wf("list").out


def test_explain_says_what_waits_for_whom_and_which_commands_help(shell: Shell) -> None:
    shell.keep(ORDER, [STUCK], phase=Phase.FAILED)
    lines = shell.wf("explain", "order").lines
    assert lines[0].startswith("hotel: waits for a person (RollbackFailed): locked")
    assert lines[1:4] == [
        "  `wf retry order hotel`",
        "  `wf skip-rollback order hotel`",
        "  `wf mark-rolled-back order hotel`",
    ]
    (waiting,) = json.loads(shell.wf("explain", "order", "-o", "json").out)["items"]
    assert (waiting["step"], waiting["reason"]) == ("hotel", "Person")


def test_explain_says_that_nobody_runs_it_and_what_is_asked(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    shell.wf("cancel", "order")
    lines = shell.wf("explain", "order").lines
    assert lines[:2] == [
        "order: nothing is running it now; `wf resume order` or `wf serve` continues it",
        "order: Cancel was asked and is not answered yet",
    ]


def test_explain_names_the_process_that_serves_the_store(
    shell: Shell,
) -> None:
    shell.keep(ORDER)
    serving = Ownership(shell.folder / "wf.db")
    assert serving.serve() is None
    assert shell.wf("explain", "order").lines[0] == (
        f"order: not running now; process {os.getpid()} on this machine serves this store"
    )
    serving.drop()
    assert "nothing is running it now" in shell.wf("explain", "order").lines[0]


def test_explain_of_a_finished_workflow_says_so(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, DONE], phase=Phase.SUCCESS)
    assert shell.wf("explain", "order").lines == ["order: finished: succeeded"]


def test_explain_names_who_holds_the_slots(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, RUNNING], phase=Phase.RUNNING)
    shell.keep(workflow(name="paused"), [RUNNING], phase=Phase.RUNNING, suspended=True, parked=True)
    shell.keep(workflow(name="stuck"), [STUCK], phase=Phase.FAILED)
    shell.keep(workflow(name="later", queue="night"))
    assert (
        "later: waits for a slot in queue 'night' to begin; "
        "slots are held by order (queue 'default')"
    ) in shell.wf("explain", "later").lines


def test_e5_explain_names_undos_without_a_slot_of_the_own_namespace_alone(shell: Shell) -> None:
    undoing = StepState(phase=Phase.ROLLING_BACK, attempt=1, rollback_attempt=1)
    for space in ("default", "other"):
        made = workflow(name="undone")
        made = replace(made, metadata=replace(made.metadata, namespace=space))
        shell.keep(made, [undoing], phase=Phase.ROLLING_BACK, parked=True)
    shell.keep(workflow(name="later"))
    assert (
        "later: waits for a slot in queue 'default' to begin; "
        "slots are held by undone (queue 'default')"
    ) in shell.wf("explain", "later").lines
    listed = "\n".join(shell.wf("list").lines)
    assert "undone" in listed
    assert "waits for a person" not in listed


def test_explain_names_the_calls_that_hold_permits(shell: Shell) -> None:
    retried = replace(RUNNING, attempt=2, next_attempt_at=BORN)
    outside = replace(RUNNING, in_progress=True)
    for name, state in (("called", RUNNING), ("retried", retried), ("outside", outside)):
        shell.keep(workflow(name=name), [state], phase=Phase.RUNNING)
    shell.keep(workflow(name="new"), [StepState()], phase=Phase.RUNNING)
    assert (
        "one: waits for a permit of kind 'random' to run; permits are held by called/one; "
        "held, or waited for, by retried/one"
    ) in shell.wf("explain", "new").lines


@pytest.mark.parametrize(
    ("phase", "state", "said"),
    [
        (
            Phase.ROLL_BACKED,
            {"cause": "step 'payment' failed: no money", "error": None},
            "finished: rolled back, because step 'payment' failed: no money",
        ),
        (
            Phase.FAILED,
            {"cause": "", "error": "there is no kind 'comand'"},
            "finished: it could not start: there is no kind 'comand'",
        ),
    ],
)
def test_explain_gives_the_cause_of_an_end_that_is_no_success(
    shell: Shell, phase: Phase, state: dict[str, str | None], said: str
) -> None:
    steps = [StepState(), StepState()]
    shell.keep(ORDER, steps, phase=phase, cause=state["cause"], error=state["error"])
    assert shell.wf("explain", "order").lines == [f"order: {said}"]


def test_a_list_of_what_is_stuck_says_why(shell: Shell) -> None:
    shell.keep(ORDER, [STUCK], phase=Phase.FAILED, cause="cancelled")
    shell.keep(workflow(name="going"), [RUNNING], phase=Phase.RUNNING)
    shell.keep(workflow(name="done"), [DONE], phase=Phase.SUCCESS)
    shell.keep(workflow(name="undone"), [StepState()], phase=Phase.ROLL_BACKED, cause="x")
    shell.keep(workflow(name="waits"))
    _, line = shell.wf("list", "--stuck").lines
    assert line.split()[0] == "order"
    assert line.endswith("RollbackFailed: locked; cancelled")


def test_a_list_of_what_is_stuck_says_where_nothing_is(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, DONE], phase=Phase.SUCCESS)
    result = shell.wf("list", "--stuck")
    assert (result.code, result.out, result.err) == (0, "", "no workflow is stuck\n")
