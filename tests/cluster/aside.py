"""An event loop in a thread: for servers and watchers that go on while a test does one thing after
the other."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import Any, TypeVar

from tests.patience import PATIENCE

T = TypeVar("T")


class Aside:
    """What runs on the loop. What is entered is left, in reverse order, when it ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = threading.Thread(target=self.loop.run_forever, name="aside")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop, and return once it is done."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter `context` for as long as this lasts."""
        return self.run(self._stack.enter_async_context(context))

    def close(self) -> None:
        """Leave what was entered, and end."""
        try:
            self.run(self._stack.aclose())
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


@contextmanager
def aside() -> Iterator[Aside]:
    """One loop in one thread."""
    made = Aside()
    try:
        yield made
    finally:
        made.close()
