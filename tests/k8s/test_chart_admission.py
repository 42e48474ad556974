"""The chart's admission policies, on a real API server."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from tests.cluster.connection import Cluster
from tests.cluster.kubectl import Kubectl
from tests.k8s.chart_helm import CHART, Helm
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, cron, drop, put, request, step, task, workflow
from tests.k8s.store_fixtures import Stores

FINALIZER = "workflow.example.com/undo"
AUTHOR = "author"
NAMED = {"serviceAccountName": "builder"}
TAKEN = {"serviceAccountName": "cluster-admin"}


def finalizers(document: Json) -> list[str]:
    found: list[str] = document["metadata"].get("finalizers", [])
    return found


def pod_step(name: str = "a", **parameters: object) -> Json:
    template = {"type": "pod", "parameters": {"image": "busybox", "rollback": "none", **parameters}}
    return {"name": name, "stepTemplate": template}


def answered_by(name: str, id_: str = "r1") -> Json:
    """A request that approves in somebody's name."""
    value = {"approved": True, "by": name}
    return request(id_, "Signal", name="gate", value=value)


@pytest.fixture(scope="module")
def guarded(saga_kubectl: Kubectl, cluster_helm: Helm) -> Iterator[Sagas]:
    """A namespace that a release of the chart is for; the definition is there already."""
    namespace = f"test-{secrets.token_hex(4)}"
    saga_kubectl("create", "namespace", namespace)
    sagas = Sagas(saga_kubectl, namespace)
    where = ("--namespace", namespace)
    values = {
        "namespaces": [namespace],
        "crd": {"create": False},
        "podSteps": {"serviceAccounts": ["default", "builder"]},
    }
    cluster_helm("install", namespace, str(CHART), *where, values=values)
    try:
        # Policies that write need the definition, which the API server tells them a moment later.
        until(
            lambda: accepts(sagas, workflow(requests=[request("r1")])) or None,
            "the policies know the definition",
        )
        # A policy counts from when the API server has seen it, which nothing tells.
        until(
            lambda: None if accepts(sagas, workflow(pod_step(**TAKEN))) else True,
            "the policy about pods counts",
        )
        until(
            lambda: finalizers(created(sagas, workflow())) or None,
            "the policy about the finalizer counts",
        )
        until(
            lambda: None if accepts(sagas, workflow(requests=[answered_by("ann")])) else True,
            "the policy about approvals counts",
        )
        until(
            lambda: requesters(created(sagas, workflow(requests=[request("r1")]))) or None,
            "the policy about requesters counts",
        )
        yield sagas
    finally:
        cluster_helm("uninstall", namespace, *where)
        saga_kubectl("delete", "namespace", namespace, "--wait=false")


def requesters(document: Json) -> dict[str, str]:
    """Who made each request, by its id."""
    return {each["id"]: each["by"] for each in document["spec"]["requests"] if "by" in each}


def created(sagas: Sagas, document: Json) -> Json:
    """What it would be if it were created: admission is asked, and nothing is stored."""
    return sagas.create(document, "--dry-run=server")


def accepts(sagas: Sagas, document: Json) -> bool:
    """Whether it would be created."""
    dry = ("create", "--dry-run=server", "-f", "-", "-n", sagas.namespace)
    return sagas.kubectl.run(*dry, stdin=json.dumps(document)).returncode == 0


@pytest.fixture(scope="module")
def author(guarded: Sagas, cluster: Cluster) -> Sagas:
    """The same workflows for a user who may write them, and nothing else."""
    kubectl, namespace = guarded.kubectl, guarded.namespace
    verbs = "--verb=get,list,create,patch,update"
    kubectl(
        *("-n", namespace, "create", "role", "writer", verbs),
        "--resource=workflows,cronworkflows,tasks",
    )
    bind(guarded, "writer")
    return attrs.evolve(guarded, kubectl=kubectl.speaking_from(cluster.kubeconfigs[AUTHOR]))


