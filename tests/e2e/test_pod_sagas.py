"""Sagas of pods on a real node."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault
from tests.e2e.pod_steps import labelled, listed, step
from tests.e2e.pods import Json, Pods
from tests.k8s.controller_process import Controllers, await_phase, until
from tests.k8s.crd_objects import Sagas, workflow
from tests.patience import PATIENCE
from tests.podstep.pod_proxy import disturbed

from wf_core.cli.exits import ExitCode

LEASE_SECONDS = 4


def await_left(pods: Pods, many: int) -> list[Json]:
    """The pods that are left, once they are that many."""

    def look() -> list[Json] | None:
        found = listed(pods)
        return found if len(found) == many else None

    return until(look, f"{many} pods are left")


def wf(cluster: Cluster, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`wf` as a person runs it, with the kubeconfig of the cluster."""
    return subprocess.run(
        [sys.executable, "-m", "wf_core.cli.main", *arguments],
        env={
            **os.environ,
            "KUBECONFIG": str(cluster.kubeconfig),
            "XDG_STATE_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(
    ("retain", "left"),
    [
        ("never", []),
        ("onFailure", ["e"]),
        ("always", list("aabbccdde")),
    ],
)
def test_five_pods_of_which_the_last_fails_are_undone_by_four_in_reverse_order(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods, retain: str, left: list[str]
) -> None:
    pod_controllers.leader()
    undo = 'echo "undoes $WF_STEP, which made $(cat /wf/input.json)"'
    steps = [
        step(
            name,
            f'echo \'{{"made": "{name}"}}\' > $WF_RESULT',
            *(["abcd"[i - 1]] if i else []),
            rollback=undo,
            retainPods=retain,
        )
        for i, name in enumerate("abcd")
    ]
    sagas.create(workflow(*steps, step("e", "echo no stock; exit 3", "d", retainPods=retain)))
    ended = await_phase(sagas, "RollBacked")
    assert "exited with code 3: no stock" in ended["status"]["steps"]["e"]["runError"]
    assert ended["status"]["steps"]["a"]["attributes"] == {"made": "a"}
    undone = {n: ended["status"]["steps"][n]["reached"]["RollBacked"] for n in "abcd"}
    assert sorted(undone, key=lambda name: undone[name]) == ["d", "c", "b", "a"]
    kept = await_left(pods, len(left))
    names = [each["metadata"]["labels"]["workflow.example.com/step"] for each in kept]
    assert sorted(names) == left
    if retain == "always":
        undos = labelled(kept, hook="rollback")
        assert len(undos) == 4
        for pod in undos:
            name = pod["metadata"]["labels"]["workflow.example.com/step"]
            log = pods.logs(pod["metadata"]["name"])
            assert f"undoes {name}" in log
            assert f'"attributes":{{"made":"{name}"}}' in log


def test_16_a_controller_killed_between_creation_and_save_leaves_one_pod(
    cluster: Cluster, sagas: Sagas, pod_controllers: Controllers, pods: Pods, tmp_path: Path
) -> None:
    with disturbed(cluster, tmp_path) as through:
        through.proxy.add(Fault(f"POST /api/v1/namespaces/{sagas.namespace}/pods", delay=600))
        pod_controllers.kubeconfig = through.kubeconfig
        first = pod_controllers.leader(lease_seconds=LEASE_SECONDS)
        script = "until [ -e /tmp/go ]; do sleep 0.1; done; echo '{\"receipt\": 1}' > $WF_RESULT"
        sagas.create(workflow(step("pay", script)))
        (pod,) = await_left(pods, 1)
        assert "resource" not in sagas.get()["status"]["steps"]["pay"]
        first.end(signal.SIGKILL)
    pod_controllers.kubeconfig = None
    pod_controllers.leader(lease_seconds=LEASE_SECONDS)
    uid = pod["metadata"]["uid"]

    def adopted() -> bool | None:
        found = sagas.get()["status"]["steps"]["pay"].get("resource", {})
        return True if found.get("id") == uid else None

    until(adopted, "the pod is adopted")
    assert [each["metadata"]["uid"] for each in listed(pods)] == [uid]
    name = pod["metadata"]["name"]
    pods.await_phase(name, "Running")
    pods.kubectl("-n", pods.namespace, "exec", name, "--", "touch", "/tmp/go")
    done = await_phase(sagas, "Success")
    assert done["status"]["steps"]["pay"]["attributes"] == {"receipt": 1}
    await_left(pods, 0)


def test_15_deletion_in_the_foreground_takes_no_undo_away(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    pod_controllers.leader()
    first = step("a", rollback="sleep 3; echo undone", retainPods="always")
    second = step("b", "sleep 600", "a", rollback="sleep 2", retainPods="always")
    sagas.create(workflow(first, second))

    def runs() -> bool | None:
        phases = [each["status"]["phase"] for each in labelled(listed(pods), step="b")]
        return True if phases == ["Running"] else None

    until(runs, "b runs")
    uid = sagas.get()["metadata"]["uid"]
    sagas.kubectl(
        "-n", sagas.namespace, "delete", "saga", "order", "--cascade=foreground", "--wait=false"
    )

    def gone() -> bool | None:
        found = sagas.kubectl.run("-n", sagas.namespace, "get", "saga", "order")
        return True if found.returncode else None

    until(gone, "the workflow goes")
    undos = labelled(listed(pods), hook="rollback", uid=uid)
    assert [each["status"]["phase"] for each in undos] == ["Succeeded", "Succeeded"]


def test_a_result_larger_than_a_termination_message_comes_from_the_log(
    sagas: Sagas, pod_controllers: Controllers, pods: Pods
) -> None:
    pod_controllers.leader()
    script = (
        'x=$(head -c 20000 /dev/zero | tr "\\0" x); echo begin; '
        'echo "WF_RESULT {\\"x\\": \\"$x\\"}"'
    )
    sagas.create(workflow(step("make", script, resultFrom="log")))
    done = await_phase(sagas, "Success")
    assert done["status"]["steps"]["make"]["attributes"] == {"x": "x" * 20000}
    await_left(pods, 0)


def test_logs_of_pods_are_followed_from_their_beginning_to_their_end(
    cluster: Cluster, sagas: Sagas, pod_controllers: Controllers, pods: Pods, tmp_path: Path
) -> None:
    pod_controllers.leader()
    script = "echo begins $WF_STEP; sleep 2; echo ends $WF_STEP"
    steps = [step("a", script, retainPods="always"), step("b", script, "a", retainPods="always")]
    sagas.create(workflow(*steps))
    store = ("--store", f"k8s:/{sagas.namespace}")
    followed = wf(cluster, tmp_path, *store, "logs", "order", "-f")
    assert (followed.returncode, followed.stderr) == (0, "")
    told = ["a | begins a", "a | ends a", "b | begins b", "b | ends b"]
    assert followed.stdout.splitlines() == told
    assert sagas.get()["status"]["phase"] == "Success"
    await_left(pods, 2)
    assert wf(cluster, tmp_path, *store, "logs", "order").stdout.splitlines() == told
    one = wf(cluster, tmp_path, *store, "logs", "order", "b", "-o", "json").stdout.splitlines()
    assert [(json.loads(line)["text"], json.loads(line)["stream"]) for line in one] == [
        ("begins b", "pod"),
        ("ends b", "pod"),
    ]


def test_a_workflow_on_a_laptop_runs_pods_in_the_current_context(
    cluster: Cluster, pods: Pods, tmp_path: Path
) -> None:
    document = workflow(
        step("a", "echo '{\"n\": 1}' > $WF_RESULT", rollback="true"),
        step("b", '[ "$WF_ATTR_N" = 1 ] || exit 9; exit 3', "a"),
    )
    document["metadata"]["namespace"] = pods.namespace
    file = tmp_path / "order.json"
    file.write_text(json.dumps(document))
    done = wf(cluster, tmp_path, "run", str(file))
    assert done.returncode == ExitCode.ROLLED_BACK, done.stderr
    assert "exited with code 3" in done.stderr
    (left,) = await_left(pods, 1)
    assert "ownerReferences" not in left["metadata"]
