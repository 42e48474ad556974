"""Removing pods of workflows that have ended: when they end, and what was missed then."""

import asyncio
import logging

import msgspec

from wf_core.errors import StoreUnavailable
from wf_core.model.phases import Phase
from wf_core.ports import Event
from wf_k8s.client.listing import read_one
from wf_k8s.client.resources import WORKFLOWS
from wf_podstep import names
from wf_podstep.cache import Cache
from wf_podstep.cluster import Cluster
from wf_podstep.clusters import Clusters
from wf_podstep.retention import ENDED, leftovers
from wf_podstep.seen import Pod

log = logging.getLogger("wf.pods")
PERIOD = 600.0
"""Seconds between two looks for what was missed."""


class _Meta(msgspec.Struct):
    uid: str


class _Status(msgspec.Struct, rename="camel"):
    phase: str = Phase.PENDING
    key_uid: str = ""


class _Workflow(msgspec.Struct):
    metadata: _Meta
    status: _Status = msgspec.field(default_factory=_Status)


def clean_up(clusters: Clusters, event: Event) -> None:
    """Remove the pods of a workflow that has just ended, but for those that are to stay."""
    for cluster in clusters.open:
        pods = [pod for cache in cluster.caches for pod in cache.of_workflow(event.uid)]
        going = leftovers(pods)
        if going:
            try:
                cluster.background.run(cluster.delete_all(going))
            except StoreUnavailable as error:
                log.warning("%s: pods of it are left: %s", event.key, error)


async def sweep_for_ever(cluster: Cluster, cache: Cache) -> None:
    """Now and then remove what an end was not told of: a process can die right after a save."""
    while True:
        await asyncio.sleep(PERIOD)
        try:
            await sweep(cluster, cache)
        except StoreUnavailable as error:
            log.warning("looking for pods that were left: %s", error)
        except Exception:
            log.exception("looking for pods that were left: a fault of wf-podstep")


async def sweep(cluster: Cluster, cache: Cache) -> None:
    """Remove pods of workflows that have ended or are gone. Those that nobody needs to ask about
    again are owned by their workflow, and go with it."""
    for uid, pods in cache.unattended().items():
        resting = all(pod.over or pod.tombstone for pod in pods)
        stored_here = all(pod.metadata.labels.get(names.STORE) == names.IN_CLUSTER for pod in pods)
        if not (resting and stored_here) or all(_stays(pod) for pod in pods):
            continue
        first = pods[0].metadata
        name = first.labels.get(names.WORKFLOW, "")
        body = await read_one(cluster.session, WORKFLOWS.path(first.namespace), name)
        found = None if body is None else msgspec.json.decode(body, type=_Workflow)
        if found is None or uid != (found.status.key_uid or found.metadata.uid):
            await cluster.delete_all(pods)
        elif found.status.phase in ENDED:
            await cluster.delete_all(leftovers(pods))


def _stays(pod: Pod) -> bool:
    return bool(pod.metadata.owner_references) and not leftovers([pod])
