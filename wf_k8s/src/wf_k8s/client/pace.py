"""When to send: the budget of requests a second, and how long to wait after a failure."""

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

Item = TypeVar("Item")
VALUES = 500
"""Values of an object whose writing costs the API server as much as another small request does."""
BYTES = 32
"""Bytes of an object that count for a value, where its values are longer: etcd keeps all of them
anew with each write, until it is compacted."""
_EXACT = 1e-6  # seconds that sums of periods may be off
_LONGEST_WAIT = 1.0  # seconds until one that waits looks whether anybody keeps the time


@attrs.frozen
class Backoff:
    """Waits that double from `first` to `longest` seconds, of which chance takes up to half."""

    first: float = 0.2
    longest: float = 30.0

    def wait(self, failures: int, chance: float) -> float:
        """Seconds to wait after the `failures`-th failure in a row (from 1); `chance` in [0, 1)."""
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return full * (1 - chance / 2)


def values_in(raw: bytes) -> int:
    """About how many values the JSON of an object has: what its writing costs goes by them, and not
    by its bytes. It is told from the bytes alone; commas within texts count too."""
    return raw.count(b",") + raw.count(b"{") + raw.count(b"[")


def work_in(raw: bytes) -> int:
    """What the writing of an object costs, by its JSON, in values."""
    return max(values_in(raw), len(raw) // BYTES)


def cost_of(work: int) -> int:
    """How many requests the writing of an object counts for that costs as much as so many values
    do."""
    return 1 + work // VALUES


def longer(cost: int) -> float:
    """How many times as long as a small request one may take that counts for `cost`: a fiftieth
    more for each, which is ten times what its work takes where nobody else asks."""
    return 1.0 + (cost - 1) / 50


class Turns(Generic[Item]):
    """Who may send next: at most `qps` requests a second, a second's worth at once after a pause.
    Namespaces take turns, and those of one namespace are in the order of asking (semantics E7).
    One that asks for less than its turns is next: it does not wait for those that ask for more
    (start-time fair queueing: Goyal, Vin, Cheng 1996).

    A request that counts for several is sent as any other; its namespace alone makes up for it, and
    has no turn meanwhile. So nobody else waits for what is large, and a namespace on its own causes
    no more work than `qps` small requests do.
    """

    def __init__(self, qps: float, now: float) -> None:
        self._interval = 1.0 / qps
        self._next = now
        self._lines: dict[str, deque[tuple[Item, int]]] = {}
        self._ranks: dict[str, tuple[int, int]] = {}  # round and order of each line
        self._round = 0
        self._served: dict[str, int] = {}  # the round of the turn that a namespace had last
        self._asked = 0
        self._owing: dict[str, float] = {}  # until when a namespace makes up for what was large

    def ask(self, namespace: str, item: Item, cost: int = 1) -> None:
        """Let it wait, behind what its namespace asked before."""
        if namespace not in self._lines:
            self._lines[namespace] = deque()
            self._rank(namespace)
        self._lines[namespace].append((item, cost))

    def leave(self, namespace: str, item: Item) -> None:
        """It waits no longer, if it did."""
        line = self._lines.get(namespace)
        if line is None:
            return
        rest = deque(each for each in line if each[0] is not item)
        if rest:
            self._lines[namespace] = rest
        else:
            self._forget(namespace)

    def due(self, now: float) -> list[Item]:
        """Those whose turn has come."""
        found = []
        while (place := self._place(now)) <= now + _EXACT:
            namespace = self._first(now)
            if namespace is None:
                break
            self._next = place + self._interval
            item, cost = self._lines[namespace].popleft()
            found.append(item)
            self._take_turn(namespace)
            self._owe(namespace, cost, now)
        return found

    def next_at(self, now: float) -> float | None:
        """When `due` has somebody next; None where nobody waits."""
        if not self._lines:
            return None
        ready = min(self._owing.get(namespace, now) for namespace in self._lines)
        return max(self._place(now), ready)

    def _first(self, now: float) -> str | None:
        """The namespace whose turn it is, of those that wait and owe nothing."""
        ready = (each for each in self._lines if self._owing.get(each, now) <= now + _EXACT)
        return min(ready, key=self._ranks.__getitem__, default=None)

    def _take_turn(self, namespace: str) -> None:
        turn, _ = self._ranks[namespace]
        if turn > self._round:
            self._round = turn
            self._served = {each: at for each, at in self._served.items() if at >= turn - 1}
        self._served[namespace] = turn
        if self._lines[namespace]:
            self._rank(namespace)
        else:
            self._forget(namespace)

    def _rank(self, namespace: str) -> None:
        """In the round after its last turn; before all others where it had none of late."""
        self._asked += 1
        turn = max(self._round - 1, self._served.get(namespace, -1) + 1)
        self._ranks[namespace] = (turn, self._asked)

    def _forget(self, namespace: str) -> None:
        del self._lines[namespace], self._ranks[namespace]

    def _owe(self, namespace: str, cost: int, now: float) -> None:
        """Note what a request that counts for several costs."""
        if cost > 1:
            self._owing = {each: at for each, at in self._owing.items() if at > now}
            self._owing[namespace] = now + cost * self._interval

    def _place(self, now: float) -> float:
        return max(self._next, now - max(0.0, 1.0 - self._interval))


class Throttle:
    """At most `qps` requests a second, by `Turns`. `None` is no limit.

    Loops of several threads may share one: whichever asks first keeps the time for all, and where
    its loop ended meanwhile another takes over within a second.
    """

    def __init__(self, qps: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._turns: Turns[asyncio.Future[None]] | None = Turns(qps, now()) if qps else None
        self._rings_at = -math.inf

    async def turn(self, namespace: str = "", cost: int = 1) -> None:
        """Wait for a turn of that namespace; what belongs to none is the empty one. `cost` is how
        many requests it counts for."""
        if self._turns is None:
            return
        turn = asyncio.get_running_loop().create_future()
        with self._lock:
            self._turns.ask(namespace, turn, cost)
        try:
            self._serve()
            while not turn.done():
                await asyncio.wait((turn,), timeout=_LONGEST_WAIT)
                if not turn.done():
                    self._serve()
        finally:
            with self._lock:
                self._turns.leave(namespace, turn)

    def _serve(self) -> None:
        """Tell those whose turn it is, and come back for the next unless another loop does."""
        assert self._turns is not None
        with self._lock:
            now = self._now()
            due, at = self._turns.due(now), self._turns.next_at(now)
            rings = at is not None and not now < self._rings_at <= at
            if at is not None and rings:
                self._rings_at = at
        for turn in due:
            # Of a loop that was closed nobody waits any more.
            with contextlib.suppress(RuntimeError):
                turn.get_loop().call_soon_threadsafe(_tell, turn)
        if at is not None and rings:
            asyncio.get_running_loop().call_later(at - now, self._rang)

    def _rang(self) -> None:
        with self._lock:
            self._rings_at = -math.inf
        self._serve()


def _tell(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def namespace_of(path: str) -> str:
    """The namespace that a request is about, by its path; empty where it is about none."""
    before, found, after = path.partition("/namespaces/")
    return after.partition("/")[0] if found and before.startswith("/api") else ""
