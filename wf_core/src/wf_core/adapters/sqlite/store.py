"""The store: port methods onto the writer's thread, the reader's thread and the lock files."""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from wf_core.adapters import store_rules as rules
from wf_core.adapters.account import account
from wf_core.adapters.sqlite import reading, schema, space, writing
from wf_core.adapters.sqlite.failures import from_os, translate
from wf_core.adapters.sqlite.follower import Follower
from wf_core.adapters.sqlite.ownership import Ownership
from wf_core.adapters.sqlite.records import encode, encoded
from wf_core.adapters.sqlite.schedules import SqliteSchedules
from wf_core.adapters.sqlite.writer import Writer
from wf_core.errors import AuthorError, StoreServed, StoreUnavailable, WfError
from wf_core.model.phases import Phase
from wf_core.model.requests import Asked, Request
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, LogLine, Owner, Stored, Transition
from wf_core.ports import Changes, Page, Saved, Seen

T = TypeVar("T")
logger = logging.getLogger("wf.store")
TOGETHER = 0.002
"""Seconds. Workflows that save within this time of each other share commits."""


class SqliteStore:
    """`ports.Store` in one SQLite file (WAL, synchronous FULL). Made by `open`."""

    linger = 0.005
    keeps_folders = True
    owns = True  # the lock on its file lasts as long as the process

    def __init__(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.path = path
        self.ownership = Ownership(path)
        self.writer = Writer(writer, path, self._wake)
        self._connection = reader
        self._reading = threading.Lock()  # who uses that connection
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="wf-store-read")
        self._followers: list[Follower] = []
        self._claimed: dict[Key, None] = {}
        self._company = Company()
        self._places: writing.Places = {}
        self._closed = False
        self.schedules = SqliteSchedules(self.writer, path, self._read, lambda: self._closed)

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> "SqliteStore":
        """Open the file at `path` (absolute), made where it is missing and `create` says so. One
        that this account may not write is read.

        Raises `StoreForeign` for a file that is not ours or newer, `StoreMissing` where there is
        none, `StoreUnavailable` otherwise.
        """
        return cls(path, *schema.open_pair(path, create))

    @property
    def commits(self) -> int:
        """How many transactions were committed so far."""
        return self.writer.commits

    async def create(self, workflow: Workflow, now: float, folder: Folder | None = None) -> Stored:
        """As `ports.Store.create`. Raises `AuthorError` for a value that JSON can't hold."""
        workflow = rules.first_workflow(workflow)
        await self.writer.run(writing.creation(workflow, now, folder))
        return await self.load(rules.key_of(workflow))

    def misfit(self, workflow: Workflow) -> str | None:  # noqa: ARG002
        """As `ports.Store.misfit`: nothing is too large here that the engine takes."""
        return None

    async def load(self, key: Key) -> Stored:
        """As `ports.Store.load`; `StoreForeign` where a newer engine saved it (semantics C10)."""
        small: Stored | None = await self._read_now(partial(reading.load_small, key))
        return await self._read(partial(reading.load, key)) if small is None else small

    async def list(
        self,
        *,
        phases: Sequence[Phase] | None = None,
        queue: str | None = None,
        limit: int = 500,
        after: str | None = None,
    ) -> Page:
        """As `ports.Store.list`."""
        return await self._read(partial(reading.list_page, phases, queue, limit, after))

    async def claim(self, key: Key) -> Owner:
        """As `ports.Store.claim`: takes our lock file, so that a save may name it."""
        stored = await self._read_now(partial(reading.owner_of, key))
        try:
            if stored.id and stored.id != self.ownership.id:
                by = self.ownership.live(stored.id)
                if by is not None:
                    raise rules.owned(key, by)
            self.ownership.hold()
        except OSError as error:
            raise from_os(error, self.path) from error
        self._claimed[key] = None
        return Owner(self.ownership.id, stored.epoch + 1)

    async def release(self, key: Key) -> None:
        """As `ports.Store.release`."""
        await self.writer.run(partial(writing.release, key, self.ownership.id))
        self._let_go(key)

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As `ports.Store.save`."""
        try:
            data = encoded(changes)
        except (TypeError, ValueError, OverflowError) as error:
            logger.error("a save of workflow '%s' can't be encoded: %s", key, error)
            return Saved.INVALID
        operation = partial(writing.save, key, changes, data, self._places)
        alone = self._company.alone(key, asyncio.get_running_loop().time())
        return await (self.writer.run_now if alone else self.writer.run)(operation)

    async def served_by(self) -> str | None:
        """As `ports.Store.served_by`."""
        try:
            return self.ownership.served_by()
        except OSError as error:
            raise from_os(error, self.path) from error

    async def admit_alone(self) -> None:
        """As `ports.Store.admit_alone`, by a lock on a file beside the database."""
        try:
            other = self.ownership.serve()
        except OSError as error:
            raise from_os(error, self.path) from error
        if other is not None:
            raise StoreServed(
                f"the store '{self.path}' is already served, by {other}: two would not keep to one "
                "another's limits. Use the one that runs (`wf submit` gives it work), or stop it "
                "first"
            )

    async def whoami(self) -> str:
        """As `ports.Store.whoami`: the machine's account."""
        return account()

    async def request(self, key: Key, request: Request, now: float) -> int:
        """As `ports.Store.request`."""
        try:
            body = encode(rules.signed(request, account()))
        except (TypeError, ValueError, OverflowError) as error:
            raise AuthorError(f"the request for '{key}' can't be stored: {error}") from error
        return await self.writer.run(partial(writing.request, key, body, now))

    async def asked(self, key: Key) -> tuple[Asked, ...]:
        """As `ports.Store.asked`."""
        return await self._read(partial(reading.asked, key))

    async def uid(self, key: Key) -> str:
        """As `ports.Store.uid`."""
        return await self._read(partial(reading.uid_of, key))

    async def history(self, key: Key) -> tuple[Transition, ...]:
        """As `ports.Store.history`."""
        return await self._read(partial(reading.history, key))

    async def log(self, key: Key, lines: Sequence[LogLine]) -> None:
        """As `ports.Store.log`: returns at once. Lines of a workflow that is gone go with it."""
        self.writer.ride(writing.log(key, [(line.step, encode(line)) for line in lines]))

    async def logs(self, key: Key, step: str | None = None) -> tuple[LogLine, ...]:
        """As `ports.Store.logs`."""
        await self.writer.run(_nothing)  # takes along what rides
        return await self._read(partial(reading.logs, key, step))

    async def position(self) -> int:
        """As `ports.Store.position`."""
        return await self._read(reading.last_position)

    def watch(self, since: int | None = None) -> Follower:
        """As `ports.Store.watch`, in the order of positions. Needs a running event loop."""
        start: asyncio.Future[int]
        if since is None:
            start = self._read(reading.last_position)
        else:
            start = asyncio.get_running_loop().create_future()
            start.set_result(since)
        follower = Follower(self._look, start, self._forget)
        self._followers.append(follower)
        return follower

    async def delete(self, key: Key, now: float) -> None:
        """As `ports.Store.delete`."""
        await self.writer.run(partial(writing.delete, key, now))

    async def remove(self, key: Key) -> None:
        """As `ports.Store.remove`. Raises `WorkflowNotFound` where there is none."""
        uid = await self.writer.run(partial(writing.remove, key, self.ownership))
        self._let_go(key)
        await self._give_back(uid)

    async def expire(self, stored: Stored) -> bool:
        """As `ports.Store.expire`."""
        key, uid = rules.key_of(stored.workflow), stored.workflow.metadata.uid
        revision = stored.head.revision
        gone = await self.writer.run(partial(writing.expire, key, uid, revision, self.ownership))
        if gone:
            self._let_go(key)
            await self._give_back(uid)
        return gone

    async def _give_back(self, uid: str) -> None:
        """Free the disk of a workflow that is gone."""
        await asyncio.to_thread(space.remove_steps, self.path, uid)
        if await self._read(space.is_worthwhile):
            await asyncio.to_thread(space.give_back, self.path)

    async def close(self) -> None:
        """As `ports.Store.close`. Raises `StoreUnavailable` where output of hooks is lost."""
        if self._closed:
            return
        self._closed = True
        self.schedules.wake()
        for follower in tuple(self._followers):
            await follower.aclose()
        try:
            await asyncio.gather(*(self.release(key) for key in tuple(self._claimed)))
        finally:
            problem = self.halt()
        if problem is not None:
            raise problem

    def halt(self) -> BaseException | None:
        """Stop the threads, close the file and drop the lock; claims stay written, and are void.

        Gives the error that kept output of hooks from being written.
        """
        self._closed = True
        self._reader.shutdown(wait=True)
        self._connection.close()
        problem = self.writer.stop()
        self.ownership.drop()
        return problem

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Run `read` on the reader's thread, in a transaction of its own."""
        if self._closed:
            raise StoreUnavailable(f"the store {self.path} is closed")
        return asyncio.get_running_loop().run_in_executor(self._reader, self._snapshot, read)

    def _read_now(self, read: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """As `_read`, for what takes less time than waking a thread: here, if nobody else reads."""
        if self._closed or not self._reading.acquire(blocking=False):
            return self._read(read)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            future.set_result(self._translated(read))
        except WfError as error:
            future.set_exception(error)
        finally:
            self._reading.release()
        return future

    def _snapshot(self, read: Callable[[sqlite3.Connection], T]) -> T:
        with self._reading:
            return self._translated(read)

    def _translated(self, read: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return reading.snapshot(self._connection, read)
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    async def _look(self, position: int) -> Sequence[Seen]:
        return await self._read(partial(reading.seen_after, position))

    def _let_go(self, key: Key) -> None:
        self._claimed.pop(key, None)
        self._places.pop(key, None)

    def _wake(self) -> None:
        for follower in self._followers:
            follower.wake()
        self.schedules.wake()

    def _forget(self, follower: Follower) -> None:
        with contextlib.suppress(ValueError):  # forgotten before
            self._followers.remove(follower)


class Company:
    """Whether several workflows save at this time: only then is there a commit to share."""

    def __init__(self) -> None:
        self._key: Key | None = None
        self._at = self._other_at = float("-inf")

    def alone(self, key: Key, now: float) -> bool:
        """Note a save at `now` (seconds), and say whether no other workflow saved just before."""
        if key != self._key:
            self._key, self._other_at = key, self._at
        self._at = now
        return now - self._other_at > TOGETHER


def _nothing(transaction: object) -> None:
    """An operation that only brings a commit about."""
