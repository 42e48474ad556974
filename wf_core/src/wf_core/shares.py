"""How much of a limit one namespace may take while others may come (semantics E4, E6). Pure.

A slot or a permit can't be taken back, so one who takes must leave room for the next. With a share
of p out of q a namespace takes another only while what it holds is less than p/(q - p) of what is
free: one alone ends at the share. Several that never give back would still leave so little that
the next one does its work one by one. So about a quarter of the limit goes to those who hold less
than half of what is free, and about an eighth to those who hold nothing yet.
"""

from typing import Generic

import attrs

from wf_core.ranking import Item, Rank, Ranking

_FOR_LITTLE = 4
"""The part of a limit, one of so many, that only those get who hold little of it."""
_FOR_THE_FIRST = 8
"""The part of a limit, one of so many, that only those get who hold nothing of it."""


@attrs.frozen
class Share:
    """A part of a limit: `part` of `whole`. All of it asks for no room to be left."""

    part: int
    whole: int

    def needs(self, held: int, limit: int) -> int:
        """How much of `limit` must be free for one that holds `held` to take another."""
        rest = self.whole - self.part
        if rest <= 0 or not held:
            return 1
        room = max(limit // _FOR_THE_FIRST, min(limit // _FOR_LITTLE, 2 * held))
        # One alone gets its share, however little that leaves.
        room = min(room, limit * rest // self.whole)
        return max(held * rest // self.part, room) + 1


THREE_FIFTHS = Share(3, 5)
"""Of permits: another is taken while less than 1.5 times what is free is held."""


class ByNeed(Generic[Item, Rank]):
    """Items by rank, each with what it needs to be free, from 1 to `most`: `first(free)` is the
    least rank among those that need no more than that.

    Every operation costs O(log most + log items): a tree over the needs, each node the least rank
    below it, of which only the nodes exist that have something.
    """

    def __init__(self, most: int) -> None:
        self._size = 1 << (max(most, 1) - 1).bit_length()
        self._needs: dict[Item, int] = {}
        self._leaves: dict[int, Ranking[Item, Rank]] = {}
        self._least: dict[int, tuple[Rank, Item]] = {}

    def put(self, item: Item, need: int, rank: Rank) -> None:
        """Place an item, or place it anew. One that needs more than can be free is left out."""
        before = self._needs.get(item)
        if before != need:
            self.discard(item)
            if need > self._size:
                return
            self._needs[item] = need
        leaf = self._leaves.get(need)
        if leaf is None:
            leaf = self._leaves[need] = Ranking()
        leaf.put(item, rank)
        self._update(need)

    def discard(self, item: Item) -> None:
        """Forget an item, if it is there."""
        need = self._needs.pop(item, None)
        if need is not None:
            self._leaves[need].discard(item)
            self._update(need)

    def first(self, free: int) -> Item | None:
        """The least rank among those that need no more than `free`."""
        low, high = self._size, self._size + min(free, self._size)
        best: tuple[Rank, Item] | None = None
        while low < high:
            if low & 1:
                best = _less(best, self._least.get(low))
                low += 1
            if high & 1:
                high -= 1
                best = _less(best, self._least.get(high))
            low, high = low >> 1, high >> 1
        return None if best is None else best[1]

    def _update(self, need: int) -> None:
        leaf = self._leaves[need]
        item = leaf.first()
        least = None if item is None else (leaf.rank(item), item)
        if item is None:
            del self._leaves[need]
        node = self._size + need - 1
        # What is above a node depends on what is below it alone.
        while node and self._least.get(node) != least:
            if least is None:
                del self._least[node]
            else:
                self._least[node] = least
            if node > 1:
                least = _less(least, self._least.get(node ^ 1))
            node >>= 1


def _less(
    one: tuple[Rank, Item] | None, other: tuple[Rank, Item] | None
) -> tuple[Rank, Item] | None:
    if one is None or other is None:
        return other if one is None else one
    return one if one <= other else other
