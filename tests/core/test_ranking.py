"""The least of many whose ranks change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_core.ranking import Ranking


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 5)), max_size=150))
def test_first_is_always_the_least(changes: list[tuple[int, int | None]]) -> None:
    ranking: Ranking[int, tuple[int, int]] = Ranking()
    known: dict[int, tuple[int, int]] = {}
    for item, rank in changes:
        if rank is None:
            ranking.discard(item)
            known.pop(item, None)
        else:
            known[item] = (rank, item)
            ranking.put(item, known[item])
        assert ranking.first() == min(known, key=known.__getitem__, default=None)
        assert len(ranking) == len(known)
        assert sorted(ranking.ranks()) == sorted(known.values())
        assert all(ranking.rank(one) == known[one] and one in ranking for one in known)


def test_the_rank_of_what_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        Ranking[str, int]().rank("a")


def test_changes_without_end_do_not_make_it_grow() -> None:
    ranking: Ranking[str, int] = Ranking()
    ranking.put("first", -1)
    for i in range(10_000):
        ranking.put("other", i % 7)
    assert len(ranking._heap) < 50
