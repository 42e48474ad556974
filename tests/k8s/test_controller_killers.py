"""A workflow that kills whichever controller runs it: found out across pods, since what was open at
a death is told by the Lease (semantics B3)."""

import json
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from tests.k8s.child_plugin import install
from tests.k8s.controller_process import ControllerProcess, Controllers, until
from tests.k8s.crd_objects import Json, Sagas, put, request, step, workflow
from tests.k8s.test_controller_deletion import await_gone, delete

from wf_k8s.leadership.suspects import ANNOTATION

MODULE = """
import os, signal
import attrs
from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind

@attrs.frozen
class Parameters:
    where: str = ""
    spared: str = ""
    def __attrs_post_init__(self):
        if self.where == "reading" and not os.path.exists(self.spared):
            os.abort()

class Deadly(StepKind):
    name = "deadly"
    Parameters = Parameters
    def run(self, call):
        if call.parameters.where == "running":
            os.kill(os.getpid(), signal.SIGKILL)
    def rollback(self, call): pass

@hookimpl
def wf_step_kinds():
    return [Deadly()]
"""
MOST_DEATHS = 5
"""Three alone, one more for the remark that can't be made, at most one beside something else."""


def deadly(where: str, spared: Path) -> Json:
    parameters = {"where": where, "spared": str(spared)}
    return step("a", stepTemplate={"type": "deadly", "parameters": parameters})


@attrs.define
class Pods:
    """Two pods with a container each, which is started again there whenever it ends."""

    controllers: Controllers
    deaths: int = 0
    containers: dict[str, ControllerProcess] = attrs.field(factory=dict)

    def until(self, look: Callable[[], object], what: str) -> None:
        """Keep them running until `look` gives something."""

        def kept() -> object:
            for pod in ("one", "two"):
                before = self.containers.get(pod)
                if before is None or before.process.poll() is not None:
                    self.deaths += before is not None
                    assert self.deaths <= MOST_DEATHS, f"{what}: too many died"
                    folder = self.controllers.folder / pod
                    self.containers[pod] = self.controllers.start(
                        "--open-folder", str(folder), lease_seconds=4
                    )
            return look() or None

        until(kept, what)

    def stopped(self) -> None:
        """End them; they are started again as what is there is kept running."""
        for container in self.containers.values():
            if container.process.poll() is None:
                container.end()
        self.containers = {}


@pytest.fixture
def pods(controllers: Controllers, tmp_path: Path) -> Pods:
    """Whose controllers know the kind `deadly`."""
    controllers.environment = install(tmp_path, "deadly", MODULE)
    return Pods(controllers)


def suspects(sagas: Sagas) -> Json:
    """What the Lease says was open at deaths."""
    name = f"wf-controller.{sagas.namespace}"
    found = sagas.kubectl.json("-n", sagas.namespace, "get", "lease", name)
    said = found["metadata"].get("annotations", {}).get(ANNOTATION, "{}")
    noted: Json = json.loads(said)
    return noted


def phase(sagas: Sagas, name: str) -> str:
    status = sagas.get(name).get("status", {})
    return str(status.get("phase", ""))


def test_b3_what_kills_whoever_takes_it_up_is_left_alone_by_controllers_of_all_pods(
    sagas: Sagas, pods: Pods, tmp_path: Path
) -> None:
    spared = tmp_path / "spared"
    sagas.create(workflow(deadly("reading", spared), name="poison"))
    pods.until(lambda: _killer(sagas), "the killer is said to be one")
    assert 3 <= pods.deaths <= MOST_DEATHS
    uid = sagas.get("poison")["metadata"]["uid"]
    assert suspects(sagas)["taking_up"][uid] >= 3
    sagas.create(workflow(name="other"))
    pods.until(lambda: phase(sagas, "other") == "Success", "others go on")
    assert phase(sagas, "poison") in ("", "Pending")
    # A person who mended what was wrong has it tried again.
    spared.touch()
    sagas.patch(put("/spec/requests", [request("again", "RetryRun")]), name="poison")
    pods.until(lambda: phase(sagas, "poison") == "Success", "the killer runs")
    pods.until(lambda: not suspects(sagas).get("taking_up"), "nothing is held against it any more")


def _killer(sagas: Sagas) -> bool:
    conditions = sagas.get("poison").get("status", {}).get("conditions", [])
    return any("kills the engine" in each["message"] for each in conditions)


def test_b3_a_killer_that_is_deleted_goes_and_its_name_is_free(
    sagas: Sagas, pods: Pods, tmp_path: Path
) -> None:
    spared = tmp_path / "spared"
    sagas.create(workflow(deadly("reading", spared), name="poison"))
    pods.until(lambda: _killer(sagas), "the killer is said to be one")
    delete(sagas, "poison")
    await_gone(sagas, "poison")
    pods.until(lambda: not suspects(sagas).get("taking_up"), "its record went with it")
    sagas.create(workflow(name="poison"))
    pods.until(lambda: phase(sagas, "poison") == "Success", "what is made anew runs")


def test_b3_a_hook_that_kills_every_controller_is_undone_after_three_deaths(
    sagas: Sagas, pods: Pods, tmp_path: Path
) -> None:
    sagas.create(workflow(deadly("running", tmp_path / "never"), name="poison"))
    pods.until(lambda: phase(sagas, "poison") == "RollBacked", "the killer is undone")
    # At most two beside its own taking up, which is what it may have died of as well.
    assert 3 <= pods.deaths <= MOST_DEATHS
    (state,) = sagas.get("poison")["status"]["steps"].values()
    assert "the process died 3 times while" in json.dumps(sagas.get("poison")["status"])
    assert state["attempt"] == 1
    # What a pod told of a death after all was over goes with the next leader.
    pods.stopped()
    pods.until(lambda: not suspects(sagas), "what was open is over")
