"""What a process knows of the workflows that it owns from its own saves, before the watch tells."""

from collections.abc import Iterator

import attrs

from wf_core.model.spec import Key
from wf_k8s.store.known import Known


class Own:
    """The workflows that this process owns, by key, in the order of their last save. Those whose
    stored state is in doubt, owned or not, have to be read before anything rests on it."""

    def __init__(self) -> None:
        self._keys: dict[Key, None] = {}
        self._saved: dict[Key, Known] = {}
        self._doubtful: dict[Key, None] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[Key]:
        return iter(tuple(self._keys))

    def saved(self, key: Key) -> Known | None:
        """The object as our last save left it."""
        return self._saved.get(key)

    def accept(self, key: Key, known: Known) -> None:
        """A save of ours was stored; that is what it left."""
        self._keys[key] = None
        self._saved[key] = known
        self._doubtful.pop(key, None)

    def take(self, key: Key) -> Known | None:
        """The same as `saved`, once: what comes of the save that is built on it is not known."""
        return self._saved.pop(key, None)

    def freed(self, key: Key, finalizers: tuple[str, ...]) -> None:
        """The object has these finalizers since."""
        if key in self._saved:
            self._saved[key] = attrs.evolve(self._saved[key], finalizers=finalizers)

    def doubt(self, key: Key) -> None:
        """Nobody knows whether a write was stored."""
        self._doubtful[key] = None

    def doubts(self, key: Key) -> bool:
        """Whether it has to be read."""
        return key in self._doubtful

    def read(self, key: Key) -> None:
        """It was read."""
        self._doubtful.pop(key, None)

    def release(self, key: Key) -> Known | None:
        """It is not ours any more; the object as our last save left it."""
        self._keys.pop(key, None)
        return self._saved.pop(key, None)

    def gone(self, key: Key, uid: str) -> bool:
        """Keep nothing of that object, which is gone; whether another one of its name is ours."""
        known = self._saved.get(key)
        if known is not None and known.uid != uid:
            return True
        self.release(key)
        self.read(key)
        return False
