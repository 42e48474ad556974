"""The graph, the queues and the delays, each alone."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.model.phases import Phase
from wf_core.model.spec import Callback, DependOn, RetryPolicy
from wf_core.saga.backoff import fraction, longest_retry, poll_delay, retry_delay, watch_delay
from wf_core.saga.graph import Graph, find_cycle, topological
from wf_core.saga.reports import reported
from wf_core.saga.waiting import Waiting
from wf_core.testing.saga_driver import step


def test_fault7_a_cycle_is_found_and_named_in_full() -> None:
    assert find_cycle([[2], [0], [1]]) == [0, 2, 1, 0]
    assert find_cycle([[0]]) == [0, 0]
    assert find_cycle([[], [0], [0, 1]]) is None
    assert find_cycle([[1], [], [3], [2]]) == [2, 3, 2]


def test_topological_order_keeps_the_specs_order_where_it_may() -> None:
    assert topological([[2], [], []], [[], [], [0]]) == [1, 2, 0]
    assert topological([[1], [0], []], [[1], [0], []]) == [2]


def test_the_graph_knows_each_neighbour_once() -> None:
    twice = step("b", DependOn("a", Phase.RUNNING), DependOn("a", resource_status="up"))
    graph = Graph.of([step("a"), twice])
    assert graph.upstream == ((), (0,))
    assert graph.dependents == ((1,), ())
    assert graph.gates[0] == ((1, Phase.RUNNING), (1, Phase.SUCCESS))
    assert graph.status_waiters == ((1,), ())
    assert graph.is_ancestor(0, 1)
    assert not graph.is_ancestor(1, 0)


def test_a4_the_pivot_depends_on_all_but_its_descendants() -> None:
    steps = [
        step("z", "y"),
        step("y", "p"),
        step("p", DependOn("a", Phase.RUNNING), "b", pivot=True),
        step("a"),
        step("b"),
        step("late", "y", "b"),
    ]
    graph = Graph.of(steps)
    wanted = [(c.on, c.phase) for c in graph.conditions[2]]
    assert wanted == [(3, Phase.RUNNING), (4, Phase.SUCCESS), (3, Phase.SUCCESS)]


def taking(served: list[int], below: int = 100) -> Callable[[int], bool]:
    """Takes every step under a number, and remembers it."""

    def attempt(i: int) -> bool:
        if i < below:
            served.append(i)
        return i < below

    return attempt


@given(st.lists(st.tuples(st.sampled_from("xy"), st.integers(0, 5)), max_size=12))
def test_waiting_is_first_come_first_served_each_once(adds: list[tuple[str, int]]) -> None:
    waiting = Waiting()
    for kind, i in adds:
        waiting.add(kind, i)
    assert bool(waiting) == bool(adds)
    served: list[int] = []
    assert waiting.serve(taking(served)) == bool(adds)
    for kind in "xy":
        assert [i for k, i in dict.fromkeys(adds) if k == kind] == [
            i for k, i in dict.fromkeys(adds) if k == kind and i in served
        ]
    assert not waiting


def test_a_refused_step_keeps_its_place() -> None:
    waiting = Waiting()
    for i in (1, 2, 3):
        waiting.add("k", i)
    assert not waiting.serve(lambda _: False)
    served: list[int] = []
    assert waiting.serve(taking(served, below=3))
    assert served == [1, 2]
    waiting.clear()
    assert not waiting


def test_what_waits_may_be_added_again_while_it_is_served() -> None:
    waiting = Waiting()
    waiting.add("k", 1)
    tries: list[int] = []

    def attempt(i: int) -> bool:
        tries.append(i)
        if len(tries) == 1:
            waiting.add("k", i)
        return True

    assert waiting.serve(attempt)
    assert tries == [1, 1]


@given(st.integers(1, 10_000), st.floats(1, 10), st.floats(0, 0.999))
def test_i11_a_delay_is_never_shorter_than_its_period(n: int, factor: float, j: float) -> None:
    policy = RetryPolicy(factor=factor, max_period_seconds=500.0)
    delay = retry_delay(60.0, policy, n, j)
    assert 60.0 <= delay <= longest_retry(60.0, policy)
    assert delay <= policy.max_period_seconds


@given(
    st.floats(0, 1e6), st.floats(1, 10), st.floats(0, 1e6), st.floats(0, 0.999), st.floats(0, 0.999)
)
def test_b6_jitter_never_exceeds_the_maximum_and_lengthens_by_at_most_a_tenth(
    period: float, factor: float, most: float, j: float, k: float
) -> None:
    policy = RetryPolicy(factor=factor, max_period_seconds=most)
    for n in (1, 2, 5, 100):
        waits = [retry_delay(period, policy, n, each) for each in sorted((j, k))]
        assert waits == sorted(waits)
        assert min(period, 0.9 * most) <= waits[0]
        assert waits[1] <= most
        assert waits[1] <= max(waits[0] * 1.1, waits[0] / 0.9) * (1 + 1e-9)


def test_b6_the_default_maximum_gives_way_to_a_longer_period_which_keeps_its_jitter() -> None:
    for n in (1, 9):
        assert 7200.0 <= retry_delay(7200.0, RetryPolicy(factor=2.0), n, 0.5) <= 7920.0


@pytest.mark.parametrize("period", [60.0, 3000.0, 7200.0])
def test_b6_workflows_that_failed_together_are_spread_also_at_the_default_maximum(
    period: float,
) -> None:
    policy = RetryPolicy(factor=2.0)
    waits = {retry_delay(period, policy, 50, j / 10) for j in range(10)}
    assert len(waits) > 1


@pytest.mark.parametrize(
    ("after", "period", "polls", "delay"),
    [
        (None, 0.0, 0, 10.0),
        (None, 0.0, 99, 60.0),
        (None, 7.0, 5, 7.0),
        (0.0, 7.0, 5, 0.1),
        (-1.0, 0.0, 0, 0.1),
        (0.02, 0.0, 0, 0.1),
        (0.2, 0.0, 0, 0.2),
        (None, 0.001, 0, 0.1),
    ],
)
def test_b1_poll_delays(after: float | None, period: float, polls: int, delay: float) -> None:
    assert poll_delay(after, period, polls) == delay


def test_b9_watches_are_jittered_around_their_period() -> None:
    assert watch_delay(100.0, 0.0) == 90.0
    assert watch_delay(100.0, 1.0) == pytest.approx(110.0)


def test_h_jitter_depends_on_nothing_but_what_is_tried() -> None:
    assert fraction("u", "a", 1) == fraction("u", "a", 1)
    spread = {fraction("u", f"s{k}", 1) for k in range(100)}
    assert len(spread) == 100
    assert all(0 <= f < 1 for f in spread)


def test_f_nothing_is_told_without_a_callback() -> None:
    assert not reported(None, Phase.SUCCESS, None)
    assert not reported(Callback("http://x", events=()), Phase.SUCCESS, "a")
