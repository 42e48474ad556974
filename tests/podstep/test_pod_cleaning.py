"""Pods go when their workflow has ended, also where nobody was told of the end."""

from collections.abc import Callable
from typing import Any

from tests.k8s.crd_objects import Sagas, workflow
from tests.podstep.kubelet import Kubelet
from tests.podstep.pod_bench import Bench

from wf_core.kinds import Success
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.ports import Event
from wf_podstep.cleaning import clean_up, sweep

Make = Callable[..., Bench]


def succeeded(made: Bench, kubelet: Kubelet) -> dict[str, Any]:
    """Run a step to its end; gives its pod."""
    made.run()
    pod: dict[str, Any] = kubelet.await_pod(made.step)
    kubelet.run(pod)
    kubelet.end(pod)
    made.woken_soon()
    assert isinstance(made.look(), Success)
    return pod


def swept(made: Bench) -> None:
    """Look for what was left, as a controller does now and then."""
    (cluster,) = made.kind.clusters.open
    (cache,) = cluster.caches
    cluster.background.run(sweep(cluster, cache))


def test_an_end_removes_what_nobody_wants_to_keep(bench: Make, kubelet: Kubelet) -> None:
    made = bench()
    pod = succeeded(made, kubelet)
    other = bench()
    other.step = "other"
    succeeded(other, kubelet)
    event = Event(Key(kubelet.namespace, "order"), made.uid, Phase.SUCCESS, 1.0)
    clean_up(made.kind.clusters, event)
    assert not kubelet.exists(pod)
    assert len(kubelet.pods()) == 1


def test_an_end_that_nobody_was_told_of_is_found_later(
    bench: Make, kubelet: Kubelet, sagas: Sagas
) -> None:
    made = bench(sagas.create(workflow())["metadata"]["uid"])
    pod = succeeded(made, kubelet)
    swept(made)
    assert kubelet.exists(pod)  # the workflow may still need it
    sagas.save(phase="Success")
    swept(made)
    assert not kubelet.exists(pod)


def test_pods_of_a_workflow_that_is_gone_are_removed(bench: Make, kubelet: Kubelet) -> None:
    made = bench()
    pod = succeeded(made, kubelet)
    swept(made)
    assert not kubelet.exists(pod)


def test_what_still_runs_is_left_alone(bench: Make, kubelet: Kubelet) -> None:
    made = bench()
    made.run()
    pod = kubelet.await_pod("pay")
    kubelet.run(pod)
    made.kind.clusters.open[0].caches[0].leave(made.uid, made.step)
    swept(made)
    assert kubelet.exists(pod)


def test_pods_of_a_local_store_are_nobody_elses(bench: Make, kubelet: Kubelet) -> None:
    local = bench(store="sqlite:x")
    pod = succeeded(local, kubelet)
    other = bench()
    other.step = "other"
    succeeded(other, kubelet)
    swept(other)
    assert kubelet.exists(pod)
