"""Output of a workflow's hooks on its way to the store."""

import asyncio
import logging

from wf_core.errors import StoreUnavailable
from wf_core.model.spec import Key
from wf_core.model.state import LogLine
from wf_core.ports import Store

log = logging.getLogger("wf.engine")

LINGER = 0.2
"""Seconds after which output goes by itself, where no save takes it along."""


class HookOutput:
    """Keeps lines until the next save takes them along, or a moment has passed."""

    def __init__(self, store: Store, key: Key) -> None:
        self._store = store
        self._key = key
        self._lines: list[LogLine] = []
        self._linger: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._given_up = False

    def add(self, line: LogLine) -> None:
        """Keep a line."""
        self._lines.append(line)
        if self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER, self._go_alone)

    async def write(self) -> None:
        """Write what is kept. Raises what the store raises."""
        lines, self._lines = self._lines, []
        if lines:
            await self._store.log(self._key, lines)

    async def settle(self, *, write: bool) -> None:
        """Wait for what is being written; `write`: and write what is left."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))
        if write:
            await self._write_alone()

    def close(self) -> None:
        """Nothing goes by itself any more."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def give_up(self) -> None:
        """Write nothing more by itself: the workflow is somebody else's by now."""
        self._given_up = True

    def _go_alone(self) -> None:
        self._linger = None
        if self._lines and not self._given_up:
            self._writing = asyncio.get_running_loop().create_task(self._write_alone())

    async def _write_alone(self) -> None:
        try:
            await self.write()
        except StoreUnavailable as error:
            log.warning("%s: output of hooks was lost: %s", self._key, error)
