"""One life of a controller: stand by, lead, end."""

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any

from wf_core.adapters.clock import SystemClock, WallClock
from wf_core.adapters.watchdog import Watchdog
from wf_core.engine.scheduling import scheduler_beside
from wf_core.errors import OperatorError
from wf_core.plugins import Registry
from wf_core.retention import Retention
from wf_k8s.controller import wiring
from wf_k8s.controller.options import Options
from wf_k8s.controller.orphaning import OnNamespaceDeletion, Orphaning
from wf_k8s.controller.signals import caught
from wf_k8s.controller.tasks import TaskKeeper
from wf_k8s.controller.tenure import Tenure
from wf_k8s.leadership.leadership import Leadership
from wf_k8s.telemetry.census import Census, unread
from wf_k8s.telemetry.follow import Durations
from wf_k8s.telemetry.health import Health
from wf_k8s.telemetry.http import HttpServer
from wf_k8s.telemetry.metrics import Metrics

log = logging.getLogger("wf.controller")
LOST = 1


class Controller:
    """Runs until it is asked to end. Raises OperatorError where only a new process helps."""

    def __init__(self, options: Options, registry: Registry) -> None:
        self._options = options
        self._registry = registry
        self._clock = SystemClock()
        self._metrics = Metrics(options.config.controller_config.queue.queues)
        self._health = Health(self._metrics)
        self._lease_session = wiring.lease_session(options, self._metrics.answered)
        self._record = wiring.record(options)
        self._leadership = Leadership(
            wiring.lease(options, self._lease_session, self._record),
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
            with caught() as asked, Watchdog(self._metrics.loop_held_seconds.observe):
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
        engine = wiring.engine(self._options, store, self._registry, self._clock, self._record)
        engine.subscribe(Durations(self._metrics, engine.view).saw)
        self._metrics.memory_waiters.set_function(lambda: engine.room.waiting)

        beside: list[asyncio.Future[None]] = []

        def serving() -> None:
            self._health.lacking = lambda: store.lacking
            self._health.census = Census(
                self._metrics,
                store,
                engine.view,
                store.reasons,
                lambda: unread(store),
                engine.permit_waiters,
            )
            if self._options.on_namespace_deletion is OnNamespaceDeletion.ORPHAN:
                beside.append(asyncio.ensure_future(Orphaning(store, store.objects).run()))
            scheduler = scheduler_beside(engine, WallClock()) if self._options.schedules else None
            if scheduler is not None:
                store.schedules.minded = True
                beside.append(asyncio.ensure_future(scheduler.run()))
            if self._options.tasks:
                retention = Retention(self._options.config.controller_config)
                keeper = TaskKeeper(store, WallClock(), retention)
                beside.append(asyncio.ensure_future(keeper.run()))

        def die() -> None:
            os._exit(LOST)

        tenure = Tenure(self._leadership, store, engine, self._health, serving=serving, die=die)
        try:
            await tenure.lead(asked)
        finally:
            for each in beside:
                each.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self._health.census = None
            self._health.lacking = lambda: ""


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
