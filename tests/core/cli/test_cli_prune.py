"""`wf prune`."""

import asyncio
import json
from typing import Any

import pytest
from tests.core.cli.made import DONE, Shell, workflow

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.cli import prune
from wf_core.model.phases import DeletionPolicy, Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import Key, TimeToLive
from wf_core.model.state import OutboxEntry, StepState, Stored
from wf_core.ports import Saved
from wf_core.testing.store_values import next_save

ENDED = 1_000_000.0
NOW = ENDED + 1_000.0
STUCK = StepState(phase=Phase.FAILED, attempt=1)
MINUTE = TimeToLive(success=60.0, roll_backed=60.0, failed=60.0)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "now", lambda: NOW)


def keep(shell: Shell, name: str, phase: Phase = Phase.SUCCESS, **spec: Any) -> None:
    """A workflow that ended so, a thousand seconds ago."""
    state = {Phase.SUCCESS: DONE, Phase.FAILED: STUCK}.get(phase, StepState(phase=phase, attempt=1))
    shell.keep(workflow(name=name, **spec), [state], phase=phase, reached={phase: ENDED})


def names(shell: Shell) -> list[str]:
    return shell.wf("list", "-o", "name").lines


def test_without_options_goes_what_the_documents_and_the_configuration_say(shell: Shell) -> None:
    keep(shell, "old", ttl_seconds_after_finished=MINUTE)
    keep(shell, "young", ttl_seconds_after_finished=TimeToLive(success=2_000.0))
    keep(shell, "silent")
    keep(shell, "queued", queue="night")
    ages = "ttlSecondsAfterFinished: {success: 10m}"
    text = f"controllerConfig: {{queue: {{queues: {{night: {{{ages}}}}}}}}}"
    done = shell.wf("prune", "--config", shell.file("wf.yaml", text))
    assert done.code == 0
    assert done.lines == [
        "NAME    PHASE    ENDED       RESULT",
        "old     Success  16m40s ago  removed",
        "queued  Success  16m40s ago  removed",
        "2 workflows removed, 0 stay",
    ]
    assert names(shell) == ["young", "silent"]


def test_nothing_that_is_over_age_is_said(shell: Shell) -> None:
    keep(shell, "silent")
    done = shell.wf("prune")
    assert (done.code, done.out, done.err) == (0, "", "nothing is over age\n")
    assert shell.wf("prune", "-o", "json").out == '{\n  "items": []\n}\n'


def test_older_than_counts_instead_of_what_documents_say(shell: Shell) -> None:
    keep(shell, "kept-for-ever")
    keep(shell, "kept-for-long", ttl_seconds_after_finished=TimeToLive(success=9_999.0))
    assert shell.wf("prune", "--older-than", "17m").err == "nothing is over age\n"
    done = shell.wf("prune", "--older-than", "16m", "-o", "name")
    assert done.lines == ["kept-for-ever", "kept-for-long"]
    assert names(shell) == []


def test_unfinished_workflows_never_go(shell: Shell) -> None:
    shell.keep(workflow(name="running"), [StepState(phase=Phase.RUNNING)], phase=Phase.RUNNING)
    assert shell.wf("prune", "--older-than", "0").err == "nothing is over age\n"
    assert names(shell) == ["running"]


def test_phases_and_queues_narrow_it(shell: Shell) -> None:
    keep(shell, "a", Phase.SUCCESS, queue="night")
    keep(shell, "b", Phase.ROLL_BACKED, queue="night")
    keep(shell, "c", Phase.SUCCESS)
    chosen = ("--phase", "success", "--queue", "night")
    assert shell.wf("prune", "--older-than", "1h", *chosen, "-o", "name").lines == []
    assert shell.wf("prune", "--older-than", "1m", *chosen, "-o", "name").lines == ["a"]
    assert shell.wf("prune", "--older-than", "1m", "--namespace", "other", "-o", "name").out == ""
    assert names(shell) == ["b", "c"]


