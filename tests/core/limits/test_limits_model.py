"""Limits against a naive model that scans everything, and what must hold in every run (E1, E2)."""

import math
import subprocess
import sys
from collections import Counter

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_core.limits import KindLimits, Limits
from wf_core.model.phases import PermitClass

ROLLBACK = PermitClass.ROLLBACK


def kept(limit: int) -> int:
    return 0 if limit < 2 else max(1, limit // 10)


@attrs.define
class Wish:
    """A permit that somebody has, waits for, or was promised."""

    holder: str
    kind: str
    cls: PermitClass
    opens: bool
    tenant: str = ""
    listed: bool = False


@attrs.define
class Naive:
    """The rules of E1 and E2 over plain lists. Promises count as taken."""

    concurrency: int
    kinds: dict[str, KindLimits]
    shared: bool = False
    held: list[Wish] = attrs.field(factory=list)
    opened: list[Wish] = attrs.field(factory=list)
    line: list[Wish] = attrs.field(factory=list)
    promised: list[Wish] = attrs.field(factory=list)
    token_at: dict[str, float] = attrs.field(factory=dict)
    served: dict[tuple[PermitClass, str], int] = attrs.field(factory=dict)
    lines: dict[tuple[str, PermitClass, bool], list[str]] = attrs.field(factory=dict)
    clock: int = 0

    def shares(self, mine: int, free: int, limit: int) -> bool:
        """E6: less is held than 1.5 times what is free; a quarter is for who holds less than half
        of what is free, and an eighth for who holds nothing."""
        if not self.shared or mine == 0:
            return True
        little = free > min(limit // 4, limit * 2 // 5) or mine < free / 2
        return mine < 1.5 * free and little and free > min(limit // 8, limit * 2 // 5)

    def room(self, limit: int | None, wish: Wish, used: list[Wish]) -> bool:
        if limit is None:
            return True
        ordinary = sum(other.cls is not ROLLBACK for other in used)
        free, most = limit - len(used), limit
        if wish.cls is not ROLLBACK:
            most = limit - kept(limit)
            free = min(free, most - ordinary)
        mine = sum(u.cls is wish.cls and u.tenant == wish.tenant for u in used)
        return free > 0 and self.shares(mine, free, most)

    def lacks_no_attempt(self, wish: Wish) -> bool:
        limit = self.kinds[wish.kind].max_active
        if limit is None or not wish.opens:
            return True
        used = [w for w in self.opened if w.kind == wish.kind]
        used += [p for p in self.promised if p.opens and p.kind == wish.kind]
        most = limit - (0 if wish.cls is ROLLBACK else kept(limit))
        free = most - len(used)
        mine = sum(u.tenant == wish.tenant for u in used)
        return free > 0 and self.shares(mine, free, most)

    def servable(self, wish: Wish, now: float) -> bool:
        busy = self.held + self.promised
        limits = self.kinds[wish.kind]
        if not self.room(self.concurrency, wish, busy):
            return False
        here = [b for b in busy if b.kind == wish.kind]
        if not self.room(limits.concurrency, wish, here) or not self.lacks_no_attempt(wish):
            return False
        if limits.qps is not None and (
            any(p.kind == wish.kind for p in self.promised)
            or now < self.token_at.get(wish.kind, -math.inf)
        ):
            return False
        return not (
            self.concurrency == 1
            and wish.cls is not ROLLBACK
            and any(w.cls is ROLLBACK and self.lacks_no_attempt(w) for w in self.line)
        )

    def call(self, now: float) -> None:
        while waiting := [w for w in self.line if self.servable(w, now)]:
            chosen = self.choose(waiting)
            self.line.remove(chosen)
            self.promised.append(chosen)
            self.turn_over(chosen)

    def choose(self, waiting: list[Wish]) -> Wish:
        """E2 and E6: by class, then namespaces in turns, then in the order of asking.

        Of each line the first tenant's first; among lines whose tenant was served longest ago.
        """
        if not self.shared:
            return min(waiting, key=lambda wish: wish.cls)
        heads: dict[tuple[str, PermitClass, bool], Wish] = {}
        for wish in waiting:
            name = (wish.kind, wish.cls, wish.opens)
            line = self.lines[name]
            if name not in heads or line.index(wish.tenant) < line.index(heads[name].tenant):
                heads[name] = wish
        return min(
            heads.values(), key=lambda w: (w.cls, self.served[w.cls, w.tenant], self.line.index(w))
        )

    def turn_over(self, wish: Wish) -> None:
        self.clock += 1
        self.served[wish.cls, wish.tenant] = self.clock
        line = self.lines[wish.kind, wish.cls, wish.opens]
        line.remove(wish.tenant)
        line.append(wish.tenant)
        self.tidy()

    def enter(self, wish: Wish) -> None:
        self.line.append(wish)
        self.clock += 1
        self.served.setdefault((wish.cls, wish.tenant), self.clock)
        line = self.lines.setdefault((wish.kind, wish.cls, wish.opens), [])
        if wish.tenant not in line:
            line.append(wish.tenant)

    def tidy(self) -> None:
        """Whoever waits no longer has no turn."""
        waits = {(w.cls, w.tenant) for w in self.line + self.promised}
        self.served = {key: turn for key, turn in self.served.items() if key in waits}
        for (kind, cls, opens), line in self.lines.items():
            line[:] = [
                tenant
                for tenant in line
                if any(
                    (w.kind, w.cls, w.opens, w.tenant) == (kind, cls, opens, tenant)
                    for w in self.line
                )
            ]

    def find(self, among: list[Wish], wish: Wish) -> Wish | None:
        same = (wish.holder, wish.kind, wish.cls, wish.opens)
        return next((w for w in among if (w.holder, w.kind, w.cls, w.opens) == same), None)

    def take(self, wish: Wish, now: float) -> bool:
        self.call(now)
        promise = self.find(self.promised, wish)
        if promise is not None:
            self.promised.remove(promise)
            self.tidy()
        elif self.find(self.line, wish) is not None or not self.servable(wish, now):
            if self.find(self.line, wish) is None:
                self.enter(wish)
            return False
        self.held.append(wish)
        if wish.opens:
            self.opened.append(wish)
        qps = self.kinds[wish.kind].qps
        if qps is not None:
            # Times of the test are quarters, and periods too: exact.
            self.token_at[wish.kind] = now + 1 / qps
        return True

    def ready(self, now: float) -> list[str]:
        self.call(now)
        for promise in self.promised:
            promise.listed = True
        return list(dict.fromkeys(p.holder for p in self.promised))


KINDS = st.sampled_from(["a", "b", "c"])
CLASSES = st.sampled_from(PermitClass)
LIMITS = st.builds(
    KindLimits,
    qps=st.sampled_from([None, 0.5, 1.0, 2.0]),
    concurrency=st.none() | st.integers(1, 5),
    max_active=st.none() | st.integers(1, 5),
)
SETUPS = st.tuples(
    st.sampled_from([1, 2, 3, 4, 5, 8, 12, 20]),
    st.fixed_dictionaries(dict.fromkeys("abc", LIMITS)),
    st.booleans(),
)
TENANTS = {"v": "one", "w": "one", "x": "two", "y": "three"}
HOLDERS = st.sampled_from(["v", "w", "x", "y"])
OPERATIONS = st.one_of(
    *[st.tuples(st.just("take"), HOLDERS, KINDS, CLASSES, st.booleans())] * 4,
    st.tuples(st.sampled_from(["give", "close"]), st.integers(0, 9)),
    st.tuples(st.sampled_from(["forget", "settle"]), HOLDERS),
    st.tuples(st.just("reopen"), KINDS),
    st.tuples(st.just("pass"), st.integers(1, 6)),
    st.just(("ready",)),
)


# Short ones for what is soon wrong, and long ones: a share is used up by what is held for long.
HISTORIES = st.lists(OPERATIONS, max_size=20) | st.lists(OPERATIONS, min_size=30, max_size=60)


@settings(max_examples=250, deadline=None)
@given(SETUPS, HISTORIES)
def test_e1_e2_every_answer_is_the_one_a_full_scan_would_give(
    setup: tuple[int, dict[str, KindLimits], bool], operations: list[tuple[object, ...]]
) -> None:
    concurrency, kinds, shared = setup
    limits = Limits(concurrency, kinds, shared=shared)
    naive = Naive(concurrency, kinds, shared)
    now = 0.0
    for operation in operations:
        match operation:
            case ("take", str(holder), str(kind), PermitClass() as cls, bool(opens)):
                tenant = TENANTS[holder]
                expected = naive.take(Wish(holder, kind, cls, opens, tenant), now)
                taken = limits.take(holder, kind, cls, now, opens=opens, tenant=tenant)
                assert taken is expected
            case ("give", int(n)) if naive.held:
                wish = naive.held.pop(n % len(naive.held))
                limits.give(wish.kind, wish.cls, wish.tenant)
            case ("close", int(n)) if naive.opened:
                wish = naive.opened.pop(n % len(naive.opened))
                limits.close(wish.kind, wish.tenant)
            case ("reopen", str(kind)):
                naive.opened.append(Wish("v", kind, PermitClass.RUN, True, "one"))
                limits.reopen(kind, "one")
            case ("forget", str(holder)):
                naive.line = [w for w in naive.line if w.holder != holder]
                naive.promised = [p for p in naive.promised if p.holder != holder]
                naive.tidy()
                limits.forget(holder)
            case ("settle", str(holder)):
                naive.promised = [p for p in naive.promised if p.holder != holder or not p.listed]
                naive.tidy()
                limits.settle(holder)
            case ("pass", int(quarters)):
                now += quarters / 4
            case ("ready",):
                assert limits.ready(now) == naive.ready(now)
        assert_within_limits(naive)
    at = limits.next_token_at(now)
    naive.call(now)
    assert at == next_token_at(naive, now)


def next_token_at(naive: Naive, now: float) -> float | None:
    """The first quarter of a second in which a waiter is served that is not served now."""
    promised = {p.kind for p in naive.promised}
    times = [
        naive.token_at[w.kind]
        for w in naive.line
        if w.kind not in promised
        and naive.token_at.get(w.kind, now) > now
        and naive.servable(w, math.inf)
    ]
    return min(times, default=None)


def assert_within_limits(naive: Naive) -> None:
    """E1 and E2 as a reader checks them: over what is held and promised together."""
    busy = naive.held + naive.promised
    per_kind = Counter(b.kind for b in busy)
    ordinary = Counter(b.kind for b in busy if b.cls is not ROLLBACK)
    assert len(busy) <= naive.concurrency
    assert sum(ordinary.values()) <= naive.concurrency - kept(naive.concurrency)
    for kind, limit in naive.kinds.items():
        if limit.concurrency is not None:
            assert per_kind[kind] <= limit.concurrency
            assert ordinary[kind] <= limit.concurrency - kept(limit.concurrency)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([0.3, 1.0, 7.0, 10.0]),
    st.sampled_from([0.0, 1_700_000_000.0]),
    st.lists(st.tuples(st.sampled_from("vwx"), st.floats(0, 2), CLASSES), max_size=60),
)
def test_seed_fault_05_over_any_window_at_most_qps_times_seconds_plus_one_tokens_are_taken(
    qps: float, start: float, asks: list[tuple[str, float, PermitClass]]
) -> None:
    limits = Limits(1000, {"k": KindLimits(qps=qps)})
    now, times = start, []
    for holder, wait, cls in asks:
        now += wait
        limits.ready(now)
        if limits.take(holder, "k", cls, now):
            times.append(now)
        limits.settle(holder)
    for i, first in enumerate(times):
        for taken, last in enumerate(times[i:], 1):
            assert taken <= qps * (last - first) + 1 + 1e-9


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.sampled_from([None, 1.0, 2.0]),
    st.none() | st.integers(1, 3),
    st.integers(0, 10),
    st.sampled_from([ROLLBACK, PermitClass.RUN]),
)
def test_e2_no_waiter_starves_behind_newcomers_of_its_own_class(
    concurrency: int, qps: float | None, at_once: int | None, before: int, cls: PermitClass
) -> None:
    """Newcomers of this and of other kinds ask at every moment; calls last one second."""
    limits = Limits(concurrency, {"k": KindLimits(qps=qps, concurrency=at_once)})
    running: list[str] = []
    while limits.take("first", "k", cls, 0):
        running.append("k")
    limits.forget("first")
    for i in range(before):
        limits.take(f"before{i}", "k", cls, 0)
    assert not limits.take("mine", "k", cls, 0)
    for second in range(1, 2 * before + 4):
        for kind in running:
            limits.give(kind, cls)
        running = []
        for kind in ("k", "other"):
            if limits.take(f"new{second}{kind}", kind, cls, second):
                running.append(kind)
        for holder in limits.ready(second):
            for kind in ("k", "other"):
                if limits.take(holder, kind, cls, second):
                    if holder == "mine":
                        return
                    running.append(kind)
            limits.settle(holder)
    raise AssertionError("it was never served")


def test_the_order_does_not_depend_on_the_hash_seed() -> None:
    script = """
from wf_core.limits import Limits
from wf_core.model.phases import PermitClass
limits = Limits(30, {})
for i in range(27):
    limits.take("x", f"k{i % 5}", PermitClass.RUN, 0)
for i in range(40):
    limits.take(f"w{i}", f"k{i % 7}", PermitClass(i % 3), 0)
for i in range(27):
    limits.give(f"k{i % 5}", PermitClass.RUN)
print(limits.ready(0))
"""
    orders = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert orders[0] == orders[1]
    assert orders[0].count(b"w") > 20
