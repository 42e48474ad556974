"""How long a receiver may put us off."""

import pytest

from wf_core.callbacks.retry_after import MAX_RETRY_AFTER
from wf_core.callbacks.verdict import judge
from wf_core.ports import Delivered

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


@pytest.mark.parametrize(
    ("header", "after"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("86400", MAX_RETRY_AFTER),
        ("9" * 400, MAX_RETRY_AFTER),
        ("Fri, 15 Jan 2027 08:01:30 GMT", 90.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 15 Jan 2044 07:00:00 GMT", MAX_RETRY_AFTER),
    ],
)
def test_f_retry_after_is_read_and_bounded(header: str | None, after: float | None) -> None:
    receipt = judge(503, header, ignore_not_found=True, now=NOW)
    assert receipt.result is Delivered.RETRY
    assert receipt.after == after


def test_f_retry_after_means_nothing_where_nothing_is_repeated() -> None:
    assert judge(403, "120", ignore_not_found=True, now=NOW).after is None


def test_a_status_without_a_name_is_told_by_number() -> None:
    error = judge(599, None, ignore_not_found=True, now=NOW).error
    assert error == "the receiver answered 599"
