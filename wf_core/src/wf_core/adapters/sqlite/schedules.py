"""The schedules of the file: a row each, in which document and status are written apart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from wf_core.adapters import schedule_rules as rules
from wf_core.adapters.sqlite import writing
from wf_core.adapters.sqlite.records import decoder, encode
from wf_core.adapters.sqlite.writer import Operation, Transaction, Writer
from wf_core.errors import AuthorError, StoreUnavailable
from wf_core.model.schedule import CronStatus, CronWorkflow, StoredSchedule
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder
from wf_core.schedules.runs import key_of

T = TypeVar("T")
POLL = 0.5
"""Seconds until another process's change is seen."""

_schedule_of = decoder(CronWorkflow)
_status_of = decoder(CronStatus)
_folder_of = decoder(Folder)
_COLUMNS = "namespace, name, schedule, status, created_at, folder"
_NEXT = "(SELECT coalesce(max(changed), 0) + 1 FROM schedules)"


class _Execute(Protocol):
    """What reads: a connection, or a transaction."""

    @property
    def execute(self) -> Callable[..., sqlite3.Cursor]: ...


class _Read(Protocol):
    """The store's reader: runs what it is given in a transaction of its own."""

    def __call__(self, read: Callable[[sqlite3.Connection], T], /) -> asyncio.Future[T]: ...


class SqliteSchedules:
    """`ports.Schedules` beside the workflows of one SQLite file."""

    runs_go_along = False

    def __init__(self, writer: Writer, path: Path, read: _Read, closed: Callable[[], bool]) -> None:
        self._writer = writer
        self._path = path
        self._read = read
        self._closed = closed
        self._waiting: list[asyncio.Event] = []

    async def create(
        self, schedule: CronWorkflow, now: float, folder: Folder | None = None
    ) -> StoredSchedule:
        """As `ports.Schedules.create`. Raises `AuthorError` for a value that JSON can't hold."""
        key = key_of(schedule)
        schedule = rules.first_schedule(schedule) if not schedule.metadata.uid else schedule
        _body(schedule)
        return await self._writer.run(partial(self._create, key, schedule, now, folder))

    async def replace(
        self, schedule: CronWorkflow, now: float, folder: Folder | None = None
    ) -> StoredSchedule:
        """As `ports.Schedules.replace`."""
        _body(schedule)
        key = key_of(schedule)
        return await self._writer.run(partial(self._replace, key, schedule, now, folder))

    async def load(self, key: Key) -> StoredSchedule:
        """As `ports.Schedules.load`."""
        return await self._read(partial(self._load, key))

    async def list(self) -> Sequence[StoredSchedule]:
        """As `ports.Schedules.list`."""
        return await self._read(self._list)

    async def suspend(self, key: Key, suspended: bool) -> None:
        """As `ports.Schedules.suspend`."""
        await self._writer.run(partial(self._suspend, key, suspended))

    async def save(self, key: Key, uid: str, status: CronStatus) -> bool:
        """As `ports.Schedules.save`."""
        return await self._writer.run(partial(_save, key, uid, status, encode(status)))

    async def start(
        self,
        key: Key,
        uid: str,
        status: CronStatus,
        run: Workflow,
        now: float,
        folder: Folder | None = None,
    ) -> bool:
        """As `ports.Schedules.start`: in one transaction."""
        creation = writing.creation(run, now, folder)
        return await self._writer.run(partial(_start, key, uid, status, encode(status), creation))

    def watch(self) -> AsyncIterator[Key]:
        """As `ports.Schedules.watch`."""
        return self._watch()

    async def remove(self, key: Key, *, keep_runs: bool = False) -> StoredSchedule:  # noqa: ARG002
        """As `ports.Schedules.remove`."""
        return await self._writer.run(partial(self._remove, key))

    def wake(self) -> None:
        """Let whoever watches look again: something was written, or the store closes."""
        for woken in self._waiting:
            woken.set()

    async def _watch(self) -> AsyncIterator[Key]:
        woken = asyncio.Event()
        self._waiting.append(woken)

        def next_change() -> "asyncio.Task[None]":
            woken.clear()
            return asyncio.get_running_loop().create_task(_within(POLL, woken))

        try:
            async for key in rules.changes(self._versions, next_change):
                yield key
        finally:
            self._waiting.remove(woken)

    async def _versions(self) -> Mapping[Key, object] | None:
        return None if self._closed() else await self._read(_versions)

    def _create(
        self,
        key: Key,
        schedule: CronWorkflow,
        now: float,
        folder: Folder | None,
        transaction: Transaction,
    ) -> StoredSchedule:
        stored = self._found(key, transaction)
        if stored is not None:
            if stored.schedule.spec != schedule.spec:
                raise rules.exists(key)
            return stored
        fresh = StoredSchedule(schedule, CronStatus(), now, folder)
        transaction.execute(
            "INSERT INTO schedules "
            "(namespace, name, uid, created_at, revision, changed, schedule, status, folder) "
            f"VALUES (?, ?, ?, ?, 0, {_NEXT}, ?, ?, ?)",
            (
                key.namespace,
                key.name,
                schedule.metadata.uid,
                now,
                encode(schedule),
                encode(fresh.status),
                _folder_bytes(folder),
            ),
        )
        return fresh

    def _replace(
        self,
        key: Key,
        schedule: CronWorkflow,
        now: float,
        folder: Folder | None,
        transaction: Transaction,
    ) -> StoredSchedule:
        stored = self._found(key, transaction)
        if stored is None:
            schedule = rules.first_schedule(schedule)
            return self._create(key, schedule, now, folder, transaction)
        transaction.execute(
            "UPDATE schedules SET folder = ? WHERE namespace = ? AND name = ?",
            (_folder_bytes(folder), key.namespace, key.name),
        )
        return self._put(key, rules.with_uid(schedule, stored.schedule.metadata.uid), transaction)

    def _suspend(self, key: Key, suspended: bool, transaction: Transaction) -> None:
        stored = self._load(key, transaction)
        self._put(key, rules.suspended(stored.schedule, suspended), transaction)

    def _put(self, key: Key, schedule: CronWorkflow, transaction: Transaction) -> StoredSchedule:
        transaction.execute(
            f"UPDATE schedules SET schedule = ?, changed = {_NEXT} "
            "WHERE namespace = ? AND name = ?",
            (encode(schedule), key.namespace, key.name),
        )
        return self._load(key, transaction)

    def _remove(self, key: Key, transaction: Transaction) -> StoredSchedule:
        stored = self._load(key, transaction)
        transaction.execute(
            "DELETE FROM schedules WHERE namespace = ? AND name = ?", (key.namespace, key.name)
        )
        return stored

    def _load(self, key: Key, connection: _Execute) -> StoredSchedule:
        found = self._found(key, connection)
        if found is None:
            raise rules.not_found(key)
        return found

    def _found(self, key: Key, connection: _Execute) -> StoredSchedule | None:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM schedules WHERE namespace = ? AND name = ?",
            (key.namespace, key.name),
        ).fetchone()
        return None if row is None else self._stored(*row)

    def _list(self, connection: sqlite3.Connection) -> Sequence[StoredSchedule]:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM schedules ORDER BY namespace, name")
        return [self._stored(*row) for row in rows]

    def _stored(
        self,
        namespace: str,
        name: str,
        schedule: bytes,
        status: bytes,
        created_at: float,
        folder: bytes | None,
    ) -> StoredSchedule:
        try:
            return StoredSchedule(
                _schedule_of(schedule),
                _status_of(status),
                created_at,
                None if folder is None else _folder_of(folder),
            )
        except ValueError as error:
            key = Key(namespace, name)
            raise StoreUnavailable(
                f"schedule '{key}' in {self._path} is damaged, or was written by a newer wf "
                f"({error}): upgrade wf, or restore the store from a backup"
            ) from error


