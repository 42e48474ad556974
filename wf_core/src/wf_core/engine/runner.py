"""One workflow's turns: take all that arrived, advance once, save once, perform (semantics C1).

While a save is under way events gather for the next turn, so a step's success and the start of its
successors are one write, however many outcomes arrive together.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from wf_core.engine.announced import announced
from wf_core.engine.answers import tell_refused
from wf_core.engine.hooks import Hooks, cut_off
from wf_core.engine.output import HookOutput
from wf_core.engine.permits import WorkflowPermits
from wf_core.engine.reporting import deliveries, reports
from wf_core.engine.services import Services
from wf_core.errors import (
    GOES_ON,
    EngineError,
    StoreForeign,
    StoreUnavailable,
    WfError,
    WorkflowNotFound,
    WorkflowOwned,
)
from wf_core.folders import unusable
from wf_core.model.outcomes import Failure, Severity
from wf_core.model.phases import FINISHED, DeletionPolicy, Hook, Phase
from wf_core.model.requests import Asked
from wf_core.model.spec import Key, TimeToLive
from wf_core.model.state import (
    INTERNAL_ERROR,
    Condition,
    Folder,
    OutboxEntry,
    Owner,
    Stored,
    Writer,
)
from wf_core.ports import Changes, Saved
from wf_core.saga.delta import Delta
from wf_core.saga.events import (
    Call,
    DeletionAsked,
    Effect,
    Event,
    PolicyChanged,
    Reported,
    Stop,
    Woken,
    WriteOff,
)
from wf_core.saga.machine import Saga
from wf_core.saga.sizes import short

log = logging.getLogger("wf.engine")
READ_BACKS = 5
Place = tuple[int, int]
"""Which state it is: the epoch of its owner, and its revision."""


class Runner:
    """Drives one owned workflow on the loop.

    `advanced(runner)` is called when a turn has decided, `turned(runner)` when it is over.
    """

    def __init__(
        self,
        services: Services,
        stored: Stored,
        owner: Owner,
        advanced: Callable[["Runner"], None],
        turned: Callable[["Runner"], None],
    ) -> None:
        metadata = stored.workflow.metadata
        self.key = Key(metadata.namespace, metadata.name)
        self.uid = metadata.uid
        self.queue = stored.workflow.spec.queue
        self.ttl = stored.workflow.spec.ttl_seconds_after_finished
        self.error: WfError | None = None
        self._services = services
        self._owner = owner
        self._advanced = advanced
        self._turned = turned
        self._permits = WorkflowPermits(services, metadata.uid, metadata.namespace)
        self.saga = self._machine(stored)
        self._output = HookOutput(services.store, self.key)
        self.hooks = Hooks(
            services, self.saga, self._permits, owner.epoch, self.post, self.wake, self._output.add
        )
        self._base = (stored.head.owner.epoch, stored.head.revision)
        self.last_request = max((asked.seq for asked in stored.asked), default=0)
        self._writes = 0
        self._events: list[Event] = []
        self._effects: list[Effect] = []
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._closed = False
        self._ended: WfError | None = None
        self._flush = False
        self._linger: asyncio.TimerHandle | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._wake_at: float | None = None
        callback = stored.workflow.spec.callback
        self._callback = callback if callback is not None and callback.url else None
        # What a callback says is what is on disk: the machine may be a save ahead (seed fault 9).
        self._saved = stored
        self._deleting = stored.head.deletion_asked_at is not None
        self._policy = stored.workflow.spec.deletion_policy
        self._offer(stored.outbox)

    def _machine(self, stored: Stored) -> Saga:
        controller = self._services.config.controller_config
        taken_over = stored.head.owner.id not in ("", self._owner.id)
        return Saga(
            stored,
            self._services.registry.kinds,
            self._permits,
            grace=controller.grace,
            sync_timeout=controller.sync_timeout,
            retry_floor=controller.floors.retry_period,
            sync_timeouts={
                each.kind: each.sync_timeout
                for each in controller.steps
                if each.sync_timeout is not None
            },
            misplaced=self._misplaced,
            died=self._services.isolation.died(self.uid, taken_over=taken_over),
        )

    def _misplaced(self, kind: str, folder: Folder) -> str | None:
        if not self._services.registry.kinds[kind].needs_folder:
            return None
        return unusable(folder, self.key)

    # Events

    def post(self, event: Event) -> None:
        """Take an event into the next turn."""
        if self.error is not None:
            self._advanced(self)  # a hook that outlived its workflow gave its permit back
            return
        self._events.append(event)
        self.kick()

    def wake(self, step: int) -> None:
        """What that step left in progress may be done. A hook may say so long after its call: what
        was let go by then is passed over."""
        if not self._closed:
            self.post(Woken(step))

    def wake_step(self, name: str) -> None:
        """The same of the step of that name, if there is one."""
        for i, spec in enumerate(self.saga.workflow.spec.steps):
            if spec.name == name:
                self.wake(i)

    def ask(self, asked: Asked) -> None:
        """Take a person's request, once."""
        if asked.seq > self.last_request:
            self.last_request = asked.seq
            self.post(asked)

    def learn(
        self,
        asked: Iterable[Asked],
        deleted_at: float | None,
        policy: DeletionPolicy | None,
        ttl: TimeToLive | None,
    ) -> None:
        """Take what people did to the stored workflow: requests, deletion, what deletion means, how
        long it is kept. None is not known."""
        for each in asked:
            self.ask(each)
        if policy is not None and policy is not self._policy:
            self._policy = policy
            self.post(PolicyChanged(policy))
        if ttl is not None and ttl != self.ttl:
            self.ttl = ttl
            self.kick()
        if deleted_at is not None and self.saga.head.deletion_asked_at is None:
            self.post(DeletionAsked(deleted_at))

    def kick(self) -> None:
        """Take a turn soon, whether or not an event has come: a permit may be free, or time."""
        if self.error is not None:
            return
        self._again = True
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._turns())

    def overtaken(self, owner: str, revision: int) -> bool:
        """Whether somebody else made that revision, on which nothing of ours is built."""
        return owner not in ("", self._owner.id) and revision > self._base[1]

    async def end(self, error: WfError) -> None:
        """Tell the hooks to stop, and do nothing more for the workflow."""
        self._ended = error
        self.kick()
        if self._task is not None:
            await asyncio.wait((self._task,))

    @property
    def place(self) -> Place:
        """What it saved or loaded last."""
        return self._base

    @property
    def idle(self) -> bool:
        """Whether nothing has arrived, nothing is to be saved and no turn is under way."""
        return self._task is None and not self._events and not self.saga.dirty

    @property
    def rests(self) -> bool:
        """Whether it stands still until somebody does something, everything being saved."""
        return self.idle and self.saga.rests

    @property
    def lives(self) -> bool:
        """Whether it must be kept: unfinished, watched, called back, or about to go."""
        saga = self.saga
        return not (
            self.rests
            and saga.head.phase in FINISHED
            and not saga.snapshot().outbox
            and not (saga.head.phase is Phase.SUCCESS and saga.watched)
            and saga.head.deletion_asked_at is None
        )

    # Turns

    async def _turns(self) -> None:
        try:
            while self._again and self.error is None:
                self._again = False
                await self._turn()
        except (StoreUnavailable, StoreForeign, WorkflowOwned, WorkflowNotFound) as error:
            self._give_up(error)
        except Exception as error:
            log.exception("%s: a fault of the engine", self.key)
            why = f"{type(error).__name__}: {error}"
            self._give_up(EngineError(f"{self.key}: {why}"))
            await self._confess(why)
        finally:
            self._task = None
            self._turned(self)
            if self._again and self.error is None:
                self.kick()

    async def _turn(self) -> None:
        if self._ended is not None:
            raise self._ended
        saga, services = self.saga, self._services
        events, self._events = self._events, []
        self.hooks.turn()
        if services.closing:
            events = [event for event in events if not cut_off(event)]
        self._effects += saga.advance(events, services.clock.now())
        self._advanced(self)
        if saga.dirty:
            if not (saga.urgent or self._flush or services.closing):
                self._start_linger()
                self._arm()
                return
            await self._save()
        self.hooks.saved()
        self._perform()
        self._arm()

    def _start_linger(self) -> None:
        if self._linger is None:
            loop = asyncio.get_running_loop()
            self._linger = loop.call_later(self._services.store.linger, self._linger_over)

    def _linger_over(self) -> None:
        self._linger = None
        self._flush = True
        self.kick()

    def _arm(self) -> None:
        """Wake when the machine's next timer fires."""
        at = self.saga.next_wake
        if at == self._wake_at and self._wake is not None:
            return
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._wake_at = at
        if at is not None:
            delay = max(0.0, at - self._services.clock.now())
            self._wake = asyncio.get_running_loop().call_later(delay, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self._wake_at = None
        self.kick()

    def _perform(self) -> None:
        effects, self._effects = self._effects, []
        for effect in effects:
            match effect:
                case Call() if self._services.closing:
                    self._not_called(effect)
                case Call() if not self._services.store.owns:
                    raise WorkflowOwned(
                        f"workflow '{self.key}': this process stood still for so long that another "
                        "may have taken over; it calls nothing more of it"
                    )
                case Call():
                    self.hooks.start(effect)
                case Stop(_, call):
                    self.hooks.stop(call)
                case WriteOff(_, call):
                    self.hooks.write_off(call)

    def _not_called(self, call: Call) -> None:
        """The engine began to stop while the intent was saved: nothing of it happened, so it is
        neither an interruption nor a failure that counts. A look is simply left out."""
        if call.hook is not Hook.SYNC:
            why = Failure(Severity.THROTTLED, "the engine was stopping; it was not called")
            self.post(Reported(call.step, call.call, why))

    # Saving

    async def _save(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        self._flush = False
        await self._output.write()
        self._writes += 1
        delta = self.saga.take_changes(self._owner, self._writes)
        changes = Changes(
            uid=self.uid,
            base_epoch=self._base[0],
            base_revision=self._base[1],
            head=delta.head,
            steps=delta.steps,
            outbox=delta.outbox,
            history=delta.history,
            answered=delta.answered,
        )
        answer = await self._services.store.save(self.key, changes)
        if answer is Saved.UNKNOWN:
            answer = await self._read_back(changes)
        if answer is Saved.LOST:
            raise WorkflowOwned(
                f"workflow '{self.key}' was taken over by another engine; this one lets it go"
            )
        if answer is Saved.INVALID:
            raise EngineError("the store refused a save as invalid")
        self._base = (self._owner.epoch, delta.head.revision)
        self._tell(delta)

    async def _read_back(self, changes: Changes) -> Saved:
        """Find out what became of a save whose answer was lost (semantics C4)."""
        writer = Writer(self._owner.epoch, self._writes)
        for _ in range(READ_BACKS):
            try:
                stored = await self._services.store.load(self.key)
            except WorkflowNotFound:
                return Saved.LOST
            head = stored.head
            # Two engines may have numbered their writes alike: the owner tells them apart.
            if head.writer == writer and head.owner.id == self._owner.id:
                return Saved.SAVED
            if (head.owner.epoch, head.revision) != self._base:
                return Saved.LOST
            answer = await self._services.store.save(self.key, changes)
            if answer is not Saved.UNKNOWN:
                return answer
        raise StoreUnavailable(
            f"workflow '{self.key}': the store does not say whether it saved; "
            f"nothing was lost; {GOES_ON}"
        )

    async def _confess(self, why: str) -> None:
        """Say in the stored state that it waits for us (semantics C4); nothing else is saved."""
        try:
            head = (await self._services.store.load(self.key)).head
            base = (head.owner.epoch, head.revision)
            if base != self._base or any(c.type == INTERNAL_ERROR for c in head.conditions):
                return
            self._writes += 1
            now = self._services.clock.now()
            remark = Condition(INTERNAL_ERROR, "EngineFault", short(why), now)
            head = replace(
                head,
                revision=head.revision + 1,
                owner=self._owner,
                writer=Writer(self._owner.epoch, self._writes),
                conditions=(*head.conditions, remark),
            )
            await self._services.store.save(self.key, Changes(self.uid, *base, head, {}))
        except WfError as error:
            log.error("%s: its fault could not be noted in its state: %s", self.key, error)
        except Exception:
            log.exception("%s: its fault could not be noted in its state", self.key)

    def _tell(self, delta: Delta) -> None:
        """After the save: the outbox, the observers, whoever looks on."""
        services = self._services
        if self._callback is not None:
            self._saved = self.saga.snapshot()
        deleting = delta.head.deletion_asked_at is not None
        if delta.outbox or (deleting and not self._deleting):
            self._deleting = deleting
            self._offer(delta.outbox)
        tell_refused(self.key, delta)
        for event in announced(self.saga, delta, services.clock.now()):
            services.announcer.announce(event)
        for listener in services.listeners:
            try:
                listener(self.key, delta.history)
            except Exception:
                log.exception("%s: a listener failed", self.key)

    def _offer(self, entries: tuple[OutboxEntry, ...]) -> None:
        callback = self._callback
        if callback is not None and (entries or self._deleting):
            uid = self.saga.key_uid
            trace = self._services.tracer(uid, self.saga.workflow.metadata.annotations)
            make = deliveries(uid, callback, lambda: self._saved, trace)
            report = reports(self.key, self.post)
            self._services.courier.offer(
                self.key.namespace, self.uid, entries, make, report, deleting=self._deleting
            )

    # Ending

    def _give_up(self, error: WfError) -> None:
        """Write nothing more, and ask the hooks to stop (semantics C4)."""
        self.error = error
        self._events.clear()
        self._effects.clear()
        self._output.give_up()
        self.hooks.stop_all()
        self.hooks.lost()
        self.close()

    def close(self) -> None:
        """Forget timers, callbacks that are on their way, and every permit that no call uses."""
        self._closed = True
        for timer in (self._linger, self._wake):
            if timer is not None:
                timer.cancel()
        self._linger = self._wake = None
        self._output.close()
        self._permits.abandon(self.hooks.permits())
        self._services.courier.drop(self.uid)

    async def delivered(self, seconds: float) -> None:
        """Give callbacks a moment to be delivered, before a short-lived process ends."""
        clock = self._services.clock
        end = clock.now() + seconds
        while (
            not self._closed
            and not self._services.closing
            and self.saga.snapshot().outbox
            and clock.now() < end
        ):
            await asyncio.sleep(0.02)

    async def settle(self) -> None:
        """Save what is left, once nothing arrives any more."""
        while self.error is None and (self._task is not None or self._events or self.saga.dirty):
            self.kick()
            task = self._task
            if task is not None:
                await asyncio.shield(task)
        await self._output.settle(write=self.error is None)
