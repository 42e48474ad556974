"""A process of the simulated world: the shipped engine and everything that would die with it."""

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wf_core.adapters.announcer import NoAnnouncer
from wf_core.adapters.open_record import Kept
from wf_core.config import Config
from wf_core.config.values import (
    CallbackConfig,
    Ceilings,
    ControllerConfig,
    Floors,
    QueueConfig,
    QueueLimits,
    StepConfig,
    Strategy,
    Ttl,
)
from wf_core.engine import Engine
from wf_core.errors import WfError
from wf_core.model.spec import Key
from wf_core.testing.memory_record import MemoryRecord
from wf_core.testing.simulation.executor import SimulatedExecutor
from wf_core.testing.simulation.kinds import registry
from wf_core.testing.simulation.receivers import SimulatedSender
from wf_core.testing.simulation.stage import START, Stage, belong
from wf_core.testing.simulation.story import Called
from wf_core.testing.simulation.world import Operator, Point

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer

_AGAIN = 10.0
"""Seconds after which a workflow that could not be adopted, or was given up, is adopted again."""


class ProcessClock:
    """Implements `ports.Clock`: the wall clock as the process read it at its start, plus time."""

    def __init__(self, stage: Stage) -> None:
        self._loop = stage.loop
        self._start = START + stage.clock_offset

    def now(self) -> float:
        """Epoch seconds, as this process believes."""
        return self._start + self._loop.time()


