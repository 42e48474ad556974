"""Who may call a hook now (semantics E1, E2)."""

import math

import pytest

from wf_core.errors import EngineError
from wf_core.limits import KindLimits, Limits, pool_size, reserve
from wf_core.model.phases import PermitClass

ROLLBACK, RUN, WATCH = PermitClass.ROLLBACK, PermitClass.RUN, PermitClass.WATCH


def one(**limits: float) -> dict[str, KindLimits]:
    return {"k": KindLimits(**limits)}  # type: ignore[arg-type]  # whole where it must be


def fill(limits: Limits, cls: PermitClass, kind: str = "k", *, opens: bool = False) -> int:
    """Take as many permits of a class as there are, leaving nobody waiting; gives how many."""
    count = 0
    while limits.take("filler", kind, cls, 0.0, opens=opens):
        count += 1
    limits.forget("filler")
    return count


@pytest.mark.parametrize(
    ("limit", "kept"), [(1, 0), (2, 1), (3, 1), (10, 1), (19, 1), (20, 2), (30, 3), (100, 10)]
)
def test_e2_a_tenth_and_at_least_one_is_kept_and_the_pool_has_as_many_threads_more(
    limit: int, kept: int
) -> None:
    assert reserve(limit) == kept
    assert pool_size(limit) == limit + kept


@pytest.mark.parametrize("cls", [RUN, WATCH])
@pytest.mark.parametrize("limit", [2, 3, 10, 30])
def test_e2_reserve_is_kept_for_rollbacks_in_the_overall_limit(
    limit: int, cls: PermitClass
) -> None:
    limits = Limits(limit, {})
    assert fill(limits, cls) == limit - reserve(limit)
    assert fill(limits, ROLLBACK) == reserve(limit)


@pytest.mark.parametrize("limit", [2, 10])
def test_e2_reserve_is_kept_for_rollbacks_in_the_limit_of_a_kind(limit: int) -> None:
    limits = Limits(100, one(concurrency=limit))
    assert fill(limits, RUN) == limit - reserve(limit)
    assert fill(limits, ROLLBACK) == reserve(limit)
    assert fill(limits, RUN, "other") > 0


@pytest.mark.parametrize("limit", [2, 10])
def test_e2_reserve_is_kept_for_rollbacks_among_open_attempts(limit: int) -> None:
    limits = Limits(100, one(max_active=limit))
    assert fill(limits, RUN, opens=True) == limit - reserve(limit)
    assert fill(limits, ROLLBACK, opens=True) == reserve(limit)


def test_e2_rollbacks_may_use_the_whole_limit() -> None:
    limits = Limits(10, one(concurrency=5))
    assert fill(limits, ROLLBACK) == 5
    assert fill(limits, ROLLBACK, "other") == 5


def test_e2_a_limit_of_one_gives_rollbacks_precedence() -> None:
    limits = Limits(1, {})
    assert limits.take("a", "k", RUN, 0)
    assert not limits.take("b", "k", RUN, 0)
    assert not limits.take("c", "other", ROLLBACK, 0)
    limits.give("k", RUN)
    assert limits.ready(1) == ["c"]
    assert not limits.take("b", "k", RUN, 1)
    assert limits.take("c", "other", ROLLBACK, 1)


def test_e2_with_one_slot_no_run_starts_while_a_rollback_waits_for_its_token() -> None:
    limits = Limits(1, one(qps=1))
    assert limits.take("a", "k", ROLLBACK, 0)
    limits.give("k", ROLLBACK)
    assert not limits.take("b", "k", ROLLBACK, 0.5)
    assert not limits.take("c", "other", RUN, 0.5)
    assert limits.explain("other", RUN, 0.5) == "the only slot: a rollback waits for it"
    assert limits.ready(0.9) == []
    assert limits.next_token_at(0.9) == 1.0
    assert limits.ready(1.0) == ["b"]
    assert limits.take("b", "k", ROLLBACK, 1.0)
    limits.give("k", ROLLBACK)
    assert limits.ready(1.0) == ["c"]


