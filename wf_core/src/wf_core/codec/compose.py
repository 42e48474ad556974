"""YAML text to a tree of nodes that know their line and column: safe and bounded.

Only events of the parser are used: no object is ever constructed from a tag, nesting is bounded
before anything recurses, and what aliases expand to is counted.
"""

import base64
import binascii
import re
from collections.abc import Iterator

import attrs
import yaml

from wf_core.codec.nodes import Node, Place
from wf_core.codec.scalars import resolve
from wf_core.errors import DocumentInvalid, Fault
from wf_core.model.spec import Json

MAX_DOCUMENT = 3 * 512 * 1024
MAX_DEPTH = 64
MAX_EXPANDED = 100_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"
# JSON writes characters beyond 16 bits as two escapes, YAML as one.
_SURROGATES = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)


def parse(text: str | bytes, source: str = "") -> Node:
    """The one document in `text`. Raises DocumentInvalid: empty, not YAML, two documents, too
    large, too deep, a repeated key, a tag that has no meaning in JSON."""
    try:
        return _Composer(_decoded(text)).document()
    except _Refused as refused:
        raise DocumentInvalid([refused.fault], source) from None
    except yaml.YAMLError as error:
        raise DocumentInvalid([_not_yaml(error)], source) from None


class _Refused(Exception):  # noqa: N818
    def __init__(self, message: str, at: Place | None = None) -> None:
        line, column = at or (None, None)
        self.fault = Fault("$", message, line, column)


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    assert mark is not None  # a parser that reads text marks every event
    return mark.line + 1, mark.column + 1


def _decoded(text: str | bytes) -> str:
    try:
        data = text if isinstance(text, bytes) else text.encode()
        if len(data) > MAX_DOCUMENT:
            raise _Refused(
                f"the document has {len(data):,} bytes; at most {MAX_DOCUMENT:,} (1.5 MiB) are read"
            )
        decoded = data.decode("utf-8-sig")
    except UnicodeError as error:
        raise _Refused(f"the document is not UTF-8 text: {error.reason}") from None  # type: ignore[attr-defined]
    if decoded.lstrip().startswith("{"):
        decoded = _SURROGATES.sub(_joined, decoded)
    return decoded


