"""Files that no wf wrote, or that somebody else may write to: nothing hangs, nobody else is harmed,
and nothing outside the store is touched."""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.stores.in_store import in_store

from wf_core.adapters.open_record import FolderRecord
from wf_core.adapters.own_files import open_own
from wf_core.adapters.sqlite import space
from wf_core.adapters.sqlite.ownership import SERVING, Ownership
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import StoreForeign, StoreUnavailable, WfError
from wf_core.model.spec import Key
from wf_core.model.state import StepState
from wf_core.testing.store_values import next_save, workflow

BAD, GOOD = Key("default", "bad"), Key("default", "good")


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


async def fill(store: SqliteStore) -> None:
    """Two workflows, each with a saved step."""
    for number, key in enumerate((BAD, GOOD)):
        stored = await store.create(workflow(key.name), 1.0 + number)
        owner = await store.claim(key)
        await store.save(key, next_save(stored, owner, steps={0: StepState(attempt=1)}))


ODD = {
    "text": "'yesterday'",
    "bytes": "x'00ff'",
    "control": "char(27) || '[2J' || char(10)",
    "negative": "-1",
    "huge": "9223372036854775806",
    "beyond": "9e999",
    "deep": "replace(hex(zeroblob(50000)), '0', '[')",
}
COLUMNS = [
    *("queue", "priority", "created_at", "total", "watchable", "phase", "epoch", "revision"),
    *("owner", "suspended", "parked", "finished_at", "deletion_asked_at", "request_seq"),
    *("schema_version", "head", "ttl", "uid"),
]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("column", COLUMNS)
def test_c10_a_column_that_holds_anything_blocks_its_workflow_alone(
    path: Path, column: str, odd: str
) -> None:
    """Whatever is read and done of the bad one succeeds or is refused in a sentence."""
    in_store(path, fill)
    change(path, f"UPDATE workflows SET {column} = {odd} WHERE name = 'bad'")

    async def test(store: SqliteStore) -> None:
        listed = [row async for row in pages(store)]
        assert {row.key for row in listed} == {BAD, GOOD}
        assert next(row for row in listed if row.key == GOOD).unreadable == ""
        stored = await store.load(GOOD)
        owner = await store.claim(GOOD)
        await store.save(GOOD, next_save(stored, owner, steps={0: StepState(attempt=2)}))
        assert (await store.load(GOOD)).steps[0].attempt == 2
        for act in (store.load, store.claim, store.history, store.logs, store.asked):
            with contextlib.suppress(WfError):
                await act(BAD)
        await store.delete(BAD, 5.0)
        await store.remove(BAD)
        assert [row.key async for row in pages(store)] == [GOOD]

    in_store(path, test)


async def pages(store: SqliteStore) -> Any:
    """All rows, by pages of one."""
    after = None
    while True:
        page = await store.list(limit=1, after=after)
        for row in page.rows:
            yield row
        after = page.after
        if after is None:
            return


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DELETE FROM documents WHERE id = 1", "document"),
        ("UPDATE documents SET workflow = 7 WHERE id = 1", "document"),
        ("UPDATE steps SET state = 7.5 WHERE key >> 32 = 1", "state of step 0"),
        ("UPDATE steps SET key = key + 1000 WHERE key >> 32 = 1", "state of step 1000"),
        ("UPDATE workflows SET total = 1000000000000 WHERE id = 1", "state"),
        ("INSERT INTO outbox VALUES ((1 << 32) + 1, 3)", "outbox"),
        ("INSERT INTO requests VALUES ((1 << 32) + 1, 'noon', '{}')", "requests"),
        (
            'UPDATE steps SET state = \'{"attributes":{"a":\' || replace(hex(zeroblob(50000)),'
            "'0','[') WHERE key >> 32 = 1",
            "state of step 0",
        ),
    ],
)
def test_c10_parts_that_no_wf_wrote_are_named(path: Path, statement: str, what: str) -> None:
    in_store(path, fill)
    change(path, statement)

    async def test(store: SqliteStore) -> None:
        with pytest.raises(StoreUnavailable, match=f"'bad': its stored {what} is damaged"):
            await store.load(BAD)
        await store.load(GOOD)

    in_store(path, test)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_plain_file_is_refused_at_once(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path(os.devnull)
    with pytest.raises(StoreForeign, match="name a file with `--store sqlite:PATH`"):
        SqliteStore.open(path)


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        (
            ["CREATE TRIGGER t AFTER UPDATE ON workflows BEGIN DELETE FROM steps; END"],
            "trigger 't'",
        ),
        (
            [
                "ALTER TABLE history RENAME TO h",
                "CREATE VIEW history AS WITH RECURSIVE r(key, transitions) AS "
                "(SELECT 1, x'00' UNION ALL SELECT key, transitions FROM r) SELECT * FROM r",
            ],
            "view 'history'",
        ),
    ],
)
def test_code_in_the_file_is_not_run(path: Path, statements: list[str], what: str) -> None:
    """Whoever may write to a file that root serves has root run no more than workflows."""
    in_store(path, fill)
    change(path, *statements)
    before = path.read_bytes()
    with pytest.raises(StoreForeign, match=f"has the {what}, which no wf made"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_an_owner_that_no_wf_wrote_leads_to_no_file_elsewhere(path: Path, tmp_path: Path) -> None:
    """What a dead owner left is removed: only in the folder that holds such files."""
    in_store(path, fill)
    elsewhere = tmp_path / "precious.lock"
    elsewhere.touch()
    change(path, "UPDATE workflows SET owner = '../precious'")

    async def test(store: SqliteStore) -> None:
        await store.claim(BAD)

    in_store(path, test)
    assert elsewhere.exists()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to(os.devnull)])
def test_lock_files_that_are_none_hold_nobody_up(path: Path, make: Callable[[Path], None]) -> None:
    ownership = Ownership(path)
    ownership.folder.mkdir()
    make(ownership.folder / SERVING)
    with pytest.raises(OSError, match=r"plain file|symbolic link"):
        ownership.serve()
    with pytest.raises(OSError, match=r"plain file|symbolic link"):
        open_own(ownership.folder / SERVING, os.O_RDONLY)


def test_folders_beside_the_store_are_not_taken_by_way_of_a_link(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who may write to the store's folder would have files made, and removed, anywhere."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "uid").mkdir(parents=True)
    ownership = Ownership(path)
    ownership.folder.symlink_to(elsewhere)
    with pytest.raises(OSError, match="must be a folder"):
        ownership.hold()
    space.steps_folder(path).symlink_to(elsewhere)
    space.remove_steps(path, "uid")
    assert "is a link" in caplog.text
    assert [each.name for each in elsewhere.iterdir()] == ["uid"]


def test_what_is_known_of_the_dead_is_not_written_by_way_of_a_link(tmp_path: Path) -> None:
    folder, precious = tmp_path / "wf.db.open", tmp_path / "precious"
    precious.write_text("precious")
    folder.mkdir()
    (folder / "state.json").write_text('{"version":"older"}')
    (folder / "state.new").symlink_to(precious)
    FolderRecord(folder, "1").left()
    assert precious.read_text() == "precious"
