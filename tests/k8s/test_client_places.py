"""Requests under way at once, and how namespaces share them (semantics E7)."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from wf_k8s.client.places import Places

LIMIT = 32


class Clients:
    """Those who ask for places, by number; `held` counts by namespace, `order` is who came when."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.places = Places(limit)
        self.held: Counter[str] = Counter()
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.ends: list[asyncio.Event] = []

    def ask(self, namespace: str) -> None:
        self.ends.append(asyncio.Event())
        self.tasks.append(asyncio.ensure_future(self._hold(namespace, self.ends[-1])))

    async def _hold(self, namespace: str, end: asyncio.Event) -> None:
        async with self.places.place(namespace):
            self.held[namespace] += 1
            self.order.append(namespace)
            try:
                await end.wait()
            finally:
                self.held[namespace] -= 1

    async def end_all(self) -> None:
        for end in self.ends:
            end.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_e7_a_namespace_whose_requests_are_not_answered_leaves_places_for_the_next_ones() -> None:
    async def main() -> None:
        clients = Clients()
        for namespace in ("first", "second", "third", "mine"):
            for _ in range(100):
                clients.ask(namespace)
            await settle()
        assert clients.held["first"] == 20
        assert all(clients.held[each] for each in ("second", "third", "mine"))
        await clients.end_all()

    asyncio.run(main())


def test_e7_nobody_waits_behind_what_another_namespace_asked_before() -> None:
    async def main() -> None:
        clients = Clients()
        for _ in range(1000):
            clients.ask("hostile")
        await settle()
        clients.ask("mine")
        await settle()
        assert clients.order[-1] == "mine"
        await clients.end_all()

    asyncio.run(main())


def test_e7_what_is_about_no_namespace_may_have_all_places() -> None:
    async def main() -> None:
        clients = Clients()
        for _ in range(LIMIT + 1):
            clients.ask("")
        await settle()
        assert clients.held[""] == LIMIT
        await clients.end_all()
        assert len(clients.order) == LIMIT + 1

    asyncio.run(main())


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 3)),
        st.tuples(st.just("end"), st.integers(0, 50)),
        st.tuples(st.just("cancel"), st.integers(0, 50)),
        st.tuples(st.just("settle"), st.just(0)),
    ),
    max_size=60,
)


@given(MOVES, st.integers(1, 5))
def test_e7_places_are_never_more_and_come_back_however_their_holders_end(
    moves: list[tuple[str, int]], limit: int
) -> None:
    async def main() -> None:
        clients = Clients(limit)
        for what, number in moves:
            if what == "ask":
                clients.ask("abc "[number].strip())
            elif what == "settle":
                await settle()
            elif number < len(clients.tasks):
                if what == "end":
                    clients.ends[number].set()
                else:
                    clients.tasks[number].cancel()
            assert clients.held.total() <= limit
        await clients.end_all()
        assert all(each.cancelled() or each.exception() is None for each in clients.tasks)
        assert clients.held.total() == 0
        for _ in range(limit):
            clients.ask("")
        await settle()
        assert clients.held[""] == limit
        await clients.end_all()

    asyncio.run(main())
