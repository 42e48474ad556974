"""C16: whatever bytes a document, an argument or the configuration holds, every surprise is a clear
error: "this should not happen" does not happen, and what is stored stays usable."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wf_core.cli.app import run

GOOD = b"""\
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  parameters: {a: 1}
  steps:
    - name: one
      stepTemplate: {type: random, parameters: {sleepSeconds: 0, failureRate: 0}}
"""
PLACES = (
    b"{a: 1}",
    b"order",
    b"one",
    b"random",
    b"sleepSeconds",
    b": 0,",
    b"Workflow",
    b"v1alpha1",
)
HOSTILE = [
    *("0x" + "f" * 1_000_000, "0b" + "1" * 300_000, "0o" + "7" * 200_000, "9" * 5_000, "0" * 9_000),
    *("1e999", "-.inf", ".nan", "2001-99-99", "1_" * 5_000, "190:20:30" * 500, "[" * 5_000),
    *("\ud800", "\udcff", "\U0010ffff", "\x00", "\x1b[2J", "\ufeff", "\u2028", "\u0085", "\r"),
    *('"\\ud800"', '"\\x00"', '"\\U00110000"', "!!binary ====", "!!python/object:os.system x"),
    *("!!int 0b" + "1" * 100_000, "!!set {a}", "!!omap [a: 1]", "!<tag:yaml.org,2002:int> 0xzz"),
    *("&a [*a]", "*nope", "? : ?", "<<: {a: 1}", "%YAML 9.9", "---", "...", "{" * 3_000, "'", "\t"),
    *("a: b: c", "~", "=", "|\n x", ">", "@x", "`x", "-", "--", "-o", "a" * 300_000, "é" * 300),
    *("${parameters.a}", "${", "$${", "${" + "." * 20_000, "../..", "/", "k8s:", "sqlite:"),
]
"""Numbers too long to be written out, texts that are none, what YAML means something by."""

COMMANDS = (
    *("get ", "explain ", "history ", "logs ", "cancel ", "delete ", "folder order ", "schema "),
    *("signal order ", "list --queue ", "list --namespace ", "list --store ", "config --config "),
    *("cron get ", "cron next ", "validate ", "graph ", "submit good.yaml --name "),
    *("submit good.yaml --namespace ", "run good.yaml --param a="),
)


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All tests of this file work in one: nothing that one leaves may harm another."""
    made = tmp_path_factory.mktemp("hostile")
    made.joinpath("good.yaml").write_bytes(GOOD)
    with contextlib.chdir(made), pytest.MonkeyPatch.context() as environment:
        environment.setenv("WF_STORE", f"sqlite:{made / 'wf.db'}")
        yield made


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `wf` says; that it ends in order, and with an error is not all that it says."""
    code = run(list(arguments))
    written = capsys.readouterr()
    assert "should not happen" not in written.err, written.err[:500]
    assert "Traceback" not in written.err
    if code:
        assert written.err or written.out
    return written.err


@pytest.mark.parametrize("command", COMMANDS)
def test_an_argument(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    *words, begun = command.split(" ")
    for text in HOSTILE:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD)))
        said(capsys, *words, begun + text)


@pytest.mark.parametrize("command", ["validate", "submit", "plan"])
@pytest.mark.parametrize("place", PLACES)
def test_a_document(command: str, place: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    for text in HOSTILE:
        Path("w.yaml").write_bytes(GOOD.replace(place, text.encode(errors="surrogatepass")))
        said(capsys, command, "w.yaml")


def test_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    for text in HOSTILE:
        raw = text.encode(errors="surrogatepass")
        for document in (raw, b"controllerConfig: {queue: {maxRunningCount: " + raw + b"}}"):
            Path("wf-config.yaml").write_bytes(document)
            said(capsys, "config", "--config", "wf-config.yaml")


@given(st.binary(max_size=40), st.integers(0, len(GOOD)), st.integers(0, 20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_anywhere(
    capsys: pytest.CaptureFixture[str], junk: bytes, at: int, gone: int
) -> None:
    Path("w.yaml").write_bytes(GOOD[:at] + junk + GOOD[at + gone :])
    said(capsys, "validate", "w.yaml")


def test_a_name_that_is_none_is_not_stored(capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not a name" in said(capsys, "submit", "good.yaml", "--name", "\x1b[2J")
    assert "is not a name" in said(capsys, "submit", "good.yaml", "--namespace", "../x")


def test_an_argument_that_is_not_utf8_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "get", os.fsdecode(b"caf\xe9")).startswith(
        "wf: error: argument 2 is not text in UTF-8: caf\\udce9; "
    )


def test_a_number_with_more_digits_than_can_be_written_is_refused_as_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("w.yaml").write_bytes(GOOD.replace(b"{a: 1}", b"{a: 0x" + b"f" * 1_000_000 + b"}"))
    assert "is a whole number beyond" in said(capsys, "validate", "w.yaml")


def test_what_is_stored_is_shown_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    for text in HOSTILE:
        Path("w.yaml").write_bytes(
            GOOD.replace(b"{a: 1}", b"{a: " + text.encode(errors="surrogatepass") + b"}")
        )
        run(["submit", "w.yaml", "--name", "stored", "--replace"])
        capsys.readouterr()
        said(capsys, "get", "stored", "-o", "yaml")
        run(["delete", "stored"])
        capsys.readouterr()
    assert said(capsys, "list", "-o", "json") == ""
