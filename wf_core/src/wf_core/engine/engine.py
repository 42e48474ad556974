"""Which workflows run: recovery, admission, requests, permits, a graceful end.

`adopt` takes one workflow, outside the queues (`wf run`, `wf resume`). `serve` takes everything in
the store, by its queues (`wf serve`, a controller).
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from functools import partial
from pathlib import Path

from wf_core.admission import Admission
from wf_core.config import Config
from wf_core.engine.courier import Courier
from wf_core.engine.runner import Runner
from wf_core.engine.services import Listener, Services
from wf_core.errors import DocumentInvalid, StoreUnavailable, WfError, WorkflowNotFound, WorkflowOwned
from wf_core.limits import KindLimits, Limits
from wf_core.model.phases import FINISHED, Phase
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Stored
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
from wf_core.saga.events import Admitted, DeletionAsked, Refused

log = logging.getLogger("wf.engine")
LINGER = 0.005
RESCAN = 10.0
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
        self._admission = Admission(controller.queue)
        self._queued = False
        self._runners: dict[Key, Runner] = {}
        self._holders: dict[str, Runner] = {}
        self._waiters: dict[Key, list[asyncio.Future[None]]] = {}
        self._ended: dict[Key, Stored] = {}
        self._errors: dict[Key, WfError] = {}
        self._follower: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._tokens: asyncio.TimerHandle | None = None
        self._stopped = asyncio.Event()

    # Taking workflows

    async def create(self, workflow: Workflow) -> Stored:
        """Store a new workflow. Raises WorkflowExists, StoreUnavailable."""
        return await self.store.create(workflow, self._clock.now())

    async def adopt(self, key: Key) -> None:
        """Claim a workflow and go on with it, new or left by a crash, outside the queues.

        Raises WorkflowOwned, WorkflowNotFound, DocumentInvalid (its kinds or its document don't fit
        this engine and nothing of it ran yet), StoreForeign, StoreUnavailable.
        """
        await self._follow()
        if key in self._runners:
            return
        runner = await self._load(key)
        if runner.saga.head.phase is Phase.PENDING:
            faults = self._faults(runner)
            if faults is not None:
                await self._drop(runner)
                raise faults
        self._grant(runner)
        runner.kick()

    async def serve(self) -> None:
        """Run everything in the store by its queues until `stop`; recovery comes first (E3)."""
        self._queued = True
        await self._follow()
        try:
            await self._recover()
            self._admit()
            while not self._stopped.is_set():
                try:
                    await asyncio.wait_for(self._stopped.wait(), RESCAN)
                except TimeoutError:
                    # A lock that a dead process held is let go without anybody being told.
                    await self._recover()
                    self._admit()
        finally:
            await self.stop()

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

    async def wait(self, key: Key) -> Stored:
        """Wait until a workflow rests: finished, suspended, or everything waits for a person.

        Raises what made the engine let it go: WorkflowOwned, StoreUnavailable, EngineError.
        """
        while True:
            runner = self._runners.get(key)
            if runner is None:
                break
            if runner.rests:
                await self._await_callbacks(runner)
                return runner.saga.snapshot()
            future = asyncio.get_running_loop().create_future()
            self._waiters.setdefault(key, []).append(future)
            await future
        if key in self._errors:
            raise self._errors[key]
        return self.view(key)

    async def stop(self) -> None:
        """End cleanly: start nothing, tell hooks, keep what they still report, let everything go.

        A hook that does not end within its grace keeps its claim: whoever comes next finds it
        interrupted once this process is gone.
        """
        if self._services.closing:
            return
        self._services.closing = True
        self._stopped.set()
        if self._follower is not None:
            self._follower.cancel()
        for runner in self._runners.values():
            runner.hooks.stop_all()
        await self._until_hooks_end()
        for runner in list(self._runners.values()):
            await runner.settle()
            runner.close()
            if runner.hooks.running == 0 and runner.error is None:
                await self._release(runner.key)
        for task in list(self._tasks):
            task.cancel()
        if self._tokens is not None:
            self._tokens.cancel()
        await self._services.courier.close()
        await self._sender.close()
        await self._services.announcer.close()
        await self._executor.close()
        self._wake_waiters(self._waiters)

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
        if row.phase is Phase.PENDING and not row.deleting:
            if not row.suspended:
                self._offer(row.key, row.queue, row.priority, row.created_at, row.uid)
            if await self.store.asked(row.key):
                await self._take(row.key)
        elif row.phase not in FINISHED or row.deleting or row.watched:
            await self._take(row.key)
        elif await self.store.asked(row.key):
            await self._take(row.key)

    def _offer(self, key: Key, queue: str, priority: int, created: float, uid: str) -> None:
        self._admission.offer(key, queue, priority, created, uid)

    async def _take(self, key: Key) -> Runner | None:
        """Own a workflow and go on with it, unless somebody else does; what is wrong is logged."""
        if key in self._runners:
            return self._runners[key]
        try:
            runner = await self._load(key)
        except WorkflowOwned:
            return None
        except WfError as error:
            log.error("%s: left alone: %s", key, error)
            return None
        self._count_slot(runner)
        runner.kick()
        return runner

    async def _load(self, key: Key) -> Runner:
        owner = await self.store.claim(key)
        try:
            stored = await self.store.load(key)
        except WfError:
            await self._release(key)
            raise
        runner = Runner(self._services, stored, owner, self._advanced, self._turned)
        self._errors.pop(key, None)
        self._ended.pop(key, None)
        self._runners[key] = runner
        self._holders[runner.uid] = runner
        return runner

    def _admit(self) -> None:
        """Start what may start now."""
        while self._queued and not self._services.closing:
            key = self._admission.next()
            if key is None:
                return
            self._spawn(self._begin(key))

    async def _begin(self, key: Key) -> None:
        runner = await self._take(key)
        if runner is None:
            self._admission.release(key)
            return
        self._admission.hold(key, runner.queue)
        faults = self._faults(runner) if runner.saga.head.phase is Phase.PENDING else None
        runner.post(Admitted() if faults is None else Refused(str(faults)))

    def _faults(self, runner: Runner) -> DocumentInvalid | None:
        from wf_core.codec import faults  # YAML and all: only where a workflow begins

        found = faults(runner.saga.workflow, self.registry)
        return DocumentInvalid(found, str(runner.key)) if found else None

    def _count_slot(self, runner: Runner) -> None:
        if not self._queued:
            return
        saga = runner.saga
        if saga.holds_slot:
            self._admission.hold(runner.key, runner.queue)
        else:
            self._admission.release(runner.key)
            if saga.wants_slot:
                spec = saga.workflow.spec
                self._admission.offer(
                    runner.key,
                    runner.queue,
                    spec.priority,
                    saga.head.created_at,
                    runner.uid,
                    resuming=saga.head.parked,
                )

    def _grant(self, runner: Runner) -> None:
        if not self._queued and runner.saga.wants_slot:
            runner.post(Admitted())

    # After a turn

    def _turned(self, runner: Runner) -> None:
        """A runner took a turn: its slot, its permits, its end."""
        key = runner.key
        if runner.error is not None:
            self._errors[key] = runner.error
            self._forget(runner)
            if self._queued and isinstance(runner.error, StoreUnavailable):
                log.error("%s; trying again in %g s", runner.error, RESCAN)
        elif not self._services.closing:
            self._grant(runner)
            if runner.saga.removable and runner.idle:
                self._spawn(self._remove(runner))
            elif self._queued and not runner.lives:
                self._spawn(self._drop(runner))
        if not self._services.closing:
            if self._queued and key in self._runners:
                self._count_slot(runner)
            self._admit()
        if runner.error is not None or runner.rests:
            self._wake_waiters([key])

    def _advanced(self, runner: Runner) -> None:
        """A runner's turn has taken and given permits: hand on what it left."""
        if not self._services.closing:
            self._services.limits.settle(runner.uid)
            self._serve_waiters()

    def _serve_waiters(self) -> None:
        """Let those try again for whom a permit is free now, or will be when a token comes."""
        limits, now = self._services.limits, self._clock.now()
        for holder in limits.ready(now):
            waiting = self._holders.get(holder)
            if waiting is not None:
                waiting.kick()
        at = limits.next_token_at(now)
        if self._tokens is not None:
            self._tokens.cancel()
            self._tokens = None
        if at is not None:
            delay = max(0.0, at - now)
            self._tokens = asyncio.get_running_loop().call_later(delay, self._serve_waiters)

    def _wake_waiters(self, keys: Iterable[Key]) -> None:
        for key in list(keys):
            for future in self._waiters.pop(key, []):
                if not future.done():
                    future.set_result(None)

    async def _remove(self, runner: Runner) -> None:
        """The workflow's deletion was asked and everything is done: it goes."""
        if self._runners.get(runner.key) is not runner:
            return
        self._ended[runner.key] = runner.saga.snapshot()
        self._forget(runner)
        await self.store.remove(runner.key)
        await self._release(runner.key)
        self._wake_waiters([runner.key])
        self._admit()

    async def _drop(self, runner: Runner) -> None:
        """Let a workflow go that needs nobody any more."""
        if self._runners.get(runner.key) is not runner:
            return
        self._forget(runner)
        await runner.settle()
        await self._release(runner.key)
        self._wake_waiters([runner.key])
        self._admit()

    def _forget(self, runner: Runner) -> None:
        self._runners.pop(runner.key, None)
        self._holders.pop(runner.uid, None)
        runner.close()
        if self._queued:
            self._admission.withdraw(runner.key)
            self._admission.release(runner.key)

    async def _release(self, key: Key) -> None:
        try:
            await self.store.release(key)
        except (StoreUnavailable, WorkflowNotFound) as error:
            log.warning("%s: the claim was not given up: %s", key, error)

    async def _await_callbacks(self, runner: Runner) -> None:
        """Give callbacks a moment to be delivered before a short-lived process ends."""
        end = self._clock.now() + CALLBACKS_AT_END
        while (
            runner.saga.snapshot().outbox
            and runner.error is None
            and self._clock.now() < end
            and not self._services.closing
        ):
            await asyncio.sleep(0.02)

    async def _until_hooks_end(self) -> None:
        end = self._clock.now() + self.config.controller_config.grace
        while self._clock.now() < end and any(r.hooks.running for r in self._runners.values()):
            await asyncio.sleep(0.01)

    # What others do to the store

    async def _follow(self) -> None:
        """Follow the store from now on: what is loaded later is newer than what is not seen."""
        if self._follower is None:
            since = await self.store.position()
            self._follower = asyncio.get_running_loop().create_task(self._watch(since))

    async def _watch(self, since: int) -> None:
        while True:
            try:
                async for seen in self.store.watch(since):
                    since = seen.position
                    if not seen.gone:
                        await self._seen(seen)
            except StoreUnavailable as error:
                log.warning("following the store: %s", error)
            await asyncio.sleep(1.0)

    async def _seen(self, seen: Seen) -> None:
        """Look at requests and deletion of a workflow that changed, and at what is new."""
        runner = self._runners.get(seen.key)
        try:
            if runner is not None:
                if seen.request_seq > runner.last_request:
                    for asked in await self.store.asked(seen.key):
                        runner.ask(asked)
                at = seen.deletion_asked_at
                if at is not None and runner.saga.head.deletion_asked_at is None:
                    runner.post(DeletionAsked(at))
            elif self._queued:
                await self._see_new(seen.key)
        except WorkflowNotFound:
            return

    async def _see_new(self, key: Key) -> None:
        stored = await self.store.load(key)
        head, spec = stored.head, stored.workflow.spec
        fresh = head.phase is Phase.PENDING and head.deletion_asked_at is None
        if fresh and not stored.asked:
            if not (spec.suspend if head.revision == 0 else head.suspended):
                uid = stored.workflow.metadata.uid
                self._offer(key, spec.queue, spec.priority, head.created_at, uid)
                self._admit()
        elif stored.asked or head.phase not in FINISHED or head.deletion_asked_at is not None:
            await self._take(key)

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(partial(_reap, self._tasks))


def _reap(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.error("a fault of the engine", exc_info=task.exception())
