"""A document as a tree of values that know their line and column."""

import re

import attrs

from wf_core.model.spec import Json

Place = tuple[int, int]
"""Line and column, from 1."""

_DIGITS = 9
"""Of the number of a list's item; no list has more."""


@attrs.define(eq=False, slots=True)
class Node:
    """One value of a document. `children` holds what is in a mapping or a list, `keys` where each
    key of a mapping stands; `value` is a scalar's. Lines and columns count from 1. `size` is the
    number of nodes here and below, `height` how deep they nest."""

    line: int | None
    column: int | None
    value: Json = None
    children: "dict[str, Node] | list[Node] | None" = None
    keys: dict[str, Place] = attrs.field(factory=dict)
    size: int = 1
    height: int = 0

    @property
    def is_null(self) -> bool:
        """Whether this is an explicit null."""
        return self.children is None and self.value is None

    def describe(self) -> str:
        """What this is, in words, for a message."""
        if isinstance(self.children, dict):
            return "a mapping"
        if isinstance(self.children, list):
            return "a list"
        if self.value is None:
            return "null"
        if isinstance(self.value, bool):
            return f"the boolean {str(self.value).lower()}"
        if isinstance(self.value, str):
            text = self.value if len(self.value) <= 60 else self.value[:57] + "..."
            return f"the text {text!r}"
        return f"the number {self.value}"

    def locate(self, path: str) -> "tuple[int | None, int | None]":
        """Line and column of what a path such as `$.spec.steps[2].name` names, or of the nearest
        node above it that exists."""
        node, _ = self._walk(path)
        return node.line, node.column

    def find(self, path: str) -> "Node | None":
        """What a path such as `$.spec.steps[2].name` names, if it is written."""
        node, rest = self._walk(path)
        return None if rest else node

    def _walk(self, path: str) -> "tuple[Node, str]":
        """The deepest node on a path that exists, and what is left of the path there."""
        node, rest = self, path[1:]
        while rest:
            step = _next(node, rest)
            if step is None:
                break
            node, rest = step
        return node, rest


def _next(node: Node, rest: str) -> tuple[Node, str] | None:
    if rest[0] == "[" and isinstance(node.children, list):
        number, _, after = rest[1:].partition("]")
        if number.isdecimal() and len(number) <= _DIGITS and int(number) < len(node.children):
            return node.children[int(number)], after
        return None
    if rest[0] != "." or not isinstance(node.children, dict):
        return None
    rest = rest[1:]
    key = re.split(r"[.\[]", rest, maxsplit=1)[0]
    if key not in node.children:  # a key may itself hold dots and brackets
        keys = [
            k for k in node.children if rest.startswith(k) and rest[len(k) :][:1] in ("", ".", "[")
        ]
        if not keys:
            return None
        key = max(keys, key=len)
    return node.children[key], rest[len(key) :]
