"""What processes share: the contract of claims, requests, deletion and watch."""

import asyncio

import pytest
from msgspec.structs import replace

from wf_core.errors import AuthorError, WorkflowNotFound, WorkflowOwned
from wf_core.model.phases import FINISHED, Hook, Phase, RequestType
from wf_core.model.requests import MAX_REQUESTS, Request
from wf_core.model.state import LogLine, OutboxEntry, Owner, StepState, Transition, Writer
from wf_core.ports import Saved
from wf_core.testing.store_handles import PATIENCE, Handles, StoreTests, end, next_seen
from wf_core.testing.store_values import finished, key_of, next_save, saved, workflow


class SharedContract(StoreTests):
    """Several processes on one store."""

    # --- ownership ---

    def test_c5_claim_gives_the_next_epoch_and_writes_nothing(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            owner = await store.claim(key)
            assert owner.epoch == 1
            assert owner.id
            assert await store.load(key) == stored
            stored = await saved(store, stored, next_save(stored, owner))
            assert stored.head.owner == owner
            assert await store.claim(key) == Owner(owner.id, 2)

        self.run(test)

    def test_c6_a_live_owner_is_respected(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            await saved(ours, stored, next_save(stored, await ours.claim(key)))
            with pytest.raises(WorkflowOwned, match=r"^workflow 'order' is being run by .*; stop"):
                await theirs.claim(key)
            with pytest.raises(WorkflowOwned):
                await theirs.remove(key)

        self.run(test)

    def test_c6_a_dead_owner_is_replaced_at_once(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            await saved(ours, stored, next_save(stored, await ours.claim(key)))
            await handles.kill(ours, self.kill)
            assert (await theirs.claim(key)).epoch == 2

        self.run(test)

    def test_c5_of_two_that_claimed_before_a_save_the_second_is_lost(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            our_owner, their_owner = await ours.claim(key), await theirs.claim(key)
            assert our_owner.epoch == their_owner.epoch
            assert await theirs.save(key, next_save(stored, their_owner)) is Saved.SAVED
            # Both number their writes alike: the owner's id must tell them apart.
            assert await ours.save(key, next_save(stored, our_owner)) is Saved.LOST
            assert (await ours.load(key)).head.owner == their_owner

        self.run(test)

    def test_released_workflow_may_be_claimed_and_its_old_owner_can_not_save(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            owner = await ours.claim(key)
            stored = await saved(ours, stored, next_save(stored, owner))
            await theirs.release(key)  # not theirs to give: no effect
            assert (await ours.load(key)).head.owner == owner
            await ours.release(key)
            released = await ours.load(key)
            assert released.head.owner == Owner("", 1)
            assert released.head.revision == stored.head.revision
            assert await ours.save(key, next_save(stored, owner)) is Saved.LOST
            new_owner = await theirs.claim(key)
            assert new_owner.epoch == 2
            await saved(theirs, released, next_save(released, new_owner))

        self.run(test)

    def test_close_gives_up_every_claim(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            keys = []
            for n in range(3):
                stored = await ours.create(workflow(f"w{n}"), 1.0)
                keys.append(key_of(stored))
                await saved(ours, stored, next_save(stored, await ours.claim(keys[-1])))
            await ours.close()
            for key in keys:
                assert (await theirs.load(key)).head.owner == Owner("", 1)
                assert (await theirs.claim(key)).epoch == 2

        self.run(test)

    def test_b3_a_uid_is_told_of_what_is_there_and_is_another_for_what_is_made_anew(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            assert await theirs.uid(key) == stored.workflow.metadata.uid
            await ours.remove(key)
            with pytest.raises(WorkflowNotFound):
                await ours.uid(key)
            again = await ours.create(workflow(), 2.0)
            assert await ours.uid(key) == again.workflow.metadata.uid
            assert await ours.uid(key) != stored.workflow.metadata.uid

        self.run(test)

    # --- requests and deletion ---

    def test_d_requests_wait_beside_the_state_until_a_save_answers_them(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            owner = await ours.claim(key)
            cancel = Request(RequestType.CANCEL, reason="no longer needed")
            signal = Request(RequestType.SIGNAL, name="go", value={"deep": [1, 2]})
            seqs = [await theirs.request(key, cancel, 2.0), await theirs.request(key, signal, 3.0)]
            assert seqs == sorted(set(seqs))
            asked = await ours.asked(key)
            me = await theirs.whoami()
            assert [(a.seq, replace(a.request, verified=False), a.at) for a in asked] == [
                (seqs[0], replace(cancel, by=me), 2.0),
                (seqs[1], replace(signal, by=me), 3.0),
            ]
            # The state's revision is untouched: a save that knows of no request is not stale.
            answered = next_save(stored, owner, answered=[seqs[0]])
            after = await saved(ours, stored, answered)
            assert after.asked == asked[1:]
            await saved(ours, after, next_save(after, owner, answered=[seqs[1]]))
            assert await ours.asked(key) == ()
            # A name that the caller gives stays, and nobody vouches for it.
            claimed = replace(cancel, by="somebody")
            # A seq is never used again.
            assert await theirs.request(key, claimed, 4.0) > seqs[1]
            assert [a.request for a in await ours.asked(key)] == [claimed]

        self.run(test)

    def test_d_a_request_that_came_after_the_last_save_is_answered_by_the_next(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            owner = await ours.claim(key)
            stored = await saved(ours, stored, next_save(stored, owner))
            seq = await theirs.request(key, Request(RequestType.CANCEL), 2.0)
            assert [asked.seq for asked in await ours.asked(key)] == [seq]
            after = await saved(ours, stored, next_save(stored, owner, answered=[seq]))
            assert after.asked == ()
            # No later save brings it back.
            after = await saved(ours, after, next_save(after, owner))
            assert after.asked == ()

        self.run(test)

    def test_d_whoever_asks_has_a_name(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            assert await ours.whoami() == await theirs.whoami() != ""

        self.run(test)

    def test_d_no_more_requests_than_the_maximum_wait(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            key = key_of(await store.create(workflow(), 1.0))
            for _ in range(MAX_REQUESTS):
                await store.request(key, Request(RequestType.SUSPEND), 1.0)
            with pytest.raises(AuthorError, match=str(MAX_REQUESTS)):
                await store.request(key, Request(RequestType.SUSPEND), 1.0)
            assert len(await store.asked(key)) == MAX_REQUESTS

        self.run(test)

    def test_deletion_is_a_mark_that_saves_keep(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            await store.delete(key, 7.0)
            await store.delete(key, 8.0)
            assert (await store.load(key)).head.deletion_asked_at == 7.0
            # Its owner has not seen the mark yet.
            after = await saved(store, stored, next_save(stored, await store.claim(key)))
            assert after.head.deletion_asked_at == 7.0
            assert (await store.list()).rows[0].deleting

        self.run(test)

    def test_removed_workflow_leaves_nothing_behind(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await store.create(workflow(), 1.0)
            key = key_of(stored)
            line = Transition(1.0, Phase.PENDING, Phase.RUNNING)
            entry = OutboxEntry(1, Phase.RUNNING, 1.0)
            step = {0: StepState(attempt=3)}
            owner = await store.claim(key)
            changes = next_save(stored, owner, history=(line,), outbox=(entry,), steps=step)
            await saved(store, stored, changes)
            await store.request(key, Request(RequestType.CANCEL), 1.0)
            await store.log(key, [LogLine("step0", Hook.RUN, 1, 1.0, "text")])
            await store.remove(key)
            assert (await store.list()).rows == ()
            again = await store.create(workflow(), 2.0)
            assert again.steps == (StepState(), StepState())
            assert (again.outbox, again.asked, again.head.writer) == ((), (), Writer())
            assert await store.history(key) == ()
            assert await store.logs(key) == ()

        self.run(test)

    # --- clean-up by age ---

    def test_what_is_finished_and_unchanged_expires(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            for phase in FINISHED:
                stored = await finished(store, phase)
                assert await store.expire(stored)
                assert (await store.list()).rows == ()
                with pytest.raises(WorkflowNotFound):
                    await store.expire(stored)

        self.run(test)

    def test_what_happened_since_it_was_loaded_keeps_it(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await finished(ours, Phase.SUCCESS)
            key = key_of(stored)
            owner = await ours.claim(key)
            saved_since = await saved(ours, stored, next_save(stored, owner))
            assert not await ours.expire(stored)
            await theirs.request(key, Request(RequestType.ROLLBACK), 2.0)
            asked = await ours.load(key)
            assert not await ours.expire(saved_since)
            assert not await ours.expire(asked)
            seq = asked.asked[0].seq
            entry = OutboxEntry(1, Phase.SUCCESS, 1.0)
            reporting = next_save(asked, owner, answered=[seq], outbox=(entry,))
            after = await saved(ours, asked, reporting)
            assert not await ours.expire(after)
            delivered = await saved(ours, after, next_save(after, owner, outbox_delivered=1))
            assert await ours.expire(delivered)

        self.run(test)

    def test_what_is_unfinished_or_another_does_not_expire(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await finished(store, Phase.SUCCESS)
            await store.remove(key_of(stored))
            other = await finished(store, Phase.SUCCESS)
            assert not await store.expire(stored)
            owner = await store.claim(key_of(other))
            changes = next_save(other, owner, phase=Phase.ROLLING_BACK)
            assert not await store.expire(await saved(store, other, changes))

        self.run(test)

    def test_what_is_to_be_deleted_does_not_expire(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            stored = await finished(store, Phase.FAILED)
            key = key_of(stored)
            await store.delete(key, 7.0)
            assert not await store.expire(stored)
            assert not await store.expire(await store.load(key))

        self.run(test)

    def test_c5_what_another_process_watches_does_not_expire(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            watched = workflow(sync_period_seconds=5.0)
            stored = await finished(ours, Phase.SUCCESS, watched, hold=True)
            with pytest.raises(WorkflowOwned, match="order' is being run"):
                await theirs.expire(stored)
            assert await ours.expire(stored)

        self.run(test)

    # --- watch ---

    def test_watch_shows_what_any_handle_does(self) -> None:
        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            key = key_of(stored)
            for actor in (ours, theirs):
                watch = ours.watch()
                shown = asyncio.ensure_future(next_seen(watch))
                await asyncio.sleep(0.01)  # "from now on": the watch has begun
                await actor.request(key, Request(RequestType.SUSPEND), 1.0)
                assert (await shown).key == key
                await end(watch)
            watch = ours.watch()
            shown = asyncio.ensure_future(next_seen(watch))
            await asyncio.sleep(0.01)
            owner = await theirs.claim(key)
            await saved(theirs, stored, next_save(stored, owner))
            assert (await shown).key == key
            await theirs.remove(key)
            while not (seen := await next_seen(watch)).gone:
                assert seen.key == key
            await end(watch)

        self.run(test)

    def test_watch_from_a_position_misses_nothing(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            await store.create(workflow("w0"), 1.0)
            watch = store.watch(0)
            first = await next_seen(watch)
            assert first.key.name == "w0"
            await end(watch)
            for n in (1, 2):
                await store.create(workflow(f"w{n}"), 1.0)
            watch = store.watch(first.position)
            seen = [await next_seen(watch), await next_seen(watch)]
            assert [one.key.name for one in seen] == ["w1", "w2"]
            assert first.position < seen[0].position < seen[1].position
            await end(watch)

        self.run(test)

    def test_c5_watch_tells_whose_and_which_save_it_was(self) -> None:
        """By it an engine learns that another has taken over, or that a name means another."""

        async def test(handles: Handles) -> None:
            ours, theirs = await handles.open(), await handles.open()
            stored = await ours.create(workflow(), 1.0)
            owner = await ours.claim(key_of(stored))
            await saved(ours, stored, next_save(stored, owner))
            watch = theirs.watch(0)
            while (seen := await next_seen(watch)).revision == 0:
                assert seen.uid == stored.workflow.metadata.uid
            assert (seen.uid, seen.owner, seen.revision) == (
                stored.workflow.metadata.uid,
                owner.id,
                1,
            )
            await end(watch)

        self.run(test)

    def test_watch_ends_when_its_store_closes(self) -> None:
        async def test(handles: Handles) -> None:
            store = await handles.open()
            watch = store.watch()
            waiting = asyncio.ensure_future(anext(watch, None))
            await asyncio.sleep(0.01)
            await store.close()
            assert await asyncio.wait_for(waiting, PATIENCE) is None

        self.run(test)
