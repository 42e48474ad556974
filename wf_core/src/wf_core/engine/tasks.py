"""Short tasks that nobody awaits: kept from the garbage collector, their faults logged."""

import asyncio
import logging
from collections.abc import Coroutine

log = logging.getLogger("wf.engine")


class Tasks:
    """Starts them, and waits for their end."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], None] = {}

    def spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        """Run a coroutine beside everything else."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    async def ended(self) -> None:
        """Return once none is left."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("a fault of the engine", exc_info=task.exception())