def test_e2_with_one_slot_a_rollback_that_waits_for_an_attempt_to_end_holds_up_no_look() -> None:
    """Or the look that could end the attempt would never be made."""
    limits = Limits(1, one(max_active=1))
    limits.reopen("k")
    assert not limits.take("undo", "k", ROLLBACK, 0, opens=True)
    assert limits.take("look", "k", RUN, 0)
    limits.give("k", RUN)
    limits.close("k")
    assert limits.ready(0) == ["undo"]


def test_e2_rollbacks_go_before_runs_and_runs_before_watches() -> None:
    limits = Limits(2, one(concurrency=2))
    assert limits.take("x", "k", ROLLBACK, 0)
    assert limits.take("y", "k", ROLLBACK, 0)
    for holder, cls in [("w", WATCH), ("r", RUN), ("u", ROLLBACK), ("u2", ROLLBACK)]:
        assert not limits.take(holder, "k", cls, 0)
    limits.give("k", ROLLBACK)
    assert limits.ready(0) == ["u"]
    limits.give("k", ROLLBACK)
    assert limits.ready(0) == ["u", "u2"]
    for holder in ("u", "u2"):
        assert limits.take(holder, "k", ROLLBACK, 0)
        limits.give("k", ROLLBACK)
    assert limits.ready(0) == ["r"]
    assert limits.take("r", "k", RUN, 0)
    limits.give("k", RUN)
    assert limits.ready(0) == ["w"]


def test_e1_all_or_none_a_refusal_takes_nothing() -> None:
    kinds = {
        "slot": KindLimits(qps=1, concurrency=1, max_active=5),
        "open": KindLimits(qps=1, concurrency=5, max_active=1),
    }
    limits = Limits(100, kinds)
    assert limits.take("a", "slot", RUN, 0)
    assert limits.take("a", "open", RUN, 0, opens=True)
    # Tokens are there at 5, but no slot and no attempt: the token must not be spent.
    assert not limits.take("b", "slot", RUN, 5, opens=True)
    assert not limits.take("b", "open", RUN, 5, opens=True)
    limits.forget("b")
    limits.give("slot", RUN)
    assert limits.take("c", "slot", RUN, 5, opens=True)
    limits.close("open")
    assert limits.take("c", "open", RUN, 5, opens=True)


def test_e1_without_a_token_no_slot_is_taken() -> None:
    limits = Limits(2, one(qps=1))
    assert limits.take("a", "k", RUN, 0)
    limits.give("k", RUN)
    assert not limits.take("b", "k", RUN, 0.5)
    assert limits.take("c", "other", RUN, 0.5)


def test_e1_max_active_counts_attempts_and_not_calls() -> None:
    limits = Limits(100, one(max_active=1))
    assert limits.take("a", "k", RUN, 0, opens=True)
    limits.give("k", RUN)
    assert not limits.take("b", "k", RUN, 0, opens=True)
    assert limits.take("a", "k", RUN, 0), "a look needs no attempt and passes who waits for one"
    limits.give("k", RUN)
    assert limits.ready(0) == []
    limits.close("k")
    assert limits.ready(0) == ["b"]


def test_e1_attempts_found_open_count_even_beyond_the_limit() -> None:
    limits = Limits(100, one(max_active=2))
    for _ in range(3):
        limits.reopen("k")
    assert not limits.take("a", "k", ROLLBACK, 0, opens=True)
    limits.close("k")
    assert limits.ready(0) == []
    limits.close("k")
    assert limits.ready(0) == ["a"]
    limits.reopen("unlimited")
    limits.close("unlimited")


def test_e2_a_bucket_starts_with_one_token_and_never_holds_more() -> None:
    limits = Limits(100, one(qps=2))
    assert limits.take("a", "k", RUN, 0)
    assert not limits.take("a", "k", RUN, 0)
    limits.forget("a")
    assert limits.take("a", "k", RUN, 1000)
    assert not limits.take("a", "k", RUN, 1000.4)


