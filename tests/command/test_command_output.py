"""Output reaches the log while the command runs, whole and bounded."""

import sys
import threading
import tracemalloc

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.command.command_calls import Bench

from wf_command.kind import Command
from wf_command.output import LONG_LINE, TAIL, Output
from wf_core.kinds import Retryable

KIND = Command()


def test_lines_are_logged_while_the_command_runs(bench: Bench) -> None:
    """It only ends because its first line was logged before it ended."""
    cancelled = threading.Event()
    bench.cancelled = cancelled
    call = bench.call(run="echo first; echo warn >&2; sleep 60")

    def stop_at_warning(text: str, stream: str) -> None:
        bench.logged.append((stream, text))
        if {"stdout", "stderr"} <= {found for found, _ in bench.logged}:
            cancelled.set()

    with pytest.raises(Retryable, match="stopped"):
        KIND.run(attrs.evolve(call, write_log=stop_at_warning))
    assert sorted(bench.logged) == [("stderr", "warn"), ("stdout", "first")]


def test_100_megabytes_of_output_keep_memory_bounded_and_are_counted(bench: Bench) -> None:
    size, limit = 100_000_000, 100_000
    script = f"head -c {size} /dev/zero | tr '\\0' 'x'; echo; echo the end"
    tracemalloc.start()
    try:
        KIND.run(bench.call(run=script, output_limit=limit))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    texts = [text for _, text in bench.logged]
    dropped = size + len("\nthe end\n") - limit - TAIL
    assert f"... {dropped} bytes dropped: outputLimit is {limit} bytes ..." in texts
    assert texts[-1].endswith("xxx\nthe end")
    assert sum(map(len, texts)) < limit + TAIL + 100


def test_a_command_that_writes_nothing_logs_nothing(bench: Bench) -> None:
    KIND.run(bench.call(run=["true"]))
    assert bench.logged == []


def test_a_limit_of_zero_keeps_the_end_alone(bench: Bench) -> None:
    KIND.run(bench.call(run=["echo", "end"], output_limit=0))
    assert bench.output("stdout") == "end"


def test_both_streams_at_once_do_not_lock_up(bench: Bench) -> None:
    program = "import sys; [f.write('y' * 300000) for f in (sys.stderr, sys.stdout)]"
    KIND.run(bench.call(run=[sys.executable, "-c", program]))
    assert {s: len(bench.output(s).replace("\n", "")) for s in ("stdout", "stderr")} == {
        "stdout": 300000,
        "stderr": 300000,
    }


def test_a_line_without_end_is_logged_in_pieces() -> None:
    texts: list[str] = []
    output = Output(texts.append, 10**6)
    output.feed(b"z" * (LONG_LINE + 1))
    assert texts == ["z" * (LONG_LINE + 1)]


def test_the_last_lines_are_the_last_that_are_not_blank() -> None:
    output = Output(lambda _: None, 0)
    output.feed(b"one\n\ntwo  \r\n\nthree\n\n")
    assert output.last_lines(2) == "two\nthree"


@settings(max_examples=60)
@given(
    st.lists(st.text(alphabet="a\u00e9\u20ac\U0001f40d", max_size=5)),
    st.lists(st.integers(1, 7), min_size=1, max_size=5),
)
def test_lines_survive_however_the_bytes_arrive(lines: list[str], sizes: list[int]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    texts: list[str] = []
    output = Output(texts.append, 10**6)
    position = turn = 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        output.feed(data[position : position + size])
        position, turn = position + size, turn + 1
    output.close()
    assert [line for text in texts for line in text.split("\n")] == lines


@settings(max_examples=60)
@given(st.integers(0, 3 * TAIL), st.integers(0, 3 * TAIL))
def test_what_is_shown_and_what_is_dropped_add_up(size: int, limit: int) -> None:
    texts: list[str] = []
    output = Output(texts.append, limit)
    output.feed(b"q" * size)
    output.close()
    shown = sum(text.count("q") for text in texts if "dropped" not in text)
    notes = [int(text.split()[1]) for text in texts if "dropped" in text]
    assert shown + sum(notes) == size
    assert shown <= limit + TAIL
