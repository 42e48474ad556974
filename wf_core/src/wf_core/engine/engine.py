"""Which workflows run: recovery, admission, requests, permits, a graceful end.

`adopt` takes one workflow, outside the queues (`wf run`, `wf resume`). `serve` takes everything in
the store, by its queues (`wf serve`, a controller).
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from wf_core.config import Config
from wf_core.engine.courier import Courier
from wf_core.engine.follower import Follower
from wf_core.engine.locks import KeyLocks
from wf_core.engine.refusal import never_ran, refused
from wf_core.engine.runner import Runner
from wf_core.engine.services import Listener, Services
from wf_core.engine.slots import Slots
from wf_core.engine.turnstile import Turnstile
from wf_core.errors import (
    DocumentInvalid,
    EngineError,
    Fault,
    OperatorError,
    StoreUnavailable,
    WfError,
    WorkflowNotFound,
    WorkflowOwned,
)
from wf_core.limits import KindLimits, Limits
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.requests import Asked
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Owner, Stored
from wf_core.plugins import Registry
from wf_core.ports import (
    Announcer,
    CallbackSender,
    Clock,
    HookExecutor,
    Row,
    Seen,
    Store,
)
from wf_core.saga.events import Admitted, DeletionAsked, Event, Refused, Woken

log = logging.getLogger("wf.engine")
LINGER = 0.005
CALLBACKS_AT_END = 10.0


class Engine:
    """Runs workflows of one store. Times are seconds; `folder` keeps hooks' own files."""

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
        linger: float = LINGER,
    ) -> None:
        controller = config.controller_config
        self.store = store
        self.config = config
        self.registry = registry
        self._clock = clock
        self._executor = executor
        self._sender = sender
        self._services = Services(
            store=store,
            registry=registry,
            executor=executor,
            clock=clock,
            courier=Courier(
                sender,
                clock,
                give_up_after=config.callbacks.give_up_after,
                give_up_after_deletion=config.callbacks.give_up_after_deletion,
            ),
            announcer=announcer,
            config=config,
            limits=Limits(
                controller.concurrency,
                {
                    each.kind: KindLimits(each.qps, each.concurrency, each.max_active)
                    for each in controller.steps
                },
            ),
            folder=folder,
            linger=linger,
        )
        self._slots = Slots(controller.queue, lambda key: self._spawn(self._begin(key)))
        self._turnstile = Turnstile(self._services.limits, clock, self._try_again)
        self._queued = False
        self._runners: dict[Key, Runner] = {}
        self._holders: dict[str, Runner] = {}
        self._given_up: dict[Key, Runner] = {}
        self._waiters: dict[Key, list[asyncio.Future[Runner | None]]] = {}
        self._ended: dict[Key, Stored] = {}
        self._errors: dict[Key, WfError] = {}
        self._locks = KeyLocks()
        self._follower = Follower(store, self._look)
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._stopped = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None

    # Taking workflows

    async def create(self, workflow: Workflow) -> Stored:
        """Store a new workflow. Raises WorkflowExists, StoreUnavailable."""
        return await self.store.create(workflow, self._clock.now())

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
            if runner.saga.head.phase is Phase.PENDING:
                faults = self._faults(runner)
                if faults is not None:
                    self._forget(runner)
                    await self._release(key)
                    raise faults
            if self._queued:
                self._slots.count(runner)
            elif runner.saga.wants_slot:
                runner.post(Admitted())
            runner.kick()

    async def serve(self) -> None:
        """Run everything in the store by its queues until `stop`; recovery comes first (E3).

        Raises StoreUnavailable where the store can't be read at the start, and OperatorError when
        half of the hooks' threads are stuck: the process should exit then.
        """
        self._queued = True
        try:
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
        """Say that what a step left in progress may be done: a hint, never saved (semantics B8).

        A workflow or step that isn't here is passed over.
        """
        runner = self._runners.get(key)
        if runner is not None:
            for i, spec in enumerate(runner.saga.workflow.spec.steps):
                if spec.name == step:
                    runner.post(Woken(i))

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
    def healthy(self) -> bool:
        """False once half of the hooks' threads are stuck: then the process should exit (B7)."""
        return self._executor.healthy

    @property
    def busy(self) -> bool:
        """Whether hooks still run: after `stop`, those that did not end when they were told."""
        runners = (*self._runners.values(), *self._given_up.values())
        return any(runner.hooks.running for runner in runners)

    async def wait(self, key: Key) -> Stored:
        """Wait until a workflow rests: finished, suspended, or everything waits for a person.

        When the engine stops, or lets the workflow go, it gives what is known then. Raises
        WorkflowNotFound and what made the engine give it up: WorkflowOwned, StoreUnavailable,
        EngineError.
        """
        while True:
            runner = self._runners.get(key)
            if runner is None and (self._services.closing or not self._queued):
                return self._last_known(key)
            if runner is None:
                stored = await self.store.load(key)
                if stored.head.phase in FINISHED or stored.head.suspended:
                    return stored
            elif runner.rests or self._services.closing:
                return await self._at_rest(runner)
            woken = await self._next_rest(key)
            if woken is not None and self._runners.get(key) is not woken:
                return await self._at_rest(woken)

    def _last_known(self, key: Key) -> Stored:
        if key in self._errors:
            raise self._errors[key]
        return self.view(key)

    async def _at_rest(self, runner: Runner) -> Stored:
        await self._await_callbacks(runner)
        if runner.error is not None:
            raise runner.error
        return runner.saga.snapshot()

    async def _next_rest(self, key: Key) -> Runner | None:
        """Wait until a workflow rests or is let go; None when the engine stops."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Runner | None] = loop.create_future()
        self._waiters.setdefault(key, []).append(future)
        return await future

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
        self._stopped.set()
        self._slots.shut()
        self._turnstile.close()
        async with AsyncExitStack() as last:
            last.push_async_callback(self._executor.close)
            last.push_async_callback(self._services.announcer.close)
            last.push_async_callback(self._sender.close)
            last.push_async_callback(self._services.courier.close)
            for runner in self._runners.values():
                runner.hooks.stop_all()
            await self._follower.stop()
            if self._tasks:
                await asyncio.wait(list(self._tasks))
            await self._until_hooks_end()
            for runner in list(self._runners.values()):
                await runner.settle()
                runner.close()
                if not runner.hooks.running and runner.error is None:
                    await self._release(runner.key)
            self._wake_waiters(self._waiters, None)

    # Recovery and admission

    async def _recover(self) -> None:
        """Count and take up everything that was left unfinished; queue what never began."""
        after: str | None = None
        while True:
            page = await self.store.list(after=after)
            for row in page.rows:
                if row.key not in self._runners:
                    await self._consider(row)
            after = page.after
            if after is None:
                return

    async def _consider(self, row: Row) -> None:
        fresh = row.phase is Phase.PENDING and not row.deleting
        left = row.phase not in FINISHED or row.deleting or row.watched or row.reporting
        if row.asked or (left and not fresh):
            await self._take(row.key)
        elif fresh and not row.suspended:
            self._slots.offer(row.key, row.queue, row.priority, row.created_at, row.uid)

    async def _take(self, key: Key) -> Runner | None:
        """Own a workflow and go on with it, unless somebody else does; what is wrong is logged."""
        async with self._locks.of(key):
            if key in self._runners:
                return self._runners[key]
            if self._services.closing or isinstance(self._errors.get(key), EngineError):
                return None  # what failed by a fault of ours would fail again
            try:
                runner = await self._load(key)
            except WorkflowNotFound:
                self._slots.leave(key)
                return None
            except (WorkflowOwned, StoreUnavailable) as error:
                self._follower.later(key, str(error))
                return None
            except WfError as error:
                log.error("%s: left alone: %s", key, error)
                self._slots.leave(key)
                return None
            if self._queued:
                self._slots.count(runner)
            runner.kick()
            return runner

    async def _load(self, key: Key) -> Runner:
        """Claim and load. The key's lock is held."""
        given_up = self._given_up.get(key)
        if given_up is not None and given_up.hooks.running:
            raise WorkflowOwned(f"workflow '{key}': hooks that this engine gave up still run")
        owner = await self.store.claim(key)
        try:
            stored = await self.store.load(key)
            runner = await self._runner(key, stored, owner)
        except WfError:
            await self._release(key)
            raise
        self._given_up.pop(key, None)
        self._errors.pop(key, None)
        self._ended.pop(key, None)
        self._follower.settled(key)
        self._runners[key] = runner
        self._holders[runner.uid] = runner
        return runner

    async def _runner(self, key: Key, stored: Stored, owner: Owner) -> Runner:
        """Raises DocumentInvalid or EngineError where the document fits no machine (C10)."""
        try:
            return Runner(self._services, stored, owner, self._advanced, self._turned)
        except Exception as error:
            log.debug("%s: no machine", key, exc_info=True)
            found = self._document_faults(stored.workflow)
            why = DocumentInvalid(found, str(key)) if found else None
            if never_ran(stored):
                if stored.head.deletion_asked_at is not None:
                    await self.store.remove(key)
                elif stored.head.phase is Phase.PENDING and self._queued:
                    now = self._clock.now()
                    await self.store.save(key, refused(stored, owner, str(why or error), now))
            if why is not None:
                raise why from error
            raise EngineError(
                f"workflow '{key}': what is stored can't be run: {type(error).__name__}: {error}"
            ) from error

    async def _begin(self, key: Key) -> None:
        runner = await self._take(key)
        if runner is not None and runner.saga.wants_slot and not self._services.closing:
            self._slots.hold(runner)
            runner.post(self._entrance(runner))
            return
        if runner is not None:
            self._slots.count(runner)
        elif key not in self._given_up:
            self._slots.leave(key)
        self._slots.admit()

    def _entrance(self, runner: Runner) -> Event:
        """What a workflow that gets its slot is told: one that can't start here becomes Failed."""
        faults = self._faults(runner) if runner.saga.head.phase is Phase.PENDING else None
        return Admitted() if faults is None else Refused(str(faults))

    def _faults(self, runner: Runner) -> DocumentInvalid | None:
        found = self._document_faults(runner.saga.workflow)
        return DocumentInvalid(found, str(runner.key)) if found else None

    def _document_faults(self, workflow: Workflow) -> list[Fault]:
        from wf_core.codec import faults  # YAML and all: only where a workflow begins

        return faults(workflow, self.registry)

    def _grant(self, runner: Runner) -> None:
        if not self._queued and runner.saga.wants_slot:
            runner.post(self._entrance(runner))

    # After a turn

    def _turned(self, runner: Runner) -> None:
        """A runner took a turn: its slot, its permits, its end."""
        if runner.error is not None:
            self._gave_up(runner, runner.error)
        elif not self._services.closing:
            self._grant(runner)
            if runner.saga.removable and runner.idle:
                self._spawn(self._remove(runner))
            elif self._queued and not runner.lives:
                self._spawn(self._drop(runner))
            if self._queued and self._runners.get(runner.key) is runner:
                self._slots.count(runner)
        self._slots.admit()
        if self._queued and not self.healthy:
            self._stopped.set()
        if runner.error is not None or runner.rests:
            self._wake_waiters([runner.key], runner)

    def _gave_up(self, runner: Runner, error: WfError) -> None:
        """A runner can't go on. One whose store did not answer keeps its slot: it is still running
        as far as anybody knows, and is taken up again."""
        key = runner.key
        if self._runners.get(key) is not runner:
            return
        log.error("%s: given up: %s", key, error)
        self._errors[key] = error
        self._given_up[key] = runner
        self._forget(runner)
        if self._queued and isinstance(error, StoreUnavailable):
            if runner.saga.holds_slot:
                self._slots.hold(runner)
            self._follower.later(key, str(error))
        elif self._queued and isinstance(error, WorkflowOwned):
            self._follower.later(key, str(error))

    def _advanced(self, runner: Runner) -> None:
        """A runner's turn has taken and given permits: hand on what it left."""
        self._turnstile.passed(runner.uid)

    def _try_again(self, holder: str) -> None:
        runner = self._holders.get(holder)
        if runner is not None:
            runner.kick()

    def _wake_waiters(self, keys: Iterable[Key], runner: Runner | None) -> None:
        for key in list(keys):
            for future in self._waiters.pop(key, []):
                if not future.done():
                    future.set_result(runner)

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
            await self._release(key)
        self._wake_waiters([key], runner)
        self._slots.admit()

    async def _drop(self, runner: Runner) -> None:
        """Let a workflow go that needs nobody any more."""
        key = runner.key
        async with self._locks.of(key):
            await runner.settle()
            if self._runners.get(key) is not runner or runner.lives:
                return
            self._forget(runner)
            await self._release(key)
        self._wake_waiters([key], runner)
        self._slots.admit()

    def _forget(self, runner: Runner) -> None:
        self._runners.pop(runner.key, None)
        self._holders.pop(runner.uid, None)
        runner.close()
        self._turnstile.serve()
        if self._queued:
            self._slots.leave(runner.key)

    async def _release(self, key: Key) -> None:
        try:
            await self.store.release(key)
        except (StoreUnavailable, WorkflowNotFound) as error:
            log.warning("%s: the claim was not given up: %s", key, error)

    async def _await_callbacks(self, runner: Runner) -> None:
        """Give callbacks a moment to be delivered before a short-lived process ends."""
        end = self._clock.now() + CALLBACKS_AT_END
        while (
            self._runners.get(runner.key) is runner
            and runner.saga.snapshot().outbox
            and self._clock.now() < end
            and not self._services.closing
        ):
            await asyncio.sleep(0.02)

    async def _until_hooks_end(self) -> None:
        end = self._clock.now() + self.config.controller_config.grace
        while self._clock.now() < end and any(r.hooks.running for r in self._runners.values()):
            await asyncio.sleep(0.01)

    # What others do to the store

    async def _look(self, key: Key, seen: Seen | None) -> None:
        """Look at requests and deletion of a workflow that changed, and at what is new; `seen` is
        None where it could not be looked at before. Raises what the store raises."""
        runner = self._runners.get(key)
        if runner is None and self._locks.held(key):
            async with self._locks.of(key):  # it is being taken up, or let go
                runner = self._runners.get(key)
        if runner is None:
            if seen is not None and seen.gone:
                self._slots.leave(key)
            elif self._queued:
                await self._see_new(key)
        elif seen is None:
            stored = await self.store.load(key)
            self._tell(runner, stored.asked, stored.head.deletion_asked_at)
            runner.kick()
            self._follower.settled(key)
        elif not seen.gone:
            asked: tuple[Asked, ...] = ()
            if seen.request_seq > runner.last_request:
                asked = await self.store.asked(key)
            self._tell(runner, asked, seen.deletion_asked_at)
            runner.last_request = max(runner.last_request, seen.request_seq)

    def _tell(self, runner: Runner, asked: Iterable[Asked], deleted_at: float | None) -> None:
        for each in asked:
            runner.ask(each)
        if deleted_at is not None and runner.saga.head.deletion_asked_at is None:
            runner.post(DeletionAsked(deleted_at))

    async def _see_new(self, key: Key) -> None:
        stored = await self.store.load(key)
        head, spec = stored.head, stored.workflow.spec
        deleting = head.deletion_asked_at is not None
        if stored.asked or deleting or head.phase not in (Phase.PENDING, *FINISHED):
            await self._take(key)
        elif head.phase is Phase.PENDING and not head.suspended:
            metadata = stored.workflow.metadata
            self._slots.offer(key, spec.queue, spec.priority, head.created_at, metadata.uid)
            self._slots.admit()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks[task] = None
        task.add_done_callback(partial(_reap, self._tasks))


def _reap(tasks: dict[asyncio.Task[None], None], task: asyncio.Task[None]) -> None:
    del tasks[task]
    if not task.cancelled() and task.exception() is not None:
        log.error("a fault of the engine", exc_info=task.exception())
