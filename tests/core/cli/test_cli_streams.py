"""Output that is closed, full or read by nobody: no traceback, no failed step, its exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.cli.made import Shell, step, workflow

from wf_core.cli.live import Lines, LiveTree, choose
from wf_core.codec import dump

pytestmark = pytest.mark.slow

QUICK = dump(workflow(step("one", parameters={"sleepSeconds": 0})))


def wf_in_shell(shell: Shell, script: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `$WF` is `wf`."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; WF='{sys.executable} -m wf_core.cli.main'; {script}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "WF_STORE": shell.url},
        cwd=shell.folder,
    )


@pytest.mark.parametrize("where", ["| true", ">&-", "> /dev/full", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize("command", ["run order.yaml", "serve --help", "list", "kinds"])
def test_lost_output_ends_in_no_traceback(shell: Shell, command: str, where: str) -> None:
    shell.file("order.yaml", QUICK)
    result = wf_in_shell(shell, f"$WF {command} {where}")
    assert "Traceback" not in result.stderr
    assert "should not happen" not in result.stderr
    assert result.returncode in (0, 1, 141)
    if command.startswith("run"):
        assert wf_in_shell(shell, "$WF get order -o json").stdout.count('"phase": "Success"') > 0


def test_output_that_is_full_is_named_and_has_its_code(shell: Shell) -> None:
    shell.file("order.yaml", QUICK)
    result = wf_in_shell(shell, "$WF run order.yaml > /dev/full")
    assert result.returncode == 1
    assert "the output could not be written: No space left on device" in result.stderr


def test_a_reader_that_is_gone_has_its_code_and_the_workflow_ends_all_the_same(
    shell: Shell,
) -> None:
    shell.file("order.yaml", QUICK)
    assert wf_in_shell(shell, "$WF run order.yaml | true").returncode == 141
    assert wf_in_shell(shell, "$WF list -o json").stdout.count("Success") == 1


def test_what_a_step_prints_never_goes_into_the_store(shell: Shell) -> None:
    """With stdout closed, the next file that is opened would get its number."""
    Path(shell.folder, "noisy.yaml").write_text(
        "apiVersion: workflow.example.com/v1alpha1\nkind: Workflow\nmetadata: {name: noisy}\n"
        "spec: {steps: [{name: one, stepTemplate: {type: command, parameters: "
        "{run: 'echo loud; ls -l /proc/self/fd >&2', rollback: none}}}]}\n"
    )
    assert wf_in_shell(shell, "$WF run noisy.yaml <&- >&- 2>&-").returncode == 0
    assert "loud" in wf_in_shell(shell, "$WF logs noisy").stdout
    assert wf_in_shell(shell, "$WF list -o json").stdout.count("Success") == 1


def test_a_terminal_that_cannot_draw_gets_a_line_a_transition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for term, view in (("dumb", Lines), ("xterm", LiveTree)):
        monkeypatch.setenv("TERM", term)
        assert isinstance(choose(lambda: (), lambda: 0.0, several=False), view)
