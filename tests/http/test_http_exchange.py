"""One connection, against whatever bytes come over it."""

import contextlib
import gzip
import selectors
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wf_core.adapters.cancellation import Cancellation
from wf_http.connection import Connection
from wf_http.exchange import MOST_INTERIM, Message, Reply, Unreadable, exchange
from wf_http.patience import Patience, TimeIsUp
from wf_http.problems import Stopped, Unanswered

MOST = 1000
ASKED = Message("POST", "/", (("Host", "a.test"), ("Connection", "close")))


def exchanged(came: bytes, message: Message = ASKED, seconds: float = 5.0) -> Reply:
    """What is made of an answer of these bytes, after which the server closes."""
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        theirs.sendall(came)
        theirs.shutdown(socket.SHUT_WR)
        patience = Patience(seconds, Cancellation())
        with Connection(ours, patience) as connection:
            return exchange(connection, message, patience, lambda _: MOST)


HEADS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 500 \r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n",
        b"HTTP/1.1 204 No Content\r\n",
        b"HTTP/1.1 999 What\r\n",
        b"HTTP/1.1 101 Switching\r\n",
        b"ICY 200 OK\r\n",
        b"",
    ]
)
HEADERS = st.lists(
    st.sampled_from(
        [
            b"content-length: 5\r\n",
            b"content-length: -1\r\n",
            b"content-length: 99999999999999999999\r\n",
            b"transfer-encoding: chunked\r\n",
            b"content-encoding: gzip\r\n",
            b"content-encoding: br\r\n",
            b"retry-after: \xff\r\n",
            b"no colon\r\n",
            b" folded\r\n",
            b"x: " + b"y" * 20_000 + b"\r\n",
        ]
    ),
    max_size=4,
)
BODIES = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"5\r\nhello\r\n",
                b"0\r\n\r\n",
                b"ffffffffffffffff\r\n",
                gzip.compress(b"0" * 100_000),
                b"z" * 2_000,
            ]
        ),
    ),
    max_size=4,
)


@settings(deadline=None)
@given(HEADS, HEADERS, st.sampled_from([b"\r\n", b""]), BODIES)
def test_whatever_comes_is_an_answer_or_none_and_within_bounds(
    head: bytes, headers: list[bytes], end: bytes, bodies: list[bytes]
) -> None:
    try:
        reply = exchanged(head + b"".join(headers) + end + b"".join(bodies))
    except Unanswered:
        return
    assert len(reply.content) <= MOST
    with contextlib.suppress(Unreadable):
        reply.document()


def test_a_body_that_just_fits_is_whole() -> None:
    body = b'"' + b"x" * (MOST - 2) + b'"'
    for packed in (False, True):
        sent = gzip.compress(body) if packed else body
        encoding = b"content-encoding: gzip\r\n" if packed else b""
        head = b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n" % (encoding, len(sent))
        reply = exchanged(head + sent)
        assert (reply.flaw, reply.content) == ("", body)
        longer = b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n"
        sent = gzip.compress(body + b" ") if packed else body + b" "
        reply = exchanged(longer % (encoding, len(sent)) + sent)
        assert "larger than 1000 bytes" in reply.flaw


def test_a_packed_body_without_end_is_told() -> None:
    packed = gzip.compress(b'{"id": 1}')[:-4]
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    reply = exchanged(head + packed)
    assert "no end" in reply.flaw
    assert reply.passing


def test_a_server_that_does_not_read_ends_with_the_time_limit() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        patience = Patience(1.0, Cancellation())
        message = Message(
            "POST", "/", (*ASKED.headers, ("Content-Length", "2000000")), b"x" * 2_000_000
        )
        with Connection(ours, patience) as connection, pytest.raises(Unanswered, match=r"1 s"):
            exchange(connection, message, patience, lambda _: MOST)
    assert patience.sent


def test_what_is_never_told_to_stop_waits_as_long_as_it_may() -> None:
    cancelled = Cancellation()
    patience = Patience(0.1, cancelled)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(TimeIsUp):
            patience.for_socket(ours, selectors.EVENT_READ)
        cancelled.set()
        with pytest.raises(Stopped):
            patience.for_socket(ours, selectors.EVENT_READ)


def test_work_that_fails_raises_where_it_is_waited_for() -> None:
    def fails() -> None:
        raise OSError("no such name")

    patience = Patience(5.0, Cancellation())
    with pytest.raises(OSError, match="no such name"):
        patience.for_work("default", fails)
    assert patience.for_work("default", lambda: 17) == 17


def test_what_follows_packed_data_is_not_kept_and_ends_an_answer_that_goes_on() -> None:
    packed = gzip.compress(b"{}")
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + packed
    assert exchanged(head + b"\0" * MOST).content == b"{}"
    endless = exchanged(head + b"\0" * 100 * MOST)
    assert "larger than 1000 bytes" in endless.flaw


def test_interim_answers_are_read_up_to_a_number() -> None:
    interim, last = b"HTTP/1.1 103 Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"
    assert exchanged(interim * MOST_INTERIM + last).status == 200
    with pytest.raises(Unanswered, match="100 answers of 1xx"):
        exchanged(interim * (MOST_INTERIM + 1) + last)
