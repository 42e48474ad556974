"""One step on a real API server, call by call."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.connection import Cluster
from tests.cluster.proxy import Fault, status
from tests.k8s.crd_objects import Sagas, workflow
from tests.podstep.kubelet import Kubelet, container
from tests.podstep.pod_bench import Bench
from tests.podstep.pod_proxy import disturbed

from wf_core.kinds import Fatal, InProgress, Retryable, Success, Throttled
from wf_core.model.phases import Hook

Make = Callable[..., Bench]
Patch = pytest.MonkeyPatch
Json = dict[str, Any]


def test_a_run_creates_a_pod_and_its_end_wakes_the_step(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    answer = pay.run()
    assert isinstance(answer, InProgress)
    (pod,) = kubelet.pods()
    assert answer.resource is not None
    assert (answer.resource.name, answer.resource.id) == (
        pod["metadata"]["name"],
        pod["metadata"]["uid"],
    )
    kubelet.run(pod)
    kubelet.end(pod, message=json.dumps({"receipt": 17}))
    pay.woken_soon()
    assert pay.look() == Success(pay.resource, {"receipt": 17})


def test_a_pod_that_fails_says_its_last_lines(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.run(pod)
    kubelet.end(pod, 3, "no such account\n", "Error")
    pay.woken_soon()
    with pytest.raises(Retryable, match=r"exited with code 3: no such account"):
        pay.look()


def test_looks_cost_no_request(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    before = requests(kubelet)
    assert before
    for _ in range(20):
        assert isinstance(pay.look(), InProgress)
    assert requests(kubelet) == before


# Names, adoption, late runs (rules 16 and 17)


def test_16_a_crash_between_creation_and_save_finds_the_same_pod(
    bench: Make, kubelet: Kubelet
) -> None:
    first = bench()
    first.run()
    (pod,) = kubelet.pods()
    second = bench(first.uid)  # nothing of the first process was saved
    answer = second.run(interruptions=1)
    assert isinstance(answer, InProgress)
    assert answer.resource is not None
    assert answer.resource.id == pod["metadata"]["uid"]
    assert len(kubelet.pods()) == 1


def test_16_two_that_create_at_once_have_one_pod(bench: Make, kubelet: Kubelet) -> None:
    first = bench()
    second = bench(first.uid)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda each: each.run(), (first, second)))
    (pod,) = kubelet.pods()
    ids = [each.resource.id for each in answers if each is not None and each.resource is not None]
    assert ids == [pod["metadata"]["uid"]] * 2


def test_16_a_pod_of_that_name_with_other_labels_is_left_alone(
    bench: Make, kubelet: Kubelet
) -> None:
    first = bench()
    first.run()
    (pod,) = kubelet.pods()
    name = pod["metadata"]["name"]
    first.kind.clusters.close()  # else it puts the label back
    kubelet.kubectl(
        *("-n", kubelet.namespace, "label", "pod", name, "--overwrite"),
        "workflow.example.com/step=another",
    )
    with pytest.raises(Fatal, match=f"a pod {name} is there that is not this step's"):
        bench(first.uid).run()
    assert kubelet.exists(pod)


def test_15_a_runs_pod_is_owned_by_its_workflow_and_an_undos_is_not(
    bench: Make, kubelet: Kubelet
) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    (owner,) = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Workflow", "order", pay.uid)
    kubelet.run(pod)
    kubelet.end(pod)
    pay.woken_soon()
    pay.rollback()
    undo = kubelet.await_pod("pay", hook="rollback")
    assert "ownerReferences" not in undo["metadata"]


def test_a_workflow_of_a_local_store_owns_nothing_in_the_cluster(
    bench: Make, kubelet: Kubelet
) -> None:
    """An owner that is not there would have its pods collected at once."""
    pay = bench(store="sqlite:orders.db")
    pay.run()
    (pod,) = kubelet.pods(store="local")
    assert "ownerReferences" not in pod["metadata"]


def test_17_an_undo_whose_runs_left_no_pod_keeps_them_from_coming_late(
    bench: Make, kubelet: Kubelet
) -> None:
    pay = bench()
    assert isinstance(pay.rollback(run_attempt=2), InProgress)
    graves = kubelet.pods(tombstone="true")
    assert [each["metadata"]["labels"]["workflow.example.com/attempt"] for each in graves] == [
        "1",
        "2",
    ]
    assert all(each["spec"]["schedulingGates"] for each in graves)
    kubelet.await_pod("pay", hook="rollback")
    for attempt in (1, 2):
        late = bench(pay.uid)
        with pytest.raises(Fatal, match=r"came after the undo"):
            late.run(attempt=attempt)


def test_b2_an_undo_first_ends_the_run_that_still_goes(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.run(pod)
    answer = pay.rollback()
    assert isinstance(answer, InProgress)
    assert answer.resource is not None
    assert answer.resource.status == "Ending"
    assert len(kubelet.pods()) == 1  # no undo beside a run
    kubelet.let_go(pod)
    while not kubelet.pods(hook="rollback"):
        pay.woken_soon()
        pay.look_at_undo()
    undo = kubelet.await_pod("pay", hook="rollback")
    assert undo["spec"]["containers"][0]["command"] == ["refund"]
    kubelet.run(undo)
    kubelet.end(undo)
    while not isinstance(answer, Success):
        pay.woken_soon()
        answer = pay.look_at_undo()
    assert len(kubelet.pods(tombstone="true")) == 1


def test_an_undo_without_a_pod_of_its_own_ends_the_run(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    pay.parameters = {**pay.parameters, "rollback": "none"}
    answer = pay.rollback()
    while isinstance(answer, InProgress):
        pay.woken_soon()
        answer = pay.look_at_undo()
    assert not kubelet.exists(pod)
    (grave,) = kubelet.pods()
    assert grave["metadata"]["name"] == pod["metadata"]["name"]


def test_a_pod_that_ended_stays_to_keep_its_name(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.run(pod)
    kubelet.end(pod)
    pay.parameters = {**pay.parameters, "rollback": "none"}
    pay.woken_soon()
    assert isinstance(pay.look(), Success)
    assert isinstance(pay.rollback(), Success)
    assert kubelet.exists(pod)
    assert not kubelet.pods(tombstone="true")


def test_b2_a_new_attempt_first_ends_the_one_before(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.run(pod)
    assert isinstance(pay.run(attempt=2), InProgress)
    assert [each["metadata"]["name"] for each in kubelet.pods()] == [pod["metadata"]["name"]]
    kubelet.let_go(pod)
    while not kubelet.pods(attempt="2"):
        pay.woken_soon()
        pay.look(attempt=2)
    assert len(kubelet.pods()) == 1


def test_16_a_creation_whose_answer_is_lost_is_found_again(
    bench: Make, kubelet: Kubelet, cluster: Cluster, tmp_path: Path, monkeypatch: Patch
) -> None:
    with disturbed(cluster, tmp_path) as through:
        through.proxy.add(Fault(f"POST /api/v1/namespaces/{kubelet.namespace}/pods", swallow=True))
        pay = bench()
        monkeypatch.setenv("KUBECONFIG", str(through.kubeconfig))
        assert isinstance(pay.run(), InProgress)
        (pod,) = kubelet.pods()
        assert pay.resource is not None
        assert pay.resource.id == pod["metadata"]["uid"]
        pay.kind.clusters.close()


def test_a_server_that_does_not_answer_is_asked_later(
    bench: Make, kubelet: Kubelet, cluster: Cluster, tmp_path: Path, monkeypatch: Patch
) -> None:
    with disturbed(cluster, tmp_path) as through:
        path = f"POST /api/v1/namespaces/{kubelet.namespace}/pods"
        through.proxy.add(Fault(path, answer=status(503, "ServiceUnavailable", message="busy")))
        pay = bench()
        monkeypatch.setenv("KUBECONFIG", str(through.kubeconfig))
        with pytest.raises(Throttled, match=r"the API server can't take its pod: busy"):
            pay.run()
        pay.kind.clusters.close()


def test_a_watch_that_breaks_off_is_taken_up_where_it_was(
    bench: Make, kubelet: Kubelet, cluster: Cluster, tmp_path: Path, monkeypatch: Patch
) -> None:
    with disturbed(cluster, tmp_path) as through:
        pay = bench()
        monkeypatch.setenv("KUBECONFIG", str(through.kubeconfig))
        pay.run()
        (pod,) = kubelet.pods()
        through.proxy.add(Fault("watch=1", answer=status(410, "Expired", message="too old")))
        through.cut()
        kubelet.run(pod)
        kubelet.end(pod)
        pay.woken_soon()
        assert isinstance(pay.look(), Success)
        assert len([line for line in through.on_pods() if line.startswith("WATCH")]) >= 3
        pay.kind.clusters.close()


# What becomes of a pod


def test_a_pod_deleted_by_hand_counts_as_a_failure(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.kubectl("-n", kubelet.namespace, "delete", "pod", pod["metadata"]["name"])
    pay.woken_soon()
    with pytest.raises(Retryable, match=r"was deleted before it ended"):
        pay.look()


def test_a_pod_that_succeeded_before_it_was_deleted_has_succeeded(
    bench: Make, kubelet: Kubelet
) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.run(pod)
    kubelet.end(pod, message='{"receipt": 1}')
    kubelet.let_go(pod)
    answer = pay.look()
    while isinstance(answer, InProgress):  # the watch may not have told yet
        pay.woken_soon()
        answer = pay.look()
    assert isinstance(answer, Success)
    assert answer.attributes == {"receipt": 1}


def test_a_pod_lost_by_no_fault_of_its_own_is_replaced_in_the_same_attempt(
    bench: Make, kubelet: Kubelet, sagas: Sagas
) -> None:
    pay = bench(sagas.create(workflow())["metadata"]["uid"])
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.run(pod)
    drained = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    kubelet.say(pod, "Failed", conditions=[drained])
    pay.woken_soon()
    answer = pay.look()
    assert isinstance(answer, InProgress)
    assert (answer.poll_after, answer.resource and answer.resource.status) == (5.0, "Drained")
    assert pay.last is not None
    assert "as by a drain; it is replaced" in pay.last.logs[-1].text
    assert kubelet.exists(pod)  # until it is saved that another takes its place
    while any(each["metadata"]["uid"] == pod["metadata"]["uid"] for each in kubelet.pods()):
        answer = pay.look()
    while not kubelet.pods():
        answer = pay.look()
    (other,) = kubelet.pods()
    assert other["metadata"]["name"] == pod["metadata"]["name"]
    assert other["metadata"]["uid"] != pod["metadata"]["uid"]
    assert isinstance(answer, InProgress)
    assert answer.resource is not None
    assert answer.resource.attributes["replacements"] == 1


def test_a_missing_image_fails_without_a_retry(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    said = 'failed to resolve reference "shop/pay:1": shop/pay:1: not found'
    waiting = {"waiting": {"reason": "ErrImagePull", "message": said}}
    kubelet.bind(pod)
    kubelet.say(pod, "Pending", containerStatuses=[container(pod, waiting)])
    pay.woken_soon()
    with pytest.raises(Fatal, match=r"the image shop/pay:1 does not exist"):
        pay.look()


def test_what_may_pass_is_shown_while_it_is_awaited(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    said = "0/3 nodes are available: 3 Insufficient cpu."
    kubelet.say(pod, "Pending", conditions=[{**condition, "message": said}])
    answer = pay.look()
    while (
        isinstance(answer, InProgress)
        and answer.resource
        and not answer.resource.attributes.get("message")
    ):
        answer = pay.look()
    assert isinstance(answer, InProgress)
    assert answer.resource is not None
    assert answer.resource.status == "Unschedulable"
    assert answer.resource.attributes["message"] == f"no node takes it: {said}"


# What the API server refuses


def test_a_quota_without_room_is_waited_for(bench: Make, kubelet: Kubelet) -> None:
    hard = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}}
    metadata = {"name": "none", "namespace": kubelet.namespace}
    kubelet.kubectl.apply({**hard, "metadata": metadata, "spec": {"hard": {"count/pods": "0"}}})
    status = json.dumps({"status": {"hard": {"count/pods": "0"}, "used": {"count/pods": "0"}}})
    kubelet.kubectl(  # what the controller manager does
        *("-n", kubelet.namespace, "patch", "resourcequota", "none", "--subresource=status"),
        *("--type=merge", "-p", status),
    )
    with pytest.raises(Throttled, match=r"the quota of namespace .* has no room") as caught:
        bench().run()
    assert caught.value.after == 15


def test_a_service_account_that_is_not_there_is_named(bench: Make) -> None:
    with pytest.raises(Fatal, match=r'its service account does not exist.*"nobody" not found'):
        bench().run(parameters={"serviceAccountName": "nobody"})


def test_19_only_service_accounts_that_the_operator_lists_are_used(
    bench: Make, kubelet: Kubelet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WF_POD_SERVICE_ACCOUNTS", "default, runner")
    with pytest.raises(Fatal, match=r"'admin' may not be used.*allowed: default, runner"):
        bench().run(parameters={"podTemplate": {"spec": {"serviceAccountName": "admin"}}})
    assert isinstance(bench().run(), InProgress)
    assert len(kubelet.pods()) == 1


def test_a_key_that_kubernetes_does_not_know_is_named(bench: Make) -> None:
    with pytest.raises(Fatal, match=r"memroy"):
        bench().run(parameters={"podTemplate": {"spec": {"memroy": 1}}})


def test_an_undo_is_done_where_the_run_and_the_undo_are_refused_alike(
    bench: Make, kubelet: Kubelet
) -> None:
    """What is wrong with the pod of the run is wrong with that of the undo, which has it from
    there."""
    pay = bench()
    pay.parameters = {**pay.parameters, "resources": {"limits": {"cpu": "lots"}}}
    with pytest.raises(Fatal, match=r"Kubernetes does not take its pod"):
        pay.run()
    answer = pay.rollback()
    assert isinstance(answer, Success)
    assert answer.resource is not None
    assert answer.resource.attributes == {"message": "its run never began"}
    (grave,) = kubelet.pods()
    assert grave["spec"]["schedulingGates"], "a late run is kept out all the same"


def test_19_an_undo_of_a_run_whose_account_was_not_listed_is_done(
    bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WF_POD_SERVICE_ACCOUNTS", "runner")
    pay = bench()
    with pytest.raises(Fatal, match=r"may not be used"):
        pay.run()
    assert isinstance(pay.rollback(), Success)


def test_an_undo_that_is_refused_after_a_run_that_had_a_pod_is_not_done(
    bench: Make, kubelet: Kubelet
) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.run(pod)
    kubelet.end(pod, 3)
    pay.woken_soon()
    with pytest.raises(Retryable):
        pay.look()
    wrong = {"resources": {"limits": {"cpu": "lots"}}}
    with pytest.raises(Fatal, match=r"Kubernetes does not take its pod"):
        pay.run(attempt=2, parameters=wrong)
    with pytest.raises(Fatal, match=r"Kubernetes does not take its pod"):
        pay.rollback(run_attempt=2, parameters=wrong)


def test_18_in_a_namespace_that_is_being_deleted_an_undo_says_so(
    bench: Make, kubelet: Kubelet
) -> None:
    pay = bench()
    pay.run()
    (pod,) = kubelet.pods()
    kubelet.kubectl("delete", "namespace", kubelet.namespace, "--wait=false")
    kubelet.kubectl("-n", kubelet.namespace, "delete", "pod", pod["metadata"]["name"])
    pay.woken_soon()
    with pytest.raises(Fatal, match=r"is being deleted: no pod can be created there"):
        pay.rollback()
    pay.parameters = {**pay.parameters, "rollback": "none"}
    assert isinstance(pay.rollback(), Success)  # no run can come late there either


def test_nothing_is_created_once_the_hook_is_told_to_stop(bench: Make, kubelet: Kubelet) -> None:
    pay = bench()
    call = pay.call(Hook.RUN)
    call.cancelled.set()  # type: ignore[attr-defined]
    with pytest.raises(Retryable, match=r"told to stop"):
        pay.kind.run(call)
    assert kubelet.pods() == []


def test_without_a_cluster_the_sentence_says_what_to_do(
    bench: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    with pytest.raises(Retryable, match=r"needs a kubeconfig"):
        bench(store="sqlite:x").run()


def requests(kubelet: Kubelet) -> list[str]:
    """What the API server counts of requests on pods, but for its own metrics."""
    lines = kubelet.kubectl("get", "--raw", "/metrics").splitlines()
    return [
        line for line in lines if line.startswith("apiserver_request_total{") and '="pods"' in line
    ]
