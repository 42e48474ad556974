"""The chart on a real API server: accepted, upgraded, taken away. No node is needed for that."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest
import yaml
from tests.cluster.connection import own
from tests.cluster.control_plane import running
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.k8s.chart_helm import CASES, CHART, Helm, only
from tests.k8s.controller_process import until
from tests.k8s.crd_objects import Json, Sagas, step, workflow

pytestmark = pytest.mark.slow

POLICY_KINDS = (
    "mutatingadmissionpolicies,mutatingadmissionpolicybindings,"
    "validatingadmissionpolicies,validatingadmissionpolicybindings"
)
CLUSTER_KINDS = f"{POLICY_KINDS},clusterroles,clusterrolebindings,priorityclasses,flowschemas"


@attrs.frozen
class Site:
    """A cluster in which nobody installed anything, and the namespace of the release."""

    helm: Helm
    kubectl: Kubectl
    namespace: str = "workflow-system"

    def install(self, chart: Path = CHART, values: Json | None = None) -> Json:
        """Install or upgrade; the objects of the release, as rendered."""
        where = ("--namespace", self.namespace, "--create-namespace")
        self.helm("upgrade", "--install", "wf", str(chart), *where, values=values or {})
        text = self.helm("get", "manifest", "wf", "--namespace", self.namespace)
        return {
            f"{each['kind']}/{each['metadata']['name']}": each
            for each in yaml.safe_load_all(text)
            if each
        }

    def ours_in_the_cluster(self) -> list[str]:
        """What the release left in the whole cluster, by kind and name."""
        ours = ("-l", "app.kubernetes.io/instance=wf")
        return self.kubectl("get", CLUSTER_KINDS, *ours, "-o", "name").split()


@pytest.fixture
def site(
    helm: Helm,
    control_plane_programs: Mapping[str, Path],
    kubectl_program: Path,
    tmp_path: Path,
) -> Iterator[Site]:
    with running(control_plane_programs, tmp_path / "plane") as plane:
        cluster = own(plane)
        kubectl = Kubectl(kubectl_program, cluster.kubeconfig, tmp_path)
        yield Site(attrs.evolve(helm, kubeconfig=cluster.kubeconfig), kubectl)


def create_soon(sagas: Sagas, document: Json) -> Json:
    """Create it: a definition counts a moment after it was accepted."""

    def create() -> Json | None:
        try:
            return sagas.create(document)
        except KubectlError:
            return None

    return until(create, "the definition counts")


def an_older_chart(folder: Path) -> Path:
    """The chart as it was before Workflow got a column and a field."""
    older = folder / "older"
    shutil.copytree(CHART, older)
    file = older / "files/crd.yaml"
    crd = yaml.safe_load(file.read_text())
    (version,) = crd["spec"]["versions"]
    version["additionalPrinterColumns"] = version["additionalPrinterColumns"][:1]
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["priority"]
    rules = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"]
    rules[:] = [rule for rule in rules if "priority" not in rule["rule"]]
    file.write_text(yaml.safe_dump(crd))
    chart = yaml.safe_load((older / "Chart.yaml").read_text())
    (older / "Chart.yaml").write_text(yaml.safe_dump({**chart, "version": "0.0.9"}))
    return older


def test_it_is_installed_upgraded_and_taken_away_and_the_workflows_stay(
    site: Site, tmp_path: Path
) -> None:
    site.install(an_older_chart(tmp_path))
    sagas = Sagas(site.kubectl, "default")
    create_soon(sagas, workflow(step("a")))
    assert "unknown field" in sagas.refused(workflow(step("a"), name="other", priority=3))

    installed = site.install(values={"replicas": 3})
    assert site.kubectl.json("-n", site.namespace, "get", "deploy", "wf")["spec"]["replicas"] == 3
    made = create_soon(sagas, workflow(step("a"), name="other", priority=3))
    assert made["spec"]["priority"] == 3
    assert "ClusterRole/workflow-system.wf" in installed
    notes = site.helm("get", "notes", "wf", "--namespace", site.namespace)
    assert f"kubectl -n {site.namespace} rollout status deployment/wf" in notes
    assert f"helm -n {site.namespace} test wf" in notes
    assert "WARNING" not in notes
    assert site.ours_in_the_cluster()

    site.helm("uninstall", "wf", "--namespace", site.namespace)
    assert site.ours_in_the_cluster() == []
    assert {each["metadata"]["name"] for each in site.kubectl.json("get", "saga")["items"]} == {
        *("order", "other")
    }
    # A new release takes over what the old one kept.
    site.install()
    assert sagas.get()["spec"]["steps"]


def apply_definitions(site: Site) -> None:
    for name in ("crd.yaml", "crd-schedules.yaml"):
        site.kubectl("apply", "--server-side", "-f", str(CHART / "files" / name))


def test_a_definition_that_kubectl_installed_is_taken_over_when_asked(site: Site) -> None:
    apply_definitions(site)
    where = ("--namespace", site.namespace, "--create-namespace")
    refused = site.helm.run("install", "wf", str(CHART), *where)
    assert "cannot be imported into the current release" in refused.stderr
    site.helm("install", "wf", str(CHART), *where, "--take-ownership", "--force-conflicts")


@pytest.mark.parametrize("case", ["default", "namespaced", "everything"])
def test_the_api_server_accepts_every_object_and_the_pods_are_restricted(
    site: Site, case: str
) -> None:
    values = yaml.safe_load((CASES / f"{case}.values.yaml").read_text())
    for namespace in ("workflow-system", "orders", "billing", "leases"):
        site.kubectl("create", "namespace", namespace)
    level = "pod-security.kubernetes.io/enforce=restricted"
    site.kubectl("label", "namespace", "workflow-system", level)
    site.kubectl("create", "priorityclass", "very-important", "--value=7")
    apply_definitions(site)
    documents = site.helm.documents(values=values)
    # Their definitions are the Prometheus operator's.
    theirs = ("ServiceMonitor", "PrometheusRule")
    ours = [each for each in documents if each["kind"] not in theirs]
    ours.sort(key=lambda each: each["kind"] in ("Deployment", "Pod"))
    deployment = only(documents, "Deployment")
    template = deployment["spec"]["template"]
    template["metadata"] |= {"name": "as-the-deployment-would", "namespace": "workflow-system"}
    site.kubectl(
        *("apply", "--server-side", "--validate=strict", "--force-conflicts", "-f", "-"),
        stdin=json.dumps(
            {
                "apiVersion": "v1",
                "kind": "List",
                "items": [*ours, {"apiVersion": "v1", "kind": "Pod", **template}],
            }
        ),
    )
    pod = site.kubectl.json("-n", "workflow-system", "get", "pod", "as-the-deployment-would")
    volumes = {each["name"] for each in pod["spec"]["volumes"]}
    assert volumes == {each["name"] for each in template["spec"]["volumes"]}
    plugin_images = [each for each in pod["spec"]["volumes"] if "image" in each]
    assert len(plugin_images) == len(values.get("plugins", {}).get("images", ()))
