"""The least that durability costs on this disk: what our saves write, written by bare SQLite.

The tables are shaped like the store's, without what makes it a store (columns to list by, second
indexes, checks of owner and revision).
"""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import attrs

from wf_core.adapters.sqlite.records import encoded
from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.hookspecs import hookimpl
from wf_core.model.spec import Key
from wf_core.ports import Changes, Saved

_TABLES = (
    "CREATE TABLE heads (key INTEGER PRIMARY KEY, head BLOB NOT NULL)",
    "CREATE TABLE steps (key INTEGER PRIMARY KEY, phase TEXT NOT NULL, state BLOB NOT NULL)",
    "CREATE TABLE history (key INTEGER PRIMARY KEY, transitions BLOB NOT NULL)",
)


@attrs.frozen
class Save:
    """What one save wrote."""

    head: bytes
    steps: tuple[tuple[int, str, bytes], ...]
    history: bytes | None


class Recording(SqliteStore):
    """The shipped store, writing down what its saves write."""

    saves: list[Save]

    async def save(self, key: Key, changes: Changes) -> Saved:
        """As the store does."""
        data = encoded(changes)
        self.saves.append(Save(data.head, data.steps, data.history))
        return await super().save(key, changes)


@attrs.frozen
class Recorder:
    """The plugin that opens `recording:PATH`."""

    saves: list[Save] = attrs.field(factory=list)

    @hookimpl
    def wf_open_store(self, url: str) -> Recording | None:
        """A store that records into `saves`."""
        scheme, _, path = url.partition(":")
        if scheme != "recording":
            return None
        store = Recording.open(Path(path))
        assert isinstance(store, Recording)
        store.saves = self.saves
        return store


class Bare:
    """A database of three tables, in WAL mode with synchronous FULL, on one connection."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        for table in _TABLES:
            self._connection.execute(table)
        self._workflows = 0
        self._histories = 0

    def commit_all(self, saves: list[Save]) -> float:
        """Write one workflow's saves, a commit each; the seconds that took."""
        self._workflows += 1
        number = self._workflows
        execute, executemany = self._connection.execute, self._connection.executemany
        execute("INSERT INTO heads (key, head) VALUES (?, ?)", (number, b""))
        start = perf_counter()
        for save in saves:
            execute("BEGIN IMMEDIATE")
            execute("UPDATE heads SET head = ? WHERE key = ?", (save.head, number))
            executemany(
                "INSERT OR REPLACE INTO steps (key, phase, state) VALUES (?, ?, ?)",
                [(number << 32 | index, phase, state) for index, phase, state in save.steps],
            )
            if save.history is not None:
                self._histories += 1
                execute(
                    "INSERT INTO history (key, transitions) VALUES (?, ?)",
                    (self._histories, save.history),
                )
            execute("COMMIT")
        return perf_counter() - start

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def empty_calls(pool: ThreadPoolExecutor, calls: int) -> float:
    """The seconds of so many empty calls through a pool, all asked for at once."""
    start = perf_counter()
    for future in [pool.submit(_nothing) for _ in range(calls)]:
        future.result()
    return perf_counter() - start


def _nothing() -> None:
    """An empty call."""
