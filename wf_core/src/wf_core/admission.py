"""Which waiting workflow starts next (semantics E3). Pure: decided from what it was told alone."""

from collections.abc import Mapping

from wf_core.config.values import QueueConfig, QueueLimits, Strategy
from wf_core.model.spec import Key
from wf_core.ranking import Ranking

_Place = tuple[bool, int, float, str]
"""(new, -priority, creation, uid): what goes on stands before what is new, then by FIFO's order."""

_Turn = tuple[float | _Place, float, str]
"""A queue's rank among queues: by FIFO its head's place, by FAIR its load, then its oldest head."""

_UNLIMITED = QueueLimits()


class _Queue:
    """One queue: who waits in it, how many of it run."""

    __slots__ = ("limits", "line", "name", "running")

    def __init__(self, name: str, limits: QueueLimits) -> None:
        self.name = name
        self.limits = limits
        self.running = 0
        self.line: Ranking[Key, _Place] = Ranking()

    @property
    def full(self) -> bool:
        maximum = self.limits.max_running_count
        return maximum is not None and self.running >= maximum


class Admission:
    """Hands out the slots of running workflows.

    FIFO is one line over all queues, by priority, creation and uid; a queue at its own maximum is
    passed over. FAIR takes the head of the queue with the least (running + 1) / weight, ties to the
    oldest head. Under FAIR there is at any time a level such that every queue which had waiting
    work throughout runs at most one workflow less than level * weight, and no more than that.

    A decision costs O(log queues + log waiting).
    """

    def __init__(self, queue: QueueConfig) -> None:
        self._fair = queue.strategy is Strategy.FAIR
        self._maximum = queue.max_running_count
        self._limits: Mapping[str, QueueLimits] = queue.queues
        self._queues: dict[str, _Queue] = {}
        # Queues that could start one more: some work waits, and they are below their own maximum.
        self._eligible: Ranking[str, _Turn] = Ranking()
        self._waiting: dict[Key, _Queue] = {}
        self._holding: dict[Key, _Queue] = {}

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
        """Let a workflow wait; one that is `resuming` waits at the head of its queue (A5).

        A workflow that holds a slot stays as it is. One that waits already is placed anew, except
        that it never loses the head of the queue by being offered once more.
        """
        if key in self._holding:
            return
        before = self._waiting.get(key)
        if before is not None:
            resuming = resuming or not before.line.rank(key)[0]
            self.withdraw(key)
        entered = self._enter(queue)
        entered.line.put(key, (not resuming, -priority, created_at, uid))
        self._waiting[key] = entered
        self._rank(entered)

    def withdraw(self, key: Key) -> None:
        """The workflow waits no longer. Nothing happens where it did not."""
        queue = self._waiting.pop(key, None)
        if queue is not None:
            queue.line.discard(key)
            self._rank(queue)

    def hold(self, key: Key, queue: str) -> None:
        """The workflow has a slot, whatever the maximum says: found running, or being undone."""
        self.withdraw(key)
        held = self._holding.get(key)
        if held is not None and held.name == queue:
            return
        self.release(key)
        entered = self._enter(queue)
        entered.running += 1
        self._holding[key] = entered
        self._rank(entered)

    def release(self, key: Key) -> None:
        """The workflow gives its slot back. Nothing happens where it had none."""
        queue = self._holding.pop(key, None)
        if queue is not None:
            queue.running -= 1
            self._rank(queue)

    def next(self) -> Key | None:
        """Admit one workflow: it holds a slot from now on. None where none may start."""
        if len(self._holding) >= self._maximum:
            return None
        name = self._eligible.first()
        key = None if name is None else self._queues[name].line.first()
        if name is not None and key is not None:
            self.hold(key, name)
        return key

    def holds(self, key: Key) -> bool:
        """Whether a workflow holds a slot."""
        return key in self._holding

    @property
    def held(self) -> frozenset[Key]:
        """Every workflow that holds a slot."""
        return frozenset(self._holding)

    def running(self, queue: str | None = None) -> int:
        """How many hold a slot, in all or of one queue."""
        if queue is None:
            return len(self._holding)
        return self._queues[queue].running if queue in self._queues else 0

    def waiting(self) -> int:
        """How many wait, in all queues."""
        return len(self._waiting)

    def explain(self, key: Key) -> str:
        """What a workflow waits for, in one phrase; costs O(waiting in its queue)."""
        if key in self._holding:
            return f"holds a slot of queue '{self._holding[key].name}'"
        queue = self._waiting.get(key)
        if queue is None:
            return "does not wait for a slot"
        own = queue.line.rank(key)
        place = 1 + sum(other < own for other in queue.line.ranks())
        where = f"place {place} in queue '{queue.name}'"
        if queue.full:
            full = _full("it", queue.running, queue.limits.max_running_count)
        elif len(self._holding) >= self._maximum:
            full = _full("the engine", len(self._holding), self._maximum)
        else:
            return where
        return f"{where}; {full}"

    def _enter(self, name: str) -> _Queue:
        if name not in self._queues:
            self._queues[name] = _Queue(name, self._limits.get(name, _UNLIMITED))
        return self._queues[name]

    def _rank(self, queue: _Queue) -> None:
        """Put a queue where it belongs after a change; forget it once it is empty."""
        head = queue.line.first()
        if head is None and queue.running == 0:
            del self._queues[queue.name]
        if head is None or queue.full:
            self._eligible.discard(queue.name)
            return
        place = queue.line.rank(head)
        _, _, created_at, uid = place
        load = (queue.running + 1) / queue.limits.weight if self._fair else place
        self._eligible.put(queue.name, (load, created_at, uid))


def _full(what: str, running: int, maximum: int | None) -> str:
    if maximum == 0:
        return f"{what} starts nothing: its maxRunningCount is 0"
    return f"{what} is full: {running} of {maximum}"
