"""B2: the folder of a workflow is the one it was submitted from, whoever goes on with it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import pytest
from tests.command.command_calls import Bench

from wf_command.kind import Command
from wf_core import resume, run
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.codec import read
from wf_core.engine.local import registry_of
from wf_core.errors import OperatorError
from wf_core.folders import here, unusable
from wf_core.kinds import Fatal, Throttled
from wf_core.model.phases import BlockReason, Hook, Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import Key
from wf_core.model.state import Folder

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
  - name: pay
    dependOns: [{name: reserve, phase: Success}]
    stepTemplate:
      type: command
      parameters: {run: "false", rollback: "true"}
      retryPolicy: {runRetryLimit: 0}
  onFailure: Pause
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders, `proj` being the current one."""
    for name in ("proj", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "proj")
    return tmp_path


def in_store(store: str, question: Callable[[SqliteStore], Awaitable[object]]) -> None:
    """Do something with the store while nothing runs its workflows."""

    async def do() -> None:
        opened = SqliteStore.open(Path(store.partition(":")[2]))
        try:
            await question(opened)
        finally:
            await opened.close()

    asyncio.run(do())


def ask(store: str, request: Request) -> None:
    """Ask something of the workflow."""
    in_store(store, lambda opened: opened.request(KEY, request, 1.0))


def test_b2_an_undo_from_elsewhere_runs_where_the_workflow_was_submitted(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:{places / 'wf.db'}"
    run(DOCUMENT, store=store, plugins=[Command()])
    assert (places / "proj" / "reserved").exists()
    (places / "other" / "reserved").touch()
    monkeypatch.chdir(places / "other")
    ask(store, Request(RequestType.CANCEL))
    ended = resume("order", store=store, plugins=[Command()])
    assert ended.head.phase is Phase.ROLL_BACKED
    assert not (places / "proj" / "reserved").exists()
    assert (places / "other" / "reserved").exists()


def test_b2_a_folder_that_is_gone_blocks_the_undo_until_it_is_back(places: Path) -> None:
    store = f"sqlite:{places / 'wf.db'}"
    run(DOCUMENT, store=store, plugins=[Command()])
    (places / "proj").rename(places / "away")
    os.chdir(places / "other")
    ask(store, Request(RequestType.CANCEL))
    waiting = resume("order", store=store, plugins=[Command()])
    pay = waiting.steps[1]
    assert waiting.head.phase is Phase.ROLLING_BACK
    assert pay.blocked is not None
    assert pay.blocked.reason is BlockReason.FOLDER_UNAVAILABLE
    assert f"the folder {places / 'proj'}" in pay.blocked.message
    assert "`wf folder order PATH`" in pay.blocked.message
    assert (pay.rollback_retry_count, pay.rollback_error) == (0, None)
    (places / "away").rename(places / "proj")
    ended = resume("order", store=store, plugins=[Command()])
    assert ended.head.phase is Phase.ROLL_BACKED
    assert not (places / "proj" / "reserved").exists()


def test_b2_a_folder_that_is_gone_blocks_the_first_run_before_it_begins(
    places: Path,
) -> None:
    store = f"sqlite:{places / 'wf.db'}"
    workflow = read(DOCUMENT, "", registry_of([Command()]), None)
    gone = Folder(str(places / "gone"), os.getuid())
    in_store(store, lambda opened: opened.create(workflow, 1.0, gone))
    ended = resume("order", store=store, plugins=[Command()])
    first = ended.steps[0]
    assert ended.head.phase is Phase.RUNNING
    assert (first.phase, first.attempt, first.failed) == (Phase.PENDING, 0, False)
    assert first.blocked is not None
    assert first.blocked.reason is BlockReason.FOLDER_UNAVAILABLE


def test_b2_another_accounts_folder_is_not_used(tmp_path: Path) -> None:
    assert unusable(Folder(str(tmp_path), os.getuid()), KEY) is None
    why = unusable(Folder(str(tmp_path), os.getuid() + 1), KEY)
    assert why is not None
    assert "by another account" in why
    assert "`wf folder order PATH`" in why


def test_b2_the_current_folder_that_was_deleted_is_named(places: Path) -> None:
    (places / "proj").rmdir()
    with pytest.raises(OperatorError, match="the current folder was deleted"):
        here()
    os.chdir(places)


def test_b2_a_relative_cwd_begins_in_the_workflows_folder(places: Path, bench: Bench) -> None:
    (places / "other" / "deep").mkdir()
    call = bench.call(Hook.RUN, run=["pwd", "-P"], cwd="deep")
    Command().run(attrs.evolve(call, workflow_folder=places / "other"))
    assert bench.output("stdout").strip() == str((places / "other" / "deep").resolve())


def test_b2_an_absolute_cwd_stays_what_it_is(places: Path, bench: Bench) -> None:
    call = bench.call(Hook.RUN, run=["pwd", "-P"], cwd=str(places))
    Command().run(attrs.evolve(call, workflow_folder=places / "other"))
    assert bench.output("stdout").strip() == str(places.resolve())


def test_b2_a_program_with_a_path_is_looked_for_in_the_workflows_folder(
    places: Path, bench: Bench
) -> None:
    program = places / "other" / "act.sh"
    program.write_text("#!/bin/sh\necho acted\n")
    program.chmod(0o755)
    call = bench.call(Hook.RUN, run=["./act.sh"])
    Command().run(attrs.evolve(call, workflow_folder=places / "other"))
    assert bench.output("stdout").strip() == "acted"


def test_b2_a_folder_that_goes_as_a_command_starts_is_no_failure(
    places: Path, bench: Bench
) -> None:
    call = bench.call(Hook.RUN, run="true")
    with pytest.raises(Throttled, match=r"the workflow's folder .* is gone"):
        Command().run(attrs.evolve(call, workflow_folder=places / "gone"))
    call = bench.call(Hook.RUN, run="true", cwd="not-there")
    with pytest.raises(Fatal, match="cwd: there is no folder"):
        Command().run(attrs.evolve(call, workflow_folder=places / "other"))
