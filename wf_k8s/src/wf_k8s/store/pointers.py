"""JSON patches: small lists of operations, each of which may test what it builds on."""

from collections.abc import Iterable, Mapping
from typing import Any

Op = dict[str, Any]


def escaped(name: str) -> str:
    """A key as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def test(path: str, value: object) -> Op:
    """The patch is refused unless `value` stands at `path`."""
    return {"op": "test", "path": path, "value": value}


def add(path: str, value: object) -> Op:
    """Put a value in, over what is there."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> Op:
    """Take out what is there; the patch is refused where nothing is."""
    return {"op": "remove", "path": path}


def changed(
    at: str, before: Mapping[str, Any], after: Mapping[str, Any], *, by_key: Iterable[str] = ()
) -> list[Op]:
    """Operations that turn the fields `before` at the pointer `at` into `after`; those named in
    `by_key` are objects whose keys change one by one."""
    keyed = set(by_key)
    ops = [remove(f"{at}/{escaped(field)}") for field in before if field not in after]
    for field, value in after.items():
        path = f"{at}/{escaped(field)}"
        if field not in before:
            ops.append(add(path, value))
        elif before[field] != value:
            if field in keyed:
                ops += changed(path, before[field], value)
            else:
                ops.append(add(path, value))
    return ops
