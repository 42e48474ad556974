"""One leadership: serve the workflows until asked to end, or until the Lease is lost.

A lost one ends the process, and whoever started it starts another: nothing of the old one has to be
trusted then.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from wf_core.engine.engine import Engine
from wf_core.errors import OperatorError, StoreUnavailable
from wf_k8s.leadership.leadership import Leadership
from wf_k8s.store.store import K8sStore

log = logging.getLogger("wf.controller")
MARGIN = 1.0
"""Seconds before the lease expires by which a process that lost it is gone."""
AGAIN = 1.0
"""Seconds between two tries to read the workflows for the first time."""


class Signs(Protocol):
    """What others are told of the process (see `telemetry.health`)."""

    ailing: str
    unready: str


class Tenure:
    """`leadership` was won. `serving` is called once the workflows can be read, and `die` ends the
    process at once."""

    def __init__(
        self,
        leadership: Leadership,
        store: K8sStore,
        engine: Engine,
        signs: Signs,
        *,
        serving: Callable[[], None],
        die: Callable[[], object],
    ) -> None:
        self._leadership = leadership
        self._store = store
        self._engine = engine
        self._signs = signs
        self._serving = serving
        self._die = die

    async def lead(self, asked: asyncio.Event) -> None:
        """Until `asked`. Raises OperatorError where only a new process helps."""
        keeping = asyncio.ensure_future(self._leadership.keep())
        serving = asyncio.ensure_future(self._serve())
        stopping = asyncio.ensure_future(asked.wait())
        breaking = asyncio.ensure_future(self._store.breakage.wait())
        works = (keeping, serving, stopping, breaking)
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            self._signs.unready = "stopping"
            if breaking.done():
                self._signs.ailing = breaking.result()
                log.error("%s; ending, so that another controller may go on", self._signs.ailing)
            if keeping.done():
                await self._lost(keeping.result())
            ending = asyncio.ensure_future(self._engine.stop())
            await asyncio.wait((keeping, ending), return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                await self._lost(keeping.result())
            await ending
            if serving.done():
                await serving  # raises what ended it
            if breaking.done():
                raise OperatorError(f"{breaking.result()}; start the controller again")
        finally:
            for each in (stopping, serving, breaking):
                each.cancel()
            await self._let_go(keeping)
            await asyncio.gather(serving, stopping, breaking, return_exceptions=True)

    async def _serve(self) -> None:
        """Run what is there, once it can be read: an API server that starts, a right or a
        definition that is missing are waited for, and told by /readyz."""
        self._signs.unready = "the workflows are being read"
        while True:
            try:
                await self._store.position()
                break
            except StoreUnavailable as error:
                self._signs.unready = str(error)
                await asyncio.sleep(AGAIN)
        self._signs.unready = ""
        self._serving()
        await self._engine.serve()

    async def _let_go(self, keeping: "asyncio.Future[str]") -> None:
        """Close the store, and release the Lease unless a hook still runs (semantics C5)."""
        await self._engine.stop()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        if self._engine.busy:
            self._signs.ailing = "hooks do not stop"
            log.warning("hooks do not stop: the lease is left to expire")
            await self._store.halt()
            return
        await self._store.close()
        await self._leadership.release()
        log.info("stopped")

    async def _lost(self, why: str) -> None:
        """No write from now on, hooks are told, and the process is gone before another may lead."""
        self._signs.ailing = "the lease was lost"
        log.error("the lease was lost: %s; ending", why)
        left = max(0.0, self._leadership.until_expiry - MARGIN)
        asyncio.get_running_loop().call_later(left, self._die)
        await self._store.halt()
        await self._engine.stop()
        raise OperatorError(f"the lease was lost: {why}; start the controller again")
