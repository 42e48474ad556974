"""Which workflows run: recovery, admission, requests, permits, a graceful end.

`adopt` takes one workflow, outside the queues (`wf run`, `wf resume`). `serve` takes everything in
the store, by its queues (`wf serve`, a controller).
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path

from wf_core.config import Config
from wf_core.engine.expiry import Expiry
from wf_core.engine.follower import Follower
from wf_core.engine.isolation import Isolation
from wf_core.engine.locks import KeyLocks
from wf_core.engine.noticing import Noticing
from wf_core.engine.refusal import (
    entrance,
    say_left_alone,
    set_aside,
    unfit,
    unstartable,
)
from wf_core.engine.room import Room
from wf_core.engine.runner import Runner
from wf_core.engine.services import Listener, Services
from wf_core.engine.slots import Slots
from wf_core.engine.standing import every_row, row_holds_slot, row_is_fresh, row_waits
from wf_core.engine.taking_up import TakingUp
from wf_core.engine.tasks import Tasks
from wf_core.engine.turnstile import Turnstile
from wf_core.engine.waiting import Waiting
from wf_core.errors import (
    EngineError,
    NoRoom,
    OperatorError,
    StoreUnavailable,
    WfError,
    WorkflowNotFound,
    WorkflowOwned,
    without_frames,
)
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Folder, Owner, Stored
from wf_core.plugins import Registry
from wf_core.ports import (
    Announcer,
    CallbackSender,
    Clock,
    HookExecutor,
    Open,
    OpenRecord,
    Row,
    Store,
)
from wf_core.saga.events import Admitted

log = logging.getLogger("wf.engine")
CALLBACKS_AT_END = 10.0


class Engine:
    """Runs workflows of one store. Times are seconds; `folder` keeps hooks' files."""

    def __init__(
        self,
        *,
        store: Store,
        registry: Registry,
        executor: HookExecutor,
        clock: Clock,
        sender: CallbackSender,
        announcer: Announcer,
        config: Config,
        folder: Path,
        record: OpenRecord,
        store_url: str = "",
    ) -> None:
        self.store = store
        self.config = config
        self.registry = registry
        self._clock = clock
        self._executor = executor
        self._sender = sender
        self._isolation = Isolation(record, clock, self._kick_all)
        self._services = Services.of(
            store=store,
            registry=registry,
            executor=executor,
            clock=clock,
            sender=sender,
            announcer=announcer,
            config=config,
            isolation=self._isolation,
            folder=folder,
            store_url=store_url,
        )
        queue = config.controller_config.queue
        self.room = Room(store, config.controller_config.workflow_memory)
        self._slots = Slots(queue, lambda key: self._tasks.spawn(self._begin(key)))
        self._turnstile = Turnstile(self._services.limits, clock, self._try_again)
        self.permit_waiters = self._services.limits.waiting
        self._queued = False
        self._runners: dict[Key, Runner] = {}
        self._holders: dict[str, Runner] = {}
        self._given_up: dict[Key, Runner] = {}
        self._waiting = Waiting()
        self._ended: dict[Key, Stored] = {}
        self._errors: dict[Key, WfError] = {}
        self._locks = KeyLocks()
        self._taking_up = TakingUp(self._services, self._isolation)
        self._noticing = Noticing(
            store,
            self._runners,
            self._errors,
            self._locks,
            self._slots,
            self.room,
            self._taking_up,
            lambda: self._queued,
            self._take,
            self._left_alone,
        )
        self._follower = Follower(store, self._noticing.learn, self._noticing.look)
        self._tasks = Tasks()
        self._expiry = Expiry(
            self._services, self._locks, self._retire, self._follower.later, self._tasks.spawn
        )
        self._noticing.with_(self._follower, self._expiry)
        self._stopped = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None

    # Taking workflows

    async def create(self, workflow: Workflow, folder: Folder | None = None) -> Stored:
        """Store a new workflow, whose paths begin in `folder`. Raises WorkflowExists and others."""
        return await self.store.create(workflow, self._clock.now(), folder)

    async def adopt(self, key: Key) -> None:
        """Claim a workflow and go on with it, new or left by a crash, outside the queues.

        Raises WorkflowOwned, WorkflowNotFound, DocumentInvalid (its kinds or its document don't fit
        this engine and nothing of it ran yet), StoreForeign, StoreUnavailable.
        """
        await self._follower.start()
        async with self._locks.of(key):
            if key in self._runners:
                return
            runner = await self._load(key)
            # What people asked comes first: what is cancelled before it began never runs.
            if runner.saga.head.phase is Phase.PENDING and not runner.saga.asked:
                faults = unstartable(runner.saga.workflow, self._services, runner.saga.head)
                if faults is not None:
                    self._forget(runner)
                    await self._services.release(key)
                    raise faults
            if self._queued:
                self._slots.count(runner)
            elif runner.saga.wants_slot and not runner.saga.asked:
                runner.post(Admitted())
            runner.kick()

    async def serve(self) -> None:
        """Run everything in the store by its queues until `stop`; recovery comes first (E3).

        Raises StoreUnavailable where the store can't be read at the start, StoreServed where
        another process serves it, and OperatorError when half of the hooks' threads are stuck: the
        process should exit then.
        """
        self._queued = True
        try:
            await self.store.admit_alone()
            self._isolation.serves()
            await self._follower.start()
            await self._recover()
            self._slots.open()
            await self._stopped.wait()
        finally:
            await self.stop()
        if not self.healthy:
            raise OperatorError(
                "half of the threads for hooks are held by hooks that don't stop; what they run is "
                "found interrupted by the next start. `wf explain` names the steps"
            )

    def wake(self, key: Key, step: str) -> None:
        """What a step left in progress may be done: a hint, never saved (semantics B8)."""
        if (runner := self._runners.get(key)) is not None:
            runner.wake_step(step)

    def subscribe(self, listener: Listener) -> None:
        """Have `listener(key, transitions)` called after every save."""
        self._services.listeners.append(listener)

    def view(self, key: Key) -> Stored:
        """What an adopted workflow looks like now. Raises WorkflowNotFound."""
        runner = self._runners.get(key)
        if runner is not None:
            return runner.saga.snapshot()
        if key in self._ended:
            return self._ended[key]
        raise WorkflowNotFound(f"workflow '{key}' is not run by this engine")

    @property
    def slots_held(self) -> frozenset[Key]:
        """The workflows that count against the maximum: those whose stored state says so (E3)."""
        return self._slots.held

    @property
    def healthy(self) -> bool:
        """False once half of the hooks' threads are stuck: then the process should exit (B7)."""
        return self._executor.healthy

    @property
    def busy(self) -> bool:
        """Whether hooks still run: after `stop`, those that did not end when they were told."""
        every = (*self._runners.values(), *self._given_up.values())
        return any(runner.hooks.running for runner in every)

    async def wait(self, key: Key) -> Stored:
        """Wait until a workflow rests: finished, suspended, or everything waits for a person.

        When the engine stops, or lets the workflow go, it gives what is known then. Raises
        WorkflowNotFound and what made the engine give it up: WorkflowOwned, StoreUnavailable,
        EngineError.
        """
        while True:
            runner = self._runners.get(key)
            if runner is None and (self._services.closing or not self._queued):
                if key in self._errors:
                    raise self._errors[key]
                return self.view(key)
            if runner is None:
                stored = await self.store.load(key)
                if stored.head.phase in FINISHED or stored.head.suspended:
                    return stored
            elif runner.rests or self._services.closing:
                return await self._at_rest(runner)
            woken = await self._waiting.next(key)
            if woken is not None and self._runners.get(key) is not woken:
                return await self._at_rest(woken)

    async def _at_rest(self, runner: Runner) -> Stored:
        await runner.delivered(CALLBACKS_AT_END)
        if runner.error is not None:
            raise runner.error
        return runner.saga.snapshot()

    async def stop(self) -> None:
        """End cleanly: start nothing, tell hooks, keep what they still report, let everything go.

        A hook that does not end within its grace keeps its claim: whoever comes next finds it
        interrupted once this process is gone.
        """
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        self._services.closing = True
        self._isolation.close()  # from here on a process that ends does so because it was asked to
        self._stopped.set()
        self._slots.shut()
        self._turnstile.close()
        self._expiry.close()
        async with AsyncExitStack() as last:
            services = self._services
            for each in (self._executor, services.announcer, self._sender, services.courier):
                last.push_async_callback(each.close)
            for runner in self._runners.values():
                runner.hooks.stop_all()
            await self._follower.stop()
            await self._tasks.ended()
            await self._until_hooks_end()
            for runner in list(self._runners.values()):
                await runner.settle()
                runner.close()
                if not runner.hooks.running and runner.error is None:
                    await self._services.release(runner.key)
            self._waiting.end()

    # Recovery and admission

    async def _recover(self) -> None:
        """Count and take up everything that was left unfinished; queue what never began."""
        missing = self._taking_up.known
        async for row in every_row(self.store):
            missing.discard(row.uid)
            if row.key not in self._runners:
                self._expiry.listed(row)
                await self._consider(row)
        self._taking_up.missing(missing)

    async def _consider(self, row: Row) -> None:
        if row_waits(row):
            if row_holds_slot(row):
                self._slots.hold_in_doubt(row.key, row.queue, slotless=row.slotless)
            await self._take(row.key)
        elif row_is_fresh(row) and not row.suspended:
            self._slots.offer(row.key, row.queue, row.priority, row.created_at, row.uid)

    async def _take(self, key: Key) -> Runner | None:
        """Own a workflow and go on with it, unless somebody else does; what is wrong is logged."""
        async with self._locks.of(key):
            if key in self._runners:
                return self._runners[key]
            if self._services.closing or isinstance(self._errors.get(key), EngineError):
                return None  # what failed by a fault of ours would fail again
            try:
                self.room.enter(key)
                runner = await self._load(key)
            except WfError as error:
                self.room.leave(key)
                self._left_alone(key, error)
                return None
            if self._queued:
                self._slots.count(runner)
            runner.kick()
            return runner

    def _left_alone(self, key: Key, error: WfError) -> None:
        """A workflow could not be taken up; where time may help it is tried again."""
        if not isinstance(error, StoreUnavailable | NoRoom) and key not in self._given_up:
            self._slots.leave(key)
        if isinstance(error, WorkflowOwned | StoreUnavailable | NoRoom):
            self._follower.later(key, str(error))
        elif not isinstance(error, WorkflowNotFound):
            self._set_aside(key, error, "left alone")

    def _set_aside(self, key: Key, error: WfError, how: str) -> None:
        """Outside the queues whoever waits is told."""
        before = self._errors.pop(key, None)
        if not (self._queued and isinstance(error, WorkflowNotFound)):
            self._errors[key] = without_frames(error) if self._queued else error
        if self._queued and str(before) != str(error):
            say_left_alone(self.store, key, error, how)

    async def _load(self, key: Key) -> Runner:
        """Claim and load. The key's lock is held."""
        if key in self._given_up:
            raise WorkflowOwned(f"workflow '{key}': hooks that this engine gave up still run")
        taking = await self._taking_up.begin(key)
        owner = await self.store.claim(key)
        self._isolation.opened(taking)
        try:
            stored = await self.store.load(key)
            runner = await self._runner(stored, owner)
        except WfError:
            self._isolation.closed(taking)
            await self._services.release(key)
            raise
        if taking.workflow != runner.uid:  # it was made anew meanwhile
            self._isolation.closed(taking)
        self._taking_up.succeeded(key)
        self._errors.pop(key, None)
        self._ended.pop(key, None)
        self._follower.settled(key)
        self._runners[key] = runner
        self._holders[runner.uid] = runner
        return runner

    async def _runner(self, stored: Stored, owner: Owner) -> Runner:
        """Raises DocumentInvalid or EngineError where no machine can be built from it (C10)."""
        try:
            return Runner(self._services, stored, owner, self._advanced, self._turned)
        except Exception as error:
            why = unfit(stored, self._services, error)
            await set_aside(self._services, stored, owner, why, serving=self._queued)
            raise why from error

    async def _begin(self, key: Key) -> None:
        if not self._slots.holds(key):
            return  # it was given up meanwhile, and is offered again
        runner = await self._take(key)
        if runner is not None and runner.saga.wants_slot and not self._services.closing:
            self._slots.hold(runner)
            runner.post(entrance(runner.saga.head, runner.saga.workflow, self._services))
            return
        if runner is not None:
            self._slots.count(runner)
        else:
            self._slots.leave(key)
        self._slots.admit()

    # After a turn

    def _turned(self, runner: Runner) -> None:
        """A runner took a turn: its slot, its permits, its end."""
        if runner.error is not None:
            self._gave_up(runner, runner.error)
        elif not self._services.closing:
            if not runner.saga.dirty:
                self._isolation.saved(runner.uid)
                self.room.weigh(runner.key)
            if not self._queued and runner.saga.wants_slot:
                runner.post(entrance(runner.saga.head, runner.saga.workflow, self._services))
            if runner.saga.removable and runner.idle:
                self._tasks.spawn(self._remove(runner))
            elif self._queued and not runner.lives:
                self._tasks.spawn(self._drop(runner))
            # A slot is given back once that is on disk: after a crash it would count again (E3).
            ours = self._runners.get(runner.key) is runner
            if self._queued and ours and not runner.saga.dirty:
                self._slots.count(runner)
                self._expiry.saw(runner.key, runner.queue, runner.saga.head, runner.ttl)
        self._slots.admit()
        if self._queued and not self.healthy:
            self._stopped.set()
        if runner.error is not None or runner.rests:
            self._waiting.wake(runner)

    def _gave_up(self, runner: Runner, error: WfError) -> None:
        """A runner can't go on; one that is looked at again in a while keeps its slot till then."""
        key = runner.key
        if self._runners.get(key) is not runner:
            return
        self._set_aside(key, error, "given up")
        if runner.hooks.running:
            self._given_up[key] = runner
        held, slotless = self._slots.holds(key), self._slots.slotless(key)
        self._forget(runner)
        if self._queued and isinstance(error, StoreUnavailable | WorkflowOwned):
            if held:
                # Whatever its state says that was not saved. And who saved it instead of us may be
                # a former owner, after whose last word it is ours again.
                self._slots.hold_in_doubt(key, runner.queue, slotless=slotless)
            self._follower.later(key, str(error))

    def _advanced(self, runner: Runner) -> None:
        """A runner's turn has taken and given permits: hand on what it left."""
        self._isolation.closed(Open(runner.uid))
        if self._given_up.get(runner.key) is runner and not runner.hooks.running:
            del self._given_up[runner.key]
        self._turnstile.passed(runner.uid)

    def _kick_all(self) -> None:
        for runner in self._runners.values():
            runner.kick()

    def _try_again(self, holder: str) -> None:
        if (runner := self._holders.get(holder)) is not None:
            runner.kick()

    async def _remove(self, runner: Runner) -> None:
        """The workflow's deletion was asked and everything is done: it goes."""
        key = runner.key
        async with self._locks.of(key):
            if self._runners.get(key) is not runner or not runner.saga.removable:
                return
            try:
                await self.store.remove(key)
            except WorkflowNotFound:
                pass  # somebody else was faster
            except WfError as error:
                self._follower.later(key, str(error))
                return
            if not self._queued:
                self._ended[key] = runner.saga.snapshot()
            self._forget(runner)
            self._isolation.over(runner.uid)
            await self._services.release(key)
        self._waiting.wake(runner)
        self._slots.admit()

    async def _drop(self, runner: Runner) -> None:
        """Let a workflow go that needs nobody any more."""
        key = runner.key
        async with self._locks.of(key):
            await runner.settle()
            if self._runners.get(key) is not runner or runner.lives:
                return
            self._forget(runner)
            self._isolation.over(runner.uid)
            await self._services.release(key)
        self._waiting.wake(runner)
        self._slots.admit()

    async def _retire(self, key: Key) -> bool:
        """Drive a workflow no more that goes by age; whether it was driven. Its lock is held."""
        if (runner := self._runners.get(key)) is not None:
            await runner.end(WorkflowNotFound(f"workflow '{key}' is removed: it is over age"))
            self._errors.pop(key, None)
        return runner is not None

    def _forget(self, runner: Runner) -> None:
        self._runners.pop(runner.key, None)
        self._holders.pop(runner.uid, None)
        runner.close()
        self.room.leave(runner.key)
        self._turnstile.serve()
        if self._queued:
            self._slots.leave(runner.key)

    async def _until_hooks_end(self) -> None:
        end = self._clock.now() + self.config.controller_config.grace
        while self._clock.now() < end and self.busy:
            await asyncio.sleep(0.01)
