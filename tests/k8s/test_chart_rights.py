"""A release at work: the controller and the chart's own test run here with the arguments, the
configuration and the service accounts that the chart gives them, and with no other rights."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
import yaml
from tests.cluster import kubeconfig
from tests.cluster.connection import Cluster
from tests.k8s.chart_helm import CHART, Helm, only
from tests.k8s.controller_process import ControllerProcess, until
from tests.k8s.crd_objects import Json, Sagas
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow


@attrs.frozen
class Release:
    """A release of the chart whose pods are processes of this machine."""

    name: str
    documents: list[Json]
    sagas: Sagas
    cluster: Cluster
    folder: Path

    def as_account(self, account: str) -> dict[str, str]:
        """The environment of a process that speaks as a service account of the release."""
        namespace = self.sagas.namespace
        token = self.sagas.kubectl("-n", namespace, "create", "token", account).strip()
        file = kubeconfig.write(
            self.folder / account,
            url=self.cluster.url,
            ca=self.cluster.ca,
            user=account,
            token=token,
            namespace=namespace,
        )
        state = {"XDG_STATE_HOME": str(self.folder), "HOME": str(self.folder)}
        return {**os.environ, **state, "KUBECONFIG": str(file)}

    def command(self, arguments: list[str], files: dict[str, str]) -> list[str]:
        """What a container runs, with the files of its config maps where they are here."""
        given = [*arguments]
        for path, text in files.items():
            here = self.folder / Path(path).name
            here.write_text(text)
            given = [each.replace(path, str(here)) for each in given]
        return [sys.executable, "-m", "wf_core.cli.main", *given]


@pytest.fixture
def release(
    cluster: Cluster, cluster_helm: Helm, sagas: Sagas, tmp_path: Path
) -> Iterator[Release]:
    name = f"r-{sagas.namespace}"
    where = ("--namespace", sagas.namespace)
    # By its namespaces: what other tests do in this cluster is not its concern.
    values = {"namespaces": [sagas.namespace], "crd": {"create": False}, "metrics": {"port": 8099}}
    cluster_helm("install", name, str(CHART), *where, values=values)
    text = cluster_helm("get", "manifest", name, *where)
    hooks = cluster_helm("get", "hooks", name, *where)
    documents = [each for each in yaml.safe_load_all(f"{text}\n---\n{hooks}") if each]
    try:
        yield Release(name, documents, sagas, cluster, tmp_path)
    finally:
        cluster_helm("uninstall", name, *where)


def test_the_release_runs_its_own_test(release: Release) -> None:
    fullname = only(release.documents, "Deployment")["metadata"]["name"]
    deployment = only(release.documents, "Deployment")
    (controller,) = deployment["spec"]["template"]["spec"]["containers"]
    config = only(release.documents, "ConfigMap", fullname)["data"]["config.yaml"]
    arguments = [each.replace("8099", "0") for each in controller["args"]]
    log = release.folder / "controller.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            release.command(arguments, {"/etc/wf/config.yaml": config}),
            env=release.as_account(fullname),
            stdout=out,
            stderr=out,
        )
    leader = ControllerProcess(process, log)
    try:
        leader.await_said("leading as")
        leader.await_ready()
        run_test(release, f"{fullname}-test")
        assert leader.end() == 0
        refused = [line for line in leader.lines() if "HTTP 403" in line["message"]]
        assert refused == []
    finally:
        process.kill()
        process.wait()


def test_the_api_server_gives_its_requests_the_lanes_of_the_chart(release: Release) -> None:
    fullname = only(release.documents, "Deployment")["metadata"]["name"]
    kubectl = release.sagas.kubectl.speaking_from(Path(release.as_account(fullname)["KUBECONFIG"]))
    lanes = {
        each["metadata"]["uid"]: each["spec"]["priorityLevelConfiguration"]["name"]
        for each in release.sagas.kubectl.json("get", "flowschemas")["items"]
    }

    def lane(*arguments: str) -> str | None:
        said = kubectl.run("-n", release.sagas.namespace, *arguments, "-v=8").stderr
        found = re.search(r"X-Kubernetes-Pf-Flowschema-Uid: (\S+)", said, re.IGNORECASE)
        return lanes.get(found[1]) if found else None

    until(
        lambda: lane("get", "leases", fullname) == "leader-election" or None,
        "the Lease has its own lane",
    )
    # A flow schema counts from when the API server has seen it, each by itself.
    until(lambda: lane("get", "saga") == "workload-high" or None, "so has all else")


def run_test(release: Release, name: str) -> None:
    """As `helm test` would, container by container."""
    granted = [
        each
        for each in release.documents
        if each["metadata"]["name"] == name and each["kind"] not in ("Pod", "ConfigMap")
    ]
    release.sagas.kubectl.apply(*granted)
    pod = only(release.documents, "Pod")["spec"]
    workflow = only(release.documents, "ConfigMap", name)["data"]["workflow.yaml"]
    environment = release.as_account(name)
    for container in (*pod["initContainers"], *pod["containers"]):
        done = subprocess.run(
            release.command(container["args"], {"/etc/wf/workflow.yaml": workflow}),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{container['name']}: {done.stdout}{done.stderr}"
    left = release.sagas.kubectl.json("-n", release.sagas.namespace, "get", "saga")
    assert left["items"] == [], json.dumps(left)
