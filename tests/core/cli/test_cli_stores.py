"""Which store a command opens: reading makes none, and needs no right to write."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.cli.made import RUNNING, Shell, step, workflow

from wf_core.codec import dump
from wf_core.model.phases import Phase

ORDER = workflow(step("hotel"))
READING = (
    ["list"],
    ["get", "order"],
    ["explain", "order"],
    ["history", "order"],
    ["logs", "order"],
    ["resume"],
    ["prune"],
    ["cancel", "order"],
    ["delete", "order"],
    ["cron", "list"],
)


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_store_that_is_named_and_missing_is_an_error_and_is_not_made(
    shell: Shell, arguments: list[str]
) -> None:
    slip = shell.folder / "typo" / "x.db"
    result = shell.wf(*arguments, "--store", f"sqlite:{slip}")
    assert result.code == 1
    assert f"there is no store at {slip}" in result.err
    assert "`wf run` and `wf submit` make one" in result.err
    assert not slip.parent.exists()


def test_the_users_own_store_is_empty_before_anything_was_run(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WF_STORE")
    monkeypatch.setenv("XDG_STATE_HOME", str(shell.folder / "state"))
    listed = shell.wf("list")
    assert (listed.code, listed.out) == (0, "")
    assert "no workflow 'order'" in shell.wf("get", "order").err
    assert shell.wf("resume").out == "nothing to resume: nothing was run yet\n"
    assert not (shell.folder / "state").exists()


def test_submitting_makes_the_store(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WF_STORE", f"sqlite:{shell.folder / 'new' / 'wf.db'}")
    assert shell.wf("submit", shell.file("order.yaml", dump(ORDER))).code == 0
    assert shell.wf("list", "-o", "name").out == "order\n"


SOMEBODY = """
import contextlib, io, os, sys
from wf_core.cli import app
if os.getuid() == 0:
    # Once as root, since another account may not be let into the folders of this interpreter.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        app.run(sys.argv[1:])
    os.setgroups([]), os.setgid(54321), os.setuid(54321)
sys.exit(app.run(sys.argv[1:]))
"""


def as_somebody_else(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `wf` as an account that has no home, no name, and no right to write the store."""
    hidden = ("XDG_", "WF_", "HOME")
    environment = {key: each for key, each in os.environ.items() if not key.startswith(hidden)}
    return subprocess.run(
        [sys.executable, "-c", SOMEBODY, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A store that others may read. Its folder is none of pytest's: each pytest that starts closes
    theirs to other accounts anew."""
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell.made(Path(folder), capsys, monkeypatch)
        shell.keep(ORDER, [RUNNING], phase=Phase.RUNNING)
        for path in shell.folder.iterdir():
            path.chmod(0o555 if path.is_dir() else 0o444)
        shell.folder.chmod(0o555)
        yield shell
        shell.folder.chmod(0o755)


@pytest.mark.slow
def test_a_store_that_may_not_be_written_can_be_read(shown: Shell) -> None:
    store = ("--store", shown.url)
    for arguments in (["list"], ["get", "order"], ["explain", "order"], ["history", "order"]):
        result = as_somebody_else(*arguments, *store)
        assert (result.returncode, result.stderr) == (0, ""), arguments
    refused = as_somebody_else("cancel", "order", *store)
    assert refused.returncode == 1
    assert "may not be written" in refused.stderr
    assert shown.load().head.phase is Phase.RUNNING


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become an account without its rights")
@pytest.mark.parametrize("command", [["list"], ["get", "order"]])
def test_a_folder_that_may_not_be_looked_into_is_named(shown: Shell, command: list[str]) -> None:
    shown.folder.chmod(0o700)
    result = as_somebody_else(*command, "--store", shown.url)
    assert result.returncode == 1
    assert f"{shown.folder / 'wf.db'}: Permission denied; make {shown.folder} a" in result.stderr
    assert "failed to open" not in result.stderr


def test_a_store_below_a_file_is_refused(shell: Shell) -> None:
    below = shell.folder / "wf.db" / "x.db"
    for command in (["list"], ["submit", shell.file("order.yaml", dump(ORDER))]):
        result = shell.wf(*command, "--store", f"sqlite:{below}")
        assert result.code == 1
        assert f"{below}: Not a directory" in result.err


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become an account without a home")
def test_an_account_without_a_home_is_told_what_to_name() -> None:
    result = as_somebody_else("list")
    assert result.returncode == 1
    assert "uid 54321 has no home folder" in result.stderr
    assert "--store sqlite:PATH" in result.stderr


@pytest.mark.slow
def test_a_folder_that_was_deleted_is_named(shell: Shell) -> None:
    gone = shell.folder / "gone"
    gone.mkdir()
    result = subprocess.run(
        ["bash", "-c", f"cd {gone} && rmdir {gone} && $WF list --store sqlite:x.db"],
        env={**os.environ, "WF": f"{sys.executable} -m wf_core.cli.main"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "the current folder, which no longer exists" in result.stderr
