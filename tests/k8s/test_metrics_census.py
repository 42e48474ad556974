"""The gauges that a scrape sets."""

import asyncio

import pytest

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.errors import StoreForeign, WorkflowNotFound
from wf_core.model.phases import BlockReason, Phase
from wf_core.model.spec import Key
from wf_core.model.state import Blocked, OutboxEntry, StepState, Stored
from wf_core.testing import virtual_time
from wf_core.testing.store_values import key_of, next_save, saved, workflow
from wf_k8s.telemetry.census import LOOKS, Census
from wf_k8s.telemetry.metrics import Metrics


async def put(
    store: MemoryStore,
    name: str,
    phase: Phase = Phase.PENDING,
    step: StepState | None = None,
    *,
    queue: str = "gold",
    outbox: tuple[OutboxEntry, ...] = (),
    suspended: bool = False,
) -> Stored:
    """A workflow in that phase whose first step is `step`."""
    made = await store.create(workflow(name, queue=queue), 0.0)
    owner = await store.claim(key_of(made))
    steps = {} if step is None else {0: step}
    changes = next_save(made, owner, phase=phase, steps=steps, outbox=outbox, suspended=suspended)
    return await saved(store, made, changes)


def counted(*, runs: bool = True) -> Metrics:
    """The metrics of one store of each sort; the engine knows its workflows where it `runs`."""
    metrics = Metrics(("gold", "tin"))
    stuck = Blocked(BlockReason.ROLLBACK_FAILED, 1.0)

    async def count() -> None:
        store = MemoryStore(Backing())
        running: dict[Key, Stored] = {}

        def view(key: Key) -> Stored:
            if not runs or key not in running:
                raise WorkflowNotFound(str(key))
            return running[key]

        await put(store, "waits")
        await put(store, "sleeps", suspended=True)
        await put(store, "waits-too", queue="tin")
        entries = (OutboxEntry(1, Phase.RUNNING, 1.0), OutboxEntry(2, Phase.RUNNING, 1.0))
        undoing = StepState(phase=Phase.ROLLING_BACK)
        unclear = Blocked(BlockReason.OUTCOME_UNKNOWN, 1.0)
        for stored in (
            await put(
                store, "unclear", Phase.RUNNING, StepState(phase=Phase.RUNNING, blocked=unclear)
            ),
            await put(store, "reports", Phase.SUCCESS, outbox=entries),
            await put(store, "undoes", Phase.ROLLING_BACK, undoing),
            await put(
                store,
                "stuck",
                Phase.ROLLING_BACK,
                StepState(phase=Phase.ROLLING_BACK, blocked=stuck),
            ),
        ):
            running[key_of(stored)] = stored
        await put(store, "failed", Phase.FAILED, StepState(phase=Phase.FAILED, attempt=1))
        await put(store, "no-such-kind", Phase.FAILED)
        await Census(
            metrics,
            store,
            view,
            lambda: ["GivenUp", "Unreadable", "Unreadable"],
            lambda: {"Task": 2, "CronWorkflow": 0},
            lambda: {"http": 3},
        ).count()
        await store.close()

    asyncio.run(count())
    return metrics


class Slow(MemoryStore):
    """Once it is `ailing` it never answers for workflows whose name begins with `slow`, and can't
    read those that begin with `broken`."""

    ailing = False

    async def load(self, key: Key) -> Stored:
        if self.ailing and key.name.startswith("slow"):
            await asyncio.Event().wait()
        if self.ailing and key.name.startswith("broken"):
            raise StoreForeign("it can't be read")
        return await super().load(key)


def nobody(key: Key) -> Stored:
    """A view of no workflow."""
    raise WorkflowNotFound(str(key))


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    """The value of one series."""
    return metrics.registry.get_sample_value(name, labels)


def test_workflows_are_counted_by_phase_and_queue() -> None:
    metrics = counted()
    assert value(metrics, "wf_workflows", phase="Pending", queue="gold") == 2.0
    assert value(metrics, "wf_workflows", phase="Pending", queue="tin") == 1.0
    assert value(metrics, "wf_workflows", phase="Failed", queue="gold") == 2.0


def test_the_work_queue_is_what_waits_for_admission() -> None:
    assert value(counted(), "workqueue_depth", name="admission") == 2.0


