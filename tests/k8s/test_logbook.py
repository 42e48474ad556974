"""What a controller keeps of the output of hooks."""

import pytest

from wf_core.model.phases import Hook
from wf_core.model.spec import Key
from wf_core.model.state import LogLine
from wf_k8s.store import logbook
from wf_k8s.store.logbook import Logbook


def test_e8_a_look_that_says_what_it_said_before_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A step with the least period is looked at ten times a second, for ever."""
    book, key = Logbook(), Key("default", "order")

    def said(hook: Hook, text: str) -> None:
        book.write(key, [LogLine("a", hook, 1, 1.0, text)])

    with caplog.at_level("INFO"):
        for _ in range(50):
            said(Hook.SYNC, "asking")
            said(Hook.SYNC, "still there")
        said(Hook.SYNC, "gone")
        said(Hook.RUN, "again")
        said(Hook.RUN, "again")
    texts = ["asking", "still there", "gone", "again", "again"]
    assert [each.message.partition(": ")[2] for each in caplog.records] == texts
    assert [each.text for each in book.read(key, None)] == texts


def lines(book: Logbook, namespace: str, name: str, step: str, *texts: str) -> None:
    book.write(Key(namespace, name), [LogLine(step, Hook.RUN, 1, 1.0, text) for text in texts])


def sizes(book: Logbook, *keys: Key) -> list[int]:
    return [len(book.read(key, None)) for key in keys]


def test_the_output_of_one_namespace_costs_no_other_his(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are as long as a plugin likes, and a workflow has as many steps as fit in an object."""
    monkeypatch.setattr(logbook, "BYTES", 100_000)
    book = Logbook()
    lines(book, "quiet", "order", "a", "one", "two")
    for n in range(100):
        lines(book, "loud", f"w{n % 10}", f"s{n}", "x" * 5_000, "y" * 20_000)
    assert [each.text for each in book.read(Key("quiet", "order"), None)] == ["one", "two"]
    kept = sizes(book, *(Key("loud", f"w{n}") for n in range(10)))
    assert kept == [0, 0, 0, 0, 0, 0, 0, 2, 2, 2]
    assert not book.has(Key("loud", "w0"))


def test_of_one_step_that_is_too_loud_the_last_lines_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logbook, "BYTES", 100_000)
    book, key = Logbook(), Key("default", "order")
    lines(book, "default", "order", "a", *(f"{n}" + "x" * 30_000 for n in range(9)))
    assert [each.text[0] for each in book.read(key, "a")] == ["6", "7", "8"]
    lines(book, "default", "order", "a", "z" * 100_000)
    assert sizes(book, key) == [0]
    lines(book, "default", "order", "b", "after")
    assert sizes(book, key) == [1]


def test_of_a_workflow_that_is_gone_no_line_is_kept() -> None:
    book, key = Logbook(), Key("default", "order")
    for n in range(3):
        lines(book, "default", "order", f"s{n}", *"abc")
    book.forget(key)
    assert not book.has(key)
    assert sizes(book, key) == [0]
    book.forget(key)
    lines(book, "default", "order", "s0", *"abc" * 100)
    assert sizes(book, key) == [logbook.LINES]