def test_seed_fault_05_qps_throttles_runs() -> None:
    """A thousand free slots, one call a second: eleven calls in ten seconds."""
    limits = Limits(1000, one(qps=1))
    taken = []
    for tick in range(101):
        now = tick / 10
        if limits.take(f"w{tick}", "k", RUN, now):
            taken.append(now)
        else:
            limits.forget(f"w{tick}")
    assert taken == [float(second) for second in range(11)]


@pytest.mark.parametrize("start", [0.0, 1_700_000_000.123, 1e12])
@pytest.mark.parametrize("qps", [0.07, 1 / 3, 3.0, 7.7, 1000.0])
def test_next_token_at_is_a_time_at_which_the_token_is_there(start: float, qps: float) -> None:
    """Waking at the given time serves the waiter: no rounding makes the engine wake in vain."""
    limits = Limits(100, one(qps=qps))
    assert limits.next_token_at(start) is None
    now = start
    assert limits.take("a", "k", RUN, now)
    for _ in range(50):
        assert not limits.take("a", "k", RUN, now)
        at = limits.next_token_at(now)
        assert at is not None
        assert at - now >= 1 / qps
        assert limits.ready(math.nextafter(at, -math.inf)) == []
        now = at
        assert limits.ready(now) == ["a"]
        assert limits.take("a", "k", RUN, now)


def test_next_token_at_is_none_where_more_than_a_token_is_short() -> None:
    limits = Limits(2, one(qps=1))
    assert limits.take("a", "k", RUN, 0)
    assert not limits.take("b", "k", RUN, 0)
    assert limits.next_token_at(0) is None
    assert not limits.take("c", "k", ROLLBACK, 0)
    assert limits.next_token_at(0) == 1
    limits.forget("c")
    limits.give("k", RUN)
    assert limits.next_token_at(0) == 1


def test_next_token_at_is_the_earliest_of_all_kinds() -> None:
    limits = Limits(9, {"slow": KindLimits(qps=0.1), "fast": KindLimits(qps=1)})
    for kind in ("slow", "fast"):
        assert limits.take("a", kind, RUN, 0)
        assert not limits.take("b", kind, RUN, 0)
    assert limits.next_token_at(0.5) == 1
    limits.forget("b")
    assert limits.next_token_at(0.5) is None


def test_e2_a_newcomer_never_overtakes_one_that_waits() -> None:
    limits = Limits(2, {})
    assert limits.take("a", "k", RUN, 0)
    assert not limits.take("b", "k", RUN, 0)
    limits.give("k", RUN)
    assert not limits.take("newcomer", "k", RUN, 0)
    assert not limits.take("newcomer", "other", RUN, 0), "nor through another kind"
    assert limits.ready(0) == ["b"]
    assert limits.take("b", "k", RUN, 0)


def test_e2_a_busy_holder_does_not_overtake_itself_past_the_others() -> None:
    limits = Limits(2, {})
    assert limits.take("busy", "k", RUN, 0)
    assert not limits.take("busy", "k", RUN, 0)
    assert not limits.take("other", "k", RUN, 0)
    limits.give("k", RUN)
    assert limits.take("busy", "k", RUN, 0)
    assert not limits.take("busy", "k", RUN, 0)
    limits.give("k", RUN)
    assert limits.ready(0) == ["other"]


def test_those_refused_more_than_once_keep_their_place() -> None:
    limits = Limits(2, {})
    assert limits.take("x", "k", RUN, 0)
    for holder in ("a", "b", "a", "a"):
        assert not limits.take(holder, "k", RUN, 0)
    limits.give("k", RUN)
    assert limits.ready(0) == ["a"]


