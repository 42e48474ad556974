"""Whether following the API server is broken by a fault of ours, so that only a new process may
help."""

import asyncio

from wf_core.errors import StoreUnavailable


class Breakage:
    """Told once, and waited for."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._why = ""

    def tell(self, error: StoreUnavailable) -> None:
        """It is broken."""
        self._why = self._why or str(error)
        self._told.set()

    async def wait(self) -> str:
        """Wait until it is; why."""
        await self._told.wait()
        return self._why
