"""Which waiting workflow starts next (semantics E3 to E5). Pure: decided from what it was told."""

from wf_core.config.values import NamespaceLimits, QueueConfig, QueueLimits, ShareBy, Strategy
from wf_core.model.spec import Key
from wf_core.ranking import Ranking
from wf_core.shares import ByNeed, Share

_Place = tuple[bool, int, float, str]
"""(new, -priority, creation, uid): what goes on comes before what is new, then by priority."""

_Turn = tuple[float | _Place, float, str]
"""The rank of a queue in its namespace: by FIFO its head's place, by FAIR its load, then its oldest
head."""

_Order = tuple[float, float, str]
"""The rank of a namespace: by FIFO (0, its head's creation, uid), by FAIR its load before that."""

_UNLIMITED = QueueLimits()
_PLAIN = NamespaceLimits()


class _Queue:
    """One queue over all namespaces: how many of it run, and where it has work that waits."""

    __slots__ = ("limits", "lines", "name", "running")

    def __init__(self, name: str, limits: QueueLimits) -> None:
        self.name = name
        self.limits = limits
        self.running = 0
        self.lines: dict[str, _Line] = {}

    @property
    def full(self) -> bool:
        maximum = self.limits.max_running_count
        return maximum is not None and self.running >= maximum


class _Line:
    """What one namespace has in one queue: who waits, and how many run, undos without a slot
    included."""

    __slots__ = ("queue", "running", "tenant", "waiting")

    def __init__(self, tenant: "_Tenant", queue: _Queue) -> None:
        self.tenant = tenant
        self.queue = queue
        self.running = 0
        self.waiting: Ranking[Key, _Place] = Ranking()


class _Tenant:
    """One of those between whom slots are shared: a namespace, or all of them as one.

    `slotless` of those that run are undos without a slot, which the others do not notice.
    """

    __slots__ = ("cap", "lines", "name", "running", "share", "slotless", "turns", "weight")

    def __init__(self, name: str, weight: float, cap: int | None, share: Share) -> None:
        self.name = name
        self.weight = weight
        self.cap = cap
        self.share = share
        self.running = 0
        self.slotless = 0
        self.lines: dict[str, _Line] = {}
        # Its queues that could start one more.
        self.turns: Ranking[str, _Turn] = Ranking()

    @property
    def full(self) -> bool:
        return self.cap is not None and self.running >= self.cap

    def needs(self, maximum: int) -> int:
        """How many slots must be free of those that are there for all, for one more of its own."""
        return self.share.needs(self.running, maximum) + self.slotless


