"""`${...}` references in a step's parameters, resolved once with the first intent (semantics B5).

`${parameters.NAME}` is a workflow parameter, `${attributes.NAME}` the fold over ancestors,
`${steps.STEP.attributes.NAME}` and `${steps.STEP.resource.FIELD}` belong to one upstream step.
NAME may go deeper with dots. `$${` writes a literal `${`. A text that is one reference keeps the
value's type; within a longer text values become text. `${HOME}` and the like, without a dot, are
left alone, so that shell text stays shell text.
"""

import json
import re
from collections.abc import Callable, Iterator

import attrs

from wf_core.model.spec import Json

_PATTERN = re.compile(r"\$?\$\{([^{}$]*\.[^{}$]*)\}")
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


def find(value: Json, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every reference in a value, as (path, text inside the braces)."""
    if isinstance(value, str):
        for match in _PATTERN.finditer(value):
            if not match[0].startswith("$$"):
                yield path, match[1]
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from find(each, f"{path}.{key}")
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from find(each, f"{path}[{n}]")


def resolve(value: Json, lookup: Callable[[Reference], Json]) -> Json:
    """The value with every reference replaced by what `lookup` gives or raises (BadReference)."""
    if isinstance(value, str):
        return _resolve_text(value, lookup) if "${" in value else value
    if isinstance(value, dict):
        return {key: resolve(each, lookup) for key, each in value.items()}
    if isinstance(value, list):
        return [resolve(each, lookup) for each in value]
    return value


def _resolve_text(text: str, lookup: Callable[[Reference], Json]) -> Json:
    whole = _PATTERN.fullmatch(text)
    if whole and not text.startswith("$$"):
        return lookup(parse(whole[1]))

    def replacement(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        found = lookup(parse(match[1]))
        return found if isinstance(found, str) else json.dumps(found)

    return _PATTERN.sub(replacement, text)


def descend(value: Json, path: tuple[str, ...], text: str) -> Json:
    """Follow `path` into nested objects; raises BadReference where there is no value."""
    for part in path:
        if not isinstance(value, dict) or part not in value:
            raise BadReference(f"${{{text}}} has no value")
        value = value[part]
    return value
