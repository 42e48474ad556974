"""A step that waits for approval in a cluster is answered by `wf` and by kubectl alike."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cluster.connection import Cluster
from tests.k8s.controller_process import Controllers, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, put, request, step, workflow


def gated(name: str) -> Json:
    template = {"type": "approval", "parameters": {"message": "Go?", "deadlineSeconds": 600}}
    return workflow(step("a"), step("gate", "a", stepTemplate=template), name=name)


def await_gate(sagas: Sagas, name: str) -> None:
    def waits() -> bool | None:
        found = sagas.get(name)["status"]["steps"].get("gate", {})
        return found.get("inProgress") or None

    until(waits, "the gate waits")


def wf(kubeconfig: Path, namespace: str, *arguments: str) -> str:
    """What `wf ARGUMENTS` says as the user of a kubeconfig."""
    done = subprocess.run(
        [sys.executable, "-m", "wf_core.cli.main", "--store", f"k8s:/{namespace}", *arguments],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_name_is_that_of_the_cluster_s_user(
    controllers: Controllers, sagas: Sagas, cluster: Cluster
) -> None:
    me = sagas.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    controllers.leader()
    sagas.create(gated("order"))
    await_gate(sagas, "order")
    said = wf(cluster.kubeconfig, sagas.namespace, "approve", "order", "--reason", "yes")
    assert f"step 'gate' is approved by {me}: yes" in said
    attributes = await_phase(sagas, "Success")["status"]["steps"]["gate"]["attributes"]
    assert (attributes["approvedBy"], attributes["reason"]) == (me, "yes")


def test_kubectl_rejects_by_one_request_more(controllers: Controllers, sagas: Sagas) -> None:
    controllers.leader()
    sagas.create(gated("order"))
    await_gate(sagas, "order")
    value = {"approved": False, "by": "ann", "reason": "no"}
    sagas.patch(put("/spec/requests", [request("r1", "Signal", name="gate", value=value)]))
    assert "rejected by ann: no" in await_phase(sagas, "RollBacked")["status"]["cause"]
