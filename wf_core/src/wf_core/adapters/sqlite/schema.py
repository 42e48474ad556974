"""The tables, their versions, and how a file is recognised and opened.

Rows that belong to a workflow have computed keys: `id << 32 | n` (`n` a step's index, a seq, a
revision, or a running number), so that they lie together, need no second index, and a save dirties
few pages. The document is a table of its own because an UPDATE writes a whole row again.
"""

import errno
import os
import sqlite3
import stat
import time
from functools import partial
from pathlib import Path

from wf_core.adapters.sqlite.failures import BUSY_SECONDS, from_os, not_a_database, translate
from wf_core.adapters.sqlite.space import LOG_KEPT
from wf_core.errors import StoreForeign, StoreMissing, StoreUnavailable
from wf_core.folders import make_private

APPLICATION_ID = 0x77665341  # "wfSA": says that a SQLite file is a store of ours
MAGIC = b"SQLite format 3\x00"
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE workflows (
            id INTEGER PRIMARY KEY,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT NOT NULL,
            queue TEXT NOT NULL,
            priority INTEGER NOT NULL,
            created_at REAL NOT NULL,
            total INTEGER NOT NULL,
            watchable INTEGER NOT NULL,
            phase TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            owner TEXT NOT NULL,
            suspended INTEGER NOT NULL DEFAULT 0,
            parked INTEGER NOT NULL DEFAULT 0,
            finished_at REAL,
            deletion_asked_at REAL,
            request_seq INTEGER NOT NULL DEFAULT 0,
            schema_version INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            head BLOB NOT NULL,
            UNIQUE (namespace, name)
        )
        """,
        "CREATE INDEX workflows_created ON workflows (created_at, id)",
        "CREATE INDEX workflows_changed ON workflows (changed)",
        "CREATE TABLE documents (id INTEGER PRIMARY KEY, workflow BLOB NOT NULL)",
        "CREATE TABLE steps (key INTEGER PRIMARY KEY, phase TEXT NOT NULL, state BLOB NOT NULL)",
        "CREATE TABLE outbox (key INTEGER PRIMARY KEY, entry BLOB NOT NULL)",
        "CREATE TABLE history (key INTEGER PRIMARY KEY, transitions BLOB NOT NULL)",
        "CREATE TABLE requests (key INTEGER PRIMARY KEY, at REAL NOT NULL, request BLOB NOT NULL)",
        "CREATE TABLE logs (key INTEGER PRIMARY KEY, step TEXT NOT NULL, line BLOB NOT NULL)",
        "CREATE TABLE gone (position INTEGER PRIMARY KEY, namespace TEXT NOT NULL, "
        "name TEXT NOT NULL)",
    ),
    # What clean-up by age goes by, so that a list needs no document.
    ("ALTER TABLE workflows ADD COLUMN ttl BLOB",),
    (
        """
        CREATE TABLE schedules (
            id INTEGER PRIMARY KEY,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT NOT NULL,
            created_at REAL NOT NULL,
            revision INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            schedule BLOB NOT NULL,
            status BLOB NOT NULL,
            UNIQUE (namespace, name)
        )
        """,
    ),
    # Where relative paths of a schedule's runs begin.
    ("ALTER TABLE schedules ADD COLUMN folder BLOB",),
)
"""The statements that lead from version n to n + 1, for n from 0. Shipped ones never change."""


_PLANTED = """
SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')
UNION ALL SELECT 'virtual table', name FROM sqlite_master
    WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL%' LIMIT 1
"""
"""Code in the file itself: a view that never ends holds up whoever reads it, a trigger changes what
is saved."""


def open_pair(path: Path, create: bool) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """A connection that writes and one that only reads; the file is migrated as needed, and made
    where it is missing and `create` says so. Where this account may not write, both only read.

    Raises `StoreForeign` for what is not ours or newer, `StoreMissing` where there is none,
    `StoreUnavailable` for all else.
    """
    opened: list[sqlite3.Connection] = []
    try:
        if not _is_file(path) and not create:
            raise StoreMissing(
                f"there is no store at {path}; `wf run` and `wf submit` make one, "
                "`--store sqlite:PATH` names another"
            )
        if _is_read_only(path):
            return _open_to_read(path, opened), _open_to_read(path, opened)
        _make(path)
        _recognise(path)
        writer = _connect(path, opened)
        _prepare(writer, path)
        reader = _connect(path, opened)
        reader.execute("PRAGMA query_only = ON")
    except BaseException as error:
        for connection in opened:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise translate(error, path) from error
        if isinstance(error, OSError):
            raise from_os(error, path) from error
        raise
    return writer, reader


def _is_file(path: Path) -> bool:
    """Whether a file is there. Raises StoreForeign for what is no plain file, since a pipe would
    hold up whoever opens it, for ever, and OSError where this account may not look."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISREG(mode):
        return True
    what = "is a folder" if stat.S_ISDIR(mode) else "is a pipe, a socket or a device"
    raise StoreForeign(f"{path} {what}; name a file with `--store sqlite:PATH`")


