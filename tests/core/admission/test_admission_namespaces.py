"""How namespaces share what may run (semantics E3, E4)."""

import pytest

from wf_core.admission import Admission
from wf_core.config.values import (
    NamespaceLimits,
    QueueConfig,
    QueueLimits,
    ShareBy,
    Strategy,
)
from wf_core.model.spec import Key


def names(admission: Admission) -> list[str]:
    """Admit until nothing may start."""
    found = []
    while (admitted := admission.next()) is not None:
        found.append(admitted.name)
    return found


def spaced(admission: Admission, space: str, count: int, at: float, priority: int = 0) -> None:
    for i in range(count):
        name = f"{space}{i}"
        admission.offer(Key(space, name), "default", priority, at + i, f"u{name}")


def spaces(admission: Admission) -> dict[str, int]:
    """How many of each namespace are admitted until nothing may start."""
    found: dict[str, int] = {}
    while (admitted := admission.next()) is not None:
        found[admitted.namespace] = found.get(admitted.namespace, 0) + 1
    return found


def test_e3_no_priority_carries_one_namespace_past_another() -> None:
    admission = Admission(QueueConfig())
    admission.offer(Key("mine", "old"), "default", 0, 1.0, "u1")
    admission.offer(Key("loud", "urgent"), "default", 999, 2.0, "u2")
    admission.offer(Key("loud", "plain"), "default", 0, 0.0, "u3")
    # `loud` presents `urgent`, which is younger than what `mine` presents.
    assert names(admission) == ["old", "urgent", "plain"]


def test_e3_what_goes_on_is_the_head_of_its_namespace_and_of_no_other() -> None:
    admission = Admission(QueueConfig())
    admission.offer(Key("a", "old"), "default", 0, 1.0, "u1")
    admission.offer(Key("b", "back"), "default", 0, 9.0, "u2", resuming=True)
    admission.offer(Key("b", "urgent"), "default", 5, 2.0, "u3")
    assert names(admission) == ["old", "back", "urgent"]


def test_e3_fair_divides_between_namespaces_before_queues() -> None:
    admission = Admission(QueueConfig(Strategy.FAIR, 4))
    for i in range(9):
        admission.offer(Key("many", f"m{i}"), f"queue{i}", 0, float(i), f"m{i}")
        admission.offer(Key("one", f"o{i}"), "default", 0, 100.0 + i, f"o{i}")
    assert names(admission) == ["m0", "o0", "m1", "o1"]


def test_e3_fair_weighs_namespaces() -> None:
    weights = {"a": NamespaceLimits(3.0)}
    admission = Admission(QueueConfig(Strategy.FAIR, 8, namespaces=weights))
    spaced(admission, "a", 9, 0)
    spaced(admission, "b", 9, 0)
    assert spaces(admission) == {"a": 6, "b": 2}


def test_e3_with_share_by_queue_namespaces_count_for_nothing() -> None:
    limits = {"a": NamespaceLimits(9.0, 0)}
    config = QueueConfig(
        share_by=ShareBy.QUEUE, namespaces=limits, max_running_count_per_namespace=0
    )
    admission = Admission(config)
    admission.offer(Key("b", "old"), "default", 0, 1.0, "u1")
    admission.offer(Key("a", "urgent"), "default", 1, 2.0, "u2")
    assert names(admission) == ["urgent", "old"]


def test_e4_a_namespace_alone_gets_its_maximum_and_no_more_whatever_goes_on() -> None:
    admission = Admission(QueueConfig(max_running_count_per_namespace=60))
    for i in range(10):
        admission.hold(Key("a", f"running{i}"), "default")
    spaced(admission, "a", 100, 0)
    assert spaces(admission) == {"a": 50}
    admission.offer(Key("a", "back"), "default", 0, 0.0, "back", resuming=True)
    assert admission.next() is None


def test_e4_a_namespace_may_have_a_maximum_of_its_own() -> None:
    limits = {"small": NamespaceLimits(max_running_count=2), "large": NamespaceLimits(1.0, 100)}
    config = QueueConfig(max_running_count_per_namespace=60, namespaces=limits)
    admission = Admission(config)
    spaced(admission, "small", 9, 0)
    spaced(admission, "large", 200, 100)
    assert spaces(admission) == {"small": 2, "large": 98}