@pytest.mark.parametrize("look_first", [True, False])
def test_e2_within_a_class_looks_and_new_attempts_go_by_arrival(look_first: bool) -> None:
    limits = Limits(2, {})
    assert limits.take("x", "k", RUN, 0)
    wishes = [("look", False), ("start", True)]
    for holder, opens in wishes if look_first else wishes[::-1]:
        assert not limits.take(holder, "k", RUN, 0, opens=opens)
    limits.give("k", RUN)
    assert limits.ready(0) == ["look" if look_first else "start"]


def test_ready_names_each_holder_once_and_again_until_it_has_had_its_turn() -> None:
    limits = Limits(4, {})
    assert fill(limits, RUN) == 3
    for kind in ("k", "l"):
        assert not limits.take("a", kind, RUN, 0)
    for _ in range(3):
        limits.give("k", RUN)
    assert limits.ready(0) == ["a"]
    assert limits.ready(0) == ["a"]
    limits.settle("a")
    assert limits.ready(0) == []


def test_what_a_holder_leaves_after_its_turn_goes_to_the_next() -> None:
    limits = Limits(2, one(qps=1, max_active=5))
    assert limits.take("x", "k", RUN, 0)
    assert not limits.take("a", "k", RUN, 0, opens=True)
    assert not limits.take("b", "k", RUN, 0, opens=True)
    limits.give("k", RUN)
    assert limits.ready(1) == ["a"]
    assert limits.explain("k", RUN, 1) == (
        "a slot: 1 of 1 hook calls are running, 1 kept for rollbacks (k 1)"
    )
    assert limits.explain("k", ROLLBACK, 1) == (
        "a token of kind 'k': the next is promised to another"
    )
    limits.settle("a")
    assert limits.ready(1) == ["b"]
    assert limits.take("b", "k", RUN, 1, opens=True)


def test_a_promised_attempt_that_is_let_go_is_not_open() -> None:
    limits = Limits(9, one(max_active=1))
    assert limits.take("x", "k", RUN, 0, opens=True)
    assert not limits.take("a", "k", RUN, 0, opens=True)
    limits.close("k")
    assert limits.ready(0) == ["a"]
    limits.forget("a")
    assert limits.take("b", "k", RUN, 0, opens=True)


def test_settling_keeps_a_holder_in_line_for_what_it_was_not_promised() -> None:
    limits = Limits(2, {})
    assert limits.take("x", "k", RUN, 0)
    assert not limits.take("a", "k", RUN, 0)
    limits.settle("a")
    limits.settle("stranger")
    limits.give("k", RUN)
    # Put aside within another's turn and not named yet: a turn before that settles nothing.
    assert not limits.take("b", "k", RUN, 0)
    limits.settle("a")
    assert limits.ready(0) == ["a"]


def test_the_token_of_a_promise_counts_from_the_call_and_not_from_the_promise() -> None:
    limits = Limits(9, one(qps=1))
    assert limits.take("x", "k", RUN, 0)
    assert not limits.take("a", "k", RUN, 0)
    assert not limits.take("b", "k", RUN, 0)
    assert limits.ready(1) == ["a"]
    assert limits.ready(5) == ["a"]
    assert limits.take("a", "k", RUN, 5)
    assert limits.ready(5.9) == []
    assert limits.ready(6) == ["b"]


def test_whoever_is_forgotten_holds_nobody_up() -> None:
    limits = Limits(2, {})
    assert limits.take("x", "k", RUN, 0)
    for holder in ("a", "b", "c"):
        assert not limits.take(holder, "k", RUN, 0)
    limits.forget("a")
    limits.forget("stranger")
    limits.give("k", RUN)
    assert limits.ready(0) == ["b"]
    limits.forget("b")
    assert limits.ready(0) == ["c"]


