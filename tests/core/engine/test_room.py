"""How much memory the workflows of a namespace may take while they are driven (semantics E10)."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.engine.room import MIB, Room
from wf_core.errors import NoRoom
from wf_core.model.spec import Key

LIMIT = 100


@attrs.define
class Weights:
    """Tells what each workflow weighs, in MiB."""

    mebibytes: dict[Key, int] = attrs.field(factory=dict)
    unit: int = MIB

    def weight(self, key: Key) -> int:
        return self.mebibytes.get(key, 0) * self.unit


def room(weights: Weights, limit: int | None = LIMIT) -> Room:
    return Room(weights, limit)  # type: ignore[arg-type]  # it asks nothing else of a store


def enters(made: Room, weights: Weights, namespace: str, name: str, mebibytes: int) -> bool:
    weights.mebibytes[Key(namespace, name)] = mebibytes
    try:
        made.enter(Key(namespace, name))
    except NoRoom:
        return False
    return True


def test_e10_one_namespace_alone_gets_three_fifths_and_leaves_the_rest() -> None:
    weights = Weights()
    made = room(weights)
    assert sum(enters(made, weights, "loud", f"w{n}", 5) for n in range(40)) * 5 == 60
    assert enters(made, weights, "quiet", "first", 20)
    assert not enters(made, weights, "loud", "more", 5)


@pytest.mark.parametrize("namespaces", [1, 2, 5, 15])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("size", [1, 10, 400])
def test_e10_however_many_fill_it_the_next_one_may_drive_several(
    namespaces: int, at_once: bool, size: int
) -> None:
    """In tenths of a MiB, and small workflows as they are: 40 KiB."""
    weights = Weights(unit=MIB // 10)
    made = room(weights, 256)
    floods = [(f"loud{n}", f"w{k}") for n in range(namespaces) for k in range(2_000)]
    if at_once:
        floods.sort(key=lambda each: int(each[1][1:]))
    for namespace, name in floods:
        enters(made, weights, namespace, name, size)
    weights.unit = 40 * 1024
    assert sum(enters(made, weights, "quiet", f"w{n}", 1) for n in range(200)) >= 12


def test_e10_who_has_nothing_may_take_half_of_what_is_free_and_who_is_alone_all() -> None:
    weights = Weights()
    made = room(weights)
    assert enters(made, weights, "a", "larger-than-all", 150)
    assert not enters(made, weights, "b", "small", 1)
    made.leave(Key("a", "larger-than-all"))
    assert enters(made, weights, "b", "small", 1)
    assert not enters(made, weights, "a", "more-than-half-of-the-rest", 50)
    assert enters(made, weights, "a", "half-of-the-rest", 49)


def test_e10_what_leaves_makes_room_and_what_grows_takes_it() -> None:
    weights = Weights()
    made, key = room(weights), Key("a", "w")
    assert enters(made, weights, "a", "w", 1)
    weights.mebibytes[key] = 100
    made.weigh(key)
    assert not enters(made, weights, "b", "x", 1)
    made.check(key)
    made.leave(key)
    made.leave(key)
    made.weigh(key)
    assert enters(made, weights, "b", "x", 100)


def test_e10_what_needs_nobody_always_fits() -> None:
    weights = Weights()
    made = room(weights)
    assert enters(made, weights, "a", "w", 100)
    assert enters(made, weights, "b", "finished", 0)


def test_e10_it_is_said_who_takes_the_memory_and_what_helps() -> None:
    weights = Weights()
    made = room(weights)
    enters(made, weights, "a", "w", 100)
    weights.mebibytes[Key("a", "next")] = 1
    with pytest.raises(NoRoom, match=r"leave namespace 'a' too little of the 100 MiB") as raised:
        made.check(Key("a", "next"))
    assert "controllerConfig.workflowMemory" in str(raised.value)
    assert "once some end, or are deleted" in str(raised.value)


def test_e10_without_a_limit_and_in_a_store_that_does_not_weigh_everything_fits() -> None:
    weights = Weights()
    made = room(weights, None)
    assert all(enters(made, weights, "a", f"w{n}", 1000) for n in range(3))
    Room(object(), 1).enter(Key("a", "w"))  # type: ignore[arg-type]  # as above


def test_e10_who_waits_is_counted_until_there_is_room_or_the_workflow_is_gone() -> None:
    weights = Weights()
    made = room(weights)
    assert enters(made, weights, "a", "w", 100)
    for name in ("x", "y", "y"):
        assert not enters(made, weights, "a", name, 1)
    assert made.waiting == 2
    made.gone(Key("a", "x"))
    made.gone(Key("a", "x"))
    assert made.waiting == 1
    made.leave(Key("a", "w"))
    assert enters(made, weights, "a", "y", 1)
    assert made.waiting == 0


MOVES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 9), st.integers(1, 40), st.booleans()),
    max_size=80,
)


@given(MOVES)
def test_e10_what_is_let_in_never_exceeds_the_limit_and_all_comes_back(
    moves: list[tuple[str, int, int, bool]],
) -> None:
    weights = Weights()
    made, inside = room(weights), dict[Key, int]()
    for namespace, number, size, leaves in moves:
        key = Key(namespace, f"w{number}")
        if leaves:
            made.leave(key)
            inside.pop(key, None)
        elif key not in inside and enters(made, weights, namespace, key.name, size):
            inside[key] = size
        assert sum(inside.values()) <= LIMIT
    for key in inside:
        made.leave(key)
    assert enters(made, weights, "new", "w", LIMIT)
