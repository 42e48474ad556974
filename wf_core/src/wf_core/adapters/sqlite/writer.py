"""One thread that writes. What is asked while a commit runs shares the next one (group commit).

Where a single workflow saves on a fast disk, waking that thread and being woken by it costs as much
as the commit. Then the loop's own thread commits: nobody is there to share the commit with.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import attrs

from wf_core.adapters.sqlite.failures import BUSY_SECONDS, translate
from wf_core.errors import StoreUnavailable

T = TypeVar("T")
SHORT = 0.002
"""Seconds. Where commits take longer, the loop does not wait for one."""

LINGER = 0.2  # seconds that what may wait does wait for a commit to ride with
MAX_BATCH = 1_000
_NEXT = (
    "SELECT 1 + max((SELECT coalesce(max(changed), 0) FROM workflows), "
    "(SELECT coalesce(max(position), 0) FROM gone))"
)
logger = logging.getLogger("wf.store")


class Transaction:
    """What an operation works with: the connection, inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany
        self._next: int | None = None

    def position(self) -> int:
        """The next position of the store's sequence of changes, the same for all processes."""
        if self._next is None:
            (self._next,) = self.execute(_NEXT).fetchone()
        position = self._next
        self._next += 1
        return position


Operation = Callable[[Transaction], T]


@attrs.define(eq=False)
class _Job:
    """An operation and whoever waits for it: nobody, where it only rides along."""

    operation: Operation[Any]
    future: asyncio.Future[Any] | None = None
    loop: asyncio.AbstractEventLoop | None = None
    value: Any = None
    error: BaseException | None = None
    cause: sqlite3.Error | None = None  # what kept its transaction from beginning

    def settle(self) -> None:
        """Answer whoever waits; on the loop's thread."""
        if self.future is None or self.future.done():
            return  # done: whoever waited was cancelled
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


class _Broken(Exception):  # noqa: N818  (never leaves this module)
    """The whole transaction is gone; the operations may be tried one by one."""