def test_explain_names_what_is_short() -> None:
    kinds = {
        "k": KindLimits(qps=1, concurrency=3, max_active=1),
        "free": KindLimits(),
    }
    limits = Limits(5, kinds)
    assert limits.explain("k", RUN, 0) == "nothing: a permit is free"
    assert limits.explain("never seen", RUN, 0) == "nothing: a permit is free"
    assert limits.take("a", "k", RUN, 0, opens=True)
    assert limits.explain("k", RUN, 0.25) == "a token of kind 'k': the next comes in 0.8 s"
    assert limits.explain("k", RUN, 1) == "an attempt of kind 'k' to end: 1 of 1 are open"
    assert limits.take("a", "k", RUN, 1)
    assert limits.explain("k", WATCH, 9) == (
        "a slot of kind 'k': 2 of 2 calls are running, 1 kept for rollbacks"
    )
    assert limits.take("a", "k", ROLLBACK, 9)
    assert limits.explain("k", ROLLBACK, 19) == "a slot of kind 'k': 3 of 3 calls are running"
    assert fill(limits, RUN, "free") == 2
    assert limits.explain("free", RUN, 19) == "a slot: 5 of 5 hook calls are running (k 3, free 2)"


def taken_by(limits: Limits, tenant: str, cls: PermitClass = RUN) -> int:
    """Open attempts of `k` for one namespace, as many as there are; gives how many."""
    count = 0
    while limits.take(f"{tenant}'s", "k", cls, 0.0, opens=True, tenant=tenant):
        count += 1
    limits.forget(f"{tenant}'s")
    return count


@pytest.mark.parametrize(
    ("concurrency", "kinds"),
    [(20, {}), (1000, one(concurrency=20)), (1000, one(max_active=20))],
    ids=["overall", "slots of a kind", "open attempts of a kind"],
)
def test_e6_a_namespace_takes_less_than_leaves_room_for_the_next(
    concurrency: int, kinds: dict[str, KindLimits]
) -> None:
    limits = Limits(concurrency, kinds, shared=True)
    # 18 are for runs. The first gets three fifths; the last quarter is for those that hold less
    # than half of what is free, the last eighth for those that hold nothing yet.
    assert [taken_by(limits, name) for name in "abcdef"] == [11, 3, 2, 1, 1, 0]
    assert taken_by(Limits(concurrency, kinds), "a") == 18


@pytest.mark.parametrize("kinds", [("k", "k"), ("k", "l"), ("l", "k")])
def test_e6_namespaces_take_turns_however_many_ask(kinds: tuple[str, str]) -> None:
    """Within one line, and between those of several kinds."""
    limits = Limits(2, {}, shared=True)
    first, second = kinds
    assert limits.take("busy", "k", RUN, 0, tenant="a")
    for holder in ("a1", "a2", "a3"):
        assert not limits.take(holder, first, RUN, 0, tenant="a")
    for holder in ("b1", "b2"):
        assert not limits.take(holder, second, RUN, 0, tenant="b")
    limits.give("k", RUN, "a")
    served = []
    for _ in range(5):
        (holder,) = limits.ready(0)
        tenant, kind = holder[0], first if holder[0] == "a" else second
        assert limits.take(holder, kind, RUN, 0, tenant=tenant)
        limits.give(kind, RUN, tenant)
        served.append(holder)
    assert served == ["a1", "b1", "a2", "b2", "a3"]


@pytest.mark.parametrize("kind", ["k", "never seen"])
def test_giving_back_what_nobody_holds_is_a_fault_of_the_engine(kind: str) -> None:
    limits = Limits(2, one(qps=1))
    with pytest.raises(EngineError, match="nobody holds"):
        limits.give(kind, RUN)
    with pytest.raises(EngineError, match="nobody opened"):
        limits.close(kind)


def test_those_who_wait_are_counted_by_kind_once_a_holder() -> None:
    limits = Limits(1, {})
    assert limits.take("a", "http", PermitClass.RUN, 0.0)
    for holder, kind in (("b", "http"), ("b", "pod"), ("c", "http"), ("c", "http")):
        assert not limits.take(holder, kind, PermitClass.RUN, 0.0)
    assert not limits.take("b", "http", PermitClass.ROLLBACK, 0.0)
    assert limits.waiting() == {"http": 2, "pod": 1}
    limits.forget("b")
    assert limits.waiting() == {"http": 1}
