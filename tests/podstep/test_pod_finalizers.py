"""A pod's outcome is not lost before it is saved, whoever deletes the pod or changes its labels,
whether a controller runs or not: no step is started a second time."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.cluster.connection import Cluster
from tests.k8s.crd_objects import Sagas, workflow
from tests.podstep.kubelet import Kubelet
from tests.podstep.pod_bench import Bench

from wf_core.kinds import InProgress, Retryable, Success
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.ports import Event
from wf_k8s.releasing import POD_FINALIZER
from wf_podstep.cleaning import clean_up, outcome_saved, settle_all

Make = Callable[..., Bench]
Json = dict[str, Any]
ALL = ("step-kind", "uid", "workflow", "step", "hook", "attempt", "retain-pods", "store")


def begun(made: Bench, kubelet: Kubelet) -> Json:
    """The pod of a step, which runs."""
    made.run()
    pod = kubelet.await_pod(made.step)
    kubelet.run(pod)
    return pod


def after(first: Bench, bench: Make) -> Bench:
    """The same step in another process, once that of the first has gone."""
    first.kind.clusters.close()
    second = bench(first.uid)
    second.resource, second.attributes = first.resource, first.attributes
    return second


def looked_until_over(made: Bench) -> Success:
    """What a step answers once it is over."""
    answer = made.look()
    while isinstance(answer, InProgress):
        made.woken_soon()
        answer = made.look()
    assert isinstance(answer, Success)
    return answer


def saved(made: Bench, *, undo: bool = False) -> None:
    """The engine has saved what the step answered."""
    event = Event(Key(made.kubelet.namespace, "order"), made.uid, Phase.SUCCESS, 1.0, made.step)
    outcome_saved(made.kind.clusters, event, undo=undo)


def test_a_pod_that_succeeded_and_was_deleted_while_no_controller_ran_is_not_started_again(
    bench: Make, kubelet: Kubelet, sagas: Sagas
) -> None:
    first = bench(sagas.create(workflow())["metadata"]["uid"])
    pod = begun(first, kubelet)
    second = after(first, bench)
    kubelet.end(pod, message=json.dumps({"receipt": 17}))
    kubelet.let_go(pod)
    assert kubelet.exists(pod)
    assert looked_until_over(second).attributes == {"receipt": 17}
    assert kubelet.exists(pod), "nothing is saved yet"
    saved(second)
    kubelet.await_gone(pod)
    assert kubelet.all_pods() == []


def test_a_pod_whose_outcome_is_saved_is_held_no_more(bench: Make, kubelet: Kubelet) -> None:
    made = bench()
    pod = begun(made, kubelet)
    assert POD_FINALIZER in pod["metadata"]["finalizers"]
    kubelet.end(pod)
    looked_until_over(made)
    saved(made)
    kubelet.kubectl("-n", kubelet.namespace, "delete", "pod", pod["metadata"]["name"])
    kubelet.await_gone(pod)


def test_an_undo_that_succeeded_and_was_deleted_while_no_controller_ran_is_not_started_again(
    bench: Make, kubelet: Kubelet, sagas: Sagas
) -> None:
    first = bench(sagas.create(workflow())["metadata"]["uid"])
    kubelet.end(begun(first, kubelet))
    looked_until_over(first)
    first.rollback()
    undo = kubelet.await_pod("pay", hook="rollback")
    kubelet.run(undo)
    second = after(first, bench)
    kubelet.end(undo)
    kubelet.let_go(undo)
    assert isinstance(second.look_at_undo(), Success)
    assert kubelet.exists(undo)
    saved(second, undo=True)
    kubelet.await_gone(undo)


def test_what_is_saved_of_a_run_does_not_let_its_undo_go(
    bench: Make, kubelet: Kubelet, sagas: Sagas
) -> None:
    made = bench(sagas.create(workflow())["metadata"]["uid"])
    run = begun(made, kubelet)
    kubelet.end(run)
    looked_until_over(made)
    made.rollback()
    undo = kubelet.await_pod("pay", hook="rollback")
    kubelet.run(undo)
    kubelet.end(undo)
    made.woken_soon()
    saved(made)
    for pod in (run, undo):
        kubelet.let_go(pod)
    kubelet.await_gone(run)
    assert kubelet.exists(undo)


def test_pods_of_local_workflows_and_tombstones_are_not_held(bench: Make, kubelet: Kubelet) -> None:
    bench(store="sqlite:x").run()
    bench().rollback(run_attempt=1)
    local, grave = kubelet.pods(store="local"), kubelet.pods(tombstone="true")
    assert len(local) == len(grave) == 1
    assert not any("finalizers" in pod["metadata"] for pod in (*local, *grave))


@pytest.mark.parametrize("bound", [False, True])
def test_a_pod_of_which_no_node_will_tell_more_goes_when_it_is_deleted(
    bench: Make, kubelet: Kubelet, bound: bool
) -> None:
    """One on no node, and one deleted by force since its node is off."""
    made = bench()
    made.run()
    pod = kubelet.await_pod("pay")
    if bound:
        kubelet.run(pod)
        kubelet.let_go(pod)
    else:
        kubelet.kubectl("-n", kubelet.namespace, "delete", "pod", pod["metadata"]["name"])
    kubelet.await_gone(pod)
    with pytest.raises(Retryable, match=r"was deleted before it ended"):
        looked_until_over(made)


# Labels


@pytest.mark.parametrize("labels", [ALL, ("step-kind",), ("step",), ("attempt", "hook")])
def test_labels_that_are_taken_off_are_put_back(
    bench: Make, kubelet: Kubelet, labels: tuple[str, ...]
) -> None:
    made = bench()
    pod = begun(made, kubelet)
    kubelet.unlabel(pod, *labels)
    kubelet.await_pod("pay")
    assert isinstance(made.look(), InProgress)
    kubelet.end(pod, message=json.dumps({"receipt": 17}))
    assert looked_until_over(made).attributes == {"receipt": 17}
    (left,) = kubelet.all_pods()
    assert left["metadata"]["labels"] == pod["metadata"]["labels"]


@pytest.mark.parametrize("labels", [ALL, ("step-kind",), ("step",), ("attempt", "hook")])
def test_a_pod_that_lost_its_labels_while_no_controller_ran_is_not_started_again(
    bench: Make, kubelet: Kubelet, labels: tuple[str, ...]
) -> None:
    first = bench()
    pod = begun(first, kubelet)
    second = after(first, bench)
    kubelet.unlabel(pod, *labels)
    assert isinstance(second.look(), InProgress)
    kubelet.await_pod("pay")
    kubelet.end(pod)
    looked_until_over(second)
    assert [each["metadata"]["uid"] for each in kubelet.all_pods()] == [pod["metadata"]["uid"]]


def test_a_pod_of_which_nothing_was_saved_and_that_lost_its_labels_is_taken_up(
    bench: Make, kubelet: Kubelet
) -> None:
    first = bench()
    pod = begun(first, kubelet)
    first.kind.clusters.close()
    kubelet.unlabel(pod, *ALL)
    answer = bench(first.uid).run(interruptions=1)
    assert isinstance(answer, InProgress)
    assert answer.resource is not None
    assert answer.resource.id == pod["metadata"]["uid"]
    assert len(kubelet.all_pods()) == 1


def test_b2_an_undo_ends_a_run_that_lost_its_labels_while_no_controller_ran(
    bench: Make, kubelet: Kubelet
) -> None:
    first = bench()
    pod = begun(first, kubelet)
    second = after(first, bench)
    kubelet.unlabel(pod, *ALL)
    answer = second.rollback()
    assert isinstance(answer, InProgress)
    assert answer.resource is not None
    assert answer.resource.status == "Ending"
    (left,) = kubelet.all_pods()
    assert left["metadata"]["deletionTimestamp"]


# What a process that died left, and what uninstalling leaves


def test_a_pod_whose_outcome_was_saved_right_before_a_process_died_is_let_go_by_the_next(
    bench: Make, kubelet: Kubelet, sagas: Sagas
) -> None:
    first = bench(sagas.create(workflow())["metadata"]["uid"])
    pod = begun(first, kubelet)
    kubelet.end(pod)
    looked_until_over(first)
    second = after(first, bench)
    kubelet.let_go(pod)
    second.step = "other"  # whatever opens the cluster
    second.run()
    second.kind.clusters.open[0].caches[0].leave(second.uid, "other")
    settled(second)
    assert kubelet.exists(pod), "nothing is saved yet"
    ended = {"hook": "run", "number": 1, "outcome": "Success", "endedAt": 1.0}
    sagas.save(steps={"pay": {"phase": "Success", "attempt": 1, "attempts": [ended]}})
    settled(second)
    kubelet.await_gone(pod)


def settled(made: Bench) -> None:
    """Look for pods that are held without need, as after each list of them."""
    (cluster,) = made.kind.clusters.open
    (cache,) = cluster.caches
    cluster.background.run(settle_all(cluster, cache))


def test_pods_that_stay_when_their_workflow_has_ended_are_not_held(
    bench: Make, kubelet: Kubelet
) -> None:
    made = bench()
    made.parameters = {**made.parameters, "retainPods": "always"}
    pod = begun(made, kubelet)
    kubelet.end(pod)
    looked_until_over(made)
    event = Event(Key(kubelet.namespace, "order"), made.uid, Phase.SUCCESS, 1.0)
    clean_up(made.kind.clusters, event)
    (left,) = kubelet.all_pods()
    assert "finalizers" not in left["metadata"]


def test_release_pods_lets_every_pod_go_that_is_held(
    bench: Make, kubelet: Kubelet, cluster: Cluster
) -> None:
    first, second = bench(), bench()
    second.step = "other"
    pods = [begun(first, kubelet), begun(second, kubelet)]
    for each in (first, second):
        each.kind.clusters.close()
    for pod in pods:
        kubelet.let_go(pod)
    kubelet.unlabel(pods[0], *ALL)
    wf = (sys.executable, "-m", "wf_core.cli.main", "controller", "--release-pods")
    where = ("--kubeconfig", str(cluster.kubeconfig), "--namespace", kubelet.namespace)
    done = subprocess.run([*wf, *where], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "2 pods are held no more\n"), done.stderr
    assert kubelet.all_pods() == []
