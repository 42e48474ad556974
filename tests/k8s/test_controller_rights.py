"""A controller with exactly the rights that the chart grants, as a service account has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import pytest
from tests.cluster import audit, connection
from tests.cluster.connection import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import SUSPENDED, Sagas, cron, define, task, workflow
from tests.k8s.service_accounts import ServiceAccount, with_rights

from wf_k8s import rbac

Right = tuple[str, str, str]
NAMESPACE = "orders"
SELDOM: set[Right] = {("list", "workflow.example.com", "cronworkflows")}
"""Needed where lists can't be streamed, and to read back what became of a save that was refused."""


def rights(namespace: str) -> tuple[rbac.Rule, ...]:
    """Those of a controller for one namespace, where its lease is too."""
    schedules = (*rbac.SCHEDULES, *rbac.CLEAN_UP)
    return (*rbac.WORKFLOWS, *schedules, *rbac.TASKS, *rbac.lease(f"wf-controller.{namespace}"))


def use(cluster: Cluster, account: ServiceAccount, controllers: Controllers) -> None:
    """Let controllers speak as the account."""
    file = account.kubeconfig(cluster, controllers.folder / "account.kubeconfig")
    controllers.cluster = attrs.evolve(cluster, kubeconfigs={"admin": file})


def work(sagas: Sagas, notes: Notes) -> None:
    """All that a controller does: runs, undoes, gets stuck, is asked, removes what is deleted and
    what is over age, starts what is due and forgets what is old, runs a task."""
    sagas.create(workflow(notes.step("a"), notes.step("b", "a", then="exit 1")))
    await_phase(sagas, "RollBacked")
    stuck = notes.step("s", then="exit 1")
    stuck["stepTemplate"]["parameters"]["rollback"] = "exit 1"
    sagas.create(workflow(stuck, name="stuck"))
    await_phase(sagas, "Failed", "stuck")
    until(
        lambda: "RollbackFailed" in sagas.kubectl("-n", sagas.namespace, "get", "events") or None,
        "an Event says that it is stuck",
    )
    sagas.create(workflow(notes.step("c", then="sleep 60"), name="other"))
    until(lambda: "run-c" in notes.lines() or None, "c runs")
    sagas.kubectl("-n", sagas.namespace, "delete", "saga", "other", "--wait=false")
    until(
        lambda: sagas.kubectl.run("-n", sagas.namespace, "get", "saga", "other").returncode or None,
        "the object goes",
    )
    assert "undo-c" in notes.lines()
    sagas.create(workflow(notes.step("d"), name="brief", ttlSecondsAfterFinished={"success": 0}))
    until(
        lambda: sagas.kubectl.run("-n", sagas.namespace, "get", "saga", "brief").returncode or None,
        "age lets it go",
    )
    assert "undo-d" not in notes.lines()
    sagas.create(cron(notes.step("d"), successfulRunsHistoryLimit=0))
    until(lambda: notes.lines().count("run-d") > 1 or None, "what is due is started")
    sagas.kubectl("-n", sagas.namespace, "patch", "cronsaga", "tick", *SUSPENDED)
    until(
        lambda: all("tick" not in name for name in sagas.names()) or None,
        "what the history does not keep goes",
    )
    sagas.create(task(ttlSecondsAfterFinished={"success": 0}))
    until(
        lambda: (
            sagas.kubectl.run("-n", sagas.namespace, "get", "sagatask", "once").returncode or None
        ),
        "the task has run, and age lets it go",
    )


def test_20_the_rights_of_the_chart_are_enough(
    cluster: Cluster, sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    account = with_rights(sagas.kubectl, sagas.namespace, rights(sagas.namespace))
    use(cluster, account, controllers)
    leader = controllers.leader()
    work(sagas, notes)
    assert leader.end() == 0
    assert [line for line in leader.lines() if "HTTP 403" in line["message"]] == []


def audited(log: Path, user: str) -> tuple[set[Right], list[str]]:
    """What a user did, by verb, group and resource, and what it was not allowed to do."""
    done: set[Right] = set()
    refused: list[str] = []
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] != user or "objectRef" not in event:
            continue
        on = event["objectRef"]
        resource = "/".join(filter(None, (on["resource"], on.get("subresource"))))
        done.add((event["verb"], on.get("apiGroup", ""), resource))
        if event["responseStatus"]["code"] == 403:
            refused.append(event["requestURI"])
    return done, refused


def named(rules: Sequence[rbac.Rule]) -> set[Right]:
    """The rules as single rights."""
    return {
        (verb, rule.group, resource)
        for rule in rules
        for resource in rule.resources
        for verb in rule.verbs
    }


@pytest.mark.slow
def test_20_each_right_is_used_and_none_is_lacking(
    control_plane_programs: Mapping[str, Path], tmp_path: Path, notes: Notes
) -> None:
    """As the API server's own log of who did what has it."""
    folder = tmp_path / "plane"
    log = audit.log(folder)
    plane = ControlPlane(control_plane_programs, folder, audited=True)
    try:
        plane.start()
        cluster = connection.own(plane)
        kubectl = Kubectl(control_plane_programs["kubectl"], cluster.kubeconfig, tmp_path)
        define(kubectl)
        kubectl("create", "namespace", NAMESPACE)
        account = with_rights(kubectl, NAMESPACE, rights(NAMESPACE))
        controllers = Controllers(cluster, NAMESPACE, tmp_path)
        use(cluster, account, controllers)
        try:
            leader = controllers.leader()
            work(Sagas(kubectl, NAMESPACE), notes)
            assert leader.end() == 0
        finally:
            controllers.close()
        done, refused = audited(log, account.user)
    finally:
        plane.stop()
    assert refused == []
    assert named(rights(NAMESPACE)) - done == SELDOM
    assert done <= named(rights(NAMESPACE))


def test_a_missing_right_is_told_by_readiness_and_waited_for(
    cluster: Cluster, sagas: Sagas, controllers: Controllers
) -> None:
    lease = rbac.lease(f"wf-controller.{sagas.namespace}")
    account = with_rights(sagas.kubectl, sagas.namespace, lease)
    use(cluster, account, controllers)
    leader = controllers.leader()
    leader.await_said("HTTP 403")
    leader.await_unready("HTTP 403")
    account.grant(rights(sagas.namespace))
    leader.await_ready()