def remove_all(sagas: Sagas) -> None:
    """Remove every workflow of the namespace. No controller is there to take finalizers off."""
    where = ("-n", sagas.namespace)
    sagas.kubectl(*where, "delete", "saga", "--all", "--wait=false")
    for name in sagas.kubectl(*where, "get", "saga", "-o", "name").split():
        sagas.kubectl(
            *(*where, "patch", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        )


def bind(sagas: Sagas, role: str) -> None:
    grant = ("create", "rolebinding", role, f"--role={role}", f"--user={AUTHOR}")
    sagas.kubectl("-n", sagas.namespace, *grant)


def test_11_the_finalizer_is_on_a_workflow_from_its_creation(guarded: Sagas) -> None:
    assert finalizers(created(guarded, workflow())) == [FINALIZER]


def test_11_finalizers_of_others_stay_and_none_comes_twice(guarded: Sagas) -> None:
    other = workflow(name="other")
    other["metadata"]["finalizers"] = ["example.com/audit"]
    assert finalizers(created(guarded, other)) == ["example.com/audit", FINALIZER]
    twice = workflow(name="twice")
    twice["metadata"]["finalizers"] = [FINALIZER]
    assert finalizers(created(guarded, twice)) == [FINALIZER]


def test_11_an_orphan_gets_none(guarded: Sagas) -> None:
    assert finalizers(created(guarded, workflow(deletionPolicy="Orphan"))) == []


def test_11_where_no_controller_would_take_it_off_it_is_not_put_on(
    guarded: Sagas, stores: Stores
) -> None:
    elsewhere = attrs.evolve(guarded, namespace=stores.another_namespace())
    assert finalizers(created(elsewhere, workflow())) == []


def test_d_a_request_bears_the_name_that_the_api_server_knows(author: Sagas) -> None:
    forged = [request("mine"), {**request("forged", "Suspend"), "by": "somebody-else"}]
    assert requesters(created(author, workflow(requests=forged))) == {
        "mine": AUTHOR,
        "forged": AUTHOR,
    }


def test_d_who_made_a_request_cannot_be_changed_by_anybody(guarded: Sagas, author: Sagas) -> None:
    author.create(workflow(name="signed", requests=[request("mine", "Suspend")]))
    for by in ("somebody-else", None):  # written anew, and left out by a later apply
        patch = [{"op": "add", "path": "/spec/requests/0/by", "value": by}]
        if by is None:
            patch = [{"op": "remove", "path": "/spec/requests/0/by"}]
        guarded.kubectl(
            *("-n", guarded.namespace, "patch", "saga", "signed", "--type=json"),
            *("-p", json.dumps(patch)),
        )
        assert requesters(guarded.get("signed")) == {"mine": AUTHOR}
    added = [{"op": "add", "path": "/spec/requests/0", "value": request("later", "Continue")}]
    guarded.kubectl(
        *("-n", guarded.namespace, "patch", "saga", "signed", "--type=json"),
        *("-p", json.dumps(added)),
    )
    found = requesters(guarded.get("signed"))
    assert found["mine"] == AUTHOR
    assert found["later"] != AUTHOR


@pytest.mark.slow
def test_11_it_spares_a_write_for_each_workflow(
    guarded: Sagas, cluster: Cluster, notes: Notes, tmp_path: Path
) -> None:
    remove_all(guarded)  # a leader would take up what other tests left, and write
    controllers = Controllers(cluster, guarded.namespace, tmp_path)
    try:
        leader = controllers.leader()
        chain = (notes.step("a"), notes.step("b", "a"), notes.step("c", "b"))
        guarded.create(workflow(*chain, name="chain"))
        await_phase(guarded, "Success", "chain")
        until(lambda: None if finalizers(guarded.get("chain")) else True, "the finalizer goes")
        page = leader.page("/metrics")
    finally:
        controllers.close()
    counted = r'^rest_client_requests_total{code="200",method="PATCH"} (\d+)'
    (writes,) = re.findall(counted, page, re.MULTILINE)
    assert int(writes) == len(chain) + 2


def test_19_steps_that_run_pods_are_for_who_may_create_pods(author: Sagas, guarded: Sagas) -> None:
    said = author.refused(workflow(pod_step()))
    assert "steps that run pods are for those who may create pods themselves" in said
    assert f'"{AUTHOR}" may not in the namespace "{author.namespace}"' in said
    pods = ("create", "role", "pods", "--verb=create", "--resource=pods")
    guarded.kubectl("-n", guarded.namespace, *pods)
    bind(guarded, "pods")
    until(
        lambda: (
            author.kubectl.run("-n", author.namespace, "auth", "can-i", "create", "pods").stdout
            == "yes\n"
            or None
        ),
        "the right counts",
    )
    assert accepts(author, workflow(pod_step()))
    guarded.kubectl("-n", guarded.namespace, "delete", "rolebinding", "pods")


def test_19_other_steps_are_for_every_author(author: Sagas) -> None:
    assert accepts(author, workflow(step("a")))


def test_19_who_may_not_create_pods_may_still_ask_for_an_end(author: Sagas, guarded: Sagas) -> None:
    guarded.create(workflow(pod_step(), name="runs-pods"))
    requests = [request("r1", "Cancel")]
    changed = author.patch(put("/spec/requests", requests), name="runs-pods")
    assert changed["spec"]["requests"][0]["type"] == "Cancel"
    guarded.patch(drop("/metadata/finalizers"), name="runs-pods")
    guarded.kubectl("-n", guarded.namespace, "delete", "saga", "runs-pods")


def test_an_approval_is_given_in_one_s_own_name(author: Sagas, guarded: Sagas) -> None:
    guarded.create(workflow(name="gated"))
    said = author.patch_refused(put("/spec/requests", [answered_by("ann")]), name="gated")
    assert f'an approval is given in one\'s own name: its "by" must be "{AUTHOR}"' in said
    nobody = request("r1", "Signal", name="gate", value={"approved": True})
    assert "in one's own name" in author.patch_refused(
        put("/spec/requests", [nobody]), name="gated"
    )
    author.patch(put("/spec/requests", [answered_by(AUTHOR)]), name="gated")
    # Whoever adds a request later does not answer for what stands there.
    guarded.patch(put("/spec/requests/-", request("r2", "Suspend")), name="gated")
    guarded.patch(drop("/metadata/finalizers"), name="gated")
    guarded.kubectl("-n", guarded.namespace, "delete", "saga", "gated")


def test_an_approval_at_creation_is_no_exception(author: Sagas) -> None:
    said = author.refused(workflow(requests=[answered_by("ann")]))
    assert f'its "by" must be "{AUTHOR}"' in said
    assert accepts(author, workflow(requests=[answered_by(AUTHOR)]))


@pytest.mark.parametrize("value", [None, 17, "ann", [1], {"by": "ann"}])
def test_other_signals_are_nobody_s_name(author: Sagas, value: object) -> None:
    signal = request("r1", "Signal", name="gate", value=value)
    assert accepts(author, workflow(requests=[signal]))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        NAMED,
        {"podTemplate": {"spec": {"containers": [], **NAMED}}},
        {"podTemplate": {"metadata": {"labels": {"a": "b"}}}},
        {"rollback": {"image": "busybox", **NAMED}},
        {"rollback": None},
    ],
)
def test_19_steps_may_use_the_service_accounts_of_the_values(
    guarded: Sagas, parameters: Json
) -> None:
    assert accepts(guarded, workflow(step("other"), pod_step(**parameters)))


