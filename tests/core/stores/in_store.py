"""A test within a store that is open as long as the test lasts."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from wf_core.adapters.sqlite.store import SqliteStore


def in_store(path: Path, test: Callable[[SqliteStore], Awaitable[None]]) -> None:
    """Open the database at `path`, run `test`, and close it however that ends."""

    async def main() -> None:
        store = SqliteStore.open(path)
        try:
            await test(store)
        finally:
            await store.close()

    asyncio.run(main())
