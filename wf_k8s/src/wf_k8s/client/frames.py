"""What lists and watches are made of: envelopes around objects whose bytes are left alone."""

import msgspec

from wf_k8s.client.answers import refusal
from wf_k8s.client.errors import NoAnswerError

INITIAL_END = "k8s.io/initial-events-end"


class _ListMeta(msgspec.Struct, rename={"resource_version": "resourceVersion", "more": "continue"}):
    resource_version: str = ""
    more: str = ""


class ListFrame(msgspec.Struct):
    """A page of a list."""

    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class _Object(msgspec.Struct):
    metadata: _Meta


class _EventFrame(msgspec.Struct):
    type: str
    object: msgspec.Raw


class WatchEvent(msgspec.Struct):
    """One line of a watch. `ends_list`: everything that existed at the start has been sent."""

    type: str
    body: bytes
    resource_version: str
    ends_list: bool = False


_list = msgspec.json.Decoder(ListFrame)
_event = msgspec.json.Decoder(_EventFrame)
_object = msgspec.json.Decoder(_Object)


def read_page(what: str, body: bytes) -> ListFrame:
    """A page. Raises NoAnswerError where the body is no list (cut off, or from a proxy)."""
    try:
        return _list.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoAnswerError(what, f"the answer is no list: {error}") from error


def read_event(what: str, line: bytes) -> WatchEvent:
    """An event. Raises what an ERROR event says (GoneError for 410, though the watch itself was
    answered with 200), and NoAnswerError where the line is no event."""
    try:
        frame = _event.decode(line)
        body = bytes(frame.object)
        if frame.type == "ERROR":
            raise refusal(what, 0, body)
        meta = _object.decode(body).metadata
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NoAnswerError(what, f"a line of the watch can't be read: {error}") from error
    ends = frame.type == "BOOKMARK" and (meta.annotations or {}).get(INITIAL_END) == "true"
    return WatchEvent(frame.type, body, meta.resource_version, ends)
