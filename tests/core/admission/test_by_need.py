"""E4: who comes first among those for whom enough is free."""

from hypothesis import given
from hypothesis import strategies as st

from wf_core.shares import ByNeed

MOST = 11
ITEMS = st.integers(0, 7)
STEPS = st.lists(
    st.tuples(ITEMS, st.one_of(st.none(), st.tuples(st.integers(1, MOST + 9), st.integers(0, 3))))
)


@given(STEPS)
def test_e4_the_first_is_the_one_that_a_full_scan_would_find(
    steps: list[tuple[int, tuple[int, int] | None]],
) -> None:
    ranked: ByNeed[int, int] = ByNeed(MOST)
    placed: dict[int, tuple[int, int]] = {}
    for item, place in steps:
        if place is None:
            ranked.discard(item)
            placed.pop(item, None)
        else:
            ranked.put(item, *place)
            placed[item] = place
        for free in range(MOST + 1):
            fits = [(rank, each) for each, (need, rank) in placed.items() if need <= free]
            assert ranked.first(free) == (min(fits)[1] if fits else None)
