"""Steps that wait for a permit: first come, first served within a kind, each at most once."""

from collections import OrderedDict
from collections.abc import Callable, Iterator


class Waiting:
    """One queue a kind, so that a short kind holds up no other."""

    __slots__ = ("_kinds",)

    def __init__(self) -> None:
        self._kinds: dict[str, OrderedDict[int, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def __iter__(self) -> Iterator[int]:
        return (i for queue in self._kinds.values() for i in queue)

    def add(self, kind: str, i: int) -> None:
        """Let step i wait at the end, unless it waits already."""
        self._kinds.setdefault(kind, OrderedDict()).setdefault(i)

    def clear(self) -> None:
        """Let nothing wait any more."""
        self._kinds.clear()

    def serve(self, attempt: Callable[[int], bool]) -> bool:
        """Try the waiting steps of each kind in order, until one of a kind is refused its permit.

        `attempt` is False where a permit was refused; gives whether anything was taken off a queue.
        """
        served = False
        for kind in list(self._kinds):
            queue = self._kinds[kind]
            while queue:
                i, _ = queue.popitem(last=False)
                if not attempt(i):
                    queue[i] = None
                    queue.move_to_end(i, last=False)
                    break
                served = True
            if not queue:
                del self._kinds[kind]
        return served