class Process:
    """Number `number` in the order of starts, `seat` its place at the storage.

    `points` counts where something could go wrong, `invalid` the saves that were called so;
    `ceilings` is what it lets new documents ask; `zombie`: its ownership is void, and it goes on.
    `pausable`: it may stand still, and does while `paused` is not None. `calls` are those that go
    on, `called_at` when each kind was called last.
    """

    def __init__(self, stage: Stage, observer: "Observer") -> None:
        self.number = len(stage.processes)
        self.alive = True
        self.zombie = False
        self.pausable = stage.pauses
        self.paused: list[asyncio.Future[None]] | None = None
        self._stopping = False
        self.recovering = self.number > 0
        self.points: dict[Point, int] = {}
        self.calls: dict[int, Called] = {}
        self.called_at: dict[str, float] = {}
        self.invalid = 0
        self.lacking = (
            () if stage.calm.is_set() else stage.world.operator.lacking.get(self.number, ())
        )
        self.ceilings = _ceilings(stage, self.number)
        self.clock = ProcessClock(stage)
        self.seat = stage.storage.seat(self)
        forgets = stage.world.operator.forgets
        self.record = MemoryRecord(Kept() if forgets else stage.deaths)
        self.executor = SimulatedExecutor(stage, self, observer)
        self._stage = stage
        self._observer = observer
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._adopting: dict[Key, None] = {}
        self.engine = Engine(
            store=self.seat.store,
            # Every other process has another version of all kinds.
            registry=registry(self.lacking, later=self.number % 2 == 1),
            executor=self.executor,
            clock=self.clock,
            sender=SimulatedSender(stage, self, observer),
            announcer=NoAnnouncer(),
            config=_config(stage.world.operator, self.ceilings),
            folder=Path("unused"),
            record=self.record,
        )
        self._context = copy_context()
        belong(self._context, self)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:  # any result
        """Run a coroutine as part of this process."""
        return self._stage.loop.create_task(work, context=self._context.copy())

    def begin(self) -> None:
        """Serve the store, or adopt all that is in it."""
        self._stage.note(
            f"p{self.number} starts{' without ' + ', '.join(self.lacking) if self.lacking else ''}"
        )
        if self._stage.world.operator.serves:
            self.start(self._serve())
        else:
            for key in self._stage.storage.names():
                self.adopt(key)
        self.start(self._settle())

    def adopt(self, key: Key) -> None:
        """Take a workflow and keep at it, as a person with `wf run` and `wf resume` would."""
        if key not in self._adopting:
            self._adopting[key] = None
            self.start(self._keep(key))

    async def stop(self) -> None:
        """End in good order, then exit."""
        self._stage.note(f"p{self.number} is stopped")
        self._stopping = True
        await asyncio.wait((self.start(self.seat.stop(self.engine)),))
        if self.alive:  # it did not die over it
            self._end()

    def pause(self) -> None:
        """Stand still, as by SIGSTOP."""
        if self.alive and self.paused is None:
            self._stage.note(f"p{self.number} stands still")
            self.paused = []

    def resume(self) -> None:
        """Go on, as by SIGCONT."""
        paused, self.paused = self.paused, None
        if paused is not None:
            self._stage.note(f"p{self.number} goes on")
            for future in paused:
                if not future.done():
                    future.set_result(None)

    def until_resumed(self) -> asyncio.Future[None]:
        """Done once it goes on; each waits for one of its own, which may be cancelled."""
        assert self.paused is not None
        future: asyncio.Future[None] = self._stage.loop.create_future()
        self.paused.append(future)
        return future

    def kill(self) -> None:
        """End as by `kill -9`: nothing is written, told or reported from now on."""
        if self.alive:
            self._stage.note(f"p{self.number} dies")
            self._end()

    def owns(self, task: asyncio.Task[Any]) -> None:
        """A task began in this process; in a dead one nothing runs."""
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        if not self.alive:
            task.cancel()

    async def gone(self) -> None:
        """Once it died: wait until nothing of it is left on the loop."""
        while self._tasks:
            await asyncio.sleep(0)

    def _end(self) -> None:
        self.alive = False
        self.record.died()
        self._stage.changed_at = self._stage.now
        self._observer.died(self)
        self.resume()
        self.seat.die()
        for task in list(self._tasks):
            task.cancel()
        self._stage.died.set()

    async def _settle(self) -> None:
        await asyncio.sleep(1.0)
        self.recovering = False

    async def _serve(self) -> None:
        try:
            await self.seat.serve(self.engine)
        except WfError as error:
            # Its supervisor starts another process: the store was away, or hooks are stuck.
            if not self.engine.healthy:
                self._stage.met("process unhealthy")
            self._stage.note(f"p{self.number} exits: {error}")
        if not self._stopping:
            self.kill()

    async def _keep(self, key: Key) -> None:
        while self._stage.storage.look(key) is not None:
            try:
                await self.engine.adopt(key)
                await self.engine.wait(key)
            except WfError as error:
                self._stage.note(f"p{self.number} can't go on with {key}: {type(error).__name__}")
            await asyncio.sleep(_AGAIN)
        self._adopting.pop(key, None)


def _ceilings(stage: Stage, number: int) -> Ceilings:
    bounds = stage.world.operator.bounds
    # Without queues nobody ends what may not begin: it waits until it may.
    lifted = stage.calm.is_set() and not stage.world.operator.serves
    if lifted or number < bounds.since:
        return Ceilings()
    return Ceilings(bounds.timeout, bounds.retry_limit)


def _config(operator: Operator, ceilings: Ceilings) -> Config:
    return Config(
        controller_config=ControllerConfig(
            sync_timeout=operator.sync_timeout,
            concurrency=operator.concurrency,
            grace=operator.grace,
            queue=QueueConfig(
                Strategy.FAIR if operator.fair else Strategy.FIFO,
                operator.most,
                {
                    name: QueueLimits(each.weight, each.most)
                    for name, each in operator.queues.items()
                },
                max_running_count_per_namespace=operator.share,
            ),
            share_permits=operator.share_permits,
            floors=Floors(operator.bounds.retry_period),
            ceilings=ceilings,
            steps=tuple(
                StepConfig(name, each.qps, each.concurrency, each.max_active)
                for name, each in operator.kinds.items()
            ),
            ttl=Ttl(operator.ttl.success, operator.ttl.roll_backed, operator.ttl.failed),
        ),
        callbacks=CallbackConfig(give_up_after=operator.give_up_after),
    )