class Writer:
    """Runs operations on `connection`; `committed` is called on a loop's thread after its commits.

    An operation that raises takes back only what it did itself. It may run a second time when a
    shared transaction failed, so it keeps nothing outside the database.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, committed: Callable[[], None]
    ) -> None:
        self.commits = 0
        self.connection = connection
        self._path = path
        self._committed = committed
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._handed = 0  # jobs that the thread has and has not finished
        self._using = threading.Lock()  # the connection; only the thread may wait for it
        self._patient = True  # whether the connection waits for another process's lock
        self._took = float("inf")  # seconds of the last transaction
        self._riders: list[_Job] = []  # the thread's own
        self._complained = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def run(self, operation: Operation[T]) -> asyncio.Future[T]:
        """Do `operation` in the next transaction; the future is answered once that is on disk."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Job(operation, future, loop))
        return future

    def run_now(self, operation: Operation[T]) -> asyncio.Future[T]:
        """As `run`, for an operation that comes alone: done here and now, if that is quick.

        Nothing is queued, the last transaction was short and nobody else has the file's lock; else
        the thread does it.
        """
        if self._took > SHORT or self._closed or not self._using.acquire(blocking=False):
            return self.run(operation)
        loop = asyncio.get_running_loop()
        job = _Job(operation, loop.create_future(), loop)
        try:
            busy = bool(self._handed) or not self._at_once(job)
        finally:
            self._using.release()
        if busy:
            self._put(job)
        else:
            job.settle()
        return job.future  # type: ignore[return-value]

    def _at_once(self, job: _Job) -> bool:
        """Try a transaction without waiting for any lock; False where another process has it."""
        self._wait_for_locks(False)
        self._transact([job])
        busy = isinstance(job.cause, sqlite3.OperationalError) and (
            job.cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        )
        return not busy

    def _wait_for_locks(self, patient: bool) -> None:
        if patient is not self._patient:
            self._patient = patient
            milliseconds = int(BUSY_SECONDS * 1000) if patient else 0
            self.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def ride(self, operation: Operation[None]) -> None:
        """Do `operation` with the next transaction, or after `LINGER`; kept until it succeeds."""
        self._put(_Job(operation))

    def stop(self) -> BaseException | None:
        """End the thread after what is queued, and close the connection. Waits for that.

        Gives the error that kept what rode along from being written, if any.
        """
        if self._closed:
            return None
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        self.connection.close()
        return next((rider.error for rider in self._riders), None)

    def _put(self, job: _Job) -> None:
        if self._closed:
            raise StoreUnavailable(f"the store {self._path} is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="wf-store", daemon=True)
            self._thread.start()
        with self._counting:
            self._handed += 1
        self._jobs.put(job)

    def _work(self) -> None:
        ending = False
        while not ending:
            batch, ending = self._take()
            if batch or self._riders:
                waited = len(batch) + len(self._riders)
                with self._using:
                    self._wait_for_locks(True)
                    self._perform(batch)
                with self._counting:
                    self._handed -= waited - len(self._riders)
                self._tell(batch)

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for work, then take all there is. True once the thread is to end."""
        batch: list[_Job] = []
        try:
            while len(batch) < MAX_BATCH:
                if batch:
                    job = self._jobs.get_nowait()
                else:
                    job = self._jobs.get(timeout=LINGER if self._riders else None)
                if job is None:
                    return batch, True
                (self._riders if job.future is None else batch).append(job)
        except queue.Empty:
            pass  # all there is for now
        return batch, False

    def _perform(self, batch: list[_Job]) -> None:
        """Do all of it in one transaction or, where that fails as a whole, each by itself."""
        jobs = [*self._riders, *batch]
        try:
            self._transact(jobs)
        except _Broken:
            for job in jobs:
                self._transact([job])
        self._riders = [job for job in jobs if job.future is None and job.error is not None]
        if self._riders and not self._complained:
            logger.error("output of hooks waits to be written: %s", self._riders[0].error)
        self._complained = bool(self._riders)

    def _transact(self, jobs: Sequence[_Job]) -> None:
        """One transaction. Raises `_Broken` where it failed as a whole but parts may succeed."""
        connection = self.connection
        for job in jobs:
            job.value = job.error = job.cause = None  # of an earlier try
        began = perf_counter()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            for job in jobs:  # each by itself would wait as long again
                job.error, job.cause = translate(error, self._path), error
            return
        transaction = Transaction(connection)
        try:
            if len(jobs) == 1:
                jobs[0].value = jobs[0].operation(transaction)
            else:
                for job in jobs:
                    self._nest(transaction, job)
            connection.execute("COMMIT")
        except Exception as error:
            # Also on a failed commit: SQLite may have kept the transaction open.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(jobs) > 1:
                raise _Broken from error
            jobs[0].error = self._named(error)
        else:
            self.commits += 1
            self._took = perf_counter() - began

    def _nest(self, transaction: Transaction, job: _Job) -> None:
        """Run one of several operations so that its failure leaves the others alone."""
        transaction.execute("SAVEPOINT operation")
        try:
            job.value = job.operation(transaction)
        except Exception as error:
            if not self.connection.in_transaction:
                raise  # SQLite took everything back: a full disk, say
            transaction.execute("ROLLBACK TO operation")
            job.error = self._named(error)
        transaction.execute("RELEASE operation")

    def _named(self, error: Exception) -> Exception:
        return translate(error, self._path) if isinstance(error, sqlite3.Error) else error

    def _tell(self, batch: Sequence[_Job]) -> None:
        """Wake each loop once."""
        loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in batch:
            if job.loop is not None:
                loops.setdefault(job.loop, []).append(job)
        for loop, jobs in loops.items():
            try:
                loop.call_soon_threadsafe(self._answer, jobs)
            except RuntimeError:
                # The loop was closed while we wrote: nobody is left to be told.
                logger.debug("%d operations outlived their event loop", len(jobs))

    def _answer(self, jobs: Sequence[_Job]) -> None:
        for job in jobs:
            job.settle()
        self._committed()
