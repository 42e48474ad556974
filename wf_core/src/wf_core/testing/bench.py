"""The shipped engine on virtual time: one store, as many processes as wanted, crashes at will.

async def story() -> None:
    bench = Bench(Script().on("pay", Do(Failure(Severity.FATAL, "no money"))))
    process = bench.process()
    key = await bench.create(chain("book", "pay"))
    await process.engine.adopt(key)
    stored = await process.engine.wait(key)
    await process.stop()

virtual_time.run(story())
"""

import asyncio
import contextvars
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import attrs
from msgspec.structs import replace

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.adapters.open_record import Kept
from wf_core.config import Config
from wf_core.engine import Engine
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.model.phases import RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import (
    DependOn,
    Key,
    Metadata,
    StepSpec,
    StepTemplate,
    Workflow,
    WorkflowSpec,
)
from wf_core.model.state import Stored
from wf_core.plugins import Registry
from wf_core.ports import Delivered, Delivery, Event, Receipt
from wf_core.testing.faulty_store import FaultyStore
from wf_core.testing.memory_record import MemoryRecord
from wf_core.testing.scripted_hooks import Called, Script, ScriptedExecutor
from wf_core.testing.virtual_time import VirtualClock

_PROCESS: contextvars.ContextVar["Process | None"] = contextvars.ContextVar(
    "wf_bench_process", default=None
)


@attrs.frozen
class AnyParameters:
    """What the bench's kinds take."""

    value: Any = None  # whatever a test writes there


class Plain(StepKind):
    """A kind without `sync`. The script says what its hooks do."""

    name: ClassVar[str] = "plain"
    Parameters: ClassVar[type] = AnyParameters

    def run(self, call: StepCall) -> Answer:
        """Never called: the scripted executor stands in."""
        raise NotImplementedError(call.step)

    def rollback(self, call: StepCall) -> Answer:
        """Never called."""
        raise NotImplementedError(call.step)


class Looked(Plain):
    """A kind with `sync`."""

    name: ClassVar[str] = "looked"

    def sync(self, call: StepCall) -> Answer:
        """Never called."""
        raise NotImplementedError(call.step)


class Once(Plain):
    """A kind whose interrupted run must not be called again (semantics B3)."""

    name: ClassVar[str] = "once"
    reissue: ClassVar[bool] = False


KINDS: tuple[StepKind, ...] = (Plain(), Looked(), Once())


class ScriptedSender:
    """Implements `ports.CallbackSender`: `answer(delivery)` says what the receiver does, after
    `seconds`. `sent` keeps every attempt, `delivered` those that were taken."""

    def __init__(self) -> None:
        self.answer: Callable[[Delivery], Receipt] = lambda _: Receipt(Delivered.DELIVERED)
        self.seconds = 0.0
        self.sent: list[Delivery] = []
        self.delivered: list[Delivery] = []

    async def send(self, delivery: Delivery) -> Receipt:
        """As `ports.CallbackSender.send`."""
        self.sent.append(delivery)
        await asyncio.sleep(self.seconds)
        receipt = self.answer(delivery)
        if receipt.result is Delivered.DELIVERED:
            self.delivered.append(delivery)
        return receipt

    async def close(self) -> None:
        """As `ports.CallbackSender.close`."""


class RecordingAnnouncer:
    """Implements `ports.Announcer`: `events` keeps what observers would be told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False

    def announce(self, event: Event) -> None:
        """As `ports.Announcer.announce`."""
        self.events.append(event)

    async def close(self) -> None:
        """As `ports.Announcer.close`."""
        self.closed = True


class Process:
    """An engine and everything that would die with its process."""

    def __init__(self, bench: "Bench", config: Config, kinds: Iterable[object]) -> None:
        self.store = FaultyStore(bench.backing, bench.clock)
        self.store.crash = self.kill
        self.executor = ScriptedExecutor(bench.script, bench.clock)
        self.announcer = RecordingAnnouncer()
        self.record = MemoryRecord(bench.deaths)
        self.alive = True
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self.engine = Engine(
            store=self.store,
            registry=Registry.of(kinds),
            executor=self.executor,
            clock=bench.clock,
            sender=bench.sender,
            announcer=self.announcer,
            config=config,
            folder=Path("unused"),
            record=self.record,
        )
        self._context = contextvars.copy_context()
        self._context.run(_PROCESS.set, self)

    def start(self, work: Any) -> asyncio.Task[Any]:  # a coroutine of any result
        """Run a coroutine as part of this process: it dies with it."""
        return asyncio.get_running_loop().create_task(work, context=self._context.copy())

    async def adopt(self, key: Key) -> None:
        """As `Engine.adopt`, as part of this process."""
        await self.start(self.engine.adopt(key))

    async def run(self, key: Key) -> Stored:
        """Adopt a workflow and wait until it rests."""
        await self.adopt(key)
        return await self.engine.wait(key)

    def serve(self) -> asyncio.Task[None]:
        """Have the engine serve the store."""
        return self.start(self.engine.serve())

    async def stop(self) -> None:
        """End in good order, closing the store as `open_engine` does."""
        await self.start(self.engine.stop())
        if not self.engine.busy:
            await self.store.close()

    def kill(self) -> None:
        """End as by `kill -9`: nothing is written, told or reported from now on."""
        self.alive = False
        self.record.died()
        self.executor.crash()
        self.store.halt()
        for task in list(self._tasks):
            task.cancel()

    async def gone(self) -> None:
        """After `kill`: wait until nothing of the process is left on the loop."""
        while self._tasks:
            await asyncio.sleep(0)

    async def crash(self) -> None:
        """`kill`, and wait until nothing is left."""
        self.kill()
        await self.gone()

    def owns(self, task: asyncio.Task[Any]) -> None:
        """A task began in this process; in a dead one nothing runs."""
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        if not self.alive:
            task.cancel()


def _task_of(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """The loop's task factory: remembers which process a task belongs to."""
    task = asyncio.Task(work, loop=loop, **options)
    context = options.get("context")
    process = _PROCESS.get() if context is None else context.get(_PROCESS)
    if process is not None:
        process.owns(task)
    return task


