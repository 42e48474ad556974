"""Whose claims a controller may take over."""

import asyncio

import attrs
import pytest

from wf_k8s.leadership.owners import LeaseOwners


@attrs.define
class Candidate:
    """As much of a Leadership as its owners ask for."""

    identity: str = "pod-1_ab"
    transitions: int = 7
    leads: bool = True
    holds: bool = True
    asked: int = 0

    async def confirm(self) -> bool:
        """Whether the Lease is still its own."""
        self.asked += 1
        return self.holds


def owners(candidate: Candidate) -> LeaseOwners:
    """The owners of the lease `system/wf`."""
    return LeaseOwners(candidate, "system/wf")


def test_c5_who_led_before_by_the_same_lease_is_dead() -> None:
    async def test() -> None:
        candidate = Candidate()
        held = owners(candidate)
        assert await held.live("system/wf/pod-0_cd") is None
        assert await held.live("system/wf/pod-0_cd") is None
        assert candidate.asked == 1, "nobody leads twice"

    asyncio.run(test())


def test_c5_who_may_be_our_successor_is_asked_after_at_the_lease() -> None:
    async def test() -> None:
        live = await owners(Candidate(holds=False)).live("system/wf/pod-2_ef")
        assert live == "'system/wf/pod-2_ef', which leads now"

    asyncio.run(test())


@pytest.mark.parametrize("owner", ["laptop.0a1b", "system/wf-2/pod-0_cd", "other/wf/pod-0_cd"])
def test_c5_whoever_owns_by_other_means_lives(owner: str) -> None:
    assert asyncio.run(owners(Candidate()).live(owner)) == f"'{owner}'"


def test_claims_are_above_the_count_of_transitions() -> None:
    assert owners(Candidate()).least_epoch == 7


def test_c5_nothing_is_claimed_after_the_leadership() -> None:
    held = owners(Candidate(leads=True))
    held.hold()
    with pytest.raises(OSError, match="does not lead"):
        owners(Candidate(leads=False)).hold()


def test_c5_what_it_claimed_is_its_own_until_the_deadline_of_the_lease() -> None:
    assert owners(Candidate()).owns
    assert not owners(Candidate(leads=False)).owns
