"""Pods whose labels somebody changed: they leave the watch, and still run."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from wf_core.errors import StoreUnavailable
from wf_k8s.client.listing import read_one
from wf_k8s.client.resources import PODS
from wf_podstep import names
from wf_podstep.cache import Cache
from wf_podstep.seen import Pod, read_pod

if TYPE_CHECKING:
    from wf_podstep.cluster import Cluster

log = logging.getLogger("wf.pods")
FIRST, LONGEST = 1.0, 60.0
"""Seconds until a pod that can't be labelled is looked at again: the first time, and the most,
doubling."""


def labelled(pod: Pod, labels: Mapping[str, str]) -> Pod:
    """That pod as it is with these labels."""
    meta = msgspec.structs.replace(pod.metadata, labels={**pod.metadata.labels, **labels})
    return msgspec.structs.replace(pod, metadata=meta)


async def recover(cluster: "Cluster", cache: Cache, last: Pod) -> None:
    """A pod is out of sight and was `last` seen so: tell that it is gone, or put its labels back.

    Until that succeeds it is read again and again, as nothing else tells of it.
    """
    wait = FIRST
    while True:
        try:
            found = await _find(cluster, last)
            if found is None:
                cache.gone(last)
                return
            labels = dict(names.ours(last.metadata.labels))
            cache.put(labelled(found, labels))
            cache.put(await cluster.label(found, labels))
        except StoreUnavailable as error:
            log.warning(
                "pod %s/%s lost labels by which wf knows it, and they can't be put back: %s",
                *last.key,
                error,
            )
            await asyncio.sleep(wait)
            wait = min(LONGEST, wait * 2)
        else:
            log.warning("pod %s/%s lost labels by which wf knows it: put back", *last.key)
            return


async def _find(cluster: "Cluster", last: Pod) -> Pod | None:
    body = await read_one(cluster.session, PODS.path(last.metadata.namespace), last.name)
    found = None if body is None else read_pod(body)
    return found if found is not None and found.uid == last.uid else None
