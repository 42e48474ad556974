"""Slots of running workflows: what the stored states say, counted for admission (semantics E3).

Between a save that failed and the next look at what is stored nobody knows what the state says. The
slot is kept in doubt meanwhile, and whoever looks next settles it, whatever that look finds.
"""

from collections.abc import Callable

from wf_core.admission import Admission
from wf_core.config.values import QueueConfig
from wf_core.engine.runner import Runner
from wf_core.model.spec import Key


class Slots:
    """Admits workflows once `open` was called: nothing starts before recovery has counted all.

    `begin(key)` is called for each workflow that is admitted.
    """

    def __init__(self, queue: QueueConfig, begin: Callable[[Key], None]) -> None:
        self._admission = Admission(queue)
        self._begin = begin
        self._open = False
        self._in_doubt: dict[Key, None] = {}

    def open(self) -> None:
        """Everything is counted: admit from now on."""
        self._open = True
        self.admit()

    def shut(self) -> None:
        """Admit nothing more."""
        self._open = False

    def admit(self) -> None:
        """Start what may start now."""
        while self._open and (key := self._admission.next()) is not None:
            self._begin(key)

    def offer(
        self,
        key: Key,
        queue: str,
        priority: int,
        created_at: float,
        uid: str,
        *,
        resuming: bool = False,
    ) -> None:
        """Let a workflow wait for its slot; at the head of its queue where it is `resuming`."""
        self._admission.offer(key, queue, priority, created_at, uid, resuming=resuming)

    def count(self, runner: Runner) -> None:
        """Hold, wait for, or let go the workflow's slot, as its state says."""
        saga = runner.saga
        if saga.holds_slot:
            self.hold(runner)
        elif saga.wants_slot:
            self._admission.release(runner.key)
            priority, created_at = saga.workflow.spec.priority, saga.head.created_at
            self.offer(
                runner.key,
                runner.queue,
                priority,
                created_at,
                runner.uid,
                resuming=saga.head.parked,
            )
        else:
            self.leave(runner.key)

    def hold(self, runner: Runner) -> None:
        """The workflow has a slot, whatever the maximum says."""
        self._in_doubt.pop(runner.key, None)
        self._admission.hold(runner.key, runner.queue, slotless=runner.saga.head.slotless)

    def hold_in_doubt(self, key: Key, queue: str, *, slotless: bool) -> None:
        """Let a workflow count as it did until what is stored of it was looked at."""
        self._in_doubt[key] = None
        self._admission.hold(key, queue, slotless=slotless)

    def settle(self, key: Key) -> None:
        """The stored state was looked at, and nobody drives the workflow: it has no slot by it."""
        if key in self._in_doubt:
            self.leave(key)

    @property
    def held(self) -> frozenset[Key]:
        """Who has a slot."""
        return self._admission.held

    def holds(self, key: Key) -> bool:
        """Whether the workflow has a slot."""
        return self._admission.holds(key)

    def slotless(self, key: Key) -> bool:
        """Whether the workflow counts for its namespace and its queue alone (E5)."""
        return self._admission.slotless(key)

    def leave(self, key: Key) -> None:
        """The workflow neither runs nor waits."""
        self._in_doubt.pop(key, None)
        self._admission.withdraw(key)
        self._admission.release(key)
