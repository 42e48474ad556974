"""Which workflow starts next (semantics E3, I13)."""

import json
import math
import subprocess
import sys

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_core.admission import Admission
from wf_core.config.values import (
    NamespaceLimits,
    QueueConfig,
    QueueLimits,
    ShareBy,
    Strategy,
)
from wf_core.model.spec import Key


def key(name: str) -> Key:
    return Key("default", name)


def names(admission: Admission) -> list[str]:
    """Admit until nothing may start."""
    found = []
    while (admitted := admission.next()) is not None:
        found.append(admitted.name)
    return found


def fair(maximum: int = 100, **weights: float) -> QueueConfig:
    queues = {name: QueueLimits(weight) for name, weight in weights.items()}
    return QueueConfig(Strategy.FAIR, maximum, queues)


def offer(admission: Admission, name: str, queue: str = "default", at: float = 0.0) -> None:
    admission.offer(key(name), queue, 0, at, name)


def test_e3_fifo_admits_by_priority_then_creation_then_uid_over_all_queues() -> None:
    admission = Admission(QueueConfig())
    admission.offer(key("late"), "a", 0, 9.0, "u1")
    admission.offer(key("tie2"), "b", 0, 5.0, "u3")
    admission.offer(key("tie1"), "a", 0, 5.0, "u2")
    admission.offer(key("urgent"), "c", 1, 99.0, "u4")
    admission.offer(key("patient"), "c", -1, 0.0, "u5")
    assert names(admission) == ["urgent", "tie1", "tie2", "late", "patient"]


def test_e3_a_queue_at_its_own_maximum_is_passed_over() -> None:
    config = QueueConfig(queues={"a": QueueLimits(max_running_count=1)})
    admission = Admission(config)
    for at, (name, queue) in enumerate([("a1", "a"), ("a2", "a"), ("b1", "b")]):
        offer(admission, name, queue, at)
    assert names(admission) == ["a1", "b1"]
    admission.release(key("a1"))
    assert names(admission) == ["a2"]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_i13_nothing_is_admitted_at_or_above_the_maximum(strategy: Strategy) -> None:
    admission = Admission(QueueConfig(strategy, 2))
    for name in "abc":
        offer(admission, name)
    assert names(admission) == ["a", "b"]
    admission.release(key("a"))
    assert names(admission) == ["c"]


def test_e3_an_undo_never_waits_and_admission_waits_until_the_count_is_below_the_maximum() -> None:
    admission = Admission(QueueConfig(max_running_count=1))
    admission.hold(key("undo1"), "default")
    admission.hold(key("undo2"), "default")
    offer(admission, "new")
    assert admission.running() == 2
    admission.release(key("undo1"))
    assert admission.next() is None
    admission.release(key("undo2"))
    assert admission.next() == key("new")


def test_e3_fair_takes_the_queue_with_the_least_load_for_its_weight() -> None:
    admission = Admission(fair(heavy=2, light=1))
    for i in range(4):
        offer(admission, f"heavy{i}", "heavy", 10 + i)
        offer(admission, f"light{i}", "light", i)
    # (running + 1) / weight: 1/2 before 1/1 = 2/2, where the oldest head breaks the tie.
    assert names(admission)[:6] == ["heavy0", "light0", "heavy1", "heavy2", "light1", "heavy3"]


def test_e3_fair_breaks_ties_by_the_oldest_head_even_against_priority() -> None:
    admission = Admission(fair())
    admission.offer(key("urgent"), "a", 9, 2.0, "u1")
    admission.offer(key("old"), "b", 0, 1.0, "u2")
    assert names(admission) == ["old", "urgent"]


def test_e3_fair_admits_within_a_queue_by_priority() -> None:
    admission = Admission(fair())
    admission.offer(key("old"), "a", 0, 1.0, "u1")
    admission.offer(key("urgent"), "a", 1, 2.0, "u2")
    assert names(admission) == ["urgent", "old"]


def test_e3_fair_skips_full_queues_and_takes_them_up_again() -> None:
    queues = {"a": QueueLimits(100, 1), "b": QueueLimits()}
    admission = Admission(QueueConfig(Strategy.FAIR, 100, queues))
    for i in range(2):
        offer(admission, f"a{i}", "a")
        offer(admission, f"b{i}", "b")
    assert names(admission) == ["a0", "b0", "b1"]
    admission.release(key("a0"))
    assert names(admission) == ["a1"]


def test_a5_one_that_goes_on_waits_at_the_head_of_its_queue() -> None:
    admission = Admission(QueueConfig(max_running_count=1))
    admission.offer(key("urgent"), "default", 5, 0.0, "u1")
    admission.offer(key("back"), "default", 0, 9.0, "u2", resuming=True)
    assert admission.next() == key("back")


