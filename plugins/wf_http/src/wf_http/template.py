"""`{name}` in a request: what the step itself has made, filled in when the request is sent.

In a URL a name is replaced wherever it stands in path or query, percent-encoded. In other values
only a text that is nothing but `{name}` is replaced, by the value with its type; `{{name}}` is a
literal `{name}`, and so on with more braces: the engine adds a pair where a reference brings such a
text, so that only what the author wrote is replaced. References of the engine (`${...}`) are
resolved long before, and name steps upstream.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from wf_core.model.state import Resource
from wf_http.problems import Unusable

KEY = "key"
LOCATION = "a Location"
RESOURCE = frozenset(f"resource.{field}" for field in ("id", "name", "status", "address"))
MAX_FILLED = 1024 * 1024
"""Bytes of JSON that the values of all names in one request may take together."""
_NAME = re.compile(r"\{([A-Za-z_][\w.-]*)\}")
_LITERAL = re.compile(r"\{\{+[A-Za-z_][\w.-]*\}+\}")

Lookup = Callable[[str], Any]


class Unknown(Exception):  # noqa: N818
    """The step has no such value; `str()` says what is missing: `{name}`, or a Location."""


def own(key: str, attributes: Mapping[str, Any], resource: Resource | None) -> Lookup:
    """Finds the values of a step: `key` is that of its run."""
    fields = {KEY: key}
    if resource is not None:
        fields |= {name: getattr(resource, name.removeprefix("resource.")) for name in RESOURCE}

    def find(name: str) -> Any:
        value = fields[name] if name in fields else attributes.get(name)
        if value is None or value == "":
            raise Unknown(f"{{{name}}}")
        return value

    return find


def names(text: str) -> Iterator[str]:
    """The names in a URL."""
    yield from _NAME.findall(text)


def whole_names(value: Any) -> Iterator[str]:
    """The names in any other value."""
    if isinstance(value, str):
        match = _NAME.fullmatch(value)
        if match is not None:
            yield match[1]
    elif isinstance(value, dict):
        for each in value.values():
            yield from whole_names(each)
    elif isinstance(value, list):
        for each in value:
            yield from whole_names(each)


def require_room(named: Iterable[str], find: Lookup) -> None:
    """Raise Unusable where the values of these names, each counted as often as it stands there,
    are more than fits into a request. Nothing is made of them before. Raises Unknown."""
    sizes: dict[str, int] = {}
    total = 0
    for name in named:
        if name not in sizes:
            sizes[name] = len(json.dumps(find(name)))
        total += sizes[name]
        if total > MAX_FILLED:
            raise Unusable(
                f"the values of its names, {{{name}}} among them, would take more than "
                f"{MAX_FILLED:,} bytes (1 MiB), which is all that is allowed: name them less often"
            )


def fill_url(url: str, find: Lookup) -> str:
    """The URL with its names replaced. Raises Unknown, and Unusable for what changes the path."""

    def value(match: re.Match[str]) -> str:
        found = find(match[1])
        if isinstance(found, bool | dict | list):
            raise Unusable(f"{{{match[1]}}} is no text or number, and can't stand in a URL")
        text = str(found)
        if text in (".", ".."):
            raise Unusable(f"{{{match[1]}}} is {text!r}, which would lead to another path")
        return quote(text, safe="", errors="replace")

    return _NAME.sub(value, url)


def fill(value: Any, find: Lookup) -> Any:
    """Any other value with its names replaced. Raises Unknown."""
    if isinstance(value, str):
        if match := _NAME.fullmatch(value):
            return find(match[1])
        return value[1:-1] if _LITERAL.fullmatch(value) else value
    if isinstance(value, dict):
        return {key: fill(each, find) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, find) for each in value]
    return value
