"""JSON of others: what it costs is known from its bytes, before anything is allocated (C7)."""

import contextlib
import gc
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_core.bounded_json import MAX_COST, MAX_DEPTH, BadJsonError, cost, decode

SHAPES = [
    b"[],",
    b"{},",
    b"[[]],",
    b'{"a":1},',
    b'{"a":{"b":[]}},',
    b"1,",
    b"1.5,",
    b"123456789012,",
    b'"",',
    b'"ab",',
    '"é",'.encode(),
    '"\U0001f600bcdefghijklmnop",'.encode(),
    b'"\\ud83d\\ude00abcdefghijklmnop",',
    b"null,",
]


def filled(shape: bytes, size: int) -> bytes:
    return b"[" + (shape * (size // len(shape)))[:-1] + b"]"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_cost_is_at_least_what_python_takes(shape: bytes) -> None:
    content = filled(shape, 30_000)
    gc.collect()
    tracemalloc.start()
    try:
        value = decode(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert value
    assert peak <= cost(content) + 4096


@pytest.mark.parametrize("shape", [b"[],", b"{},", b'{"a":1},', b"1,", b'"",'])
def test_what_would_take_too_much_is_refused_without_being_read(shape: bytes) -> None:
    content = filled(shape, 4 * 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(BadJsonError, match="would take more than 16 MiB of memory"):
            decode(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(content)


def test_one_object_of_many_keys_costs_no_more_than_told() -> None:
    content = json.dumps({f"{n}": n for n in range(5000)}).encode()
    tracemalloc.start()
    try:
        decode(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= cost(content) + 4096


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_what_is_nested_deeply_is_refused(opening: bytes) -> None:
    for content in (opening * 20_000, opening * (MAX_DEPTH + 1) + b"1"):
        with pytest.raises(BadJsonError, match="nested more than 64 deep"):
            decode(content)


def test_depth_up_to_the_limit_is_read() -> None:
    assert decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    wide: list[object] = [[[]] for _ in range(1000)]
    assert decode(json.dumps(wide).encode()) == wide


def test_what_stands_in_a_text_is_no_structure() -> None:
    text = '[{,:\\"' * 200_000
    assert decode(json.dumps([text]).encode()) == [text]
    assert cost(json.dumps([text]).encode()) < MAX_COST


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.booleans())
def test_it_reads_what_json_reads(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False).encode("utf-8", "replace")
    assert decode(text) == json.loads(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(['"', "\\", "[", "{", ",", ":", "a", "]"]), max_size=60))
def test_whatever_comes_is_a_value_or_one_error(parts: list[str]) -> None:
    text = "".join(parts) * 50
    with contextlib.suppress(BadJsonError):
        decode(text.encode())


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b"", b"\xff", b'{"a":1', b"[1" * 50])
def test_what_is_no_json_is_said(text: bytes) -> None:
    with pytest.raises(BadJsonError, match="is no JSON"):
        decode(text)


@pytest.mark.parametrize("piece", [b'"\\', b'\\"', b'"', b"[", b"\\\\", b'["\\"', b"[]", b',"'])
def test_time_grows_with_the_length_alone(piece: bytes) -> None:
    """What is quadratic would need hours for a megabyte."""
    with pytest.raises(BadJsonError):
        decode(b"[" * (MAX_DEPTH + 1) + piece * (1_000_000 // len(piece)))


def test_a_lone_byte_order_mark_is_passed_over() -> None:
    assert decode(b"\xef\xbb\xbf{}") == {}
