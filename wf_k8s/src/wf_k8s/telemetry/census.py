"""Sets the gauges at a scrape, from what the store knows without asking the API server."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from prometheus_client import Gauge

from wf_core.errors import WfError, WorkflowNotFound
from wf_core.model.phases import Phase
from wf_core.model.schedule import CRON_KIND
from wf_core.model.spec import Key
from wf_core.model.state import Stored
from wf_core.model.task import TASK_KIND
from wf_core.ports import Row, Store
from wf_k8s.store.store import K8sStore
from wf_k8s.telemetry.metrics import ADMISSION, Metrics

ALL = 2**31
LOOKS = 20
"""Failed workflows that one scrape reads at most, to learn whether they are stuck undos."""
LOOKING = 2.0
"""Seconds that they may take together: a scrape is answered however slow the API server is."""


class Census:
    """Counts the workflows of a store that follows the API server. `view` shows a workflow that
    the engine runs, or raises WorkflowNotFound; `left_alone` tells of each workflow that no engine
    goes on with why, in a word; `unread` how many schedules and tasks can't be read, by kind;
    `permit_waiters` how many wait for a permit, by kind."""

    def __init__(
        self,
        metrics: Metrics,
        store: Store,
        view: Callable[[Key], Stored],
        left_alone: Callable[[], Iterable[str]],
        unread: Callable[[], Mapping[str, int]],
        permit_waiters: Callable[[], Mapping[str, int]],
    ) -> None:
        self._permit_waiters = permit_waiters
        self._left_alone = left_alone
        self._unread = unread
        self._metrics = metrics
        self._store = store
        self._view = view
        self._ran: dict[str, bool] = {}  # of Failed ones, by uid: whether anything of it ran
        self._tried: Counter[str] = Counter()  # of those too: how often that was looked up

    async def count(self) -> None:
        """Set all gauges. Raises StoreUnavailable."""
        rows = (await self._store.list(limit=ALL)).rows
        metrics, queue = self._metrics, self._metrics.queue
        _set(metrics.workflows, Counter((row.phase.value, queue(row.queue)) for row in rows))
        _set(
            metrics.undo_backlog,
            Counter((queue(row.queue),) for row in rows if row.phase is Phase.ROLLING_BACK),
        )
        waiting = sum(row.phase is Phase.PENDING and not row.suspended for row in rows)
        metrics.depth.labels(ADMISSION).set(waiting)
        callbacks: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            if row.reporting:
                callbacks[queue(row.queue),] += self._undelivered(row)
        _set(metrics.callback_backlog, callbacks)
        await self._count_stuck(rows)
        waiters = self._permit_waiters()
        _set(metrics.permit_waiters, Counter({(kind,): n for kind, n in waiters.items()}))
        _set(metrics.left_alone, Counter((reason,) for reason in self._left_alone()))
        _set(metrics.unread, Counter({(kind,): n for kind, n in self._unread().items()}))
        blocked: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            if row.phase is Phase.RUNNING:
                blocked.update((queue(row.queue), reason) for reason in self._reasons(row))
        _set(metrics.blocked, blocked)

    async def _count_stuck(self, rows: tuple[Row, ...]) -> None:
        await self._look_at([row for row in rows if row.phase is Phase.FAILED])
        stuck: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            if row.phase is Phase.ROLLING_BACK:
                stuck[self._metrics.queue(row.queue),] += bool(self._reasons(row))
            elif row.phase is Phase.FAILED:
                # Until it is known it counts: nobody is to miss one.
                stuck[self._metrics.queue(row.queue),] += self._ran.get(row.uid) is not False
        _set(self._metrics.stuck_undos, stuck)

    async def _look_at(self, failed: list[Row]) -> None:
        """Read some of those of which nothing is known yet: those first that were not tried before,
        so that none that can't be read is in the way of the others."""
        uids = {row.uid for row in failed}
        self._ran = {uid: ran for uid, ran in self._ran.items() if uid in uids}
        self._tried = Counter({uid: n for uid, n in self._tried.items() if uid in uids})
        unknown = [row for row in failed if row.uid not in self._ran]
        unknown.sort(key=lambda row: self._tried[row.uid])
        looking = [asyncio.ensure_future(self._look(row)) for row in unknown[:LOOKS]]
        if not looking:
            return
        try:
            await asyncio.wait(looking, timeout=LOOKING)
        finally:
            for each in looking:
                each.cancel()
            await asyncio.wait(looking)
        for each in looking:
            if not each.cancelled():
                each.result()

    async def _look(self, row: Row) -> None:
        """Learn whether anything of a Failed workflow ran, if it can be read."""
        self._tried[row.uid] += 1
        # What can't be read counts as stuck, and another scrape looks again.
        with suppress(WfError):
            stored = await self._store.load(row.key)
            self._ran[row.uid] = any(step.attempt for step in stored.steps)

    def _reasons(self, row: Row) -> set[str]:
        """Why steps of a workflow need a person, each once."""
        stored = self._seen(row)
        steps = () if stored is None else stored.steps
        return {step.blocked.reason.value for step in steps if step.blocked is not None}

    def _undelivered(self, row: Row) -> int:
        stored = self._seen(row)
        return len(stored.outbox) if stored is not None else 1

    def _seen(self, row: Row) -> Stored | None:
        try:
            return self._view(row.key)
        except WorkflowNotFound:
            return None


def unread(store: K8sStore) -> Mapping[str, int]:
    """How many schedules and tasks can't be read, by kind."""
    held = {CRON_KIND: store.schedules.unread.held, TASK_KIND: store.tasks.unread.held}
    return {kind: len(objects) for kind, objects in held.items()}


def _set(gauge: Gauge, counted: "Counter[tuple[str, ...]]") -> None:
    """Exactly these: what is no longer there must not stay at its last number."""
    gauge.clear()
    for labels, number in counted.items():
        gauge.labels(*labels).set(number)