def test_undos_under_way_are_the_backlog() -> None:
    assert value(counted(), "wf_undo_backlog", queue="gold") == 2.0


def test_an_undo_is_stuck_where_a_person_is_needed_and_not_where_nothing_ever_ran() -> None:
    assert value(counted(), "wf_stuck_undos", queue="gold") == 2.0


def test_callbacks_are_counted_one_by_one_where_the_engine_knows_them() -> None:
    assert value(counted(), "wf_callback_backlog", queue="gold") == 2.0
    assert value(counted(runs=False), "wf_callback_backlog", queue="gold") == 1.0


def test_what_no_engine_goes_on_with_is_counted_by_why() -> None:
    assert value(counted(), "wf_workflows_left_alone", reason="Unreadable") == 2.0
    assert value(counted(), "wf_workflows_left_alone", reason="GivenUp") == 1.0


def test_schedules_and_tasks_that_cant_be_read_are_counted_by_kind() -> None:
    assert value(counted(), "wf_objects_left_alone", kind="Task") == 2.0
    assert value(counted(), "wf_objects_left_alone", kind="CronWorkflow") == 0.0


def test_what_runs_and_needs_a_person_is_counted_by_why_and_is_no_stuck_undo() -> None:
    blocked = value(counted(), "wf_blocked_runs", queue="gold", reason="OutcomeUnknown")
    assert blocked == 1.0


def test_workflows_that_wait_for_a_permit_are_counted_by_kind() -> None:
    assert counted().registry.get_sample_value("wf_permit_waiters", {"kind": "http"}) == 3


def test_queues_that_no_configuration_names_share_one_series() -> None:
    """A queue is any name that an author writes: a thousand of them make no series each."""
    metrics = Metrics(("gold",))

    async def count() -> None:
        store = MemoryStore(Backing())

        def view(key: Key) -> Stored:
            raise WorkflowNotFound(str(key))

        for n in range(1000):
            await put(store, f"w{n}", queue=f"q{n}")
        await put(store, "gold")
        await put(store, "plain", queue="default")
        await Census(metrics, store, view, lambda: (), dict, dict).count()

    asyncio.run(count())
    values = {
        queue: metrics.registry.get_sample_value(
            "wf_workflows", {"phase": "Pending", "queue": queue}
        )
        for queue in ("gold", "default", "other", "q1")
    }
    assert values == {"gold": 1, "default": 1, "other": 1000, "q1": None}
    assert len(metrics.text()) < 20_000


def test_what_is_gone_is_no_longer_shown() -> None:
    async def count() -> None:
        store = MemoryStore(Backing())
        metrics = Metrics(("gold", "tin"))

        def view(key: Key) -> Stored:
            raise WorkflowNotFound(str(key))

        census = Census(
            metrics,
            store,
            view,
            lambda: ["GivenUp", "Unreadable", "Unreadable"],
            lambda: {"Task": 2, "CronWorkflow": 0},
            lambda: {"http": 3},
        )
        stored = await put(store, "order")
        await census.count()
        assert value(metrics, "wf_workflows", phase="Pending", queue="gold") == 1.0
        await store.remove(key_of(stored))
        await census.count()
        assert value(metrics, "wf_workflows", phase="Pending", queue="gold") is None
        await store.close()

    asyncio.run(count())


@pytest.mark.parametrize("which", ["slow", "broken"])
def test_failed_workflows_that_cannot_be_read_are_in_nobody_elses_way(which: str) -> None:
    """They count as stuck, while a scrape is answered and those that can be read are not stuck."""
    metrics = Metrics(("gold", "tin"))

    async def count() -> None:
        store = Slow(Backing())
        for n in range(2 * LOOKS):
            await put(store, f"{which}-{n}", Phase.FAILED, queue="tin")
        await put(store, "no-such-kind", Phase.FAILED)
        store.ailing = True
        census = Census(metrics, store, nobody, lambda: (), dict, dict)
        for _ in range(3):
            await census.count()

    virtual_time.run(count())
    assert value(metrics, "wf_stuck_undos", queue="tin") == 2 * LOOKS
    assert value(metrics, "wf_stuck_undos", queue="gold") == 0.0
