"""One collection that is followed, and how far its watch has told of it."""

from collections.abc import Iterable

import attrs

from wf_core.model.spec import Key
from wf_k8s.client.follow import Follow


@attrs.define(eq=False)
class Part:
    """The objects of one namespace, or of all (None). While they are listed anew, `listed` is what
    was told so far; `troubles` counts failures since it was complete, of which `said` was the last;
    `refusal` is why the API server does not let it be followed now."""

    namespace: str | None
    follow: Follow
    synced: bool = False
    listed: set[Key] | None = None
    said: str = ""
    refusal: str = ""
    troubles: int = 0

    def holds(self, key: Key) -> bool:
        """Whether that object would be told of here."""
        return self.namespace is None or key.namespace == self.namespace

    def past(self, key: Key, version: int) -> bool:
        """Whether the watch has got past that version of an object: then it has told of it, or of
        what followed it, and an answer that still has it is old news."""
        return self.holds(key) and self.follow.told >= version

    def tell(self, key: Key) -> None:
        """The watch tells of an object."""
        if self.listed is not None:
            self.listed.add(key)

    def complete(self, held: Iterable[tuple[Key, int]]) -> list[Key]:
        """Everything that exists was told: those of `held`, by key and version, that are gone. What
        an answer told may be younger than the list."""
        listed, self.listed = self.listed or set(), None
        self.synced, self.troubles = True, 0
        self.said = self.refusal = ""
        return [key for key, version in held if key not in listed and self.past(key, version)]
