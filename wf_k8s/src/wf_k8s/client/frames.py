"""What lists and watches are made of: envelopes around objects whose bytes are left alone."""

import msgspec

from wf_k8s.client.answers import refusal
from wf_k8s.client.errors import NoAnswerError
from wf_k8s.client.nested import shallow, taken_apart

INITIAL_END = "k8s.io/initial-events-end"


class _ListMeta(msgspec.Struct, rename={"resource_version": "resourceVersion", "more": "continue"}):
    resource_version: str = ""
    more: str = ""


class _ListFrame(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


class _NumberedList(msgspec.Struct):
    """The same, of numbers in the place of objects."""

    metadata: _ListMeta
    items: list[int] | None = None


class ListPage(msgspec.Struct):
    """A page of a list. `more` asks for the next one; empty where it is the last."""

    items: list[bytes]
    resource_version: str
    more: str


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class _Object(msgspec.Struct):
    metadata: _Meta


class _EventFrame(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _NumberedEvent(msgspec.Struct):
    type: str
    object: int


class WatchEvent(msgspec.Struct):
    """One line of a watch. `ends_list`: everything that existed at the start has been sent."""

    type: str
    body: bytes
    resource_version: str
    ends_list: bool = False


_list = msgspec.json.Decoder(_ListFrame)
_numbered_list = msgspec.json.Decoder(_NumberedList)
_event = msgspec.json.Decoder(_EventFrame)
_numbered_event = msgspec.json.Decoder(_NumberedEvent)
_object = msgspec.json.Decoder(_Object)


def read_page(what: str, body: bytes) -> ListPage:
    """A page, whatever its objects are. Raises NoAnswerError where the body is no list (cut off, or
    from a proxy)."""
    try:
        try:
            page = _list.decode(body)
            items = [bytes(item) for item in page.items or ()]
            return ListPage(items, page.metadata.resource_version, page.metadata.more)
        except RecursionError:
            text, objects = taken_apart(body, 2)
            numbered = _numbered_list.decode(text)
            items = [objects[number] for number in numbered.items or ()]
            return ListPage(items, numbered.metadata.resource_version, numbered.metadata.more)
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as error:
        raise NoAnswerError(what, f"the answer is no list: {error}") from error


def read_event(what: str, line: bytes) -> WatchEvent:
    """An event, whatever its object is. Raises what an ERROR event says (GoneError for 410, though
    the watch itself was answered with 200), and NoAnswerError where the line is no event."""
    try:
        kind, body = _read_envelope(line)
        if kind == "ERROR":
            raise refusal(what, 0, body)
        meta = _read_object(body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as error:
        raise NoAnswerError(what, f"a line of the watch can't be read: {error}") from error
    ends = kind == "BOOKMARK" and (meta.annotations or {}).get(INITIAL_END) == "true"
    return WatchEvent(kind, body, meta.resource_version, ends)


def _read_envelope(line: bytes) -> tuple[str, bytes]:
    try:
        frame = _event.decode(line)
        return frame.type, bytes(frame.object)
    except RecursionError:
        text, objects = taken_apart(line, 1)
        numbered = _numbered_event.decode(text)
        return numbered.type, objects[numbered.object]


def _read_object(body: bytes) -> _Object:
    try:
        return _object.decode(body)
    except RecursionError:
        return _object.decode(shallow(body))
