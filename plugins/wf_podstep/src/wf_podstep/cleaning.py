"""Removing pods of workflows that have ended: when they end, and what was missed then."""

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Hook, Phase
from wf_core.ports import Event
from wf_k8s.client.listing import read_one
from wf_k8s.client.resources import WORKFLOWS
from wf_podstep import names
from wf_podstep.cache import Cache
from wf_podstep.retention import ENDED, leftovers
from wf_podstep.seen import Pod

if TYPE_CHECKING:
    from wf_podstep.cluster import Cluster
    from wf_podstep.clusters import Clusters

log = logging.getLogger("wf.pods")
PERIOD = 600.0
"""Seconds between two looks for what was missed."""


class _Meta(msgspec.Struct):
    uid: str


class _Attempt(msgspec.Struct):
    hook: str
    number: int


class _Step(msgspec.Struct, rename="camel"):
    attempt: int = 0
    rollback_attempt: int = 0
    attempts: list[_Attempt] = []

    def saved(self, pod: Pod) -> bool:
        """Whether the outcome of the pod's attempt was saved."""
        hook = Hook.RUN if pod.runs else Hook.ROLLBACK
        latest = self.attempt if pod.runs else self.rollback_attempt
        ended = any((each.hook, each.number) == (hook, pod.attempt) for each in self.attempts)
        return ended or pod.attempt < latest


class _Status(msgspec.Struct, rename="camel"):
    phase: str = Phase.PENDING
    key_uid: str = ""
    steps: dict[str, _Step] = {}


class _Workflow(msgspec.Struct):
    metadata: _Meta
    status: _Status = msgspec.field(default_factory=_Status)


def clean_up(clusters: "Clusters", event: Event) -> None:
    """Remove the pods of a workflow that has just ended, but for those that are to stay."""
    for cluster in clusters.open:
        pods = [pod for cache in cluster.caches for pod in cache.of_workflow(event.uid)]
        if pods:
            try:
                cluster.background.run(_remove_leftovers(cluster, pods))
            except StoreUnavailable as error:
                log.warning("%s: pods of it are left: %s", event.key, error)


def outcome_saved(clusters: "Clusters", event: Event, *, undo: bool) -> None:
    """Let the ended pods of a step go, since what became of them was saved; those of its undo
    where that has ended."""
    for cluster in clusters.open:
        for cache in cluster.caches:
            ended = [
                pod
                for pod in cache.of_workflow(event.uid)
                if pod.step == event.step and pod.over and pod.held and (undo or pod.runs)
            ]
            if ended:
                cluster.release_aside(ended)


async def sweep_for_ever(cluster: "Cluster", cache: Cache) -> None:
    """Now and then remove what an end was not told of: a process can die right after a save."""
    while True:
        await asyncio.sleep(PERIOD)
        try:
            await sweep(cluster, cache)
        except StoreUnavailable as error:
            log.warning("looking for pods that were left: %s", error)
        except Exception:
            log.exception("looking for pods that were left: a fault of wf-podstep")


async def sweep(cluster: "Cluster", cache: Cache) -> None:
    """Remove pods of workflows that have ended or are gone. Those that nobody needs to ask about
    again are owned by their workflow, and go with it."""
    for uid, pods in cache.unattended().items():
        resting = all(pod.over or pod.tombstone for pod in pods)
        if resting and not all(_stays(pod) for pod in pods):
            await _look_after(cluster, uid, pods)


async def settle_all(cluster: "Cluster", cache: Cache) -> None:
    """Let ended pods go whose outcome was saved right before a process died."""
    for uid, pods in cache.unattended().items():
        if any(pod.held and (pod.over or pod.lost) for pod in pods):
            await _look_after(cluster, uid, pods)


async def settle(cluster: "Cluster", cache: Cache, pod: Pod) -> None:
    """A pod that was deleted is held, and no call of its step asks about it."""
    if pod.lost:
        await cluster.release([pod])
    elif pod.over:
        await _look_after(cluster, pod.workflow_uid, cache.of_workflow(pod.workflow_uid))


async def _look_after(cluster: "Cluster", uid: str, pods: list[Pod]) -> None:
    """Let go, or remove, what the stored workflow needs no more."""
    if not all(pod.metadata.labels.get(names.STORE) == names.IN_CLUSTER for pod in pods):
        return
    await cluster.release(pod for pod in pods if pod.lost)
    resting = [pod for pod in pods if pod.over or pod.tombstone]
    first = pods[0].metadata
    name = first.labels.get(names.WORKFLOW, "")
    body = await read_one(cluster.session, WORKFLOWS.path(first.namespace), name)
    try:
        found = None if body is None else msgspec.json.decode(body, type=_Workflow)
    except msgspec.DecodeError as error:
        log.warning("%s/%s: its pods are left: %s", first.namespace, name, error)
        return
    if found is None or uid != (found.status.key_uid or found.metadata.uid):
        await cluster.delete_all(resting)
    elif found.status.phase in ENDED:
        await _remove_leftovers(cluster, resting)
    else:
        steps = found.status.steps
        await cluster.release(
            pod for pod in resting if pod.step in steps and steps[pod.step].saved(pod)
        )


async def _remove_leftovers(cluster: "Cluster", pods: list[Pod]) -> None:
    going = leftovers(pods)
    await cluster.delete_all(going)
    kept = {pod.key for pod in pods} - {pod.key for pod in going}
    await cluster.release(pod for pod in pods if pod.key in kept)


def _stays(pod: Pod) -> bool:
    return bool(pod.metadata.owner_references) and not pod.held and not leftovers([pod])
