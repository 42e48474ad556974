"""The objects of one kind, each under its key and version, and all that happened to them."""

import bisect
from collections.abc import Callable, Iterator

import attrs
import msgspec

from wf_core.model.spec import Key
from wf_k8s.testing.api.schema import Document

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@attrs.frozen(eq=False)
class Held:
    """One object as it is stored."""

    key: Key
    version: int
    raw: bytes
    document: Document

    def copy(self) -> Document:
        """One to change."""
        document: Document = _decode(self.raw)
        return document


@attrs.frozen(eq=False)
class Happened:
    """One event, as a watch tells it; `held` is the object's last state where it was deleted."""

    version: int
    type: str
    held: Held


class Collection:
    """`versions` gives the next version of all objects. Whoever is in `listeners` is told of each
    event."""

    def __init__(self, versions: Callable[[], int]) -> None:
        self.objects: dict[Key, Held] = {}
        self.log: list[Happened] = []
        self.compacted = 0
        self.listeners: list[Callable[[Happened], None]] = []
        self._versions = versions

    def put(self, key: Key, document: Document) -> Held:
        """Store a state, under the next version."""
        version = self._versions()
        document["metadata"]["resourceVersion"] = str(version)
        held = Held(key, version, _encode(document), document)
        kind = "MODIFIED" if key in self.objects else "ADDED"
        self.objects[key] = held
        self._tell(Happened(version, kind, held))
        return held

    def drop(self, key: Key, document: Document) -> Held:
        """Delete an object, whose last state is this."""
        version = self._versions()
        document["metadata"]["resourceVersion"] = str(version)
        held = Held(key, version, _encode(document), document)
        del self.objects[key]
        self._tell(Happened(version, "DELETED", held))
        return held

    def _tell(self, happened: Happened) -> None:
        self.log.append(happened)
        for listener in list(self.listeners):
            listener(happened)

    def since(self, version: int) -> list[Happened]:
        """What happened after a version."""
        return self.log[bisect.bisect_right(self.log, version, key=_version) :]

    def at(self, version: int) -> Iterator[Held]:
        """The objects as they were at a version."""
        objects: dict[Key, Held] = {}
        for each in self.log[: bisect.bisect_right(self.log, version, key=_version)]:
            if each.type == "DELETED":
                objects.pop(each.held.key, None)
            else:
                objects[each.held.key] = each.held
        yield from objects.values()


def _version(happened: Happened) -> int:
    return happened.version
