"""A controller with exactly the rights that the chart grants."""

from collections.abc import Sequence

import attrs
from tests.cluster.connection import Cluster
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, workflow

from wf_k8s import rbac

USER = "controller"


def granted(namespace: str, rules: Sequence[rbac.Rule]) -> list[Json]:
    """A role with these rules, bound to the user, in a namespace."""
    group = "rbac.authorization.k8s.io"
    head = {"apiVersion": f"{group}/v1", "metadata": {"name": USER, "namespace": namespace}}
    return [
        {**head, "kind": "Role", "rules": [rule.document() for rule in rules]},
        {
            **head,
            "kind": "RoleBinding",
            "roleRef": {"apiGroup": group, "kind": "Role", "name": USER},
            "subjects": [{"kind": "User", "name": USER, "apiGroup": group}],
        },
    ]


def test_the_rights_of_the_chart_are_enough(
    cluster: Cluster, sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    lease = rbac.lease(f"wf-controller.{sagas.namespace}")
    sagas.kubectl.apply(*granted(sagas.namespace, [*rbac.WORKFLOWS, *lease]))
    limited = attrs.evolve(cluster, kubeconfigs={"admin": cluster.kubeconfigs[USER]})
    controllers.cluster = limited
    leader = controllers.leader()
    sagas.create(workflow(notes.step("a"), notes.step("b", "a", then="exit 1")))
    await_phase(sagas, "RollBacked")
    sagas.create(workflow(notes.step("c", then="sleep 60"), name="other"))
    until(lambda: "run-c" in notes.lines() or None, "c runs")
    sagas.kubectl("-n", sagas.namespace, "delete", "saga", "other", "--wait=false")
    until(lambda: "undo-c" in notes.lines() or None, "c is undone")
    until(
        lambda: sagas.kubectl.run("-n", sagas.namespace, "get", "saga", "other").returncode or None,
        "the object goes",
    )
    assert leader.end() == 0
    assert [line for line in leader.lines() if "403" in line["message"]] == []


def test_a_missing_right_is_told_by_readiness_and_waited_for(
    cluster: Cluster, sagas: Sagas, controllers: Controllers
) -> None:
    lease = rbac.lease(f"wf-controller.{sagas.namespace}")
    sagas.kubectl.apply(*granted(sagas.namespace, lease))
    controllers.cluster = attrs.evolve(cluster, kubeconfigs={"admin": cluster.kubeconfigs[USER]})
    leader = controllers.leader()
    leader.await_said("403")
    assert "403" in until(lambda: leader.unready() or None, "it says why it is not ready")
    sagas.kubectl.apply(*granted(sagas.namespace, [*rbac.WORKFLOWS, *lease]))
    until(lambda: None if leader.unready() else True, "it is ready")
