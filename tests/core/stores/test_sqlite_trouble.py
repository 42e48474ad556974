"""The SQLite store when the disk is full, the file is locked, or rows are damaged."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.core.stores.in_store import in_store

from wf_core.adapters.sqlite import failures
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import OperatorError, StoreForeign, StoreUnavailable
from wf_core.model.phases import Hook, Phase
from wf_core.model.spec import Key
from wf_core.model.state import LogLine, StepState, Transition
from wf_core.ports import Saved
from wf_core.testing.store_values import key_of, next_save, saved, workflow


def limit_pages(store: SqliteStore, more: int) -> None:
    """Let the file grow by `more` pages only: SQLite then reports a full disk."""
    connection = store.writer.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + more}")


def test_full_disk_loses_nothing_and_says_what_to_do(path: Path) -> None:
    async def test(store: SqliteStore) -> None:
        stored = await store.create(workflow(), 1.0)
        key = key_of(stored)
        owner = await store.claim(key)
        stored = await saved(store, stored, next_save(stored, owner, phase=Phase.RUNNING))
        limit_pages(store, 1)
        big = StepState(attributes={"big": "x" * 30_000})
        line = Transition(1.0, Phase.PENDING, Phase.RUNNING)
        changes = next_save(stored, owner, steps={0: big}, history=(line,))
        with pytest.raises(
            StoreUnavailable, match=r"free some space on /.*`wf serve`.*`wf resume`"
        ):
            await store.save(key, changes)
        assert await store.load(key) == stored
        assert await store.history(key) == ()
        limit_pages(store, 1_000_000)
        assert await store.save(key, changes) is Saved.SAVED

    in_store(path, test)


def test_full_disk_refuses_the_large_save_of_a_group_alone(path: Path) -> None:
    async def test(store: SqliteStore) -> None:
        every = [await store.create(workflow(f"w{n}"), 1.0) for n in range(5)]
        owners = [await store.claim(key_of(stored)) for stored in every]
        limit_pages(store, 2)
        sizes = [1, 1, 100_000, 1, 1]
        answers = await asyncio.gather(
            *(
                store.save(
                    key_of(stored),
                    next_save(stored, owner, steps={0: StepState(attributes={"a": "x" * size})}),
                )
                for stored, owner, size in zip(every, owners, sizes, strict=True)
            ),
            return_exceptions=True,
        )
        assert [answer is Saved.SAVED for answer in answers] == [True, True, False, True, True]
        assert isinstance(answers[2], StoreUnavailable)

    in_store(path, test)


def test_output_of_hooks_is_kept_until_there_is_room(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(store: SqliteStore) -> None:
        key = key_of(await store.create(workflow(), 1.0))
        limit_pages(store, 1)
        line = LogLine("step0", Hook.RUN, 1, 1.0, "x" * 30_000)
        await store.log(key, [line])
        assert await store.logs(key) == ()
        assert "free some space" in caplog.text
        limit_pages(store, 1_000_000)
        assert await store.logs(key) == (line,)

    in_store(path, test)


def test_output_that_could_never_be_written_is_an_error_of_close(path: Path) -> None:
    async def main() -> None:
        store = SqliteStore.open(path)
        key = key_of(await store.create(workflow(), 1.0))
        limit_pages(store, 1)
        await store.log(key, [LogLine("step0", Hook.RUN, 1, 1.0, "x" * 30_000)])
        with pytest.raises(StoreUnavailable, match="free some space"):
            await store.close()

    asyncio.run(main())


def test_lock_held_too_long_by_another_process(path: Path) -> None:
    async def test(store: SqliteStore) -> None:
        await store.create(workflow(), 1.0)
        store.writer.connection.execute("PRAGMA busy_timeout = 20")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"locked by another.*`wf serve`.*`wf resume`"):
            await store.create(workflow("second"), 1.0)
        other.execute("ROLLBACK")
        other.close()
        await store.create(workflow("second"), 1.0)

    in_store(path, test)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE workflows SET head = '{' WHERE name = 'bad'", "state"),
        ("UPDATE workflows SET head = '{\"phase\":\"Odd\"}' WHERE name = 'bad'", "state"),
        ("UPDATE documents SET workflow = 'x' WHERE id = 1", "document"),
        ("UPDATE steps SET state = '[]' WHERE key >> 32 = 1", "state of step 1"),
    ],
)
def test_c10_damaged_row_blocks_its_workflow_alone(path: Path, statement: str, what: str) -> None:
    async def test(store: SqliteStore) -> None:
        bad = await store.create(workflow("bad"), 1.0)
        good = await store.create(workflow("good"), 2.0)
        owner = await store.claim(key_of(bad))
        await saved(store, bad, next_save(bad, owner, steps={1: StepState(attempt=1)}))
        store.writer.connection.execute(statement)
        with pytest.raises(StoreUnavailable, match=f"'bad': its stored {what} is damaged"):
            await store.load(key_of(bad))
        assert await store.load(key_of(good)) == good
        assert [row.key.name for row in (await store.list()).rows] == ["bad", "good"]

    in_store(path, test)


def test_c10_state_of_a_newer_engine_is_left_alone(path: Path) -> None:
    async def test(store: SqliteStore) -> None:
        stored = await store.create(workflow(), 1.0)
        owner = await store.claim(key_of(stored))
        await store.save(key_of(stored), next_save(stored, owner, schema_version=9))
        with pytest.raises(StoreForeign, match=r"state version 9.*upgrade wf"):
            await store.load(key_of(stored))
        assert len((await store.list()).rows) == 1

    in_store(path, test)


def test_c4_value_that_json_can_not_hold_is_an_invalid_save(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(store: SqliteStore) -> None:
        stored = await store.create(workflow(), 1.0)
        changes = next_save(
            stored,
            await store.claim(key_of(stored)),
            steps={0: StepState(attributes={"a": object()})},
        )
        assert await store.save(key_of(stored), changes) is Saved.INVALID
        assert await store.load(key_of(stored)) == stored
        assert "can't be encoded" in caplog.text

    in_store(path, test)


def test_closed_store_says_so(path: Path) -> None:
    async def main() -> None:
        store = SqliteStore.open(path)
        await store.close()
        await store.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.create(workflow(), 1.0)
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.load(Key("default", "x"))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_IOERR, "disk failed"),
        (sqlite3.SQLITE_IOERR | (4 << 8), "disk failed"),
        (sqlite3.SQLITE_CORRUPT, "is damaged"),
        (sqlite3.SQLITE_READONLY, "may not be written"),
        (sqlite3.SQLITE_CANTOPEN, "can't be opened"),
        (sqlite3.SQLITE_NOTADB, "not a SQLite file"),
        (sqlite3.SQLITE_NOMEM, "out of memory"),
    ],
)
def test_every_failure_names_the_file_and_a_next_step(code: int, words: str) -> None:
    error = sqlite3.OperationalError("out of memory")
    error.sqlite_errorcode = code
    told = failures.translate(error, Path("/data/wf.db"))
    assert isinstance(told, OperatorError)
    assert words in str(told)
    assert "/data/wf.db" in str(told)
    assert "`" in str(told)
