"""One thread with a loop of its own, on which everything that speaks to the API server runs.

Hooks are called in threads of the engine's pool; the session and the watch outlive each call.
Nothing in here has to survive a crash.
"""

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from wf_core.errors import StoreUnavailable

T = TypeVar("T")
CLOSING = 5.0
"""Seconds that what is closed at the end may take."""


class Background:
    """Starts its thread at first use. `run` and `start` are for other threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._last: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._closed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives, or raises. Its waits are bounded by whoever wrote it."""
        return self.start(work).result()

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Have `work` done. Raises StoreUnavailable once this is closed."""
        loop = self._started()
        if loop is None:
            work.close()
            raise StoreUnavailable("this process is ending: pods are no longer looked at")
        return asyncio.run_coroutine_threadsafe(work, loop)

    def at_end(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have `work` done before the loop ends."""
        self._last.append(work)

    def _started(self) -> asyncio.AbstractEventLoop | None:
        with self._lock:
            if self._loop is None and not self._closed:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="wf-pods", daemon=True
                )
                self._thread.start()
                # Connections that are open when the interpreter goes would complain.
                atexit.register(self.close)
            return self._loop

    def close(self) -> None:
        """End the watch, close connections and end the thread."""
        with self._lock:
            loop, self._loop, self._closed = self._loop, None, True
        if loop is None or self._thread is None:
            return
        atexit.unregister(self.close)
        asyncio.run_coroutine_threadsafe(self._end(), loop).result(CLOSING)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(CLOSING)
        loop.close()

    async def _end(self) -> None:
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for work in self._last:
            await work()
