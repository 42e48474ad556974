"""Starting lives of the engine one after the other, and looking at what they leave in the store."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import attrs
import msgspec

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.chaos.orders import Mark, Orders, marks_in
from wf_core.model.requests import Request
from wf_core.model.spec import Key
from wf_core.model.state import Stored, Transition

T = TypeVar("T")
ORDERED = (-signal.SIGKILL, -signal.SIGALRM)
AT_THE_END = 15.0
"""Seconds that a life gets to stop its hooks before it is killed."""

KEPT_WORDS = 4_000
"""Characters of what a failed life said that a report keeps, from their end."""


class LifeFailed(Exception):  # noqa: N818
    """A life ended in a way that nobody ordered; str() says how."""


@attrs.frozen
class Place:
    """The folder of one run: its store, the trace and the words of its lives."""

    folder: Path

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.folder / "wf.db"

    @property
    def trace(self) -> Path:
        """Where lives write their marks."""
        return self.folder / "trace"

    def marks(self) -> tuple[Mark, ...]:
        """Every mark so far."""
        return marks_in(self.trace)

    def crossed(self) -> int:
        """How many boundaries were crossed so far."""
        return sum(mark.n > 0 for mark in self.marks())

    def live(self, orders: Orders, nursery: "Nursery", patience: float | None) -> bool:
        """Let one life pass; whether it came to rest rather than being killed as ordered.

        Raises LifeFailed for any other end, also where it takes more than `patience` seconds.
        """
        path = self.folder / f"orders-{orders.life}"
        path.write_bytes(msgspec.json.encode(orders))
        words = self.folder / f"words-{orders.life}"
        code = nursery.life(path, words, patience)
        if code in ORDERED and orders.kill_at:
            return False
        if code == 0:
            return True
        text = words.read_text(errors="replace").strip()
        raise LifeFailed(f"the engine ended by itself with code {code}: {text[-KEPT_WORDS:]}")

    def stored(self, key: Key) -> Stored:
        """What is saved of the workflow. Raises WorkflowNotFound."""
        return self._in_store(lambda store: store.load(key))

    def history(self, key: Key) -> tuple[Transition, ...]:
        """Every transition that is saved."""
        return self._in_store(lambda store: store.history(key))

    def ask(self, key: Key, request: Request, now: float) -> None:
        """Ask something of the workflow, for the next life to find."""
        self._in_store(lambda store: store.request(key, request, now))

    def _in_store(self, question: Callable[[SqliteStore], Awaitable[T]]) -> T:
        async def put() -> T:
            store = SqliteStore.open(self.store)
            try:
                return await question(store)
            finally:
                await store.close()

        return asyncio.run(put())


class Nursery:
    """The process that lives are forked from (`wf_core.chaos.nursery`). Leaving it, also by an
    interrupt, makes a life that goes on stop its hooks and end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            # -P: what lies in the author's folder must not stand in for a module of ours.
            [sys.executable, "-P", "-m", "wf_core.chaos.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._life: int | None = None

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def life(self, orders: Path, words: Path, patience: float | None) -> int:
        """The exit code of one life (negative: the signal that ended it). Raises LifeFailed where
        it takes more than `patience` seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([str(orders), str(words)]).encode() + b"\n")
        self._process.stdin.flush()
        self._life = self._answer()
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], patience)
        if not ready:
            self.close()
            raise LifeFailed(f"it did not come to an end in {patience:.0f} s")
        code = self._answer()
        self._life = None
        return code

    def close(self) -> None:
        """End what goes on: first its standard input is closed, later it is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(AT_THE_END)
        except BaseException as error:
            if self._life is not None:
                with suppress(ProcessLookupError):
                    os.kill(self._life, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
        finally:
            self._process.stdout.close()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LifeFailed("the process that lives are forked from ended by itself")
        return int(line)
