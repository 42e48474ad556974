"""Memory for the workflows that are driven (semantics E10)."""

from collections import Counter

from wf_core.errors import NoRoom
from wf_core.model.spec import Key
from wf_core.ports import Store
from wf_core.standing import Weighs

MIB = 2**20
_RESERVE = 8
"""The part of the limit, one of so many, that a namespace leaves free unless it holds less than the
same part of what is free. So each of any number of namespaces that fill it takes a ninth of what
the one before it left, and the next one always finds some."""


class Room:
    """Memory of so many MiB, or without a limit: where `mebibytes` is None, and where the store
    does not say what its workflows take.

    A namespace takes more only while it leaves room for the next, and no workflow more than half of
    what is free. What is driven already stays, and is weighed anew as it grows.
    """

    def __init__(self, store: Store, mebibytes: int | None) -> None:
        self._store = store if isinstance(store, Weighs) else None
        self._limit = None if mebibytes is None else mebibytes * MIB
        self._taken: dict[Key, int] = {}
        self._held = Counter[str]()
        self._total = 0
        self._refused: set[Key] = set()

    @property
    def waiting(self) -> int:
        """How many workflows found none when they were looked at last."""
        return len(self._refused)

    def check(self, key: Key) -> None:
        """Raises NoRoom where the workflow can't be driven now, unless it is already."""
        if self._limit is None or key in self._taken:
            return
        weight = self._weight(key)
        self._refused.discard(key)
        if weight and self._total and not self._fits(key.namespace, weight, self._limit):
            self._refused.add(key)
            raise NoRoom(
                f"workflow '{key}': those under way leave namespace '{key.namespace}' too little "
                f"of the {self._limit // MIB} MiB of memory for workflows "
                "(`controllerConfig.workflowMemory`); it goes on once some end, or are deleted"
            )

    def enter(self, key: Key) -> None:
        """Drive a workflow from now on. Raises NoRoom."""
        self.check(key)
        self._count(key, self._weight(key))

    def weigh(self, key: Key) -> None:
        """What is driven may have grown."""
        if key in self._taken:
            self._count(key, self._weight(key))

    def leave(self, key: Key) -> None:
        """It is not driven any more."""
        if key in self._taken:
            self._count(key, 0)
            del self._taken[key]

    def gone(self, key: Key) -> None:
        """There is no such workflow any more, and nobody drives it."""
        self._refused.discard(key)

    def _fits(self, namespace: str, weight: int, limit: int) -> bool:
        held, free = self._held[namespace], limit - self._total
        # One alone gets three fifths. What is left then is for those that hold little of it.
        keeps = max(held * 2 // 3, min(limit // _RESERVE, held * _RESERVE))
        return 2 * weight <= free and weight + keeps <= free

    def _weight(self, key: Key) -> int:
        return 0 if self._store is None else self._store.weight(key)

    def _count(self, key: Key, weight: int) -> None:
        more = weight - self._taken.get(key, 0)
        self._taken[key] = weight
        self._total += more
        self._held[key.namespace] += more
        if not self._held[key.namespace]:
            del self._held[key.namespace]
