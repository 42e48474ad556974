"""Writes Events in the background, one after the other."""

import asyncio
import logging
from collections import deque
from typing import Any

from wf_core.errors import StoreUnavailable
from wf_core.ports import Changes
from wf_k8s.store.known import Known
from wf_k8s.store.objects import Objects
from wf_k8s.store.warnings import warnings

log = logging.getLogger("wf.k8s")
WAITING = 100
"""Events that may wait to be written; older ones are dropped for newer."""
LAST = 2.0
"""Seconds that closing waits for them."""


class Warner:
    """Never holds up a save, and never fails one."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque(maxlen=WAITING)
        self._task: asyncio.Task[None] | None = None

    def tell(self, known: Known, changes: Changes, now: float) -> None:
        """Warn of what a save brought."""
        for event in warnings(known, changes, now):
            self.put(known.key.namespace, event)

    def put(self, namespace: str, event: dict[str, Any]) -> None:
        """Write an Event, in a while."""
        self._waiting.append((namespace, event))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                namespace, event = self._waiting.popleft()
                try:
                    await self._objects.warn(namespace, event)
                except StoreUnavailable as error:
                    log.info("an Event was not written: %s", error)
        finally:
            self._task = None

    async def close(self) -> None:
        """Let what waits be written, for a moment."""
        task = self._task
        if task is not None:
            await asyncio.wait((task,), timeout=LAST)
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
