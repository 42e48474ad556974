"""Whose claims a controller may take over."""

import attrs
import pytest

from wf_k8s.leadership.owners import LeaseOwners


@attrs.define
class Candidate:
    """As much of a Leadership as its owners ask for."""

    identity: str = "pod-1_ab"
    transitions: int = 7
    leads: bool = True


def owners(candidate: Candidate) -> LeaseOwners:
    """The owners of the lease `system/wf`."""
    return LeaseOwners(candidate, "system/wf")


def test_c5_who_led_before_by_the_same_lease_is_dead() -> None:
    assert owners(Candidate()).live("system/wf/pod-0_cd") is None


@pytest.mark.parametrize("owner", ["laptop.0a1b", "system/wf-2/pod-0_cd", "other/wf/pod-0_cd"])
def test_c5_whoever_owns_by_other_means_lives(owner: str) -> None:
    assert owners(Candidate()).live(owner) == f"'{owner}'"


def test_claims_are_above_the_count_of_transitions() -> None:
    assert owners(Candidate()).least_epoch == 7


def test_c5_nothing_is_claimed_after_the_leadership() -> None:
    held = owners(Candidate(leads=True))
    held.hold()
    with pytest.raises(OSError, match="does not lead"):
        owners(Candidate(leads=False)).hold()