class Admission:
    """Hands out the slots of running workflows.

    Each namespace presents one head, of those queues that are below their own maximum: what goes on
    first, then by priority, creation and uid; by FAIR that of its queue with the least
    (running + 1) / weight, ties to the oldest head. FIFO takes the head with the oldest creation,
    FAIR that of the namespace with the least (running + 1) / weight. With `shareBy: queue` all
    namespaces are one.

    A namespace at its maximum is passed over, and where namespaces have one it leaves room for the
    next (E4). An undo without a slot takes room from its own namespace alone (E5). A decision
    costs O(log waiting); one by which a queue reaches its own maximum, or falls below it, also
    looks at the namespaces that wait in that queue.
    """

    def __init__(self, queue: QueueConfig) -> None:
        self._config = queue
        self._fair = queue.strategy is Strategy.FAIR
        self._by_namespace = queue.share_by is ShareBy.NAMESPACE
        self._maximum = queue.max_running_count
        self._queues: dict[str, _Queue] = {}
        self._tenants: dict[str, _Tenant] = {}
        self._heads: ByNeed[str, _Order] = ByNeed(self._maximum)
        self._waiting: dict[Key, _Line] = {}
        self._holding: dict[Key, _Line] = {}
        self._slotless: set[Key] = set()

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
            resuming = resuming or not before.waiting.rank(key)[0]
            self.withdraw(key)
        line = self._enter(key, queue)
        line.waiting.put(key, (not resuming, -priority, created_at, uid))
        self._waiting[key] = line
        self._rank(line)

    def withdraw(self, key: Key) -> None:
        """The workflow waits no longer. Nothing happens where it did not."""
        line = self._waiting.pop(key, None)
        if line is not None:
            line.waiting.discard(key)
            self._rank(line)

    def hold(self, key: Key, queue: str, *, slotless: bool = False) -> None:
        """The workflow counts, whatever the maximum says: found running, or being undone.

        One that is undone `slotless` counts for its queue and its namespace alone (E5).
        """
        held = self._holding.get(key)
        same = held is not None and held.queue.name == queue
        if same and slotless is (key in self._slotless):
            return
        self.release(key)
        line = self._enter(key, queue)
        waited = self._waiting.pop(key, None)
        if waited is not None:
            waited.waiting.discard(key)
        self._holding[key] = line
        if slotless:
            self._slotless.add(key)
        self._count(line, 1, slotless=slotless)
        if waited is not None and waited is not line:
            self._rank(waited)

    def release(self, key: Key) -> None:
        """The workflow gives its slot back. Nothing happens where it had none."""
        line = self._holding.pop(key, None)
        if line is not None:
            slotless = key in self._slotless
            self._slotless.discard(key)
            self._count(line, -1, slotless=slotless)

    def next(self) -> Key | None:
        """Admit one workflow: it holds a slot from now on. None where none may start."""
        name = self._heads.first(self._free)
        if name is None:
            return None
        tenant = self._tenants[name]
        queue = tenant.turns.first()
        key = None if queue is None else tenant.lines[queue].waiting.first()
        if queue is not None and key is not None:
            self.hold(key, queue)
        return key

    def holds(self, key: Key) -> bool:
        """Whether a workflow counts."""
        return key in self._holding

    def slotless(self, key: Key) -> bool:
        """Whether a workflow counts for its queue and its namespace alone."""
        return key in self._slotless

    @property
    def held(self) -> frozenset[Key]:
        """Every workflow that counts."""
        return frozenset(self._holding)

    def running(self, queue: str | None = None, namespace: str | None = None) -> int:
        """How many count, in all, of one queue or of one namespace."""
        if queue is None and namespace is None:
            return len(self._holding)
        if namespace is None:
            return self._queues[queue].running if queue in self._queues else 0
        return sum(
            key.namespace == namespace and queue in (None, line.queue.name)
            for key, line in self._holding.items()
        )

    def waiting(self) -> int:
        """How many wait, in all queues."""
        return len(self._waiting)

    def explain(self, key: Key) -> str:
        """What a workflow waits for, in one phrase; costs O(waiting in its queue)."""
        if key in self._holding:
            if key in self._slotless:
                return f"is undone without a slot in queue '{self._holding[key].queue.name}'"
            return f"holds a slot of queue '{self._holding[key].queue.name}'"
        line = self._waiting.get(key)
        if line is None:
            return "does not wait for a slot"
        own, queue, tenant = line.waiting.rank(key), line.queue, line.tenant
        place = 1 + sum(other < own for other in line.waiting.ranks())
        where = f"place {place} in queue '{queue.name}'"
        free = self._free - tenant.slotless
        if queue.full:
            full = _full("it", queue.running, queue.limits.max_running_count)
        elif free <= 0:
            full = _full("the engine", self._maximum - free, self._maximum)
        elif tenant.full:
            full = _full(f"namespace '{tenant.name}'", tenant.running, tenant.cap)
        elif tenant.share.needs(tenant.running, self._maximum) > free:
            full = (
                f"namespace '{tenant.name}' runs {tenant.running} and {free} of {self._maximum} "
                "slots are free, which are kept for other namespaces"
            )
        else:
            return where
        return f"{where}; {full}"

    @property
    def _free(self) -> int:
        """How many slots nobody has; below 0 where undos have more than there are."""
        return self._maximum - len(self._holding) + len(self._slotless)

    def _count(self, line: _Line, change: int, *, slotless: bool) -> None:
        """One more or less of a line runs. A queue that thereby turns full, or is so no longer,
        changes what all its namespaces can start."""
        queue = line.queue
        before = queue.full
        line.running += change
        queue.running += change
        line.tenant.running += change
        if slotless:
            line.tenant.slotless += change
        if queue.full is not before:
            for other in list(queue.lines.values()):
                if other is not line:
                    self._rank(other)
        self._rank(line)

    def _enter(self, key: Key, queue: str) -> _Line:
        tenant = self._tenant(key.namespace if self._by_namespace else "")
        if queue not in tenant.lines:
            entered = self._queues.get(queue)
            if entered is None:
                limits = self._config.queues.get(queue, _UNLIMITED)
                entered = self._queues[queue] = _Queue(queue, limits)
            line = tenant.lines[queue] = entered.lines[tenant.name] = _Line(tenant, entered)
            return line
        return tenant.lines[queue]

    def _tenant(self, name: str) -> _Tenant:
        if name not in self._tenants:
            config = self._config
            limits, cap, share = _PLAIN, None, Share(1, 1)
            if self._by_namespace:
                limits = config.namespaces.get(name, _PLAIN)
                usual = config.max_running_count_per_namespace
                cap = usual if limits.max_running_count is None else limits.max_running_count
                if usual is not None:
                    share = Share(max(usual, cap or 0), self._maximum)
            self._tenants[name] = _Tenant(name, limits.weight, cap, share)
        return self._tenants[name]

    def _rank(self, line: _Line) -> None:
        """Put a line and its namespace where they belong after a change; forget what is empty."""
        tenant, queue = line.tenant, line.queue
        head = line.waiting.first()
        if head is None and line.running == 0:
            del tenant.lines[queue.name], queue.lines[tenant.name]
            if not queue.lines:
                del self._queues[queue.name]
        if head is None or queue.full:
            tenant.turns.discard(queue.name)
        else:
            place = line.waiting.rank(head)
            load = (line.running + 1) / queue.limits.weight if self._fair else place
            tenant.turns.put(queue.name, (load, place[2], place[3]))
        best = tenant.turns.first()
        if best is None or tenant.full:
            self._heads.discard(tenant.name)
            if not tenant.lines:
                del self._tenants[tenant.name]
            return
        _, created_at, uid = tenant.turns.rank(best)
        order = (tenant.running + 1) / tenant.weight if self._fair else 0.0
        self._heads.put(tenant.name, tenant.needs(self._maximum), (order, created_at, uid))


def _full(what: str, running: int, maximum: int | None) -> str:
    if maximum == 0:
        return f"{what} starts nothing: its maxRunningCount is 0"
    return f"{what} is full: {running} of {maximum}"
