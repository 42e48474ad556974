"""The Kubernetes store keeps the contract of stores, on a real API server.

Where the API server decides (identity, times of creation and deletion) and where a cluster keeps
less (output of hooks), a test of the contract's name says what holds here instead.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as PhaseOfTest
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.k8s.store_fixtures import Stores

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.errors import OperatorError, WorkflowOwned
from wf_core.model.phases import Hook, Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import Key
from wf_core.model.state import LogLine, Owner, StepState, Stored, Transition
from wf_core.ports import Row, Store
from wf_core.testing.store_contract import StoreContract
from wf_core.testing.store_handles import Handles
from wf_core.testing.store_replay import replay
from wf_core.testing.store_strategies import STEPS, TURNS
from wf_core.testing.store_values import key_of, next_save, saved, workflow
from wf_k8s.store.known import read_known
from wf_k8s.store.numbers import Numbers
from wf_k8s.store.patch import prepare
from wf_k8s.store.store import K8sStore

OF_WORKFLOWS = (RequestType.CANCEL, RequestType.SUSPEND, RequestType.ROLLBACK)
OF_STEPS = (RequestType.RETRY_RUN, RequestType.SKIP_ROLLBACK, RequestType.MARK_ROLLED_BACK)
REASONS = st.text(max_size=12)
NAMED = st.just("ann")  # left out, each store names whoever it takes us for
REQUESTS = st.builds(
    Request, type=st.sampled_from(OF_WORKFLOWS), reason=REASONS, by=NAMED
) | st.builds(
    Request,
    type=st.sampled_from(OF_STEPS),
    step=st.integers(0, STEPS - 1).map("step{}".format),
    reason=REASONS,
    by=NAMED,
)
EVENTS = st.lists(TURNS | REQUESTS | st.sampled_from(["release", "claim"]), min_size=1, max_size=8)
"""What may happen in a cluster: a person names a step that there is, and deletion has its own
tests, as it can't be undone there."""


