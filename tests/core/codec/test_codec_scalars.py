"""Documents mean here what they mean to kubectl (semantics C9)."""

from typing import Any

import pytest

from wf_core.codec.scalars import MAX_WHOLE, problem, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1.5e-3", 0.0015),
        ("08", 8),
        ("09.5", 9.5),
        ("010", 8),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x10", -16),
        ("0b101", 5),
        ("1_000", 1000),
        ("+5", 5),
        ("-5", -5),
        ("3.0", 3),
        (".5", 0.5),
        ("1.", 1),
        ("y", True),
        ("Yes", True),
        ("on", True),
        ("true", True),
        ("n", False),
        ("NO", False),
        ("off", False),
        ("yEs", "yEs"),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("Null", None),
        ("None", "None"),
        ("nULL", "nULL"),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("-", "-"),
        ("0x", "0x"),
        ("0xg", "0xg"),
        ("1 2", "1 2"),
        (".", "."),
        ("=", "="),
    ],
)
def test_c9_a_plain_scalar_is_read_as_kubectl_reads_it(text: str, value: Any) -> None:
    read = resolve(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "1e999"])
def test_a_number_that_is_not_finite_can_not_be_stored(text: str) -> None:
    assert problem(resolve(text)) == "is not a finite number; JSON has no way to write it"


@pytest.mark.parametrize("text", [str(MAX_WHOLE + 1), str(-MAX_WHOLE - 1), "9" * 100_000])
def test_a_whole_number_that_would_lose_digits_can_not_be_stored(text: str) -> None:
    assert problem(resolve(text)) == (
        "is a whole number beyond 9007199254740992 (2^53), which loses digits; put it in quotes"
    )


@pytest.mark.parametrize("text", [str(MAX_WHOLE), str(-MAX_WHOLE), "1e300", "0.1", "text", "~"])
def test_every_other_scalar_can_be_stored(text: str) -> None:
    assert problem(resolve(text)) is None
