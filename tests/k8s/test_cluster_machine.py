"""A machine that can't be a node says why."""

import os
import sys
from pathlib import Path

import pytest
from tests.cluster import debian, machine
from tests.cluster.binaries import UnavailableError

REFUSES = "#!/bin/sh\necho E: no such package >&2\nexit 100\n"


def silent(text: str) -> None:
    pytest.fail(f"there was nothing to say, but it said: {text}")


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


def test_another_system_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UnavailableError, match="a node needs Linux"):
        machine.make_ready(silent)


def test_who_is_not_root_can_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UnavailableError, match="a node needs root"):
        machine.make_ready(silent)


def test_what_is_missing_and_can_not_be_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    put(tmp_path, "ip", "")
    with pytest.raises(UnavailableError, match="needs runc, busybox-static, iptables, and there"):
        machine.make_ready(silent)


def test_what_the_installer_says_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    put(tmp_path, "apt-get", REFUSES)
    said: list[str] = []
    with pytest.raises(UnavailableError, match="runc can't be installed: E: no such package"):
        debian.install(["runc"], said.append)
    assert said == ["installing runc"]


def test_who_is_not_root_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UnavailableError, match="needs runc; only root can install that"):
        debian.install(["runc"], silent)


def test_a_command_that_the_machine_refuses_is_told_in_its_last_line() -> None:
    done = debian.attempt(["sh", "-c", "echo first >&2; echo last >&2; exit 1"])
    assert debian.last_line(done) == "last"
    assert debian.last_line(debian.attempt(["false"])) == "exit code 1"


def test_what_is_installed_where_nobody_looks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("runc", "busybox", "ip", "apt-get"):
        put(tmp_path, name, "#!/bin/sh\n")
    with pytest.raises(UnavailableError, match="iptables can't be found, though installed"):
        machine.make_ready(lambda _: None)
