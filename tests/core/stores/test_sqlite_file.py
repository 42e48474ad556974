"""What the SQLite store does with the file it is given."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wf_core.adapters.sqlite import schema
from wf_core.adapters.sqlite.plugin import wf_open_store
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import StoreForeign, StoreUnavailable
from wf_core.model.spec import NO_TTL, Key
from wf_core.testing.store_values import workflow

KEY = Key("default", "order")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "wf.db"


def make(path: Path) -> None:
    """A store with one workflow in it."""

    async def main() -> None:
        store = SqliteStore.open(path)
        await store.create(workflow(), 1.0)
        await store.claim(KEY)
        await store.close()

    asyncio.run(main())


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_files_are_for_their_user_alone(path: Path) -> None:
    async def main() -> None:
        store = SqliteStore.open(path)
        await store.create(workflow(), 1.0)
        await store.claim(KEY)
        modes = {
            file.relative_to(path.parent.parent): stat.S_IMODE(file.stat().st_mode)
            for file in (path.parent, *path.parent.rglob("*"))
        }
        assert {mode for name, mode in modes.items() if name.suffix == ".owners"} == {0o700}
        files = {name: mode for name, mode in modes.items() if (path.parents[1] / name).is_file()}
        assert len(files) == 4  # the database, its -wal and -shm, and our lock
        assert set(files.values()) == {0o600}
        assert modes[Path("state")] == 0o700
        await store.close()

    old = os.umask(0)
    try:
        asyncio.run(main())
    finally:
        os.umask(old)


def test_saves_are_on_disk_before_they_are_answered(path: Path) -> None:
    store = SqliteStore.open(path)
    (level,) = store.writer.connection.execute("PRAGMA synchronous").fetchone()
    (mode,) = store.writer.connection.execute("PRAGMA journal_mode").fetchone()
    store.halt()
    assert (level, mode) == (2, "wal")


def test_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("kind: Workflow\n" * 100)
    with pytest.raises(StoreForeign, match=r"wf\.db is not a SQLite file.*--store"):
        SqliteStore.open(path)
    assert path.read_text() == "kind: Workflow\n" * 100


def test_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    change(path, "CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreForeign, match="another program"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_c10_newer_schema_is_left_alone_and_both_versions_are_named(path: Path) -> None:
    make(path)
    known = len(schema.MIGRATIONS)
    change(path, f"PRAGMA user_version = {known + 3}")
    with pytest.raises(
        StoreForeign, match=rf"schema version {known + 3}.*up to {known}: upgrade wf"
    ):
        SqliteStore.open(path)


def test_older_schema_is_migrated_and_keeps_its_workflows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(path)
    step = ("CREATE TABLE later (x)", "INSERT INTO later VALUES (7)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))

    async def main() -> None:
        for _ in range(2):  # the second time there is nothing to do
            store = SqliteStore.open(path)
            assert (await store.load(KEY)).workflow.metadata.name == "order"
            rows = store.writer.connection.execute("SELECT x FROM later").fetchall()
            version = store.writer.connection.execute("PRAGMA user_version").fetchone()
            await store.close()
            assert (rows, version) == ([(7,)], (len(schema.MIGRATIONS),))

    asyncio.run(main())


def test_a_workflow_from_before_clean_up_by_age_says_nothing_of_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = next(n for n, each in enumerate(schema.MIGRATIONS) if "ttl" in each[0])
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[: version + 1])
        make(path)
    change(path, "ALTER TABLE workflows DROP COLUMN ttl", f"PRAGMA user_version = {version}")

    async def main() -> None:
        store = SqliteStore.open(path)
        (row,) = (await store.list()).rows
        await store.close()
        assert (row.key, row.ttl) == (KEY, NO_TTL)

    asyncio.run(main())


def test_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(path)
    with monkeypatch.context() as patch:
        step = ("CREATE TABLE later (x)", "INSERT INTO missing VALUES (7)")
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
        with pytest.raises(StoreUnavailable, match="missing"):
            SqliteStore.open(path)
    store = SqliteStore.open(path)
    tables = store.writer.connection.execute("SELECT name FROM sqlite_master").fetchall()
    store.halt()
    assert ("later",) not in tables


def test_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match=r"file.*--store sqlite:PATH"):
        SqliteStore.open(tmp_path / "file" / "wf.db")


READ_ONLY = """
import asyncio, concurrent.futures.thread, os, sys, uuid
import urllib.parse  # pathlib needs it, late; nobody may be kept from reading it then
from pathlib import Path
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.errors import StoreUnavailable
from wf_core.testing.store_values import workflow
if os.getuid() == 0:
    os.setuid(65534)
path = Path(sys.argv[1])
try:
    store = SqliteStore.open(path)
    asyncio.run(store.create(workflow(name="other"), 1.0))
    store.halt()
except StoreUnavailable as error:
    print(error)
"""


@pytest.mark.parametrize("existing", [False, True], ids=["new file", "existing store"])
def test_folder_without_permission_is_named(path: Path, existing: bool) -> None:
    if existing:
        make(path)
        path.chmod(0o444)
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o555)
    opened = [path.parent.parent, *path.parent.parent.parents]
    modes = {folder: folder.stat().st_mode for folder in opened if folder.owner() == user()}
    try:
        for folder in modes:
            if len(folder.parts) > 2:  # pytest's own folders, which are 0700
                folder.chmod(folder.stat().st_mode | 0o055)
        result = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
    finally:
        for folder, mode in modes.items():
            if len(folder.parts) > 2:
                folder.chmod(mode)
        path.parent.chmod(0o700)
    assert str(path) in result.stdout
    assert "writ" in result.stdout
    assert "--store sqlite:PATH" in result.stdout


def user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def test_url_names_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    monkeypatch.setenv("HOME", str(path.parent))
    store = wf_open_store("sqlite:~/wf.db", create=True)
    assert isinstance(store, SqliteStore)
    assert store.path == path
    store.halt()
    assert wf_open_store("k8s:a/b", create=True) is None
    with pytest.raises(StoreUnavailable, match="sqlite:PATH"):
        wf_open_store("sqlite:", create=True)


@pytest.mark.parametrize("package", ["sqlite", "memory"])
def test_start_up_loads_no_database(package: str) -> None:
    code = (
        f"import sys, wf_core.adapters.{package}.plugin; "
        "print([name for name in ('sqlite3', 'asyncio') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
