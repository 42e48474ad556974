"""What a store keeps: the contract of create, load, list, save, history and logs."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from wf_core.adapters.memory.backing import Backing
from wf_core.adapters.memory.store import MemoryStore
from wf_core.errors import WorkflowExists, WorkflowNotFound
from wf_core.model.phases import Hook, Phase, RequestType
from wf_core.model.requests import Request
from wf_core.model.spec import NO_TTL, Key, TimeToLive, Workflow
from wf_core.model.state import Folder, LogLine, OutboxEntry, Owner, StepState, Transition, Writer
from wf_core.ports import Row, Saved
from wf_core.testing.store_handles import NOBODY, Handles, StoreTests
from wf_core.testing.store_replay import replay
from wf_core.testing.store_strategies import EVENTS
from wf_core.testing.store_values import key_of, next_save, saved, workflow


class StateContract(StoreTests):
    """One process and its saves."""

    # --- create, load, list ---

    def test_created_workflow_is_pending_with_a_fresh_uid(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            one = await store.create(workflow("one"), 5.0)
            two = await store.create(workflow("two"), 5.0)
            assert one.workflow.metadata.uid
            assert one.workflow.metadata.uid != two.workflow.metadata.uid
            assert one.head.phase is Phase.PENDING
            assert (one.head.revision, one.head.created_at, one.head.owner) == (0, 5.0, Owner())
            assert one.steps == (StepState(), StepState())
            assert await store.load(key_of(one)) == one

        self.run(test)

    def test_b2_the_folder_is_kept_where_the_engine_shares_the_machine(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            folder = Folder("/srv/ann/orders", 1000)
            first = await store.create(workflow("one", uid="u1"), 5.0, folder)
            assert first.head.folder == (folder if store.keeps_folders else None)
            again = await store.create(workflow("one", uid="u1"), 6.0, Folder("/elsewhere", 1))
            assert again.head.folder == first.head.folder
            owner = await store.claim(key_of(first))
            later = await saved(store, first, next_save(first, owner, phase=Phase.RUNNING))
            assert later.head.folder == first.head.folder
            assert (await store.create(workflow("two"), 5.0)).head.folder is None

        self.run(test)

    def test_c7_what_is_as_large_as_a_cluster_takes_fits(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            assert store.misfit(workflow("small")) is None
            assert store.misfit(workflow("large", steps=self.max_steps)) is None

        self.run(test)

    def test_create_is_idempotent_by_name_uid_and_spec(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            first = await store.create(workflow(uid="u1"), 1.0)
            owner = await store.claim(key_of(first))
            later = await saved(store, first, next_save(first, owner, phase=Phase.RUNNING))
            assert await store.create(workflow(uid="u1"), 2.0) == later

        self.run(test)

    @pytest.mark.parametrize(
        "other",
        [workflow(uid="u2"), workflow(uid="u1", steps=3), workflow()],
        ids=["other uid", "other spec", "no uid"],
    )
    def test_create_refuses_a_name_that_is_taken(self, other: Workflow) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            first = await store.create(workflow(uid="u1"), 1.0)
            with pytest.raises(WorkflowExists, match="'order'"):
                await store.create(other, 2.0)
            assert await store.load(key_of(first)) == first

        self.run(test)

    def test_what_is_not_there_is_said_to_be_missing(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            with pytest.raises(WorkflowNotFound, match="'nobody'"):
                await store.load(NOBODY)
            for missing in (
                store.claim(NOBODY),
                store.asked(NOBODY),
                store.history(NOBODY),
                store.logs(NOBODY),
                store.delete(NOBODY, 1.0),
                store.remove(NOBODY),
                store.request(NOBODY, Request(RequestType.CANCEL), 1.0),
            ):
                with pytest.raises(WorkflowNotFound):
                    await missing

        self.run(test)

    def test_list_is_paged_by_creation_and_filtered(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            for n in (3, 1, 4, 0, 2):
                queue = "even" if n % 2 == 0 else "odd"
                await store.create(workflow(f"w{n}", queue=queue), float(n))
            names: list[str] = []
            after, pages = None, 0
            while pages == 0 or after is not None:
                page = await store.list(limit=2, after=after)
                names += [row.key.name for row in page.rows]
                after, pages = page.after, pages + 1
            assert (names, pages) == (["w0", "w1", "w2", "w3", "w4"], 3)
            even = await store.list(queue="even")
            assert [row.key.name for row in even.rows] == ["w0", "w2", "w4"]
            exact = await store.list(limit=5)
            assert (len(exact.rows), exact.after) == (5, None)
            stored = await store.load(Key("default", "w1"))
            owner = await store.claim(key_of(stored))
            await saved(store, stored, next_save(stored, owner, phase=Phase.RUNNING))
            running = await store.list(phases=[Phase.RUNNING, Phase.SUCCESS])
            assert [row.key.name for row in running.rows] == ["w1"]
            assert (await store.list(phases=[])).rows == ()

        self.run(test)

    def test_list_pages_workflows_created_at_the_same_time(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            for n in range(3):
                await store.create(workflow(f"w{n}"), 0.1)
            first = await store.list(limit=2)
            second = await store.list(limit=2, after=first.after)
            names = [row.key.name for row in (*first.rows, *second.rows)]
            assert sorted(names) == ["w0", "w1", "w2"]

        self.run(test)

    def test_row_shows_progress_and_rest(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(sync_period_seconds=5.0), 1.0)
            key = key_of(stored)
            owner = await store.claim(key)
            success = StepState(phase=Phase.SUCCESS)

            async def row_after(**changes: Any) -> Row:
                nonlocal stored
                stored = await saved(store, stored, next_save(stored, owner, **changes))
                return (await store.list()).rows[0]

            row = await row_after(phase=Phase.RUNNING, steps={0: success}, parked=True)
            assert (row.done, row.total, row.parked, row.watched) == (1, 2, True, False)
            assert row.finished_at is None
            row = await row_after(
                phase=Phase.SUCCESS,
                steps={0: success, 1: success},
                reached={Phase.SUCCESS: 9.0},
                parked=False,
            )
            assert (row.done, row.watched, row.finished_at) == (2, True, 9.0)
            undone = StepState(phase=Phase.ROLL_BACKED)
            row = await row_after(
                phase=Phase.ROLLING_BACK, steps={1: undone}, suspended=True, cause="cancelled"
            )
            assert (row.done, row.suspended, row.finished_at) == (1, True, None)
            assert row.why == "cancelled"
            assert (await row_after(phase=Phase.FAILED, error="locked")).why == "locked"
            assert row.owner == owner

        self.run(test)

    def test_row_says_how_long_the_document_wants_to_be_kept(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            ttl = TimeToLive(success=60.0, failed=0.0)
            await store.create(workflow("brief", ttl=ttl), 1.0)
            await store.create(workflow("kept"), 2.0)
            rows = (await store.list()).rows
            assert {row.key.name: row.ttl for row in rows} == {"brief": ttl, "kept": NO_TTL}

        self.run(test)

    # --- save ---

    def test_save_writes_the_steps_it_names_and_leaves_the_others(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(steps=3), 1.0)
            owner = await store.claim(key_of(stored))
            first = StepState(phase=Phase.RUNNING, attempt=1, attributes={"a": [1, None, "x"]})
            stored = await saved(store, stored, next_save(stored, owner, steps={1: first}))
            assert stored.steps == (StepState(), first, StepState())
            second = StepState(phase=Phase.SUCCESS)
            stored = await saved(store, stored, next_save(stored, owner, steps={2: second}))
            assert stored.steps == (StepState(), first, second)

        self.run(test)

    def test_i5_stale_epoch_revision_or_uid_is_lost_and_changes_nothing(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            new = await store.create(workflow(), 1.0)
            key = key_of(new)
            owner = await store.claim(key)
            first = await saved(store, new, next_save(new, owner, phase=Phase.RUNNING))
            second = await saved(store, first, next_save(first, owner))
            line = Transition(1.0, Phase.PENDING, Phase.RUNNING)
            stale = next_save(first, owner, history=(line,), writer=Writer(owner.epoch, 9))
            stale_epoch = next_save(
                replace(second, head=replace(second.head, owner=Owner("x", 0))),
                Owner("other", 1),
            )
            other_uid = next_save(replace(second, workflow=workflow(uid="someone-else")), owner)
            for changes in (stale, stale_epoch, other_uid):
                assert await store.save(key, changes) is Saved.LOST
            assert await store.save(NOBODY, next_save(second, owner)) is Saved.LOST
            assert await store.load(key) == second
            assert await store.history(key) == ()

        self.run(test)

    def test_c4_a_repeated_save_is_recognised_by_its_writer(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            line = Transition(1.0, Phase.PENDING, Phase.RUNNING)
            changes = next_save(stored, await store.claim(key), history=(line,))
            assert await store.save(key, changes) is Saved.SAVED
            assert await store.save(key, changes) is Saved.SAVED
            assert await store.history(key) == (line,)

        self.run(test)

    def test_c4_a_save_that_can_not_be_one_is_invalid(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            owner = await store.claim(key)
            entry = OutboxEntry(2, Phase.RUNNING, 1.0)
            for changes in (
                next_save(stored, owner, revision=7),
                next_save(stored, owner, steps={2: StepState()}),
                next_save(stored, owner, outbox=(entry,), outbox_seq=1),
            ):
                assert await store.save(key, changes) is Saved.INVALID
            assert await store.load(key) == stored

        self.run(test)

    def test_outbox_keeps_what_is_not_delivered(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            owner = await store.claim(key_of(stored))
            entries = tuple(OutboxEntry(n, Phase.RUNNING, float(n), f"step{n}") for n in (1, 2, 3))
            stored = await saved(store, stored, next_save(stored, owner, outbox=entries[:2]))
            assert stored.outbox == entries[:2]
            changes = next_save(stored, owner, outbox=entries[2:], outbox_delivered=2)
            stored = await saved(store, stored, changes)
            assert stored.outbox == entries[2:]

        self.run(test)

    def test_history_and_logs_come_in_order(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            owner = await store.claim(key)
            lines = [Transition(float(n), Phase.PENDING, Phase.RUNNING, f"s{n}") for n in range(5)]
            for part in (lines[:2], lines[2:]):
                changes = next_save(stored, owner, history=tuple(part))
                stored = await saved(store, stored, changes)
            assert list(await store.history(key)) == lines
            texts = [LogLine(f"step{n % 2}", Hook.RUN, 1, float(n), f"line {n}") for n in range(6)]
            await store.log(key, texts[:4])
            await store.log(key, texts[4:])
            assert list(await store.logs(key)) == texts
            assert list(await store.logs(key, "step1")) == texts[1::2]
            await store.log(NOBODY, texts)  # its workflow was removed meanwhile: no error

        self.run(test)

    def test_logs_are_durable_with_the_next_save(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            line = LogLine("step0", Hook.RUN, 1, 1.0, "text")
            owner = await store.claim(key)
            await store.log(key, [line])
            await saved(store, stored, next_save(stored, owner))
            await handles.kill(store, self.kill)
            assert await (await handles.open()).logs(key) == (line,)

        self.run(test)

    def test_i16_stores_fed_the_same_events_hold_the_same_states(self) -> None:
        @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(events=EVENTS)
        def holds(events: list[object]) -> None:
            async def both() -> None:
                ours, model = await self.fresh(), MemoryStore(Backing())
                try:
                    assert await replay(ours, events) == await replay(model, events)
                finally:
                    await ours.close()
                    await model.close()

            asyncio.run(both())

        holds()

    def test_a_save_in_a_large_workflow_costs_no_more_than_in_a_small_one(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            spent = {}
            for steps in (2, self.max_steps):
                stored = await store.create(workflow(f"of{steps}", steps=steps), 1.0)
                key = key_of(stored)
                owner = await store.claim(key)
                took = []
                for _ in range(15):
                    changes = next_save(stored, owner, steps={1: StepState(phase=Phase.RUNNING)})
                    began = time.perf_counter()
                    assert await store.save(key, changes) is Saved.SAVED
                    took.append(time.perf_counter() - began)
                    stored = replace(stored, head=changes.head)
                spent[steps] = min(took)
                assert len((await store.load(key)).steps) == steps
            # A save that touched all 10,000 steps would take some 100 times as long.
            assert spent[self.max_steps] < 10 * spent[2] + 0.001

        self.run(test)