def _body(schedule: CronWorkflow) -> bytes:
    try:
        return encode(schedule)
    except (TypeError, ValueError, OverflowError) as error:
        raise AuthorError(f"schedule '{key_of(schedule)}' can't be stored: {error}") from error


def _folder_bytes(folder: Folder | None) -> bytes | None:
    return None if folder is None else encode(folder)


def _save(key: Key, uid: str, status: CronStatus, body: bytes, transaction: Transaction) -> bool:
    saved = transaction.execute(
        f"UPDATE schedules SET status = ?, revision = ?, changed = {_NEXT} "
        "WHERE namespace = ? AND name = ? AND uid = ? AND revision = ?",
        (body, status.revision, key.namespace, key.name, uid, status.revision - 1),
    )
    return saved.rowcount == 1


def _start(
    key: Key,
    uid: str,
    status: CronStatus,
    body: bytes,
    creation: Operation[None],
    transaction: Transaction,
) -> bool:
    if not _save(key, uid, status, body, transaction):
        return False
    creation(transaction)
    return True


def _versions(connection: sqlite3.Connection) -> Mapping[Key, object]:
    rows: Any = connection.execute("SELECT namespace, name, uid, changed FROM schedules")
    return {Key(namespace, name): version for namespace, name, *version in rows}


async def _within(seconds: float, woken: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        pass
