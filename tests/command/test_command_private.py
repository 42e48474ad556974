"""C16: folders that wf makes are for its account alone (0700), and so are its files (0600)."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wf_core.cli.app import run

DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
    - name: one
      stepTemplate: {type: command, parameters: {run: 'true', rollback: 'true'}}
    - name: two
      dependOns: [{name: one}]
      stepTemplate: {type: command, parameters: {run: 'exit 1', rollback: 'true'},
                     retryPolicy: {runRetryLimit: 0}}
"""


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_c16_whatever_the_umask_nobody_else_can_look_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("w.yaml").write_text(DOCUMENT)
    top = tmp_path / "new"
    store = f"sqlite:{top / 'deep' / 'wf.db'}"
    assert run(["run", str(tmp_path / "w.yaml"), "--store", store]) == 3, capsys.readouterr().err
    found = {path: stat.S_IMODE(path.lstat().st_mode) for path in (top, *top.rglob("*"))}
    assert any("steps" in path.name for path in found)
    wrong = {
        str(path): oct(mode)
        for path, mode in found.items()
        if mode != (0o700 if path.is_dir() else 0o600)
    }
    assert wrong == {}
