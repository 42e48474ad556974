"""B2: what `wf` saves, shows and sets of the folder that a workflow works in."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.cli.app import run
from wf_core.codec import read
from wf_core.model.spec import Key
from wf_core.model.state import Folder
from wf_core.plugins import load

KEY = Key("default", "order")
DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
  - name: reserve
    stepTemplate:
      type: command
      parameters: {run: touch reserved, rollback: rm -f reserved}
"""
SCHEDULE = """
apiVersion: workflow.example.com/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  workflowTemplate:
    spec:
      steps:
      - name: reserve
        stepTemplate:
          type: command
          parameters: {run: touch reserved, rollback: rm -f reserved}
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders, `proj` being the current one and holding the documents; a store beside them."""
    for name in ("proj", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "proj" / "order.yaml").write_text(DOCUMENT)
    (tmp_path / "proj" / "nightly.yaml").write_text(SCHEDULE)
    monkeypatch.chdir(tmp_path / "proj")
    monkeypatch.setenv("WF_STORE", f"sqlite:{tmp_path}/wf.db")
    return tmp_path


def in_store(places: Path, question: Callable[[SqliteStore], Awaitable[object]]) -> None:
    async def ask() -> None:
        store = SqliteStore.open(places / "wf.db")
        try:
            await question(store)
        finally:
            await store.close()

    asyncio.run(ask())


def test_b2_what_is_submitted_here_runs_here_wherever_the_engine_is(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["submit", "order.yaml"]) == 0
    monkeypatch.chdir(places / "other")
    assert run(["resume", "order"]) == 0
    assert (places / "proj" / "reserved").exists()
    assert not (places / "other" / "reserved").exists()


def test_b2_runs_of_a_schedule_run_where_it_was_submitted(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["submit", "nightly.yaml"]) == 0
    monkeypatch.chdir(places / "other")
    assert run(["cron", "trigger", "nightly", "--name", "by-hand"]) == 0
    assert run(["resume", "by-hand"]) == 0
    assert (places / "proj" / "reserved").exists()


def test_b2_a_task_runs_where_it_was_asked_for(places: Path) -> None:
    made = ["--param", "run=touch made", "--param", "rollback=rm -f made"]
    assert run(["task", "run", "command", "--name", "t", *made]) == 0
    assert (places / "proj" / "made").exists()


def test_b2_the_folder_is_shown_and_set(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["submit", "order.yaml"]) == 0
    (places / "proj").rename(places / "gone")
    os.chdir(places)
    capsys.readouterr()
    assert run(["folder", "order"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{places / 'proj'}\nthe folder {places / 'proj'}, ")
    assert "or name another with `wf folder order PATH`" in shown
    assert run(["folder", "order", "gone"]) == 0
    assert "`wf resume order` goes on with it" in capsys.readouterr().out
    assert run(["folder", "order"]) == 0
    assert capsys.readouterr().out == f"{places / 'gone'}\n"
    assert run(["resume", "order"]) == 0
    assert (places / "gone" / "reserved").exists()


def test_b2_no_folder_is_set_under_an_engine_that_runs_it(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["submit", "order.yaml"]) == 0

    async def while_it_runs(store: SqliteStore) -> None:
        from wf_core.testing.store_values import next_save, saved

        stored = await store.load(KEY)
        await saved(store, stored, next_save(stored, await store.claim(KEY)))
        assert await asyncio.to_thread(run, ["folder", "order", str(places / "other")]) == 1
        assert (await store.load(KEY)).head.folder == stored.head.folder

    in_store(places, while_it_runs)
    assert "is being run by process" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["folder", "order", "nowhere"], 2, "does not exist"),
        (["folder", "another"], 2, "another"),
    ],
)
def test_b2_what_can_not_be_set_is_told(
    places: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    assert run(["submit", "order.yaml"]) == 0
    assert places
    assert run(arguments) == code
    assert said in capsys.readouterr().err


def test_b2_resume_says_where_a_workflow_from_before_runs(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = read(DOCUMENT, "", load(), None)
    in_store(places, lambda store: store.create(workflow, 1.0))
    os.chdir(places / "other")
    assert run(["resume", "order"]) == 0
    said = capsys.readouterr().err
    assert "order was stored without the folder it was submitted from" in said
    assert f"its commands run in {places / 'other'}" in said
    assert "`wf folder order PATH` sets another" in said
    assert (places / "other" / "reserved").exists()
    (places / "proj" / "second.yaml").write_text(DOCUMENT.replace("order", "second"))
    assert run(["submit", str(places / "proj" / "second.yaml")]) == 0
    assert run(["resume", "second"]) == 0
    assert "without the folder" not in capsys.readouterr().err


def test_b2_another_accounts_workflow_waits(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = read(DOCUMENT, "", load(), None)
    theirs = Folder(str(places / "other"), os.getuid() + 1)
    in_store(places, lambda store: store.create(workflow, 1.0, theirs))
    assert run(["resume", "order"]) == 5
    said = capsys.readouterr().err
    assert "FolderUnavailable" in said
    assert "by another account" in said
    assert not (places / "other" / "reserved").exists()
    assert run(["folder", "order", str(places / "proj")]) == 0
    assert run(["resume", "order"]) == 0
    assert (places / "proj" / "reserved").exists()