def _is_read_only(path: Path) -> bool:
    """Whether the file is there, and this account may read it and no more. A write-ahead log needs
    the folder too."""
    may = partial(os.access, mode=os.W_OK, effective_ids=os.access in os.supports_effective_ids)
    return path.exists() and not (may(path) and may(path.parent))


def _open_to_read(path: Path, opened: list[sqlite3.Connection]) -> sqlite3.Connection:
    """A connection to a file that can't be written. Where nobody has it open for writing, there is
    no memory to share with a writer, and no need of any."""
    log = path.with_name(f"{path.name}-wal")
    for more in ("", "&immutable=1"):
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=ro{more}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        opened.append(connection)
        try:
            version = _check(connection, path)
        except sqlite3.OperationalError:
            if more or log.exists():
                raise
            continue
        if version < len(MIGRATIONS):
            raise StoreUnavailable(
                f"{path} was written by an older wf (schema version {version} of "
                f"{len(MIGRATIONS)}), and this account may not bring it up to date; run any "
                "command of this wf on it as an account that may write it"
            )
        return connection
    raise AssertionError("one of the two is returned or raises")


def _make(path: Path) -> None:
    """Make folder and file for this user alone; what SQLite adds takes the same mode."""
    if path.exists():
        return
    folder = path.parent
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    make_private(folder)
    for each in made or [folder]:  # who made it before us may have died before this
        _sync(each.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _sync(folder: Path) -> None:
    """Have the names in `folder` on disk: SQLite sees to those beside the database alone."""
    try:
        file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return  # one that may be written and not read can't be synced
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # it knows no sync of folders
            raise
    finally:
        os.close(file)


def _half_made(start: bytes, path: Path) -> bool:
    """Whether whoever made the file died over its first page. The journal beside it says that the
    file was empty before, and has whoever opens it for writing empty it again."""
    if start.strip(b"\x00") and start != MAGIC:
        return False
    try:
        with path.with_name(f"{path.name}-journal").open("rb") as journal:
            head = journal.read(20)
    except FileNotFoundError:
        return False
    pages_before = head[16:20]
    return head.startswith(JOURNAL_MAGIC) and pages_before == bytes(4)


def _recognise(path: Path) -> None:
    """Refuse what is not ours, without touching it: a connection that reads can't change a file."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start or _half_made(start, path):
        return
    if start != MAGIC:
        raise not_a_database(path)
    looking = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    try:
        _check(looking, path)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        # Its journal would have to be played back first: once made, ours never has one.
        raise _foreign(path) from error
    finally:
        looking.close()


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """The schema's version: 0 for an empty database. Raises `StoreForeign`."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise _foreign(path)
    if version > len(MIGRATIONS):
        raise StoreForeign(
            f"{path} has schema version {version}, and this wf knows versions up to "
            f"{len(MIGRATIONS)}: upgrade wf; the file was left alone"
        )
    planted = connection.execute(_PLANTED).fetchone()
    if planted is not None:
        kind, name = planted
        raise StoreForeign(
            f"{path} has the {kind} {name!r}, which no wf made: it would run whenever wf reads or "
            f"writes. Drop it with `sqlite3 {path}` if you know what it is for; the file was left "
            "alone"
        )
    return int(version)


def _foreign(path: Path) -> StoreForeign:
    return StoreForeign(
        f"{path} is a database of another program, and was left alone; choose another place "
        "with `--store sqlite:PATH`"
    )


def _connect(path: Path, opened: list[sqlite3.Connection]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    opened.append(connection)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Switch to WAL and bring the schema up to date, in one transaction."""
    connection.execute(f"PRAGMA journal_size_limit = {LOG_KEPT}")
    _use_wal(connection, path)
    if _check(connection, path) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Looked at again: another process may have migrated while we waited for the lock.
        for number in range(_check(connection, path), len(MIGRATIONS)):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Write-ahead logging: readers never wait for the writer."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            # Two processes that make the file at once: SQLite does not wait here by itself.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise StoreUnavailable(
                f"{path} is on a file system that can't share memory between processes: put the "
                "store on a local disk with `--store sqlite:PATH`"
            )
        return