def test_offering_again_changes_nothing_and_never_costs_the_head_of_the_queue() -> None:
    admission = Admission(QueueConfig())
    offer(admission, "first", at=1)
    admission.offer(key("back"), "default", 0, 9.0, "back", resuming=True)
    offer(admission, "back", at=9)
    offer(admission, "first", at=1)
    assert admission.waiting() == 2
    assert names(admission) == ["back", "first"]
    offer(admission, "back", at=9)
    assert admission.waiting() == 0


def test_offering_again_with_another_priority_places_it_anew() -> None:
    admission = Admission(QueueConfig())
    offer(admission, "a", at=1)
    offer(admission, "b", at=2)
    admission.offer(key("b"), "default", 1, 2.0, "b")
    assert names(admission) == ["b", "a"]


def test_what_is_withdrawn_is_not_admitted() -> None:
    admission = Admission(QueueConfig())
    offer(admission, "a")
    offer(admission, "b")
    admission.withdraw(key("a"))
    admission.withdraw(key("a"))
    assert names(admission) == ["b"]


def test_holding_is_idempotent_ends_the_wait_and_follows_a_move_to_another_queue() -> None:
    admission = Admission(QueueConfig())
    offer(admission, "a", "x")
    admission.hold(key("a"), "x")
    admission.hold(key("a"), "x")
    assert (admission.running("x"), admission.waiting()) == (1, 0)
    admission.hold(key("a"), "y")
    assert (admission.running("x"), admission.running("y"), admission.running()) == (0, 1, 1)


def test_releasing_is_idempotent() -> None:
    admission = Admission(QueueConfig())
    admission.hold(key("a"), "x")
    admission.release(key("a"))
    admission.release(key("a"))
    assert admission.running() == 0
    assert admission.running("x") == 0


def test_explain_says_what_a_workflow_waits_for() -> None:
    queues = {"small": QueueLimits(max_running_count=1), "shut": QueueLimits(max_running_count=0)}
    admission = Admission(QueueConfig(max_running_count=2, queues=queues))
    offer(admission, "s1", "small", 1)
    offer(admission, "s2", "small", 2)
    offer(admission, "never", "shut", 3)
    offer(admission, "d1", at=4)
    offer(admission, "d2", at=5)
    assert admission.explain(key("d2")) == "place 2 in queue 'default'"
    assert names(admission) == ["s1", "d1"]
    assert admission.explain(key("s1")) == "holds a slot of queue 'small'"
    assert admission.explain(key("s2")) == "place 1 in queue 'small'; it is full: 1 of 1"
    assert admission.explain(key("d2")) == (
        "place 1 in queue 'default'; the engine is full: 2 of 2"
    )
    assert admission.explain(key("never")) == (
        "place 1 in queue 'shut'; it starts nothing: its maxRunningCount is 0"
    )
    assert admission.explain(key("other")) == "does not wait for a slot"


def test_seed_fault_04_fair_is_reached_by_its_name() -> None:
    # In file order FIFO would admit a0, a1, a2.
    admission = Admission(QueueConfig("FAIR", 3))
    for i in range(9):
        offer(admission, f"a{i}", "a", i)
    offer(admission, "b0", "b", 99)
    offer(admission, "c0", "c", 99)
    assert names(admission) == ["a0", "b0", "c0"]


def test_seed_fault_04_finished_workflows_do_not_count() -> None:
    admission = Admission(QueueConfig(max_running_count=100))
    for i in range(350):
        offer(admission, f"w{i}", at=i)
        assert admission.next() == key(f"w{i}")
        admission.release(key(f"w{i}"))
    assert admission.running() == 0


def test_seed_fault_04_fifo_has_an_order_whatever_the_order_of_arrival() -> None:
    admission = Admission(QueueConfig())
    for at in (3, 1, 2):
        offer(admission, f"w{at}", at=at)
    assert names(admission) == ["w1", "w2", "w3"]


