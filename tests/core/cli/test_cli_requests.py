"""What people ask, where no engine runs the workflow."""

import json

import pytest
from msgspec.structs import replace
from tests.core.cli.made import BORN, DONE, RUNNING, Shell, step, stored, workflow

from wf_core.adapters.account import account
from wf_core.cli.delete import stands_against
from wf_core.model.phases import BlockReason, DeletionPolicy, Phase, RequestType, Undo
from wf_core.model.requests import Request
from wf_core.model.spec import Key
from wf_core.model.state import Blocked, OutboxEntry, StepState

KEY = Key("default", "order")
ORDER = workflow(step("hotel"), step("payment", "hotel"))
STUCK = StepState(phase=Phase.FAILED, attempt=1, undo=Undo.FAILED)


def ours(request: Request) -> Request:
    """As the store keeps it: in the name of the account that asks."""
    return replace(request, by=account(), verified=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody serves in these tests, so nobody need be given time to answer."""
    monkeypatch.setattr("wf_core.cli.asking.GLANCE", 0.0)


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (["cancel", "order", "--reason", "late"], Request(RequestType.CANCEL, reason="late")),
        (["suspend", "order"], Request(RequestType.SUSPEND)),
        (["continue", "order"], Request(RequestType.CONTINUE)),
        (["retry", "order"], Request(RequestType.RETRY_RUN)),
        (["retry", "order", "hotel"], Request(RequestType.RETRY_RUN, "hotel")),
        (["mark-succeeded", "order", "hotel"], Request(RequestType.MARK_SUCCEEDED, "hotel")),
        (["signal", "order", "go", "[1]"], Request(RequestType.SIGNAL, name="go", value=[1])),
    ],
)
def test_d_a_request_is_kept_and_it_is_said_that_nobody_applies_it_yet(
    shell: Shell, arguments: list[str], request_: Request
) -> None:
    shell.keep(ORDER, [RUNNING], phase=Phase.RUNNING)
    result = shell.wf(*arguments)
    assert result.code == 0, result.err
    assert result.out.endswith(
        "is requested; nothing is running it: `wf resume order` will apply it\n"
    )
    assert [asked.request for asked in shell.load().asked] == [ours(request_)]


@pytest.mark.parametrize(
    ("command", "type_"),
    [
        ("retry", RequestType.RETRY_ROLLBACK),
        ("skip-rollback", RequestType.SKIP_ROLLBACK),
        ("mark-rolled-back", RequestType.MARK_ROLLED_BACK),
    ],
)
def test_d_a_stuck_undo_is_asked_about_by_step(
    shell: Shell, command: str, type_: RequestType
) -> None:
    shell.keep(ORDER, [STUCK], phase=Phase.FAILED)
    assert shell.wf(command, "order", "hotel").code == 0
    assert [asked.request for asked in shell.load().asked] == [ours(Request(type_, "hotel"))]


def test_d_what_no_engine_would_apply_is_refused_at_once(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, DONE], phase=Phase.SUCCESS)
    result = shell.wf("cancel", "order")
    assert result.code == 2
    assert result.err == (
        "wf: error: workflow 'order' is Success; Cancel is for one that is "
        "Pending or Running or RollingBack\n"
    )
    assert shell.load().asked == ()
    assert shell.wf("rollback", "order").code == 0


def test_a_misspelt_step_gets_the_nearest_name(shell: Shell) -> None:
    shell.keep(ORDER, [STUCK], phase=Phase.FAILED)
    result = shell.wf("skip-rollback", "order", "hotl")
    assert result.code == 2
    assert "has no step 'hotl'; did you mean 'hotel'?" in result.err


def test_retry_without_a_step_is_one_request_for_all_that_waits(shell: Shell) -> None:
    many = workflow(*(step(f"s{n}") for n in range(70)))
    shell.keep(many, [STUCK] * 70, phase=Phase.FAILED)
    assert shell.wf("retry", "order", "--reason", "the bank is back").code == 0
    again = Request(RequestType.RETRY_ROLLBACK, reason="the bank is back")
    assert [asked.request for asked in shell.load().asked] == [ours(again)]


def test_retry_of_a_workflow_that_could_never_start_starts_it_again(shell: Shell) -> None:
    shell.keep(ORDER, [], phase=Phase.FAILED)
    assert shell.wf("retry", "order").code == 0
    assert [asked.request for asked in shell.load().asked] == [ours(Request(RequestType.RETRY_RUN))]


def test_thousands_that_wait_for_a_person_are_a_summary(shell: Shell) -> None:
    blocked = Blocked(BlockReason.ROLLBACK_FAILED, BORN, "no answer", ("RetryRollback",))
    stuck = replace(STUCK, blocked=blocked)
    many = workflow(*(step(f"s{n}") for n in range(1000)))
    shell.keep(many, [stuck] * 1000, phase=Phase.FAILED)
    for command in (("explain", "order"), ("watch", "order")):
        result = shell.wf(*command)
        said = result.out + result.err
        assert "and 980 more" in said
        assert len(said) < 10_000
    assert len(json.loads(shell.wf("explain", "order", "-o", "json").out)["items"]) == 1000


def test_a_workflow_that_nothing_stands_against_is_deleted_at_once(shell: Shell) -> None:
    shell.keep(ORDER, [DONE, DONE], phase=Phase.SUCCESS)
    assert shell.wf("delete", "order").out == "order is deleted\n"
    assert shell.wf("list", "-o", "name").out == ""


def test_an_unfinished_workflow_is_marked_for_deletion(shell: Shell) -> None:
    shell.keep(ORDER, [RUNNING], phase=Phase.RUNNING)
    assert shell.wf("delete", "order").out == (
        "order: deletion is requested (what it did is undone first); "
        "nothing is running it: `wf resume order` does it\n"
    )
    assert shell.load().head.deletion_asked_at is not None


def test_force_forgets_a_workflow_as_it_is(shell: Shell) -> None:
    shell.keep(ORDER, [STUCK], phase=Phase.FAILED)
    assert shell.wf("delete", "--force", "order").out == "order is deleted\n"
    assert shell.wf("get", "order").code == 2


def test_a_workflow_whose_undo_is_stuck_is_not_forgotten_unasked(shell: Shell) -> None:
    shell.keep(ORDER, [STUCK], phase=Phase.FAILED)
    said = shell.wf("delete", "order").out
    assert "it goes once what is left of hotel is undone or marked so" in said
    assert "--force" in said
    assert shell.load().head.deletion_asked_at is not None


def test_what_stands_against_forgetting_a_workflow() -> None:
    undoing = workflow(deletion_policy=DeletionPolicy.ROLLBACK)
    orphan = workflow(deletion_policy=DeletionPolicy.ORPHAN)
    assert stands_against(stored(orphan, RUNNING, phase=Phase.RUNNING)) is None
    assert stands_against(stored(undoing, DONE, phase=Phase.SUCCESS)) is not None
    assert stands_against(stored(undoing, DONE, phase=Phase.SUCCESS, committed=True)) is None
    assert stands_against(stored(workflow(), STUCK, phase=Phase.FAILED)) is not None
    assert stands_against(stored(workflow(), phase=Phase.FAILED)) is None
    assert stands_against(stored(workflow(), phase=Phase.PENDING)) is None


def test_f_callbacks_that_are_not_delivered_stand_against_it() -> None:
    from msgspec.structs import replace

    done = stored(workflow(), DONE, phase=Phase.SUCCESS)
    waiting = replace(done, outbox=(OutboxEntry(1, Phase.SUCCESS, BORN),))
    assert stands_against(waiting) == "callbacks are not delivered yet"
