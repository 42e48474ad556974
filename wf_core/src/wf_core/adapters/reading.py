"""An iterator that blocks, read in a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def read_in_thread(
    source: Callable[[], Iterable[T]], stop: Callable[[], None]
) -> AsyncGenerator[T, None]:
    """What `source()` gives, one by one; raises what it raises.

    `stop()` is called once nobody listens: it should end `source`, which is not waited for.
    """
    loop = asyncio.get_running_loop()
    taken: asyncio.Queue[tuple[T | None, BaseException | None, bool]] = asyncio.Queue()

    def put(item: T | None, error: BaseException | None = None, *, over: bool = False) -> None:
        try:
            loop.call_soon_threadsafe(taken.put_nowait, (item, error, over))
        except RuntimeError:
            if not loop.is_closed():
                raise
            # Whoever listened is gone.

    def read() -> None:
        try:
            for item in source():
                put(item)
        except BaseException as error:  # it is raised where it is awaited
            put(None, error, over=True)
        else:
            put(None, over=True)

    threading.Thread(target=read, name="wf-reader", daemon=True).start()
    try:
        while True:
            item, error, over = await taken.get()
            if error is not None:
                raise error
            if over:
                return
            yield item  # type: ignore[misc]  # None only where it is over
    finally:
        stop()
