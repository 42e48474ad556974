"""Reading /proc: names may hold anything, and what has ended does not count."""

import os
import subprocess

import pytest

from wf_command import processes
from wf_command.processes import Process, parse_stat

FIELDS = "S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5557 2 3"


def test_a_name_with_spaces_and_brackets_is_skipped() -> None:
    assert parse_stat(f"43 (a) b (c)) {FIELDS}", "boot\n") == Process(43, 42, "5557@boot")


def test_what_has_ended_and_was_not_waited_for_does_not_run() -> None:
    assert parse_stat(f"43 (sh) {FIELDS}".replace("S 1", "Z 1"), "boot") is None


def test_a_garbled_line_is_no_process() -> None:
    assert parse_stat("", "boot") is None
    assert parse_stat("43 (sh)", "boot") is None
    assert parse_stat("garbage", "boot") is None


def test_this_process_is_found_in_its_group() -> None:
    assert os.getpid() in [process.pid for process in processes.members(os.getpgrp())]


def test_ps_tells_of_the_same_group_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ON_LINUX", False)
    found = [p for p in processes.members(os.getpgrp()) if p.pid == os.getpid()]
    assert [process.group for process in found] == [os.getpgrp()]
    began = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(os.getpid())],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert found[0].began == began.stdout.strip()
