"""The cluster of the tests: it serves the API, and each user may do what was granted."""

import json
from pathlib import Path

import pytest
from tests.cluster import kubeconfig
from tests.cluster.connection import Cluster
from tests.cluster.kubectl import Kubectl, KubectlError


def test_what_is_created_can_be_read(kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "configmap", "note", "--from-literal=text=kept", "-n", namespace)
    assert kubectl.json("get", "configmap", "note", "-n", namespace)["data"] == {"text": "kept"}


@pytest.fixture
def stranger(cluster: Cluster, kubectl: Kubectl, namespace: str, tmp_path: Path) -> Kubectl:
    """kubectl as a service account of the namespace, to which nothing was granted."""
    kubectl("create", "serviceaccount", "stranger", "-n", namespace)
    token = kubectl("create", "token", "stranger", "-n", namespace)
    file = kubeconfig.write(
        tmp_path / "kubeconfig", url=cluster.url, ca=cluster.ca, user="stranger", token=token
    )
    return kubectl.speaking_from(file)


def test_a_token_without_rights_is_refused(stranger: Kubectl, namespace: str) -> None:
    with pytest.raises(KubectlError, match="forbidden"):
        stranger("get", "configmaps", "-n", namespace)


def test_a_token_may_do_what_was_granted_and_no_more(
    kubectl: Kubectl, stranger: Kubectl, namespace: str
) -> None:
    kubectl(*f"create role reader --verb=list --resource=configmaps -n {namespace}".split())
    kubectl(
        *f"create rolebinding reader --role=reader -n {namespace}".split(),
        f"--serviceaccount={namespace}:stranger",
    )
    assert "items" in stranger.json("get", "configmaps", "-n", namespace)
    for refused in (
        ["get", "secrets", "-n", namespace],
        ["get", "configmaps", "-n", "default"],
        ["create", "configmap", "note", "-n", namespace],
    ):
        with pytest.raises(KubectlError, match="forbidden"):
            stranger(*refused)


def test_a_token_that_nobody_has_is_unauthorized(
    cluster: Cluster, kubectl: Kubectl, tmp_path: Path
) -> None:
    file = kubeconfig.write(
        tmp_path / "kubeconfig", url=cluster.url, ca=cluster.ca, user="nobody", token="guessed"
    )
    with pytest.raises(KubectlError, match="You must be logged in to the server"):
        kubectl.speaking_from(file)("get", "namespaces")


def test_a_named_user_is_known_and_has_no_rights(cluster: Cluster, kubectl: Kubectl) -> None:
    if "controller" not in cluster.kubeconfigs:
        pytest.skip("an existing cluster has no users of ours")
    controller = kubectl.speaking_from(cluster.kubeconfigs["controller"])
    assert controller.json("auth", "whoami")["status"]["userInfo"]["username"] == "controller"
    with pytest.raises(KubectlError, match="forbidden"):
        controller("get", "namespaces")


def test_the_url_token_and_authority_serve_without_the_kubeconfig(
    cluster: Cluster, kubectl: Kubectl, tmp_path: Path
) -> None:
    file = tmp_path / "empty"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config"}))
    said = kubectl.speaking_from(file)(
        f"--server={cluster.url}",
        f"--certificate-authority={cluster.ca}",
        f"--token={cluster.token}",
        "get",
        "--raw",
        "/readyz",
    )
    assert said == "ok"
