"""Schedulers in the processes of a bench, on virtual time."""

import asyncio
from typing import Any

import attrs

from wf_core.adapters.memory.store import MemoryStore
from wf_core.engine.scheduler import Scheduler
from wf_core.model.phases import Phase
from wf_core.model.schedule import (
    CronStatus,
    CronWorkflow,
    CronWorkflowSpec,
    WorkflowTemplate,
)
from wf_core.model.spec import Key, Metadata, Workflow
from wf_core.ports import Schedules
from wf_core.testing.bench import Bench, Process, chain
from wf_core.testing.scripted_hooks import Script
from wf_core.testing.virtual_time import VirtualClock

MINUTE = 60.0
KEY = Key("default", "tick")


def cron(expression: str = "* * * * *", run: Workflow | None = None, **spec: Any) -> CronWorkflow:
    """The schedule `tick` of a workflow."""
    template = WorkflowTemplate((run or chain("a")).spec)
    return CronWorkflow(Metadata(KEY.name), CronWorkflowSpec(expression, template, **spec))


@attrs.frozen
class Says:
    """Says the same of every schedule."""

    fault: str

    def __call__(self, _: CronWorkflow) -> str:
        return self.fault

    def forget(self, _: Key) -> None:
        """Nothing was kept."""


@attrs.define(eq=False)
class Clockwork:
    """A bench whose clock says `start` (epoch seconds) when it is made; 08:00 on a Friday."""

    bench: Bench
    clock: VirtualClock
    start: float

    @classmethod
    def made(cls, script: Script | None = None, start: float = 1_800_000_000.0) -> "Clockwork":
        bench = Bench(script)
        bench.clock = VirtualClock(asyncio.get_running_loop(), start)
        return cls(bench, bench.clock, start)

    @property
    def schedules(self) -> Schedules:
        """As people use them."""
        return self.bench.people.schedules

    async def submit(self, schedule: CronWorkflow) -> None:
        await self.schedules.create(schedule, self.clock.now())

    def process(self, *, serves: bool = True, says: str = "") -> Process:
        """One more process: an engine, and a scheduler beside it."""
        process = self.bench.process()
        store = process.store
        if serves:
            process.serve()
        process.start(Scheduler(store, self.kept(store), self.clock, Says(says)).run())
        return process

    def kept(self, store: MemoryStore) -> Schedules:
        """The schedules of a process's store."""
        return store.schedules

    async def at(self, seconds: float) -> None:
        """Let time pass until so long after the start, and a moment more."""
        await asyncio.sleep(self.start + seconds + 0.5 - self.clock.now())

    async def status(self) -> CronStatus:
        return (await self.schedules.load(KEY)).status

    def runs(self) -> dict[str, Phase]:
        """Every workflow that there is, by name."""
        return {key.name: each.head.phase for key, each in self.bench.backing.entries.items()}

    def slots(self) -> list[float]:
        """The slots of the runs that there are, as seconds since the start."""
        return sorted(
            float(name.rpartition("-")[2]) * MINUTE - self.start
            for name in self.runs()
            if name.startswith("tick-")
        )
