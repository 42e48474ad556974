"""Ctrl-C, SIGTERM and a terminal that goes: once stops cleanly, twice ends at once."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from wf_core.cli.exits import ExitCode

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):  # noqa: N818
    """The person at the terminal, or the system, wants the process to end."""


class Interrupts:
    """Counts the signals of one loop. `in_order` leaves the terminal in order before the end.

    `first` is the signal that came first.
    """

    def __init__(self, in_order: Callable[[], None]) -> None:
        self.first: signal.Signals | None = None
        self._in_order = in_order
        self._asked = asyncio.Event()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """While this lasts the signals are ours."""
        loop = asyncio.get_running_loop()
        # What the caller has this process ignore (`nohup`) stays ignored.
        heeded = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
        for each in heeded:
            loop.add_signal_handler(each, self._signalled, each)
        try:
            yield
        finally:
            for each in heeded:
                loop.remove_signal_handler(each)

    async def guard(self, work: Awaitable[T]) -> T:
        """What `work` gives. Raises Interrupted as soon as a signal came."""
        task = asyncio.ensure_future(work)
        asked = asyncio.ensure_future(self._asked.wait())
        try:
            await asyncio.wait((task, asked), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Interrupted
            return task.result()
        finally:
            for each in (task, asked):
                each.cancel()
            await asyncio.gather(task, asked, return_exceptions=True)

    def _signalled(self, which: signal.Signals) -> None:
        if not self._asked.is_set():
            self.first = which
            self._asked.set()
            with contextlib.suppress(OSError):  # the terminal may be gone
                click.echo("wf: stopping; once more ends at once", err=True)
            return
        self._in_order()
        # Threads of hooks may never end; what was saved is on disk whatever happens here.
        os._exit(ExitCode.INTERRUPTED)