def _joined(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _not_yaml(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    why = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark is None:
        return Fault("$", f"the document is not YAML: {why}")
    return Fault("$", f"the document is not YAML: {why}", mark.line + 1, mark.column + 1)


@attrs.define(eq=False, slots=True)
class _Open:
    """A mapping or list that is being read. `key` waits for its value; what `<<` brings comes
    last, because a key given here wins over it."""

    node: Node
    anchor: str | None
    key: str | None = None
    merging: bool = False
    merges: list[Node] = attrs.field(factory=list)


class _Composer:
    """Builds nodes from the parser's events, with a stack of its own."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}  # None: still open
        self._expanded = 0

    def document(self) -> Node:
        """The only document that is not empty."""
        found: Node | None = None
        for root, place in self._documents():
            if root.is_null:
                continue
            if found is not None:
                raise _Refused(
                    "the file holds two documents; write each into a file of its own", place
                )
            found = root
        if found is None:
            raise _Refused("the document is empty; it must hold a Workflow")
        return found

    def _documents(self) -> Iterator[tuple[Node, Place]]:
        start = (1, 1)
        for event in yaml.parse(self._text, Loader=_Loader):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                start = _place(event)
            else:
                node = self._take(event)
                if node is not None:
                    yield node, start

    def _take(self, event: yaml.Event) -> Node | None:
        """Fold in one event; gives the root once it is complete."""
        if isinstance(event, yaml.ScalarEvent):
            node = Node(*_place(event), _scalar(event))
            if event.anchor:
                self._anchors[event.anchor] = node
            return self._place(node, event)
        if isinstance(event, yaml.AliasEvent):
            return self._place(self._alias(event), event)
        if isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self._open.pop()
            for merged in done.merges:
                _merge(done.node, merged)
            if done.anchor:
                self._anchors[done.anchor] = done.node
            return self._place(done.node, event)
        return None

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        place = _place(event)
        if len(self._open) >= MAX_DEPTH:
            raise _too_deep(place)
        if self._wants_key():
            raise _Refused("a key must be text, not a mapping or a list", place)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            raise _Refused(f"the tag {event.tag!r} is not supported", place)
        node = Node(*place, children={} if is_mapping else [])
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append(_Open(node, event.anchor))

    def _wants_key(self) -> bool:
        top = self._open[-1] if self._open else None
        if top is None or not isinstance(top.node.children, dict):
            return False
        return top.key is None and not top.merging

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            raise _Refused(f"no anchor '&{event.anchor}' stands before this alias", _place(event))
        node = self._anchors[event.anchor]
        if node is None:
            raise _Refused(f"the anchor '&{event.anchor}' holds itself", _place(event))
        self._expanded += node.size
        if self._expanded > MAX_EXPANDED:
            raise _Refused(
                f"its aliases stand for more than {MAX_EXPANDED:,} values", _place(event)
            )
        return node

    def _place(self, node: Node, event: yaml.Event) -> Node | None:
        """Put a complete node where it belongs; gives it back where it is the root."""
        if not self._open:
            return node
        top = self._open[-1]
        children = top.node.children
        if isinstance(children, list):
            children.append(node)
        elif self._wants_key():
            self._take_key(top, node, event)
            return None
        elif top.merging:
            top.merges.extend(_mergeable(node, _place(event)))
        elif isinstance(children, dict) and top.key is not None:
            children[top.key] = node
        top.key, top.merging = None, False
        top.node.size += node.size
        top.node.height = max(top.node.height, node.height + 1)
        if len(self._open) + node.height > MAX_DEPTH:  # an alias may bring a deep node
            raise _too_deep(_place(event))
        return None

    def _take_key(self, top: _Open, node: Node, event: yaml.Event) -> None:
        place = _place(event)
        if node.value == _MERGE and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            top.merging = True
            return
        key = _key_text(node.value, place)
        if isinstance(event, yaml.ScalarEvent) and key != event.value:
            # kubectl does read it so, and nobody who writes `y:` means the key "true".
            raise _Refused(
                f"the key {event.value} is read as {key!r}; put it in quotes to have it as it is",
                place,
            )
        if key in top.node.keys:
            first = top.node.keys[key][0]
            raise _Refused(f"the key {key!r} is given twice; first in line {first}", place)
        top.node.keys[key] = place
        top.key = key


def _too_deep(place: Place) -> _Refused:
    return _Refused(f"the document is nested more than {MAX_DEPTH} deep", place)


def _key_text(value: Json, place: Place) -> str:
    """A key as kubectl writes it to JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise _Refused("a key must not be null", place)


def _mergeable(node: Node, place: Place) -> list[Node]:
    nodes = node.children if isinstance(node.children, list) else [node]
    if not all(isinstance(each.children, dict) for each in nodes):
        raise _Refused("'<<' takes a mapping or a list of mappings", place)
    return nodes


def _merge(into: Node, merged: Node) -> None:
    """Take over the keys of `merged` that `into` doesn't give itself."""
    if isinstance(into.children, dict) and isinstance(merged.children, dict):
        for key, child in merged.children.items():
            if key not in into.children:
                into.children[key] = child
                into.keys[key] = merged.keys[key]


def _scalar(event: yaml.ScalarEvent) -> Json:
    tag, text = event.tag, event.value
    if tag is None or tag == "!":
        return resolve(text) if tag is None and event.implicit[0] else text
    if tag == _TAG + "str":
        return text
    if tag == _TAG + "binary":
        try:
            return base64.b64decode(text, validate=False).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _Refused("!!binary does not hold text", _place(event)) from None
    value = resolve(text)
    types: dict[str, type | tuple[type, ...]] = {
        "int": int,
        "float": (int, float),
        "bool": bool,
        "null": type(None),
    }
    expected = types.get(tag.removeprefix(_TAG))
    if expected is None:
        raise _Refused(f"the tag {tag!r} is not supported", _place(event))
    if not isinstance(value, expected):
        raise _Refused(f"{text!r} is no {tag.removeprefix(_TAG)}", _place(event))
    return value
