"""Where a flood is played: the chart installed on a control plane, its controller as a process, and
people who have its rights in a namespace each."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml
from tests.campaign.noted_kind import installed
from tests.cluster import kubeconfig
from tests.cluster.connection import Cluster, own
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.k8s.chart_helm import CHART, Helm, only
from tests.k8s.controller_process import Controllers
from tests.k8s.crd_objects import Json, define

SYSTEM = "workflow-system"
VICTIM = "victim"
FUZZING = "hostile-fuzz"
ACCOUNT = "author"
HOURS = "12h"
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
LOCAL: Mapping[str, str] = {"WF_HTTP_ALLOW": "127.0.0.1"}
RECEIVERS: Json = {"callbacks": {"publicOnly": False}}
"""Beyond the chart: the hostile servers and receivers are on this machine."""


@attrs.frozen
class Charted:
    """What the chart runs as its controller: its configuration, the options of its command line,
    its variables, and its limit of memory in bytes."""

    config: Json
    options: tuple[str, ...]
    environment: Mapping[str, str]
    memory: int
    lease_seconds: int


def charted(documents: list[Json], folder: Path) -> Charted:
    """Read out of what helm rendered. What names a place in the container is in `folder`."""
    config = yaml.safe_load(only(documents, "ConfigMap", "wf")["data"]["config.yaml"])
    container = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    own_way = ("--config", "--metrics-port", "--open-folder", "--lease-seconds")
    arguments = container["args"][1:]
    options = [each for each in arguments if not each.startswith(own_way)]
    lease = next(each for each in arguments if each.startswith("--lease-seconds"))
    memory = re.fullmatch(r"(\d+)(\w+)", container["resources"]["limits"]["memory"])
    assert memory is not None
    return Charted(
        config,
        (*options, f"--open-folder={folder / 'open'}"),
        {each["name"]: each["value"] for each in container.get("env", ())},
        int(memory[1]) * UNITS[memory[2]],
        int(lease.partition("=")[2]),
    )


@attrs.define
class Site:
    """A control plane with the chart on it."""

    plane: ControlPlane
    kubectl: Kubectl
    folder: Path
    charted: Charted
    calls: Path

    @property
    def cluster(self) -> Cluster:
        return own(self.plane)

    def controllers(self, before: tuple[str, ...]) -> Controllers:
        """What starts the chart's controller, under the chart's account; `before` goes before its
        command."""
        environment = {
            **self.charted.environment,
            **LOCAL,
            **installed(self.folder / "site", self.calls),
        }
        return Controllers(
            self.cluster,
            SYSTEM,
            self.folder,
            environment,
            kubeconfig=self.person("wf", SYSTEM),
            before=before,
            everywhere=True,
        )

    def options(self) -> Mapping[str, Any]:
        """Those of `Controllers.start`."""
        config = {**self.charted.config, **RECEIVERS}
        return {"lease_seconds": self.charted.lease_seconds, **config}

    def author(self, namespace: str) -> Path:
        """The kubeconfig of somebody who may view and edit workflows there, and nothing else."""
        kinds = ("edit", "view")
        subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
        group = "rbac.authorization.k8s.io"
        self.kubectl.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": ACCOUNT, "namespace": namespace},
            },
            *(
                {
                    "apiVersion": f"{group}/v1",
                    "kind": "RoleBinding",
                    "metadata": {"name": kind, "namespace": namespace},
                    "roleRef": {
                        "apiGroup": group,
                        "kind": "ClusterRole",
                        "name": f"{SYSTEM}.wf.{kind}",
                    },
                    "subjects": [subject],
                }
                for kind in kinds
            ),
        )
        return self.person(ACCOUNT, namespace)

    def person(self, account: str, namespace: str) -> Path:
        """The kubeconfig of a service account."""
        made = self.kubectl("create", "token", account, "-n", namespace, f"--duration={HOURS}")
        return kubeconfig.write(
            self.folder / f"{namespace}-{account}.kubeconfig",
            url=self.plane.url,
            ca=self.plane.ca,
            user=account,
            token=made.strip(),
            namespace=namespace,
        )


def installed_chart(plane: ControlPlane, programs: Mapping[str, Path], folder: Path) -> Site:
    """Install the chart. Its Deployment runs nowhere, as there are no nodes."""
    kubectl = Kubectl(programs["kubectl"], plane.kubeconfig(), folder / "kubectl")
    define(kubectl)
    helm = Helm(programs["helm"], folder / "helm", plane.kubeconfig())
    where = ("--namespace", SYSTEM, "--create-namespace")
    helm("upgrade", "--install", "wf", str(CHART), *where, values={"crd": {"create": False}})
    text = helm("get", "manifest", "wf", "--namespace", SYSTEM)
    documents = [each for each in yaml.safe_load_all(text) if each]
    calls = folder / "calls"
    calls.touch()
    (folder / "open").mkdir()
    return Site(plane, kubectl, folder, charted(documents, folder), calls)
