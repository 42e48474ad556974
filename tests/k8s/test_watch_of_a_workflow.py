"""`wf watch` on a cluster, while a controller runs the workflow."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from tests.k8s.controller_process import Controllers, Notes, until
from tests.k8s.crd_objects import Sagas, workflow
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow


@attrs.frozen
class Watch:
    """`wf watch order`, and what it wrote."""

    process: "subprocess.Popen[bytes]"
    out: Path

    def await_said(self, text: str) -> None:
        until(lambda: text in self.out.read_text() or None, f"it says '{text}'")


@pytest.fixture
def watch(sagas: Sagas, controllers: Controllers, notes: Notes, tmp_path: Path) -> Iterator[Watch]:
    """Of a workflow whose first step waits until the file `go` is there."""
    controllers.leader()
    wait = f"while [ ! -e {tmp_path / 'go'} ]; do sleep 0.05; done"
    sagas.create(workflow(notes.step("a", then=wait), notes.step("b", "a"), notes.step("c", "b")))
    kubeconfig = str(sagas.kubectl.kubeconfig)
    command = [sys.executable, "-m", "wf_core.cli.main", "watch", "order"]
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--store=k8s:/{sagas.namespace}"],
            env={**os.environ, "KUBECONFIG": kubeconfig, "XDG_STATE_HOME": str(tmp_path)},
            stdout=out,
            stderr=out,
        )
    made = Watch(process, tmp_path / "out")
    try:
        made.await_said("a Pending -> Running")
        yield made
    finally:
        (tmp_path / "go").touch()
        process.kill()
        process.wait()


def test_a_workflow_is_watched_to_its_end(watch: Watch, tmp_path: Path) -> None:
    """Its namespace stands in the store's address alone, as with `kubectl wf -n`."""
    (tmp_path / "go").touch()
    assert watch.process.wait(PATIENCE) == 0, watch.out.read_text()
    watch.await_said("c Running -> Success")


def test_ctrl_c_ends_the_watching_and_not_the_workflow(watch: Watch, sagas: Sagas) -> None:
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(PATIENCE) == 130
    assert sagas.get()["status"]["phase"] == "Running"
