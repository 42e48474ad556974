"""One life of a controller: stand by, lead, end. A lost leadership ends the process, and whoever
started it starts another: nothing of the old one has to be trusted then."""

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any

from wf_core.adapters.clock import SystemClock
from wf_core.engine.engine import Engine
from wf_core.errors import OperatorError, StoreUnavailable
from wf_core.plugins import Registry
from wf_k8s.controller import wiring
from wf_k8s.controller.options import Options
from wf_k8s.controller.signals import caught
from wf_k8s.leadership.leadership import Leadership
from wf_k8s.leadership.lease import Lease
from wf_k8s.store.store import K8sStore
from wf_k8s.telemetry.census import Census
from wf_k8s.telemetry.follow import Durations
from wf_k8s.telemetry.health import Health
from wf_k8s.telemetry.http import HttpServer
from wf_k8s.telemetry.metrics import Metrics

log = logging.getLogger("wf.controller")
MARGIN = 1.0
"""Seconds before the lease expires by which a process that lost it is gone."""
LOST = 1
AGAIN = 1.0
"""Seconds between two tries to read the workflows for the first time."""


class Controller:
    """Runs until it is asked to end. Raises OperatorError where only a new process helps."""

    def __init__(self, options: Options, registry: Registry) -> None:
        self._options = options
        self._registry = registry
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._health = Health(self._metrics)
        self._lease_session = wiring.lease_session(options, self._metrics.answered)
        self._leadership = Leadership(
            Lease(self._lease_session, options.config.namespace, options.lease),
            wiring.identity(),
            options.timing,
            wall=self._clock.now,
            monotonic=asyncio.get_running_loop().time,
        )

    async def run(self) -> None:
        """One life."""
        server = HttpServer(self._health.pages())
        try:
            port = await server.start("", self._options.metrics_port)
        except OSError as error:
            raise OperatorError(
                f"port {self._options.metrics_port} can't be listened on: {error}; "
                "choose another one with --metrics-port"
            ) from error
        log.info("metrics and health at port %d", port)
        try:
            with caught() as asked:
                await self._stand_by(asked)
        finally:
            await server.close()
            await self._lease_session.close()

    async def _stand_by(self, asked: asyncio.Event) -> None:
        leads = self._metrics.leads.labels(self._options.lease)
        leads.set(0)
        self._health.unready = ""
        if await _first(asked.wait(), self._leadership.acquire()) == 0:
            return
        leads.set(1)
        try:
            await self._lead(asked)
        finally:
            leads.set(0)

    async def _lead(self, asked: asyncio.Event) -> None:
        store = wiring.store(self._options, self._leadership, self._clock, self._metrics.answered)
        engine = wiring.engine(self._options, store, self._registry, self._clock)
        engine.subscribe(Durations(self._metrics, engine.view).saw)
        keeping = asyncio.ensure_future(self._leadership.keep())
        serving = asyncio.ensure_future(self._serve(engine, store))
        stopping = asyncio.ensure_future(asked.wait())
        try:
            await asyncio.wait((keeping, serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            self._health.unready = "stopping"
            if keeping.done():
                await self._lost(engine, store, keeping.result())
            ending = asyncio.ensure_future(engine.stop())
            await asyncio.wait((keeping, ending), return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                await self._lost(engine, store, keeping.result())
            await ending
            if serving.done():
                await serving  # raises what ended it
        finally:
            stopping.cancel()
            serving.cancel()
            self._health.census = None
            await self._let_go(engine, store, keeping)
            await asyncio.gather(serving, stopping, return_exceptions=True)

    async def _serve(self, engine: Engine, store: K8sStore) -> None:
        """Run what is there, once it can be read: an API server that starts, a right or a
        definition that is missing are waited for, and told by /readyz."""
        while True:
            try:
                await store.position()
                break
            except StoreUnavailable as error:
                self._health.unready = str(error)
                await asyncio.sleep(AGAIN)
        self._health.unready = ""
        self._health.census = Census(self._metrics, store, engine.view)
        await engine.serve()

    async def _let_go(
        self, engine: Engine, store: K8sStore, keeping: "asyncio.Future[str]"
    ) -> None:
        """Close the store, and release the Lease unless a hook still runs (semantics C5)."""
        await engine.stop()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        if engine.busy:
            self._health.ailing = "hooks do not stop"
            log.warning("hooks do not stop: the lease is left to expire")
            await store.halt()
            return
        await store.close()
        await self._leadership.release()
        log.info("stopped")

    async def _lost(self, engine: Engine, store: K8sStore, why: str) -> None:
        """No write from now on, hooks are told, and the process is gone before another may lead."""
        self._health.ailing = "the lease was lost"
        log.error("the lease was lost: %s; ending", why)
        left = max(0.0, self._leadership.until_expiry - MARGIN)
        asyncio.get_running_loop().call_later(left, os._exit, LOST)
        await store.halt()
        await engine.stop()
        raise OperatorError(f"the lease was lost: {why}; start the controller again")


async def _first(*works: Coroutine[Any, Any, object]) -> int:
    """Which of `works` ended first; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(i for i, task in enumerate(tasks) if task.done())
        tasks[first].result()
        return first
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
