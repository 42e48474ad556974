"""Who leads, on a real API server: time is moved by hand, so nothing waits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.cluster.kubectl import Kubectl
from tests.k8s.lease_candidates import Candidates, Clocks, candidates
from tests.patience import PATIENCE

from wf_k8s.leadership.leadership import Timing
from wf_k8s.leadership.record import Record, renewed, taken

Test = Callable[[Candidates], Awaitable[None]]
Play = Callable[[Test], None]


@pytest.fixture
def play(kubectl: Kubectl, namespace: str) -> Play:
    """Runs a test on a loop of its own."""

    def run(test: Test) -> None:
        async def whole() -> None:
            async with candidates(kubectl, namespace) as made:
                await test(made)

        asyncio.run(whole())

    return run


def test_the_first_candidate_leads_and_the_second_stands_by(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        assert not await b.attempt()
        assert (a.leads, b.leads) == (True, False)
        assert made.stored()["holderIdentity"] == "a"

    play(test)


def test_of_candidates_that_try_at_the_same_time_one_wins(play: Play) -> None:
    async def test(made: Candidates) -> None:
        several = [made.candidate(name) for name in "abcd"]
        won = await asyncio.gather(*(each.attempt() for each in several))
        assert won.count(True) == 1

    play(test)


def test_a_lease_that_is_not_renewed_is_taken_after_its_duration_and_not_before(
    play: Play,
) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        assert not await b.attempt()
        made.clocks.pass_by(14.9)
        assert not await b.attempt()
        made.clocks.pass_by(0.2)
        assert await b.attempt()
        assert (a.transitions, b.transitions) == (0, 1)
        assert made.stored()["leaseTransitions"] == 1

    play(test)


def test_the_deadline_counts_from_the_write_however_long_the_look_before_took(play: Play) -> None:
    """The first look has to find the API server, which may take longer than the deadline."""

    async def test(made: Candidates) -> None:
        a = made.candidate("a")
        look = a._lease.read

        async def slow() -> Record | None:
            made.clocks.pass_by(11)
            return await look()

        a._lease.read = slow  # type: ignore[method-assign]
        assert await a.attempt()
        assert a.leads

    play(test)


def test_who_finds_that_it_holds_the_lease_renews_it_first(play: Play) -> None:
    """The answer to its own write was lost: others count from that write, not from the look."""

    async def test(made: Candidates) -> None:
        a, again, b = made.candidate("a"), made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        assert not await b.attempt()
        made.clocks.pass_by(9)
        assert await again.attempt()
        made.clocks.pass_by(9)
        assert not await b.attempt()
        assert again.leads

    play(test)


def test_a_lease_that_is_renewed_is_never_taken(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        for _ in range(4):
            assert not await b.attempt()
            made.clocks.pass_by(9)
            assert await a.renew() is None
            assert a.leads

    play(test)


def test_clocks_that_differ_by_hours_take_nothing_from_a_leader(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a = made.candidate("a")
        b = made.candidate("b", Clocks(wall=made.clocks.wall + 7200))
        assert await a.attempt()
        assert not await b.attempt()
        assert not await b.attempt()

    play(test)


def test_a_released_lease_is_taken_at_once_and_counts_as_a_transition(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        assert not await b.attempt()
        await a.release()
        assert not a.leads
        assert await b.attempt()
        assert b.transitions == 1

    play(test)


def test_a_leader_stops_by_its_own_clock_before_another_may_lead(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a = made.candidate("a")
        assert await a.attempt()
        made.clocks.pass_by(9.9)
        assert a.left == pytest.approx(0.1)
        made.clocks.pass_by(0.2)
        leads_still = a.leads
        assert not leads_still
        assert a.until_expiry == pytest.approx(4.9)

    play(test)


def test_a_leader_learns_who_took_its_lease(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        assert not await b.attempt()
        made.clocks.pass_by(15.1)
        assert await b.attempt()
        assert await a.renew() == "b"
        assert not a.leads
        await a.release()
        assert made.stored()["holderIdentity"] == "b"

    play(test)


def test_a_deleted_lease_is_made_anew_with_its_count(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        await a.release()
        assert await b.attempt()
        made.delete()
        assert await b.renew() is None
        assert b.leads
        assert made.stored()["holderIdentity"] == "b"
        assert made.stored()["leaseTransitions"] == b.transitions == 1

    play(test)


def test_a_leader_whose_lease_was_deleted_and_taken_is_one_no_more(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        made.delete()
        assert await b.attempt()
        assert await a.renew() == "b"
        assert not a.leads

    play(test)


def test_a_renewal_whose_answer_was_lost_costs_nothing(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, lease = made.candidate("a"), made.lease()
        assert await a.attempt()
        record = await lease.read()
        assert record is not None
        assert await lease.replace(renewed(record, made.clocks.wall + 1)) is not None
        assert await a.renew() is None
        made.clocks.pass_by(5)
        assert await a.renew() is None
        made.clocks.pass_by(9)
        assert a.leads

    play(test)


def test_what_others_wrote_on_the_lease_stays(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a = made.candidate("a")
        assert await a.attempt()
        made.kubectl("-n", made.namespace, "label", "lease", "wf-controller", "team=orders")
        assert await a.renew() is None
        assert await a.renew() is None
        found = made.kubectl.json("-n", made.namespace, "get", "lease", "wf-controller")
        ours = {"workflow.example.com/controller": "lease"}
        assert found["metadata"]["labels"] == {"team": "orders", **ours}

    play(test)


def test_a_mistyped_duration_on_the_lease_makes_no_second_leader(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a, b = made.candidate("a"), made.candidate("b")
        assert await a.attempt()
        patch = '{"spec": {"leaseDurationSeconds": 1}}'
        made.kubectl("-n", made.namespace, "patch", "lease", "wf-controller", "-p", patch)
        assert not await b.attempt()
        made.clocks.pass_by(5)
        assert not await b.attempt()

    play(test)


def test_keeping_ends_with_the_reason_where_the_api_server_does_not_answer(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a = made.waiting("a", Timing(2 * PATIENCE, 0.4, 0.05))
        assert await a.attempt()
        await made.stack.aclose()  # all sessions are closed: as good as no API server
        why = await a.keep()
        assert "not renewed for 0.4 s" in why
        assert "is closed" in why
        assert not a.leads, "it ends before the lease does"

    play(test)


def test_keeping_renews_and_ends_when_another_leads(play: Play) -> None:
    async def test(made: Candidates) -> None:
        a = made.waiting("a", Timing(30, 20, 0.02))
        assert await a.attempt()
        keeping = asyncio.ensure_future(a.keep())
        lease = made.lease()
        first = await lease.read()
        assert first is not None
        async with asyncio.timeout(PATIENCE):
            while (later := await lease.read()) is None or later.version == first.version:
                await asyncio.sleep(0.01)
        assert not keeping.done()
        # The leader renews all the time: the thief has to be quicker once.
        while (record := await lease.read()) is None or record.holder != "thief":
            if record is not None:
                await lease.replace(taken(record, "thief", 15, 0.0))
        assert await asyncio.wait_for(keeping, PATIENCE) == "'thief' holds the lease"

    play(test)