def flooded(strategy: Strategy, hostile: int, *, in_turn: bool) -> Admission:
    """So many namespaces have asked for all slots, one after another or at once."""
    admission = Admission(QueueConfig(strategy, 100, max_running_count_per_namespace=60))
    for n in range(hostile):
        spaced(admission, f"hostile{n}-", 100, 0, priority=1_000)
        if in_turn:
            spaces(admission)
    spaces(admission)
    return admission


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("hostile", range(1, 16))
@pytest.mark.parametrize("in_turn", [True, False], ids=["in turn", "at once"])
def test_e4_whether_namespaces_flood_at_once_or_in_turn_room_is_left_for_the_next(
    strategy: Strategy, hostile: int, in_turn: bool
) -> None:
    admission = flooded(strategy, hostile, in_turn=in_turn)
    spaced(admission, "mine", 1, 1_000)
    assert admission.next() == Key("mine", "mine0")


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize(("hostile", "mine"), [(1, 15), (2, 9), (5, 9), (6, 8)])
def test_e4_whoever_comes_after_a_flood_works_on_more_than_one_at_a_time(
    strategy: Strategy, hostile: int, mine: int
) -> None:
    admission = flooded(strategy, hostile, in_turn=False)
    spaced(admission, "mine", 100, 1_000)
    assert spaces(admission)["mine"] == mine


def test_e4_explain_names_the_share_of_a_namespace() -> None:
    admission = Admission(QueueConfig(max_running_count=10, max_running_count_per_namespace=6))
    spaced(admission, "a", 9, 0)
    spaced(admission, "b", 9, 0)
    running = spaces(admission)
    assert running == {"a": 4, "b": 4}
    assert admission.explain(Key("a", "a8")) == (
        "place 5 in queue 'default'; namespace 'a' runs 4 and 2 of 10 slots are free, which are "
        "kept for other namespaces"
    )
    alone = Admission(QueueConfig(max_running_count=10, max_running_count_per_namespace=6))
    spaced(alone, "a", 9, 0)
    assert spaces(alone) == {"a": 6}
    assert alone.explain(Key("a", "a8")) == (
        "place 3 in queue 'default'; namespace 'a' is full: 6 of 6"
    )


def undone(admission: Admission, space: str, count: int, *, slotless: bool) -> None:
    for i in range(count):
        admission.hold(Key(space, f"undo{i}"), "default", slotless=slotless)


def test_e5_undos_without_a_slot_cost_other_namespaces_nothing() -> None:
    config = QueueConfig(max_running_count=100, max_running_count_per_namespace=60)
    alone, beside = Admission(config), Admission(config)
    undone(beside, "hostile", 800, slotless=True)
    for admission in (alone, beside):
        spaced(admission, "mine", 100, 0.0)
        spaced(admission, "yours", 100, 1000.0)
        spaced(admission, "theirs", 100, 2000.0)
    assert beside.running() == 800
    assert spaces(beside) == spaces(alone)


def test_e5_undos_with_a_slot_hold_everybody_back() -> None:
    admission = Admission(QueueConfig(max_running_count=100, max_running_count_per_namespace=60))
    undone(admission, "busy", 800, slotless=False)
    spaced(admission, "mine", 1, 0.0)
    assert admission.next() is None
    assert admission.explain(Key("mine", "mine0")).endswith("the engine is full: 800 of 100")
    undone(admission, "busy", 800, slotless=True)
    assert admission.next() == Key("mine", "mine0")


@pytest.mark.parametrize("share", [None, 60, 100])
def test_e5_undos_without_a_slot_count_in_full_for_their_own_namespace(share: int | None) -> None:
    config = QueueConfig(max_running_count=100, max_running_count_per_namespace=share)
    with_slots, without = Admission(config), Admission(config)
    for count in (10, 30, 58, 59, 60, 98, 99, 100, 800):
        for admission, slotless in ((with_slots, False), (without, True)):
            undone(admission, "own", count, slotless=slotless)
            spaced(admission, "own", 100, 0.0)
        assert (count, spaces(without)) == (count, spaces(with_slots))
        for admission in (with_slots, without):
            for i in range(100):
                admission.release(Key("own", f"own{i}"))
    assert without.explain(Key("own", "undo0")) == "is undone without a slot in queue 'default'"


def test_e5_with_share_by_queue_every_undo_counts_for_everybody() -> None:
    admission = Admission(QueueConfig(max_running_count=2, share_by=ShareBy.QUEUE))
    undone(admission, "a", 2, slotless=True)
    spaced(admission, "b", 1, 0.0)
    assert admission.next() is None
    admission.release(Key("a", "undo0"))
    assert admission.next() == Key("b", "b0")


def test_e5_undos_without_a_slot_count_for_their_queue() -> None:
    queues = {"default": QueueLimits(max_running_count=2)}
    admission = Admission(QueueConfig(max_running_count=100, queues=queues))
    undone(admission, "a", 2, slotless=True)
    spaced(admission, "b", 1, 0.0)
    admission.offer(Key("b", "elsewhere"), "other", 0, 0.0, "u")
    assert names(admission) == ["elsewhere"]
    admission.release(Key("a", "undo0"))
    assert names(admission) == ["b0"]
