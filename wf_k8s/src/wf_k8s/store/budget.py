"""How much of many namespaces is kept in memory."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import attrs

Item = TypeVar("Item", bound=Hashable)


@attrs.define
class _Share(Generic[Item]):
    """What one namespace has: the bytes of its items, in the order in which they were put."""

    sizes: dict[Item, int] = attrs.field(factory=dict)
    total: int = 0


class Budget(Generic[Item]):
    """Items of namespaces within `most` bytes. Where that does not suffice, the namespace that has
    most of it gives up what it put longest ago: what one keeps costs no other its own."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._shares: dict[str, _Share[Item]] = {}
        self._total = 0

    def put(self, namespace: str, item: Item, size: int) -> list[Item]:
        """Keep an item of so many bytes, or keep it anew; those that are given up for it, of which
        it may be one itself."""
        self.drop(namespace, item)
        share = self._shares.setdefault(namespace, _Share())
        share.sizes[item] = size
        share.total += size
        self._total += size
        given_up = []
        while self._total > self._most:
            most = max(self._shares, key=self._size_of)
            oldest = next(iter(self._shares[most].sizes))
            self.drop(most, oldest)
            given_up.append(oldest)
        return given_up

    def drop(self, namespace: str, item: Item) -> None:
        """Keep an item no longer. Nothing happens where it was not kept."""
        share = self._shares.get(namespace)
        if share is None or (size := share.sizes.pop(item, None)) is None:
            return
        share.total -= size
        self._total -= size
        if not share.sizes:
            del self._shares[namespace]

    def _size_of(self, namespace: str) -> int:
        return self._shares[namespace].total
