"""C4: what hooks print and log is in `wf logs`, and never in a command's answer."""

import json
import logging
import sys
import threading
from collections.abc import Iterator

import click
import pytest
from tests.core.cli.made import Shell

from wf_core import run as run_as_library
from wf_core.adapters.hook_output import LONGEST, captured
from wf_core.cli.registry import installed
from wf_core.kinds import Answer, StepCall, StepKind
from wf_core.plugins import Registry

DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
    - {name: one, stepTemplate: {type: chatty}}
"""


class Chatty(StepKind):
    name = "chatty"

    def run(self, call: StepCall) -> Answer:
        print("printed", 1)
        print("to stderr", file=sys.stderr)
        print("begun", end="")
        sys.stdout.buffer.write(b"bytes\n")
        click.echo("by click")
        logging.getLogger("somebody.elses").info("at %s", "info")
        logging.getLogger("somebody.elses").debug("too fine")
        call.logger.warning("of the kind")
        thread = threading.Thread(target=print, args=("from a thread of the hook",))
        thread.start()
        thread.join()
        sys.stdout.write("no end")
        return None

    def rollback(self, call: StepCall) -> Answer:
        raise AssertionError(f"{call.step} is never undone")


@pytest.fixture
def chatty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    registry = Registry.of([Chatty()], discover=True)
    monkeypatch.setattr("wf_core.plugins.load", lambda: registry)
    installed.cache_clear()
    yield
    installed.cache_clear()


@pytest.mark.usefixtures("chatty")
def test_the_answer_of_run_is_json_whatever_hooks_print(shell: Shell) -> None:
    result = shell.wf("run", shell.file("w.yaml", DOCUMENT), "-o", "json")
    assert result.code == 0
    assert json.loads(result.out)["status"]["phase"] == "Success"
    assert result.err == "from a thread of the hook\n"


@pytest.mark.usefixtures("chatty")
def test_what_hooks_print_and_log_is_in_wf_logs_with_its_stream_and_time(shell: Shell) -> None:
    shell.wf("run", shell.file("w.yaml", DOCUMENT))
    written = [json.loads(line) for line in shell.wf("logs", "order", "-o", "json").lines]
    assert [(each["stream"], each["text"]) for each in written] == [
        ("stdout", "printed 1"),
        ("stderr", "to stderr"),
        ("stdout", "begunbytes"),
        ("stdout", "by click"),
        ("logging", "INFO somebody.elses: at info"),
        ("logging", "WARNING wf.kind.chatty: of the kind"),
        ("stdout", "no end"),
    ]
    assert all(each["at"].endswith("Z") for each in written)
    assert {(each["step"], each["hook"], each["attempt"]) for each in written} == {
        ("one", "run", 1)
    }


def test_in_a_program_that_uses_wf_as_a_library_nothing_is_captured(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run_as_library(DOCUMENT, plugins=[Chatty()])
    written = capsys.readouterr()
    assert "printed 1\n" in written.out
    assert "to stderr\n" in written.err
    assert "of the kind" in caplog.messages


def test_streams_levels_and_handlers_are_as_before_afterwards() -> None:
    root = logging.getLogger()
    before = (sys.stdout, sys.stderr, root.level, list(root.handlers))
    filters = [list(handler.filters) for handler in root.handlers]
    with captured():
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr, root.level, list(root.handlers)) == before
    assert [list(handler.filters) for handler in root.handlers] == filters


def test_what_the_engine_itself_writes_goes_where_it_went(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with captured():
        print("an answer")
        logging.getLogger("a.library").info("not said before, nor now")
        logging.getLogger("a.library").warning("said")
    assert capsys.readouterr().out == "an answer\n"
    assert caplog.messages == ["said"]


class Endless(StepKind):
    name = "endless"

    def run(self, call: StepCall) -> Answer:  # noqa: ARG002
        for _ in range(4 * LONGEST):
            sys.stdout.write("x")
        return None

    def rollback(self, call: StepCall) -> Answer:
        raise AssertionError(f"{call.step} is never undone")


def test_a_line_that_does_not_end_is_not_kept_back(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry.of([Endless()], discover=True)
    monkeypatch.setattr("wf_core.plugins.load", lambda: registry)
    installed.cache_clear()
    try:
        shell.wf("run", shell.file("w.yaml", DOCUMENT.replace("chatty", "endless")))
    finally:
        installed.cache_clear()
    texts = [json.loads(line)["text"] for line in shell.wf("logs", "order", "-o", "json").lines]
    assert "".join(texts) == "x" * 4 * LONGEST
    assert all(len(text) <= LONGEST + 1 for text in texts)
