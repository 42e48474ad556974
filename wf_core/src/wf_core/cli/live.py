"""Showing work while it goes on: a live tree on a terminal, one line a transition elsewhere."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import click

from wf_core.adapters.hook_output import streams_captured
from wf_core.cli.text import clock, one_line
from wf_core.model.spec import Key
from wf_core.model.state import Stored, Transition

if TYPE_CHECKING:
    from rich.live import Live

FRAME = 0.1  # seconds between two pictures
SHARE = 10  # a picture may take one part in so many of the time


class View(Protocol):
    """Shows workflows between `async with` and its end."""

    async def __aenter__(self) -> "View": ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def saw(self, key: Key, transitions: Sequence[Transition]) -> None:
        """Something was saved."""

    def close(self) -> None:
        """Leave the terminal in order, at once; may be called more than once."""


def line(transition: Transition, key: Key, *, several: bool) -> str:
    """`12:01:03 step1 Pending -> Running`; the workflow's name stands before where several run."""
    if transition.step is None:
        what = f"workflow {key}"
    else:
        what = f"{key}/{transition.step}" if several else transition.step
    tries = f" attempt {transition.attempt}" if transition.attempt > 1 else ""
    said = [transition.reason, f"by {transition.by}" if transition.by else ""]
    why = f" ({one_line(', '.join(filter(None, said)))})" if any(said) else ""
    return f"{clock(transition.at)} {what} {transition.before} -> {transition.after}{tries}{why}"


class Lines:
    """One line a transition. Output that can't be written holds up no workflow: it is raised at the
    end, as the OSError that it was."""

    def __init__(self, *, several: bool) -> None:
        self._several = several
        self._lost: OSError | None = None

    async def __aenter__(self) -> "Lines":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lost is not None and error is None:
            raise self._lost

    def saw(self, key: Key, transitions: Sequence[Transition]) -> None:
        """Print them."""
        if self._lost is not None:
            return
        try:
            for transition in transitions:
                click.echo(line(transition, key, several=self._several))
        except OSError as error:
            self._lost = error

    def close(self) -> None:
        """Nothing to put in order."""


class Silent(Lines):
    """Nothing: the answer is printed at the end."""

    def saw(self, key: Key, transitions: Sequence[Transition]) -> None:
        """Say nothing."""


class LiveTree:
    """A tree that moves. `snapshots` gives what to draw, `now` the time."""

    def __init__(self, snapshots: Callable[[], Sequence[Stored]], now: Callable[[], float]) -> None:
        self._snapshots = snapshots
        self._now = now
        self._live: Live | None = None
        self._streams = contextlib.ExitStack()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LiveTree":
        from rich.live import Live

        self._live = Live(auto_refresh=False, vertical_overflow="crop")
        self._live.start()
        # It took the streams for itself: hooks are heard before it.
        self._streams.enter_context(streams_captured())
        self._task = asyncio.get_running_loop().create_task(self._draw_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._draw()
        self.close()

    def saw(self, key: Key, transitions: Sequence[Transition]) -> None:
        """The next picture shows it."""

    def close(self) -> None:
        """Give the terminal back; the last picture stays."""
        if self._live is not None:
            self._streams.close()
            self._live.stop()
            self._live = None

    async def _draw_on(self) -> None:
        while True:
            began = self._now()
            self._draw()
            # A graph of thousands of steps must not spend its time on being looked at.
            await asyncio.sleep(max(FRAME, SHARE * (self._now() - began)))

    def _draw(self) -> None:
        from wf_core.cli.tree import render_all

        if self._live is None:
            return
        lines = max(4, self._live.console.height - 2)
        self._live.update(render_all(self._snapshots(), self._now(), lines), refresh=True)


def choose(
    snapshots: Callable[[], Sequence[Stored]], now: Callable[[], float], *, several: bool
) -> View:
    """The tree where stdout is a terminal that can draw one, lines elsewhere."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return LiveTree(snapshots, now)
    return Lines(several=several)
