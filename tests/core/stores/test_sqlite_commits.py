"""The SQLite store's group commit and its threads."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from wf_core.adapters.sqlite import writer
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import WorkflowNotFound
from wf_core.model.phases import RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import Key
from wf_core.model.state import StepState
from wf_core.ports import Saved
from wf_core.testing.store_values import key_of, next_save, workflow


def test_c2_saves_at_the_same_time_share_commits(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore.open(tmp_path / "wf.db")
        every = [await store.create(workflow(f"w{n}"), 1.0) for n in range(40)]
        owners = [await store.claim(key_of(stored)) for stored in every]
        before = store.commits
        answers = await asyncio.gather(
            *(
                store.save(key_of(stored), next_save(stored, owner))
                for stored, owner in zip(every, owners, strict=True)
            )
        )
        assert set(answers) == {Saved.SAVED}
        assert 1 <= store.commits - before < 20
        await store.close()

    asyncio.run(main())


def test_operation_that_fails_takes_no_other_down(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore.open(tmp_path / "wf.db")
        stored = await store.create(workflow(), 1.0)
        key = key_of(stored)
        owner = await store.claim(key)
        first, missing, second = await asyncio.gather(
            store.save(key, next_save(stored, owner, steps={0: StepState(attempt=1)})),
            store.delete(Key("default", "missing"), 1.0),
            store.create(workflow("other"), 1.0),
            return_exceptions=True,
        )
        assert first is Saved.SAVED
        assert isinstance(missing, WorkflowNotFound)
        assert not isinstance(second, BaseException)
        assert (await store.load(key)).steps[0].attempt == 1
        await store.close()

    asyncio.run(main())


def test_cancelled_write_is_applied_all_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore.open(tmp_path / "wf.db")
        key = key_of(await store.create(workflow(), 1.0))
        request = Request(RequestType.SUSPEND)
        writing = asyncio.ensure_future(store.request(key, request, 1.0))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await store.logs(key)  # goes through the writer, after the request
        assert [asked.request.type for asked in await store.asked(key)] == [request.type]
        await store.close()

    asyncio.run(main())


def test_workflow_that_saves_alone_is_written_without_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SHORT", 60.0)  # however slow the disk

    async def main() -> None:
        store = SqliteStore.open(tmp_path / "wf.db")
        stored = await store.create(workflow(), 1.0)
        key = key_of(stored)
        owner = await store.claim(key)
        step = store.save(key, next_save(stored, owner))
        with pytest.raises(StopIteration) as answered:  # it never waits for the loop
            step.send(None)
        assert answered.value.value is Saved.SAVED
        assert (await store.load(key)).head.revision == 1
        await store.close()

    asyncio.run(main())


def test_save_on_a_slow_disk_does_not_hold_up_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SHORT", 0.0)

    async def main() -> None:
        store = SqliteStore.open(tmp_path / "wf.db")
        stored = await store.create(workflow(), 1.0)
        key = key_of(stored)
        owner = await store.claim(key)
        step = store.save(key, next_save(stored, owner))
        assert isinstance(step.send(None), asyncio.Future)
        step.close()
        await store.close()

    asyncio.run(main())


def test_save_that_finds_the_file_locked_does_not_hold_up_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SHORT", 60.0)

    async def main() -> None:
        store = SqliteStore.open(tmp_path / "wf.db")
        stored = await store.create(workflow(), 1.0)
        key = key_of(stored)
        owner = await store.claim(key)
        other = sqlite3.connect(tmp_path / "wf.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        saving = asyncio.ensure_future(store.save(key, next_save(stored, owner)))
        await asyncio.sleep(0)
        deleting = asyncio.ensure_future(store.delete(key, 1.0))  # with the thread at that lock
        await asyncio.sleep(0)
        assert not saving.done()
        assert not deleting.done()
        other.execute("ROLLBACK")
        other.close()
        assert await saving is Saved.SAVED
        await deleting
        await store.close()

    asyncio.run(main())


def test_closed_store_leaves_no_thread_and_no_lock(tmp_path: Path) -> None:
    async def main() -> None:
        store = SqliteStore.open(tmp_path / "wf.db")
        await store.create(workflow(), 1.0)
        await store.claim(Key("default", "order"))
        await store.close()

    before = set(threading.enumerate())
    asyncio.run(main())
    assert not [
        thread for thread in set(threading.enumerate()) - before if thread.name.startswith("wf-")
    ]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["wf.db", "wf.db.owners"]
