"""Service accounts with the rights that a test grants, and the tokens that pods get."""

from collections.abc import Sequence
from pathlib import Path

import attrs
from tests.cluster import kubeconfig
from tests.cluster.connection import Cluster
from tests.cluster.kubectl import Kubectl
from tests.k8s.crd_objects import Json

from wf_k8s import rbac

NAME = "wf-controller"
GROUP = "rbac.authorization.k8s.io"


def granted(namespace: str, rules: Sequence[rbac.Rule], subject: Json) -> list[Json]:
    """A role with these rules, and what binds it to the subject, in a namespace."""
    head = {"apiVersion": f"{GROUP}/v1", "metadata": {"name": NAME, "namespace": namespace}}
    return [
        {**head, "kind": "Role", "rules": [rule.document() for rule in rules]},
        {
            **head,
            "kind": "RoleBinding",
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": NAME},
            "subjects": [subject],
        },
    ]


@attrs.frozen
class ServiceAccount:
    """One of a namespace, made by `with_rights`."""

    kubectl: Kubectl
    namespace: str

    @property
    def user(self) -> str:
        """As the API server calls it."""
        return f"system:serviceaccount:{self.namespace}:{NAME}"

    def grant(self, rules: Sequence[rbac.Rule]) -> None:
        """Let it do this and nothing else."""
        subject = {"kind": "ServiceAccount", "name": NAME, "namespace": self.namespace}
        self.kubectl.apply(*granted(self.namespace, rules, subject))

    def token(self) -> str:
        """One that is good for an hour."""
        return self.kubectl("create", "token", NAME, "-n", self.namespace).strip()

    def revocable(self, secret: str) -> str:
        """One that is good as long as that secret, which is made for it, is there."""
        self.kubectl("create", "secret", "generic", secret, "-n", self.namespace)
        bound = (f"--bound-object-name={secret}", "--bound-object-kind=Secret")
        return self.kubectl("create", "token", NAME, "-n", self.namespace, *bound).strip()

    def revoke(self, secret: str) -> None:
        """Delete it; within ten seconds the API server believes its token no more."""
        self.kubectl("delete", "secret", secret, "-n", self.namespace)

    def kubeconfig(self, cluster: Cluster, file: Path) -> Path:
        """A kubeconfig that speaks as it."""
        return kubeconfig.write(file, url=cluster.url, ca=cluster.ca, user=NAME, token=self.token())


def with_rights(kubectl: Kubectl, namespace: str, rules: Sequence[rbac.Rule]) -> ServiceAccount:
    """Make the namespace's account."""
    kubectl("create", "serviceaccount", NAME, "-n", namespace)
    made = ServiceAccount(kubectl, namespace)
    made.grant(rules)
    return made
