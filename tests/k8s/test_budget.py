"""What is kept of many namespaces in so many bytes."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from wf_k8s.store.budget import Budget

MOST = 100
SIZES = st.integers(1, 120)
PUTS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), SIZES), max_size=60)


def test_the_namespace_that_has_most_gives_up_what_it_put_longest_ago() -> None:
    budget = Budget[str](MOST)
    assert budget.put("quiet", "q", 20) == []
    assert budget.put("loud", "l1", 40) == []
    assert budget.put("loud", "l2", 40) == []
    assert budget.put("loud", "l1", 40) == []
    assert budget.put("loud", "l3", 50) == ["l2", "l1"]


def test_what_is_larger_than_all_is_given_up_itself() -> None:
    budget = Budget[str](MOST)
    assert budget.put("a", "small", 1) == []
    assert budget.put("b", "large", 101) == ["large"]
    assert budget.put("b", "other", 99) == []


def test_what_is_dropped_leaves_room() -> None:
    budget = Budget[str](MOST)
    budget.put("a", "x", 60)
    budget.drop("a", "x")
    budget.drop("a", "x")
    budget.drop("nobody", "x")
    assert budget.put("b", "y", 100) == []


@given(PUTS)
def test_never_is_more_kept_and_none_loses_for_another_that_has_more(
    puts: list[tuple[str, int, int]],
) -> None:
    budget = Budget[tuple[str, int]](MOST)
    kept = dict[tuple[str, int], int]()
    for namespace, number, size in puts:
        kept[namespace, number] = size
        for each in budget.put(namespace, (namespace, number), size):
            shares = Counter[str]()
            for (of, _), bytes_ in kept.items():
                shares[of] += bytes_
            assert shares[each[0]] == max(shares.values())
            del kept[each]
        assert sum(kept.values()) <= MOST