class Bench:
    """A store in memory, a clock, a script, a receiver of callbacks, and processes on them."""

    def __init__(self, script: Script | None = None, *, config: Config | None = None) -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(_task_of)
        self.clock = VirtualClock(loop)
        self.backing = Backing()
        self.script = script or Script()
        self.sender = ScriptedSender()
        self.config = config or Config()
        self.people = MemoryStore(self.backing)
        self.deaths = Kept()
        self.processes: list[Process] = []
        self._created = 0

    def process(self, config: Config | None = None, kinds: Iterable[object] = KINDS) -> Process:
        """A new process on the store."""
        process = Process(self, config or self.config, kinds)
        self.processes.append(process)
        return process

    async def create(self, workflow: Workflow) -> Key:
        """Submit a workflow; its uid is counted, so that runs are alike."""
        self._created += 1
        metadata = workflow.metadata
        if not metadata.uid:
            metadata = Metadata(metadata.name, metadata.namespace, f"uid-{self._created}")
            workflow = Workflow(metadata, workflow.spec)
        await self.people.create(workflow, self.clock.now())
        return Key(metadata.namespace, metadata.name)

    async def ask(self, key: Key, type_: RequestType, step: str | None = None, **more: Any) -> int:
        """Make a person's request; gives its seq."""
        return await self.people.request(key, Request(type_, step, **more), self.clock.now())

    async def delete(self, key: Key) -> None:
        """Ask for deletion."""
        await self.people.delete(key, self.clock.now())

    def vanish(self, key: Key) -> None:
        """Somebody deletes it without asking its owner, as the API server does with what nothing
        guards."""
        del self.backing.entries[key]
        self.backing.changed(key, gone=True)

    async def stored(self, key: Key) -> Stored:
        """What is stored."""
        return await self.people.load(key)

    @property
    def calls(self) -> list[Called]:
        """Every call of every process, by its beginning."""
        calls = [each for process in self.processes for each in process.executor.calls]
        return sorted(calls, key=lambda each: each.began_at)

    @property
    def names(self) -> list[str]:
        """The names of `calls`."""
        return [each.name for each in self.calls]

    async def until(self, condition: Callable[[], bool], seconds: float = 3600.0) -> None:
        """Let time pass until a condition holds. Raises TimeoutError after `seconds`."""
        end = self.clock.now() + seconds
        while not condition():
            if self.clock.now() > end:
                raise TimeoutError(f"it did not hold within {seconds:g} s")
            await asyncio.sleep(0.01)


def step(
    name: str, *after: str, kind: str = "plain", template: StepTemplate | None = None, **more: Any
) -> StepSpec:
    """A step that comes `after` others."""
    return StepSpec(
        name=name,
        step_template=template or StepTemplate(kind),
        depend_ons=tuple(DependOn(each) for each in after),
        **more,
    )


def workflow(*steps: StepSpec, name: str = "order", **spec: Any) -> Workflow:
    """A workflow of these steps."""
    return Workflow(Metadata(name), WorkflowSpec(steps=steps, **spec))


def chain(*names: str, name: str = "order", kind: str = "plain", **spec: Any) -> Workflow:
    """A workflow whose steps follow each other."""
    steps = [step(each, *names[max(0, i - 1) : i], kind=kind) for i, each in enumerate(names)]
    return workflow(*steps, name=name, **spec)


def within(namespace: str, document: Workflow) -> Workflow:
    """The same workflow in a namespace."""
    return replace(document, metadata=replace(document.metadata, namespace=namespace))
