"""Secrets read through a real API server, by who may get just these."""

from pathlib import Path

import attrs
import pytest
from tests.cluster.connection import Cluster
from tests.cluster.kubectl import Kubectl
from tests.http.http_bench import KIND, logged, running
from tests.http.http_server import Server, answers, serving
from tests.k8s.service_accounts import with_rights

from wf_core.kinds import Retryable
from wf_core.testing.calls import RecordedCall
from wf_k8s import rbac

ALLOWED = rbac.Rule("", ("secrets",), ("get",), ("shop",))


def call(server: Server, namespace: str, name: str = "shop", key: str = "token") -> RecordedCall:
    """A run in a workflow of `namespace` that needs a key of a Secret."""
    made = running(
        server.url(),
        headers={"Authorization": {"secret": "token"}},
        secrets={"token": {"kubernetesSecret": {"name": name, "key": key}}},
    )
    return attrs.evolve(made, namespace=namespace, store=f"k8s:/{namespace}")


@pytest.fixture
def granted(
    kubectl: Kubectl,
    cluster: Cluster,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A namespace with two Secrets, of which we may get the first and nothing else."""
    for name in ("shop", "other"):
        literal = f"--from-literal=token=value-of-{name}"
        kubectl("-n", namespace, "create", "secret", "generic", name, literal)
    account = with_rights(kubectl, namespace, (ALLOWED,))
    monkeypatch.setenv("KUBECONFIG", str(account.kubeconfig(cluster, tmp_path / "kubeconfig")))
    return namespace


def test_a_secret_that_was_granted_by_name_is_read_and_others_are_not(granted: str) -> None:
    with serving(answers(200)) as server:
        made = call(server, granted)
        KIND.run(made)
        assert server.got[0].headers["authorization"] == "value-of-shop"
        assert "value-of" not in logged(made)
        for name, key, sentence in (
            ("other", "token", f"the Secret {granted}/other can't be read: .*forbidden.*grant it"),
            ("shop", "none", f"the Secret {granted}/shop has no key 'none'"),
        ):
            with pytest.raises(Retryable, match=sentence):
                KIND.run(call(server, granted, name, key))
        with pytest.raises(Retryable, match=r"can't be read: .*forbidden"):
            KIND.run(call(server, "kube-system", "shop"))
    assert len(server.got) == 1


def test_an_api_server_that_is_away_says_so(
    granted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with serving(answers(200)) as server, pytest.raises(Retryable, match="can't be read"):
        KIND.run(call(server, granted))