class TestK8sStore(StoreContract):
    max_steps = 500

    @pytest.fixture(autouse=True)
    def _place(self, stores: Stores) -> None:
        self.stores = stores

    async def open_store(self) -> Store:
        return self.stores.open()

    async def fresh(self) -> Store:
        return self.stores.open(namespace=self.stores.another_namespace())

    async def kill(self, store: Store) -> None:
        assert isinstance(store, K8sStore)
        await store.halt()
        store.owners.drop()

    def test_created_workflow_is_pending_with_a_fresh_uid(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            one = await store.create(workflow("one"), 5.0)
            two = await store.create(workflow("two"), 5.0)
            assert one.workflow.metadata.uid
            assert one.workflow.metadata.uid != two.workflow.metadata.uid
            assert one.head.phase is Phase.PENDING
            assert (one.head.revision, one.head.owner) == (0, Owner())
            assert one.head.created_at > 1e9, "the API server says when"
            assert one.steps == (StepState(), StepState())
            assert await store.load(key_of(one)) == one

        self.run(test)

    def test_c6_a_live_owner_is_respected(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            await saved(ours, stored, next_save(stored, await ours.claim(key)))
            with pytest.raises(WorkflowOwned, match=r"order' is being run by process \d+ .*; stop"):
                await theirs.claim(key)
            with pytest.raises(WorkflowOwned):
                await theirs.remove(key)

        self.run(test)

    def test_list_is_paged_by_creation_and_filtered(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            made = {}
            for n in (3, 1, 4, 0, 2):
                queue = "even" if n % 2 == 0 else "odd"
                stored = await store.create(workflow(f"w{n}", queue=queue), float(n))
                made[f"w{n}"] = (stored.head.created_at, stored.workflow.metadata.uid)
            order = sorted(made, key=lambda name: made[name])
            names: list[str] = []
            after, pages = None, 0
            while pages == 0 or after is not None:
                page = await store.list(limit=2, after=after)
                names += [row.key.name for row in page.rows]
                after, pages = page.after, pages + 1
            assert (names, pages) == (order, 3)
            even = await store.list(queue="even")
            assert [row.key.name for row in even.rows] == [n for n in order if int(n[1]) % 2 == 0]
            exact = await store.list(limit=5)
            assert (len(exact.rows), exact.after) == (5, None)
            stored = await store.load(Key("default", "w1"))
            owner = await store.claim(key_of(stored))
            await saved(store, stored, next_save(stored, owner, phase=Phase.RUNNING))
            running = await store.list(phases=[Phase.RUNNING, Phase.SUCCESS])
            assert [row.key.name for row in running.rows] == ["w1"]
            assert (await store.list(phases=[])).rows == ()

        self.run(test)

    def test_deletion_is_a_mark_that_saves_keep(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            await store.delete(key, 7.0)
            asked_at = (await store.load(key)).head.deletion_asked_at
            assert asked_at is not None
            await store.delete(key, 8.0)
            assert (await store.load(key)).head.deletion_asked_at == asked_at
            # Its owner has not seen the mark yet.
            after = await saved(store, stored, next_save(stored, await store.claim(key)))
            assert after.head.deletion_asked_at == asked_at
            assert (await store.list()).rows[0].deleting

        self.run(test)

    def test_a_save_in_a_large_workflow_costs_no_more_than_in_a_small_one(self) -> None:
        """It does, since the API server decodes and stores the whole object; but what is sent is
        as small."""

        async def test(handles: Handles) -> None:
            store = await handles.open()
            sent = {}
            for steps in (2, self.max_steps):
                stored = await store.create(workflow(f"of{steps}", steps=steps), 1.0)
                known = read_known(await _read(store, key_of(stored)))
                changes = next_save(
                    stored, await store.claim(key_of(stored)), steps={1: StepState(attempt=1)}
                )
                prepared = prepare(known, changes, Numbers(), save_id="s", now=1.0)
                sent[steps] = len(prepared.body)
                await saved(store, stored, changes)
            assert sent[self.max_steps] < sent[2] + 20

        self.run(test)

    def test_logs_are_durable_with_the_next_save(self) -> None:
        """They are not: an object is no place for them. They are kept by the process that ran the
        hooks, and go to its log."""

        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            line = LogLine("step0", Hook.RUN, 1, 1.0, "text")
            owner = await store.claim(key)
            await store.log(key, [line])
            await saved(store, stored, next_save(stored, owner))
            assert await store.logs(key) == (line,)
            await handles.kill(store, self.kill)
            with pytest.raises(OperatorError, match="`kubectl logs` of the controller"):
                await (await handles.open()).logs(key)

        self.run(test)

    def test_i16_stores_fed_the_same_events_hold_the_same_states(self) -> None:
        # Shrinking would ask a real API server for minutes.
        @settings(
            max_examples=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[PhaseOfTest.explicit, PhaseOfTest.generate],
        )
        @given(events=EVENTS)
        def holds(events: list[object]) -> None:
            async def both() -> None:
                ours, model = await self.fresh(), MemoryStore(Backing())
                try:
                    assert _plain(await replay(ours, events)) == _plain(await replay(model, events))
                finally:
                    await ours.close()
                    await model.close()

            asyncio.run(both())

        holds()


async def _read(store: Store, key: Key) -> bytes:
    assert isinstance(store, K8sStore)
    raw = await store.objects.read(key)
    assert raw is not None
    return raw


def _plain(told: tuple[list[Stored], tuple[Transition, ...], Row]) -> Sequence[Any]:
    """Without what the API server gives: identity, the time of creation, and answers, which here
    are kept with each request."""
    states, history, row = told
    # Only an object of the cluster says in a list what is stuck.
    plain_row = attrs.evolve(row, key=Key("", ""), uid="", created_at=0.0, stuck=None)
    return [_plain_state(each) for each in states], history, plain_row


def _plain_state(stored: Stored) -> Stored:
    metadata = replace(stored.workflow.metadata, namespace="", uid="", annotations={})
    head = replace(stored.head, created_at=0.0, answers=())
    return replace(stored, workflow=replace(stored.workflow, metadata=metadata), head=head)
