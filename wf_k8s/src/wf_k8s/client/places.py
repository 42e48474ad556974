"""Who may have a request under way: places that namespaces share (semantics E7)."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wf_core.shares import THREE_FIFTHS, ByNeed


class Places:
    """At most `limit` at once. Namespaces take turns, and those of one namespace are in the order
    of asking; one whose requests are answered late, or not at all, leaves places for the others.
    What is about no namespace is the engine's own: one more line, which may have all places."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit
        self._held: Counter[str] = Counter()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}
        self._ranks: dict[str, int] = {}
        self._waiting: ByNeed[str, int] = ByNeed(limit)
        self._asked = 0

    @asynccontextmanager
    async def place(self, namespace: str = "") -> AsyncIterator[None]:
        """Have a place, once it is the namespace's turn."""
        turn = asyncio.get_running_loop().create_future()
        line = self._lines.setdefault(namespace, deque())
        line.append(turn)
        if len(line) == 1:
            self._go_behind(namespace)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(namespace, turn)
            else:
                self._give(namespace)  # it came at the very moment
            raise
        try:
            yield
        finally:
            self._give(namespace)

    def _serve(self) -> None:
        while self._free and (namespace := self._waiting.first(self._free)) is not None:
            line = self._lines[namespace]
            turn = line.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                self._free -= 1
                self._held[namespace] += 1
            if line:
                self._go_behind(namespace)
            else:
                self._forget(namespace)

    def _give(self, namespace: str) -> None:
        self._free += 1
        self._held[namespace] -= 1
        if not self._held[namespace]:
            del self._held[namespace]
        if namespace in self._lines:
            self._rank(namespace)
        self._serve()

    def _leave(self, namespace: str, turn: asyncio.Future[None]) -> None:
        line = self._lines.get(namespace, deque())
        if turn in line:
            line.remove(turn)
            if not line:
                self._forget(namespace)

    def _go_behind(self, namespace: str) -> None:
        self._asked += 1
        self._ranks[namespace] = self._asked
        self._rank(namespace)

    def _rank(self, namespace: str) -> None:
        held = self._held[namespace] if namespace else 0
        need = THREE_FIFTHS.needs(held, self._limit)
        self._waiting.put(namespace, need, self._ranks[namespace])

    def _forget(self, namespace: str) -> None:
        del self._lines[namespace], self._ranks[namespace]
        self._waiting.discard(namespace)
