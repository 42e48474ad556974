"""Starting lives of the engine one after the other, and looking at what they leave in the store."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
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

    def live(self, orders: Orders, patience: float | None) -> bool:
        """Let one life pass; whether it came to rest rather than being killed as ordered.

        Raises LifeFailed for any other end, also where it takes more than `patience` seconds. An
        interrupt makes the life stop its hooks and end before it goes on.
        """
        path = self.folder / f"orders-{orders.life}"
        path.write_bytes(msgspec.json.encode(orders))
        words = self.folder / f"words-{orders.life}"
        with words.open("wb") as said:
            process = subprocess.Popen(
                # -P: what lies in the author's folder must not stand in for a module of ours.
                [sys.executable, "-P", "-m", "wf_core.chaos.child", str(path)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            try:
                code = process.wait(patience)
            except subprocess.TimeoutExpired:
                _end(process)
                raise LifeFailed(f"it did not come to an end in {patience:.0f} s") from None
            finally:
                _end(process)
        if code in ORDERED and orders.kill_at:
            return False
        if code == 0:
            return True
        text = words.read_text(errors="replace").strip()
        raise LifeFailed(f"the engine ended by itself with code {code}: {text[-4000:]}")

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


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Have a life end, if it goes on: its standard input is closed, and later it is killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(AT_THE_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    except KeyboardInterrupt:
        process.kill()
        process.wait()
        raise
