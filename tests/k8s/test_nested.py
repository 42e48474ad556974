"""JSON that no decoder goes through: found in lists and watches, and left in one piece."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_core.errors import StoreForeign, StoreUnavailable
from wf_k8s.client.frames import read_event, read_page
from wf_k8s.client.nested import shallow, taken_apart
from wf_k8s.store import remains
from wf_k8s.store.rows import identity, place_unread, read_place

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(['"', "\\", '\\"[{']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=30,
)
DEEP = b"[" * 9_000 + b"]" * 9_000
DEEPER = 1_000_000
"""Beyond what the decoder of any Python follows: 3.13 follows 9,000 levels, 3.14 some 60,000."""


def object_(name: str, inner: bytes, status: bytes = b"{}") -> bytes:
    return (
        b'{"metadata":{"name":"%s","namespace":"shop","uid":"u-%s","resourceVersion":"7",'
        b'"creationTimestamp":"2026-01-01T00:00:00Z","finalizers":["workflow.example.com/undo"]},'
        b'"spec":{"queue":"gold","steps":[],"parameters":{"a":%s}},"status":%s}'
    ) % (name.encode(), name.encode(), inner, status)


def depth(value: object) -> int:
    if isinstance(value, dict | list):
        held = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, held), default=0)
    return 0


@given(JSON, st.integers(1, 4))
def test_what_is_taken_apart_is_the_document_down_to_those_levels(value: object, most: int) -> None:
    text = json.dumps(value).encode()
    outside, inside = taken_apart(text, most)
    assert depth(json.loads(outside)) <= most
    if depth(value) <= most:
        assert (json.loads(outside), inside) == (value, [])
    assert all(isinstance(json.loads(each), dict | list) for each in inside)


def test_a_page_with_one_object_too_deep_has_all_its_objects_as_they_are() -> None:
    objects = [object_("a", b"1"), object_("b", DEEP), object_("c", b'"}]"')]
    page = b'{"metadata":{"resourceVersion":"9","continue":"more"},"items":[%s]}'
    read = read_page("list", page % b",".join(objects))
    assert (read.items, read.resource_version, read.more) == (objects, "9", "more")


def test_an_event_of_an_object_too_deep_has_the_object_as_it_is() -> None:
    deep = object_("b", DEEP)
    event = read_event("watch", b'{"type":"MODIFIED","object":%s}' % deep)
    assert (event.type, event.body, event.resource_version) == ("MODIFIED", deep, "7")


@pytest.mark.parametrize("end", [b"", b"]", b"}", b'"'])
def test_half_an_answer_is_no_answer_however_deep(end: bytes) -> None:
    with pytest.raises(StoreUnavailable):
        read_page("list", b'{"metadata":{},"items":[' + b"[" * 5_000 + end)
    with pytest.raises(StoreUnavailable):
        read_event("watch", b'{"type":"ADDED","object":' + b"[" * 5_000 + end)


def test_an_object_too_deep_shows_what_can_be_told_of_it() -> None:
    raw = object_("b", b"[" * DEEPER + b"]" * DEEPER)
    with pytest.raises(StoreForeign, match="nested too deep"):
        read_place(raw)
    assert identity(raw).name == "b"
    row = place_unread(raw, "why").row
    assert (row.key.name, row.queue, row.unreadable) == ("b", "gold", "why")


@pytest.mark.parametrize(
    ("status", "goes"),
    [
        (b"{}", True),
        (b'{"phase":"Pending","revision":3,"steps":{}}', True),
        (b'{"phase":"Failed","steps":{"a":{"phase":"Pending"}}}', True),
        (b'{"phase":"RollBacked","steps":{"a":{"phase":"RollBacked","attempt":1}}}', True),
        (b'{"phase":"Pending","steps":{"a":{"phase":"Pending","attempt":1}}}', False),
        (b'{"phase":"Pending","steps":{"a":{"phase":"Running"}}}', False),
        (b'{"phase":"Pending","steps":{"a":7}}', False),
        (b'{"phase":"Pending","steps":7}', False),
        (b'{"phase":"Pending","keyUid":"u"}', False),
        (b'{"phase":"Pending","reached":{"Running":5}}', False),
        (b'{"phase":"Running"}', False),
        (b'{"phase":"RollingBack"}', False),
        (b'{"phase":"RollBacked","outbox":[{}]}', False),
        (b'{"phase":["x"]}', False),
    ],
)
def test_it_goes_only_where_nothing_of_it_can_have_run(status: bytes, goes: bool) -> None:
    assert remains.may_go(remains.read(object_("b", DEEP, status))) is goes


def test_an_orphan_goes_whatever_its_status_holds() -> None:
    raw = object_("b", DEEP, b'{"phase":"Running"}')
    orphan = raw.replace(b'"queue"', b'"deletionPolicy":"Orphan","queue"')
    assert remains.may_go(remains.read(orphan))


def test_what_is_shallow_is_small_and_still_the_object() -> None:
    text = object_("b", DEEP)
    assert len(shallow(text)) < 1_000
    assert msgspec.json.decode(shallow(text))["metadata"]["name"] == "b"