@attrs.define
class Naive:
    """Admission as E3 to E5 say it: lists, and a scan for every decision."""

    config: QueueConfig
    waiting: dict[Key, tuple[str, tuple[bool, int, float, str]]] = attrs.field(factory=dict)
    holding: dict[Key, str] = attrs.field(factory=dict)
    slotless: set[Key] = attrs.field(factory=set)

    def limits(self, queue: str) -> QueueLimits:
        return self.config.queues.get(queue, QueueLimits())

    def tenant(self, one: Key) -> str:
        return one.namespace if self.config.share_by is ShareBy.NAMESPACE else ""

    def running(self, queue: str | None = None, tenant: str | None = None) -> int:
        return sum(
            queue in (None, own) and tenant in (None, self.tenant(one))
            for one, own in self.holding.items()
        )

    def free(self, tenant: str) -> int:
        """Slots that nobody has, as one namespace sees it: undos of others that have none don't
        count for it (E5)."""
        return self.config.max_running_count - sum(
            one not in self.slotless or self.tenant(one) == tenant for one in self.holding
        )

    def may_start(self, tenant: str) -> bool:
        config = self.config
        held, free = self.running(tenant=tenant), self.free(tenant)
        if free <= 0:
            return False
        usual = config.max_running_count_per_namespace
        if config.share_by is ShareBy.QUEUE:
            return True
        own = config.namespaces.get(tenant, NamespaceLimits()).max_running_count
        cap = usual if own is None else own
        if cap is not None and held >= cap:
            return False
        if usual is None or cap is None or max(cap, usual) >= config.max_running_count:
            return True
        share = max(cap, usual)
        most = config.max_running_count
        if held and free <= min(most // 8, most - share):
            return False
        if held and 2 * held >= free and free <= min(most // 4, most - share):
            return False
        return held * (most - share) < share * free

    def heads(self, tenant: str) -> dict[str, Key]:
        """The head of each of its queues that may start one more."""
        heads: dict[str, Key] = {}
        for one, (queue, place) in self.waiting.items():
            maximum = self.limits(queue).max_running_count
            full = maximum is not None and self.running(queue) >= maximum
            if self.tenant(one) != tenant or full:
                continue
            if queue not in heads or place < self.waiting[heads[queue]][1]:
                heads[queue] = one
        return heads

    def presented(self, tenant: str) -> Key | None:
        """The one head of a namespace."""

        def fifo(one: Key) -> tuple[object, ...]:
            return self.waiting[one][1]

        def fair(one: Key) -> tuple[object, ...]:
            queue, place = self.waiting[one]
            load = (self.running(queue, tenant) + 1) / self.limits(queue).weight
            return (load, *place[2:])

        heads = self.heads(tenant).values()
        return min(heads, key=fair if self.fair else fifo, default=None)

    @property
    def fair(self) -> bool:
        return self.config.strategy is Strategy.FAIR

    def next(self) -> Key | None:
        tenants = {self.tenant(one) for one in self.waiting}
        found = {
            tenant: head
            for tenant in tenants
            if self.may_start(tenant) and (head := self.presented(tenant)) is not None
        }
        if not found:
            return None

        def order(tenant: str) -> tuple[object, ...]:
            weight = self.config.namespaces.get(tenant, NamespaceLimits()).weight
            if self.config.share_by is ShareBy.QUEUE:
                weight = 1.0
            load = (self.running(tenant=tenant) + 1) / weight if self.fair else 0.0
            return (load, *self.waiting[found[tenant]][1][2:])

        admitted = found[min(found, key=order)]
        self.holding[admitted] = self.waiting.pop(admitted)[0]
        return admitted


QUEUES = st.sampled_from(["a", "b", "c"])
SPACES = st.sampled_from(["default", "other", "third"])
WEIGHTS = st.sampled_from([0.5, 1.0, 2.0, 3.0])
LIMITS = st.builds(QueueLimits, weight=WEIGHTS, max_running_count=st.none() | st.integers(0, 3))
CONFIGS = st.builds(
    QueueConfig,
    strategy=st.sampled_from(Strategy),
    max_running_count=st.integers(0, 18),
    queues=st.dictionaries(QUEUES, LIMITS),
    share_by=st.sampled_from([ShareBy.NAMESPACE, ShareBy.NAMESPACE, ShareBy.QUEUE]),
    max_running_count_per_namespace=st.none() | st.integers(0, 10),
    namespaces=st.dictionaries(
        SPACES,
        st.builds(NamespaceLimits, weight=WEIGHTS, max_running_count=st.none() | st.integers(0, 6)),
    ),
)
NAMES = st.integers(0, 19)
OPERATIONS = st.one_of(
    st.tuples(st.just("offer"), NAMES, QUEUES, st.integers(-1, 1), st.integers(0, 3)),
    st.tuples(st.just("resume"), NAMES, QUEUES, st.integers(-1, 1), st.integers(0, 3)),
    st.tuples(st.sampled_from(["withdraw", "release"]), NAMES),
    st.tuples(st.sampled_from(["hold", "undo"]), NAMES, QUEUES),
    st.just(("next",)),
    st.just(("next",)),
)


@settings(max_examples=300, deadline=None)
@given(CONFIGS, st.lists(OPERATIONS, max_size=80))
def test_i13_every_choice_is_the_one_a_full_scan_would_make(
    config: QueueConfig, operations: list[tuple[object, ...]]
) -> None:
    admission, naive = Admission(config), Naive(config)
    for verb, *rest in operations:
        if verb == "next":
            assert admission.next() == naive.next()
            continue
        space = ("default", "other", "third")[int(str(rest[0])) % 3]
        one = Key(space, f"w{rest[0]}")
        match verb, rest:
            case "offer" | "resume", [_, str(queue), int(priority), int(at)]:
                resuming = verb == "resume"
                admission.offer(one, queue, priority, at, one.name, resuming=resuming)
                if one not in naive.holding:
                    at_head = one in naive.waiting and not naive.waiting[one][1][0]
                    place = (not (resuming or at_head), -priority, float(at), one.name)
                    naive.waiting[one] = (queue, place)
            case "withdraw", _:
                admission.withdraw(one)
                naive.waiting.pop(one, None)
            case "release", _:
                admission.release(one)
                naive.holding.pop(one, None)
                naive.slotless.discard(one)
            case "hold" | "undo", [_, str(queue)]:
                admission.hold(one, queue, slotless=verb == "undo")
                naive.waiting.pop(one, None)
                naive.holding[one] = queue
                (naive.slotless.add if verb == "undo" else naive.slotless.discard)(one)
        assert admission.running() == len(naive.holding)
        assert admission.waiting() == len(naive.waiting)
        for queue in "abc":
            assert admission.running(queue) == naive.running(queue)
    # What is left is chosen alike to the last one.
    while (chosen := naive.next()) is not None:
        assert admission.next() == chosen
    assert admission.next() is None


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcde"), st.sampled_from([0.5, 1.0, 2.0, 5.0]), min_size=2),
    st.integers(1, 20),
    st.lists(st.integers(0, 19), max_size=40),
)
def test_i13_fair_keeps_every_waiting_queue_within_one_workflow_of_its_weighted_share(
    weights: dict[str, float], maximum: int, finished: list[int]
) -> None:
    """There is a level for which every queue runs at most level * weight, and less than one fewer;
    and none is a whole workflow short of its part of the maximum."""
    admission = Admission(fair(maximum, **weights))
    for queue in weights:
        for i in range(60):
            offer(admission, f"{queue}{i}", queue, i)
    running = names(admission)
    for n in [None, *finished]:
        if n is not None:
            admission.release(key(running.pop(n % len(running))))
            running += names(admission)
        counts = {queue: admission.running(queue) for queue in weights}
        assert sum(counts.values()) == maximum
        highest = max(counts[q] / weights[q] for q in weights)
        lowest_next = min((counts[q] + 1) / weights[q] for q in weights)
        assert highest <= lowest_next
        whole = sum(weights.values())
        assert all(counts[q] > maximum * weights[q] / whole - 1 for q in weights)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(Strategy), st.integers(0, 20), st.floats(0.1, 10))
