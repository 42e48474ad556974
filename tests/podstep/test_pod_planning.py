"""The next move about a step, from the pods that are there."""

from tests.podstep.pod_objects import pod

from wf_podstep.planning import (
    BURIED,
    Bury,
    Create,
    End,
    Judge,
    Known,
    Nothing,
    Refuse,
    Vanished,
    backward,
    forward,
)

FRESH = Known()
SAVED = Known(created=True)


def test_a_run_without_pods_is_created() -> None:
    assert forward([], 1, FRESH) == Create()


def test_a_pod_of_this_attempt_is_judged_whoever_made_it() -> None:
    own = pod(attempt=2)
    assert forward([own, pod("Failed", name="p1")], 2, FRESH) == Judge(own)


def test_one_that_was_created_and_is_gone_is_not_created_again() -> None:
    assert forward([], 1, SAVED) == Vanished()


def test_b2_earlier_attempts_are_ended_first() -> None:
    going, over = pod("Running", name="p1"), pod("Failed", name="p2", attempt=2)
    assert forward([going, over], 3, FRESH) == End((going,))
    assert forward([over], 3, FRESH) == Create()


def test_17_a_run_finds_its_name_taken_by_a_tombstone() -> None:
    assert forward([pod("Pending", tombstone=True)], 1, FRESH) == Refuse()


def test_one_that_is_to_be_replaced_must_go_first() -> None:
    own = pod("Failed", uid="old")
    assert forward([own], 1, Known(replaced="old")) == End((own,))
    assert forward([], 1, Known(replaced="old")) == Create()
    new = pod("Running", uid="new")
    assert forward([new], 1, Known(replaced="old")) == Judge(new)


def test_b2_an_undo_first_ends_every_run_that_goes() -> None:
    first, second = pod("Running", name="p1"), pod("Pending", name="p2", attempt=2)
    assert backward([first, second], 2, 1, FRESH, calls=True) == End((first, second))


def test_17_runs_that_left_no_pod_are_buried_before_anything_is_undone() -> None:
    over = pod("Succeeded", name="p2", attempt=2)
    assert backward([over], 3, 1, FRESH, calls=True) == Bury((1, 3))


def test_17_a_pod_that_ended_keeps_its_name_as_a_tombstone_does() -> None:
    kept = [pod("Failed"), pod("Pending", name="p2", attempt=2, tombstone=True)]
    assert backward(kept, 2, 1, FRESH, calls=True) == Create()
    assert backward(kept, 2, 1, FRESH, calls=False) == Nothing()


def test_17_only_the_last_attempts_are_buried() -> None:
    move = backward([], 100, 1, FRESH, calls=True)
    assert move == Bury(tuple(range(100 - BURIED + 1, 101)))


def test_an_undo_has_pods_of_its_own() -> None:
    run = pod("Failed")
    earlier = pod("Running", name="u1", hook="rollback")
    assert backward([run, earlier], 1, 2, FRESH, calls=True) == End((earlier,))
    assert backward([run, earlier], 1, 1, SAVED, calls=True) == Judge(earlier)
    assert backward([run], 1, 1, SAVED, calls=True) == Vanished()


def test_a_run_that_comes_late_is_ended_even_when_the_undo_goes_already() -> None:
    late, undo = pod("Running"), pod("Running", name="u1", hook="rollback")
    assert backward([late, undo], 1, 1, SAVED, calls=True) == End((late,))
