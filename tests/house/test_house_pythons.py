"""`make test-pythons` finds the Pythons of a machine, and says which are not there."""

import sys
from pathlib import Path

import pytest
from tests.pythons import __main__ as pythons
from tests.pythons.interpreters import find

OURS = "{}.{}".format(*sys.version_info[:2])


def program(file: Path, *lines: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o755)
    return file


def machine(tmp_path: Path) -> dict[str, str]:
    """A path with two folders, and a home."""
    folders = [str(tmp_path / name) for name in ("shims", "bin")]
    return {"PATH": ":".join(folders), "HOME": str(tmp_path)}


def python(file: Path) -> Path:
    return program(file, f'exec "{sys.executable}" "$@"')


def test_a_shim_that_runs_nothing_is_no_interpreter(tmp_path: Path) -> None:
    program(tmp_path / f"shims/python{OURS}", "echo 'pyenv: command not found' >&2", "exit 127")
    assert find(OURS, machine(tmp_path)) is None
    real = python(tmp_path / f"bin/python{OURS}")
    assert find(OURS, machine(tmp_path)) == real


def test_what_pyenv_keeps_is_found_though_its_shim_refuses(tmp_path: Path) -> None:
    program(tmp_path / f"shims/python{OURS}", "exit 127")
    kept = python(tmp_path / f".pyenv/versions/{OURS}.9/bin/python{OURS}")
    assert find(OURS, machine(tmp_path)) == kept


def test_an_interpreter_of_another_version_is_none_of_that_name(tmp_path: Path) -> None:
    python(tmp_path / "bin/python3.99")
    assert find("3.99", machine(tmp_path)) is None


def test_a_version_is_not_taken_for_one_that_begins_alike(tmp_path: Path) -> None:
    python(tmp_path / f".pyenv/versions/{OURS}1.0/bin/python{OURS}1")
    assert find(OURS, machine(tmp_path)) is None


def test_the_end_says_what_each_version_did(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = {version: Path("/") / version for version in ("3.10", "3.11", "3.12", "3.13")}
    monkeypatch.setattr(pythons, "find", lambda version, _: there.get(version))
    monkeypatch.setattr(pythons, "environment_made", lambda version, _: version != "3.10")
    monkeypatch.setattr(pythons, "tests_pass", lambda version, _: version != "3.13")
    asked = ["3.10", "3.11", "3.12", "3.13", "3.14"]
    monkeypatch.setattr("sys.argv", ["x", *asked, "--tested", "3.11"])
    assert pythons.main() == 1
    assert capsys.readouterr().out.split("Fast tests:\n")[1].splitlines() == [
        "  Python 3.10: FAILED: its environment could not be made",
        "  Python 3.11: not run again: this is the Python of `make test`",
        "  Python 3.12: passed",
        "  Python 3.13: FAILED",
        "  Python 3.14: not run: it is not on this machine",
    ]
