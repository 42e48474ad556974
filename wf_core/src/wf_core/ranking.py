"""Which of many comes first, while their ranks change and they come and go."""

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
Rank = TypeVar("Rank")

_SLACK = 32


class Ranking(Generic[Item, Rank]):
    """Items by rank, least first. Ranks must be comparable and no two items may share one for long:
    where they do, the items themselves are compared.

    `put` and `discard` cost O(log n), `first` O(1), all amortised: what is out of date stays in the
    heap until it surfaces, or until it makes up half of the heap, which is then built anew.
    """

    def __init__(self) -> None:
        self._ranks: dict[Item, Rank] = {}
        self._heap: list[tuple[Rank, Item]] = []

    def __len__(self) -> int:
        return len(self._ranks)

    def __contains__(self, item: Item) -> bool:
        return item in self._ranks

    def __iter__(self) -> Iterator[Item]:
        """All items, in the order in which they came."""
        return iter(self._ranks)

    def rank(self, item: Item) -> Rank:
        """The rank of an item; raises KeyError where it is not ranked."""
        return self._ranks[item]

    def ranks(self) -> list[Rank]:
        """All ranks, in no order that matters. O(n)."""
        return list(self._ranks.values())

    def put(self, item: Item, rank: Rank) -> None:
        """Rank an item, or rank it anew."""
        if self._ranks.get(item) == rank:
            return
        self._ranks[item] = rank
        heapq.heappush(self._heap, (rank, item))
        self._tidy()

    def discard(self, item: Item) -> None:
        """Forget an item, if it is there."""
        if self._ranks.pop(item, None) is not None:
            self._tidy()

    def first(self) -> Item | None:
        """The item of the least rank, or None."""
        return self._heap[0][1] if self._heap else None

    def _tidy(self) -> None:
        """Keep the top of the heap true, and the heap no more than twice as long as it need be."""
        heap, ranks = self._heap, self._ranks
        if len(heap) > 2 * len(ranks) + _SLACK:
            self._heap = heap = [(rank, item) for item, rank in ranks.items()]
            heapq.heapify(heap)
        while heap and ranks.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
