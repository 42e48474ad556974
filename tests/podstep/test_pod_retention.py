"""Which pods go when their workflow has ended."""

import pytest
from tests.podstep.pod_objects import pod

from wf_podstep.retention import KEPT_ATTEMPTS, leftovers, outdated


@pytest.mark.parametrize(
    ("retain", "gone"),
    [
        ("never", ["good", "bad", "stuck", "grave"]),
        ("onFailure", ["good", "stuck", "grave"]),
        ("always", ["grave"]),
    ],
)
def test_what_stays_is_what_the_step_says(retain: str, gone: list[str]) -> None:
    pods = [
        pod("Succeeded", name="good", retain=retain),
        pod("Failed", name="bad", retain=retain),
        pod("Pending", name="stuck", retain=retain),
        pod("Pending", name="grave", retain=retain, tombstone=True),
    ]
    assert [each.name for each in leftovers(pods)] == gone


def test_a_step_that_is_tried_for_ever_keeps_its_last_pods() -> None:
    pods = [pod("Failed", name=f"p{n}", attempt=n) for n in range(1, 8)]
    undo = pod("Failed", name="u1", hook="rollback", attempt=1)
    going = pod("Running", name="p0", attempt=0)
    old = outdated([going, *pods, undo], 8, runs=True)
    assert [each.attempt for each in old] == list(range(1, 8 - KEPT_ATTEMPTS))
