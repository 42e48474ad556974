"""What time will bring to one saga: at most one timer of a name for each step."""

import heapq


class Timers:
    """Timers by (step, name), in the order in which they fire. Times are epoch seconds."""

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str]] = []
        self._due: dict[tuple[int, str], float] = {}

    def set(self, i: int, name: str, when: float) -> None:
        """Fire `name` of step i at `when`; replaces one of that name."""
        self._due[(i, name)] = when
        heapq.heappush(self._heap, (when, i, name))

    def clear(self, i: int, name: str) -> None:
        """Forget a timer, if there is one."""
        self._due.pop((i, name), None)

    def due(self, i: int, name: str) -> float | None:
        """When a timer fires, or None."""
        return self._due.get((i, name))

    def next(self) -> float | None:
        """When the next timer fires."""
        while self._heap:
            when, i, name = self._heap[0]
            if self._due.get((i, name)) == when:
                return when
            heapq.heappop(self._heap)
        return None

    def pop(self, now: float) -> tuple[int, str] | None:
        """A timer that is due, in order of time and step."""
        when = self.next()
        if when is None or when > now:
            return None
        _, i, name = heapq.heappop(self._heap)
        del self._due[(i, name)]
        return i, name

    def order(self) -> list[tuple[int, str]]:
        """All that are set, in the order in which they fire."""
        return [(i, name) for _, i, name in sorted((w, i, n) for (i, n), w in self._due.items())]

    def copy(self) -> "Timers":
        """A copy that goes its own way."""
        other = Timers()
        other._heap = self._heap.copy()
        other._due = self._due.copy()
        return other
