"""The image of the controller, made without a registry, runs on the node."""

from tests.cluster.node import Node
from tests.e2e.pods import Json, Pods
from tests.k8s.controller_process import await_phase
from tests.k8s.crd_objects import Sagas, step, workflow

from wf_k8s import rbac

ASKS = """
import os, pathlib, ssl, urllib.request
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
trusted = ssl.create_default_context(cafile=account / "ca.crt")
url = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}/apis/authentication.k8s.io/v1"
headers = {"Authorization": "Bearer " + (account / "token").read_text()}
request = urllib.request.Request(url, headers=headers)
print(urllib.request.urlopen(request, timeout=10, context=trusted).status, os.getuid())
"""


def restricted(image: str, *command: str, **more: object) -> Json:
    """A container with as few rights as the strictest namespaces ask for."""
    return {
        "name": "main",
        "image": image,
        **({"command": list(command)} if command else {}),
        "securityContext": {
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **more,
    }


def test_the_image_has_wf_and_its_plugins(pods: Pods, wf_image: str) -> None:
    pods.run("plugins", containers=[restricted(wf_image, args=["plugins"])])
    pods.await_phase("plugins", "Succeeded")
    for plugin in ("k8s", "random"):
        assert plugin in pods.logs("plugins")


def test_a_pod_speaks_to_the_api_server_as_its_service_account(
    node: Node, pods: Pods, wf_image: str
) -> None:
    pods.run("asks", containers=[restricted(wf_image, "/usr/local/bin/python3", "-c", ASKS)])
    pod = pods.await_phase("asks", "Succeeded")
    assert pods.logs("asks") == "200 65532\n"
    assert pod["status"]["podIP"].rpartition(".")[0] == node.gateway.rpartition(".")[0]


def controller(namespace: str, image: str) -> list[Json]:
    """A controller of one namespace, in a pod there, with the rights that it needs."""
    group = "rbac.authorization.k8s.io"
    head = {"name": "wf", "namespace": namespace}
    read = (*rbac.WORKFLOWS, *rbac.SCHEDULES, *rbac.TASKS)  # it is ready once it can
    rules = [*read, *rbac.lease(f"wf-controller.{namespace}")]
    args = ["controller", "--config=/etc/wf/wf.yaml", f"--namespace={namespace}"]
    mounts = [{"name": "config", "mountPath": "/etc/wf"}, {"name": "tmp", "mountPath": "/tmp"}]
    volumes = [{"name": "config", "configMap": {"name": "wf"}}, {"name": "tmp", "emptyDir": {}}]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": head},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": head,
            "data": {"wf.yaml": f"namespace: {namespace}\n"},
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "Role",
            "metadata": head,
            "rules": [rule.document() for rule in rules],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": head,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "wf"},
            "subjects": [{"kind": "ServiceAccount", **head}],
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": head,
            "spec": {
                "serviceAccountName": "wf",
                "containers": [
                    restricted(
                        image,
                        args=args,
                        volumeMounts=mounts,
                        readinessProbe={
                            "httpGet": {"path": "/readyz", "port": 8080},
                            "periodSeconds": 1,
                        },
                    )
                ],
                "volumes": volumes,
            },
        },
    ]


def test_the_controller_runs_sagas_from_within_the_cluster(
    sagas: Sagas, pods: Pods, wf_image: str
) -> None:
    sagas.kubectl(
        *("label", "namespace", sagas.namespace, "pod-security.kubernetes.io/enforce=restricted")
    )
    sagas.kubectl.apply(*controller(sagas.namespace, wf_image))
    sagas.create(workflow(step("a"), step("b", "a")))
    sagas.kubectl(
        *("wait", "pod/wf", "--for=condition=Ready", f"--namespace={sagas.namespace}"),
        "--timeout=50s",
    )
    await_phase(sagas, "Success")
    assert '"leading as' in pods.logs("wf")
