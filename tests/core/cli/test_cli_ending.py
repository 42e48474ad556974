"""C10: the exit code of a process in which hooks run is never better than what is saved."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
import os
from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind

class Leaving(StepKind):
    name = "leaving"

    def run(self, call):
        child = os.fork()
        if not child:
            os._exit(0)  # a child's own end is its own affair
        assert os.waitpid(child, 0)[1] == 0
        os._exit({code})

    def rollback(self, call):
        return None

@hookimpl
def wf_step_kinds():
    return [Leaving()]
"""
DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
  - {name: a, stepTemplate: {type: leaving}}
"""


def wf(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "wf_core.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "WF_STORE": f"sqlite:{folder}/wf.db"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("code", [0, 3])
def test_c10_a_hook_that_ends_the_process_makes_it_exit_with_an_error(
    tmp_path: Path, code: int
) -> None:
    (tmp_path / "leaving.py").write_text(PLUGIN.replace("{code}", str(code)))
    info = tmp_path / "leaving-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: leaving\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[wf.plugins]\nleaving = leaving\n")
    (tmp_path / "order.yaml").write_text(DOCUMENT)
    done = wf(tmp_path, "run", "order.yaml")
    assert done.returncode == 1, done.stderr
    assert "a hook ended this process (os._exit)" in done.stderr
    assert "Running" in wf(tmp_path, "list").stdout
