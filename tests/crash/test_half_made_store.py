"""A database file whose first transaction never ended, as a kill or a loss of power leaves it."""

import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import StoreForeign
from wf_core.testing.store_values import workflow

pytestmark = pytest.mark.crash


def interrupted(folder: Path, *, pages_before: bool) -> Path:
    """A file and its journal in the middle of a transaction: the first, or a later one."""
    source = folder / "source.db"
    connection = sqlite3.connect(source, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")  # so that pages are written before the end
    if pages_before:
        connection.execute("CREATE TABLE kept (body)")
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE lost (body)")
    for _ in range(20):
        connection.execute("INSERT INTO lost VALUES (zeroblob(5000))")
    path = folder / "wf.db"
    shutil.copy(source, path)
    shutil.copy(f"{source}-journal", f"{path}-journal")
    connection.close()
    assert path.stat().st_size > 0
    return path


async def usable(path: Path) -> None:
    store = SqliteStore.open(path)
    try:
        await store.create(workflow(), 1.0)
    finally:
        await store.close()


def test_a_store_that_was_killed_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    path = interrupted(tmp_path, pages_before=False)
    asyncio.run(usable(path))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("lost",) not in tables


def test_a_first_page_that_never_arrived_is_made_again(tmp_path: Path) -> None:
    path = interrupted(tmp_path, pages_before=False)
    path.write_bytes(bytes(4096))
    asyncio.run(usable(path))


def test_an_interrupted_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = interrupted(tmp_path, pages_before=True)
    before = path.read_bytes()
    with pytest.raises(StoreForeign, match="another program"):
        SqliteStore.open(path)
    assert path.read_bytes() == before
    assert Path(f"{path}-journal").exists()


def test_a_file_that_is_no_database_is_left_alone_whatever_lies_beside_it(tmp_path: Path) -> None:
    path = interrupted(tmp_path, pages_before=False)
    path.write_text("a letter to my aunt")
    with pytest.raises(StoreForeign, match="not a SQLite file"):
        SqliteStore.open(path)
    assert path.read_text() == "a letter to my aunt"