@pytest.mark.parametrize(
    "parameters",
    [
        TAKEN,
        {"serviceAccountName": "${parameters.account}"},
        {"serviceAccountName": None},
        {"podTemplate": {"spec": TAKEN}},
        {"podTemplate": {"spec": {"serviceAccount": "cluster-admin"}}},
        {"rollback": {"image": "busybox", **TAKEN}},
        {"rollback": {"image": "busybox", "podTemplate": {"spec": TAKEN}}},
    ],
)
def test_19_and_no_others(guarded: Sagas, parameters: Json) -> None:
    said = guarded.refused(workflow(step("other"), pod_step(**parameters)))
    assert "may use these service accounts alone: default, builder" in said


@pytest.mark.parametrize(
    "parameters",
    [
        {"podTemplate": "${parameters.template}"},
        {"podTemplate": {"spec": "${parameters.spec}"}},
        {"rollback": "${parameters.undo}"},
        {"rollback": {"podTemplate": "${parameters.template}"}},
    ],
)
def test_19_a_reference_can_t_hide_a_service_account(guarded: Sagas, parameters: Json) -> None:
    said = guarded.refused(workflow(pod_step(**parameters)))
    assert "must be written out in steps that run pods, not be references" in said


def test_19_a_schedule_is_no_way_round(author: Sagas, guarded: Sagas) -> None:
    """Else its runs would be made by the controller, who may create pods."""
    assert "for those who may create pods themselves" in author.refused(cron(pod_step()))
    assert accepts(author, cron(step("a")))
    assert "may use these service accounts alone" in guarded.refused(cron(pod_step(**TAKEN)))
    assert accepts(guarded, cron(pod_step(**NAMED)))


def test_19_nor_is_a_task(author: Sagas, guarded: Sagas) -> None:
    def pod(**parameters: str) -> Json:
        return task(**pod_step("a", **parameters)["stepTemplate"])

    assert "for those who may create pods themselves" in author.refused(pod())
    assert accepts(author, task())
    assert "may use these service accounts alone" in guarded.refused(pod(**TAKEN))
    hidden = guarded.refused(pod(podTemplate="${parameters.template}"))
    assert "must be written out in steps that run pods, not be references" in hidden
    assert accepts(guarded, pod(**NAMED))


def test_19_nor_is_changing_one_and_suspending_is_for_who_may_write_it(
    author: Sagas, guarded: Sagas
) -> None:
    guarded.create(cron(step("a"), name="plain", suspend=True))
    guarded.create(cron(pod_step(), name="runs-pods", suspend=True))
    steps = "/spec/workflowTemplate/spec/steps"

    def change(name: str, path: str, value: object) -> str:
        where = ("-n", author.namespace, "patch", "cronsaga", name, "--type=json")
        return author.kubectl.run(*where, "-p", json.dumps([put(path, value)])).stderr

    assert "for those who may create pods themselves" in change("plain", steps, [pod_step()])
    assert change("plain", steps, [step("b")]) == ""
    assert change("runs-pods", "/spec/suspend", False) == ""
    for name in ("plain", "runs-pods"):
        guarded.kubectl("-n", guarded.namespace, "delete", "cronsaga", name)


def test_2_a_workflow_at_the_limit_fits_the_budget_of_both_policies(guarded: Sagas) -> None:
    template = {"spec": {"containers": [{"name": "main", "image": "busybox"}], **NAMED}}
    undo = {"image": "busybox", "podTemplate": template}
    steps = [pod_step(f"s{n}", podTemplate=template, rollback=undo) for n in range(500)]
    assert finalizers(created(guarded, workflow(*steps))) == [FINALIZER]
    assert accepts(guarded, cron(*steps))
