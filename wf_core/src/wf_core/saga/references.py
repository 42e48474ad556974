"""`${...}` references in a step's parameters, resolved once with the first intent (semantics B5).

`${parameters.NAME}` is a workflow parameter, `${attributes.NAME}` the fold over ancestors,
`${steps.STEP.attributes.NAME}` and `${steps.STEP.resource.FIELD}` belong to one upstream step.
NAME may go deeper with dots. `$${` writes a literal `${`. A text that is one reference keeps the
value's type; within a longer text values become text. `${HOME}` and the like, without a dot, are
left alone, so that shell text stays shell text.
"""

import re
from collections.abc import Iterator

import attrs

from wf_core.model.places import Place
from wf_core.model.spec import Json

# The first dot ends the first part: were dots allowed in it, `${....` would take quadratic time.
_PATTERN = re.compile(r"\$?\$\{([^{}$.]*\.[^{}$]*)\}")
_RESOURCE_FIELDS = ("status", "id", "name", "address", "attributes")


class BadReference(ValueError):  # noqa: N818
    """A reference that is misspelt, or has no value when it is resolved."""


@attrs.frozen
class Reference:
    """What a reference names: `source` is parameters, attributes or resource, of a `step`."""

    text: str
    source: str
    path: tuple[str, ...]
    step: str | None = None

    @property
    def given(self) -> bool:
        """Whether it is a parameter of the workflow: the author's, not what a step answered."""
        return self.source == "parameters"


def parse(text: str) -> Reference:
    """The reference inside `${...}`; raises BadReference with what would be right."""
    head, *rest = text.split(".")
    if head in ("parameters", "attributes") and all(rest):
        return Reference(text, head, tuple(rest))
    if head == "steps":
        # Step names have no dots: they are DNS labels.
        if len(rest) >= 3 and rest[1] == "attributes" and all(rest):
            return Reference(text, "attributes", tuple(rest[2:]), rest[0])
        if len(rest) >= 3 and rest[1] == "resource" and rest[2] in _RESOURCE_FIELDS:
            return Reference(text, "resource", tuple(rest[2:]), rest[0])
        raise BadReference(
            f"${{{text}}} is not a reference; write ${{steps.NAME.attributes.KEY}} or "
            f"${{steps.NAME.resource.FIELD}} (FIELD is one of {', '.join(_RESOURCE_FIELDS)})"
        )
    raise BadReference(
        f"${{{text}}} is not a reference; it begins with parameters, attributes or steps "
        "(write $${ for a literal ${)"
    )


def pieces(text: str) -> Iterator[str | tuple[str]]:
    """A text in its parts: what is literal, and in a tuple what stands inside `${...}`."""
    at = 0
    for match in _PATTERN.finditer(text):
        if match.start() > at:
            yield text[at : match.start()]
        yield match[0][1:] if match[0].startswith("$$") else (match[1],)
        at = match.end()
    if at < len(text):
        yield text[at:]


def texts(value: Json, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text in a value that may hold a reference, and where it is."""
    if isinstance(value, str):
        if "${" in value:
            yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from texts(each, (*place, key))
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from texts(each, (*place, n))


def find(value: Json) -> Iterator[tuple[Place, str]]:
    """Every reference in a value: where it is, and the text inside the braces."""
    for place, text in texts(value):
        for match in _PATTERN.finditer(text):
            if not match[0].startswith("$$"):
                yield place, match[1]


def refers(value: Json) -> bool:
    """Whether there is any reference in a value."""
    return next(find(value), None) is not None


def descend(value: Json, path: tuple[str, ...], text: str) -> Json:
    """Follow `path` into nested objects; raises BadReference where there is no value."""
    for part in path:
        if not isinstance(value, dict) or part not in value:
            raise BadReference(f"${{{text}}} has no value")
        value = value[part]
    return value
