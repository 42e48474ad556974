"""JSON Patch (RFC 6902) as the API server applies it: the operations that the store sends."""

from collections.abc import Mapping, Sequence
from typing import Any


class PatchRefused(Exception):  # noqa: N818  (named as the API server's answer)
    """A test failed, or an operation names what is not there."""


def apply(document: Any, ops: Sequence[Mapping[str, Any]]) -> Any:
    """Apply all operations to `document`, which is changed, or raise PatchRefused."""
    for op in ops:
        path = [_part(each) for each in op["path"].split("/")[1:]]
        *way, last = path
        holder = document
        for part in way:
            holder = _child(holder, part, op)
        match op["op"]:
            case "test":
                _test(holder, last, op)
            case "add":
                _add(holder, last, op)
            case "remove":
                _remove(holder, last, op)
            case other:
                raise PatchRefused(f"unknown operation {other}")
    return document


def _part(text: str) -> str:
    return text.replace("~1", "/").replace("~0", "~")


def _child(holder: Any, part: str, op: Mapping[str, Any]) -> Any:
    try:
        return holder[int(part)] if isinstance(holder, list) else holder[part]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise PatchRefused(f"{op['op']} {op['path']}: nothing at '{part}'") from error


def _test(holder: Any, last: str, op: Mapping[str, Any]) -> None:
    # What is missing equals null, as in the library that the API server uses.
    missing = isinstance(holder, dict) and last not in holder
    found = None if missing else _child(holder, last, op)
    if found != op.get("value"):
        raise PatchRefused(f"test {op['path']}: {found!r} is not {op.get('value')!r}")


def _add(holder: Any, last: str, op: Mapping[str, Any]) -> None:
    if isinstance(holder, dict):
        holder[last] = op["value"]
        return
    if not isinstance(holder, list):
        raise PatchRefused(f"add {op['path']}: its holder is neither an object nor a list")
    at = len(holder) if last == "-" else int(last)
    if at > len(holder):
        raise PatchRefused(f"add {op['path']}: the list has {len(holder)} items")
    holder.insert(at, op["value"])


def _remove(holder: Any, last: str, op: Mapping[str, Any]) -> None:
    _child(holder, last, op)
    if isinstance(holder, list):
        del holder[int(last)]
    else:
        del holder[last]
