"""Those who wait for a workflow to rest."""

import asyncio
from collections.abc import Iterable

from wf_core.engine.runner import Runner
from wf_core.model.spec import Key


class Waiting:
    """Futures by workflow; each is woken with the runner that rests or was let go."""

    def __init__(self) -> None:
        self._waiters: dict[Key, list[asyncio.Future[Runner | None]]] = {}

    async def next(self, key: Key) -> Runner | None:
        """Wait until a workflow rests or is let go; None when the engine stops."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Runner | None] = loop.create_future()
        self._waiters.setdefault(key, []).append(future)
        return await future

    def wake(self, runner: Runner) -> None:
        """The runner rests, or drives its workflow no more."""
        self._wake([runner.key], runner)

    def end(self) -> None:
        """Nobody is to wait any longer."""
        self._wake(list(self._waiters), None)

    def _wake(self, keys: Iterable[Key], runner: Runner | None) -> None:
        for key in keys:
            for future in self._waiters.pop(key, []):
                if not future.done():
                    future.set_result(runner)
