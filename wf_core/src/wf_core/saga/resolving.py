"""Putting values in the place of references, within a budget of bytes (semantics B5, C7)."""

from collections.abc import Mapping

import attrs
import msgspec

from wf_core.model.places import Place, Way
from wf_core.model.spec import Json
from wf_core.saga import entering
from wf_core.saga.entering import Lookup, Part
from wf_core.saga.references import BadReference, Reference, parse, pieces, texts

MAX_RESOLVED = 1024 * 1024
"""Bytes of JSON that the parameters of one step may take once all references are put in."""

_VARIABLE_BYTES = 32
"""What a reference takes in a shell's text, beside its value."""

_encode = msgspec.json.Encoder().encode


@attrs.define(eq=False)
class Measure:
    """Counts what parameters would take, without making them. Each value is counted once, however
    often it is put in; a value that is not known yet counts as nothing."""

    lookup: Lookup
    _known: dict[tuple[str, Way, bool], int] = attrs.field(factory=dict)

    def size(self, value: Json, places: Mapping[Place, Way]) -> int:
        """Bytes of JSON. Raises BadReference for a reference that is misspelt."""
        total = len(_encode(value))
        for place, text in texts(value):
            total += self._text(parsed(text), places.get(place, Way.TEXT)) - len(_encode(text))
        return total

    def _text(self, parts: list[Part], way: Way) -> int:
        whole = len(parts) == 1 and isinstance(parts[0], Reference) and way is not Way.URL
        total = 0 if whole else 2
        seen: set[str] = set()
        for each in parts:
            if isinstance(each, str):
                total += len(_encode(each)) - 2
            elif way is Way.SHELL:
                total += _VARIABLE_BYTES
                if each.text not in seen:
                    seen.add(each.text)
                    total += _VARIABLE_BYTES + self._value(each, way, whole)
            else:
                total += self._value(each, way, whole)
        return total

    def _value(self, reference: Reference, way: Way, whole: bool) -> int:
        key = (reference.text, way, whole)
        if key not in self._known:
            try:
                value = self.lookup(reference)
            except BadReference:
                self._known[key] = 0
            else:
                self._known[key] = _entered(value, way, whole)
        return self._known[key]


def _entered(value: Json, way: Way, whole: bool) -> int:
    if way is Way.URL:
        return len(entering.encoded(entering.plain(value)))
    if way is Way.SHELL:
        return len(_encode(entering.quoted(entering.plain(value))))
    if way is Way.BRACES:
        value = entering.braced(value)
    return len(_encode(value)) if whole else len(_encode(entering.plain(value))) - 2


def too_large(size: int) -> str:
    """What to say of parameters over the budget."""
    return (
        f"would take {size:,} bytes once its references are put in; {MAX_RESOLVED:,} (1 MiB) are "
        "allowed: keep the data elsewhere and pass its address, or refer to it less often"
    )


def resolve(value: Json, lookup: Lookup, places: Mapping[Place, Way] | None = None) -> Json:
    """The value with every reference replaced by what `lookup` gives or raises (BadReference), in
    the way that its place asks for. Nothing is made before it is known to fit."""
    ways = places or {}
    if not any(True for _ in texts(value)):
        return value
    size = Measure(lookup).size(value, ways)
    if size > MAX_RESOLVED:
        raise BadReference(f"its parameters: {too_large(size)}")
    return _resolved(value, lookup, ways, ())


def parsed(text: str) -> list[Part]:
    """A text in its parts. Raises BadReference for a reference that is misspelt."""
    return [each if isinstance(each, str) else parse(each[0]) for each in pieces(text)]


def _resolved(value: Json, lookup: Lookup, places: Mapping[Place, Way], place: Place) -> Json:
    if isinstance(value, str):
        if "${" not in value:
            return value
        return _text(parsed(value), lookup, places.get(place, Way.TEXT))
    if isinstance(value, dict):
        return {k: _resolved(each, lookup, places, (*place, k)) for k, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, lookup, places, (*place, n)) for n, each in enumerate(value)]
    return value


def _text(parts: list[Part], lookup: Lookup, way: Way) -> Json:
    references = [each for each in parts if isinstance(each, Reference)]
    if not references:
        return entering.text(parts, lookup)
    whole = references[0] if len(parts) == 1 else None
    match way:
        case Way.URL:
            return entering.url(parts, lookup)
        # A parameter that is the whole command is the author's own: there is nothing to quote.
        case Way.SHELL if whole is None or not whole.given:
            return entering.shell(parts, lookup)
        case Way.WHOLE if not all(each.given for each in references):
            raise BadReference(whole_only(references))
        case Way.BRACES:
            return entering.braced(lookup(whole) if whole else entering.text(parts, lookup))
        case _:
            return lookup(whole) if whole else entering.text(parts, lookup)


def whole_only(references: list[Reference]) -> str:
    """What to say where a step's value would bring a whole object or command."""
    named = next(each for each in references if not each.given)
    return (
        f"${{{named.text}}} can't stand here: no step says where a request goes or what is run; "
        "write the object out, and refer to values inside of it"
    )