def test_a_dry_run_removes_nothing(shell: Shell) -> None:
    keep(shell, "old", ttl_seconds_after_finished=MINUTE)
    done = shell.wf("prune", "--dry-run")
    assert done.lines[1:] == [
        "old   Success  16m40s ago  would be removed",
        "1 workflow would be removed, 0 stay",
    ]
    (item,) = json.loads(shell.wf("prune", "--dry-run", "-o", "json").out)["items"]
    assert (item["name"], item["removed"], item["why"]) == ("old", False, "dry run")
    assert names(shell) == ["old"]


def test_what_deletion_would_undo_goes_without_an_undo(shell: Shell) -> None:
    policy = DeletionPolicy.ROLLBACK
    keep(shell, "old", deletion_policy=policy, ttl_seconds_after_finished=MINUTE)
    assert shell.wf("prune").lines[-1] == "1 workflow removed, 0 stay"


def test_failed_goes_by_its_own_age_or_where_it_is_named(shell: Shell) -> None:
    keep(shell, "said", Phase.FAILED, ttl_seconds_after_finished=MINUTE)
    keep(shell, "stuck", Phase.FAILED)
    assert shell.wf("prune", "-o", "name").lines == ["said"]
    left = shell.wf("prune", "--older-than", "1m")
    assert left.lines[1].endswith(
        "stays: what it did in one is not undone; --phase Failed removes it as it is"
    )
    assert shell.wf("prune", "--older-than", "1m", "--phase", "Failed", "-o", "name").lines == [
        "stuck"
    ]


def test_what_owes_something_stays_and_says_what(shell: Shell) -> None:
    for name in ("asked", "deleted", "reporting"):
        keep(shell, name, ttl_seconds_after_finished=MINUTE)
    asyncio.run(owing(shell))
    done = shell.wf("prune", "-o", "json")
    why = {each["name"]: each["why"] for each in json.loads(done.out)["items"]}
    assert why == {
        "asked": "a request waits for an answer",
        "deleted": "its deletion was asked",
        "reporting": "callbacks are not delivered yet",
    }
    assert names(shell) == ["asked", "deleted", "reporting"]


async def owing(shell: Shell) -> None:
    store = SqliteStore.open(shell.folder / "wf.db")
    try:
        await store.request(Key("default", "asked"), Request(RequestType.ROLLBACK), NOW)
        await store.delete(Key("default", "deleted"), NOW)
        stored = await store.load(Key("default", "reporting"))
        owner = await store.claim(Key("default", "reporting"))
        entry = OutboxEntry(1, Phase.SUCCESS, ENDED)
        changes = next_save(stored, owner, outbox=(entry,))
        assert await store.save(Key("default", "reporting"), changes) is Saved.SAVED
    finally:
        await store.close()


def test_what_another_process_runs_stays_and_says_so(shell: Shell) -> None:
    keep(shell, "watched", ttl_seconds_after_finished=MINUTE)

    async def owned() -> None:
        store = SqliteStore.open(shell.folder / "wf.db")
        try:
            key = Key("default", "watched")
            stored = await store.load(key)
            assert await store.save(key, next_save(stored, await store.claim(key))) is Saved.SAVED
            done = await asyncio.to_thread(shell.wf, "prune")
            assert "stays: workflow 'watched' is being run by process" in done.lines[1]
            assert done.lines[-1] == "0 workflows removed, 1 stay"
        finally:
            await store.close()

    asyncio.run(owned())
    assert names(shell) == ["watched"]


def test_what_changes_meanwhile_stays(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(shell, "old", ttl_seconds_after_finished=MINUTE)

    async def expire(_: SqliteStore, __: Stored) -> bool:
        return False

    monkeypatch.setattr(SqliteStore, "expire", expire)
    assert (
        "stays: it was changed meanwhile, or something else holds it" in shell.wf("prune").lines[1]
    )


@pytest.mark.parametrize(
    ("age", "why"), [("soon", "is not a duration such as"), ("-1", "is too small: the least is 0")]
)
def test_an_age_that_is_none_is_a_fault_of_usage(shell: Shell, age: str, why: str) -> None:
    done = shell.wf("prune", "--older-than", age)
    assert done.code == 2
    assert why in done.err