def test_e3_no_waiting_workflow_starves(
    strategy: Strategy, waiting_before: int, weight: float
) -> None:
    """A stream of newcomers of another queue lets it through after those that were there before."""
    admission = Admission(QueueConfig(strategy, 1, {"mine": QueueLimits(weight)}))
    for i in range(waiting_before):
        offer(admission, f"before{i}", "mine", i)
    offer(admission, "mine", "mine", 100)
    # At one slot FAIR's loads are 1/weight and 1: a lighter queue waits for the others to be empty,
    # which is its share of one slot, so the stream weighs no more than it does.
    stream = "mine" if weight < 1 else "stream"
    for i in range(2 * waiting_before + 2):
        offer(admission, f"new{i}", stream, 200 + i)
        admitted = admission.next()
        assert admitted is not None
        if admitted == key("mine"):
            return
        admission.release(admitted)
    pytest.fail("it was never admitted")


def test_e3_the_choice_does_not_depend_on_the_hash_seed() -> None:
    script = """
import json
from wf_core.admission import Admission
from wf_core.config.values import QueueConfig
from wf_core.model.spec import Key
admission = Admission(QueueConfig("FAIR"))
for i in range(60):
    admission.offer(Key("default", f"w{i}"), f"q{i % 7}", 0, i // 10, f"u{i}")
print(json.dumps([admission.next().name for _ in range(60)]))
"""
    orders = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", script],
                env={"PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
        )
        for seed in ("1", "2")
    ]
    assert orders[0] == orders[1]
    assert len(orders[0]) == 60


def test_a_decision_does_not_look_at_everything_that_waits() -> None:
    """Counted in comparisons of places, not in seconds."""
    compared = 0

    class Counted(str):
        __slots__ = ()

        def __lt__(self, other: str) -> bool:
            nonlocal compared
            compared += 1
            return str.__lt__(self, other)

    admission = Admission(fair())
    for i in range(2000):
        admission.offer(key(f"w{i}"), f"q{i % 200}", 0, 0.0, Counted(f"u{i:04}"))
    compared = 0
    for _ in range(100):
        assert admission.next() is not None
    assert compared / 100 < 8 * math.log2(2000)
