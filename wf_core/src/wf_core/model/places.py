"""How a reference enters the texts of a step's parameters (semantics B5).

A field of a parameter class declares it: `attrs.field(metadata={"references": "url"})`. What it
does not declare is text. The engine's resolver obeys, whoever wrote the kind.
"""

from enum import StrEnum

REFERENCES = "references"
"""The key of a field's metadata that says how references enter it."""

AFTER = "after"
"""Beside `shell`: the field that holds the words before this list, as `command` does for `args`."""

CONTAINERS = "containers"
"""Declares objects as Kubernetes writes them: `command` and `args` in them are words."""


class Way(StrEnum):
    """How a reference enters one text."""

    TEXT = "text"
    """As it is."""

    URL = "url"
    """Percent-encoded, so that it stays where it was put; before the path only parameters of the
    workflow, and at the very beginning one of them as it is."""

    SHELL = "shell"
    """Refused in new documents; in what is stored, as a quoted variable of the shell's."""

    BRACES = "braces"
    """As it is, but a value that reads `{name}` gets a second pair of braces: the kind expands
    `{name}` in its author's own text alone."""

    WHOLE = "whole"
    """Never declared: the value holds fields that declare something, so only the workflow's own
    parameters may bring it."""


Place = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""


def shown(place: Place, root: str = "$") -> str:
    """A place as messages have it, such as `$.run.headers[0]`."""
    return root + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in place)
