"""The log of an attempt's pod, line by line."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from wf_core.model.state import LogLine
from wf_core.ports import LogQuery
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.client.lines import Lines
from wf_k8s.client.listing import read_one
from wf_k8s.client.resources import PODS
from wf_podstep.cluster import Cluster
from wf_podstep.names import Identity
from wf_podstep.seen import Pod, read_pod

PAUSE = 1.0
"""Seconds between two looks at a pod that has not started: a person waits for it."""
PATIENCE = 15
"""Such looks for a pod that is not there: its creation follows the save of its intent."""
SILENCE = 24 * 3600.0
"""Seconds that a container may write nothing."""
STREAM = "pod"


def lines(cluster: Cluster, query: LogQuery) -> Iterator[LogLine]:
    """What the pod wrote, from its beginning; nothing where there is no pod (any more).

    Raises StoreUnavailable where the API server can't be asked, or refuses.
    """
    taken: queue.SimpleQueue[LogLine | None] = queue.SimpleQueue()

    async def read() -> None:
        try:
            async for line in _lines(cluster, query):
                taken.put(line)
        finally:
            taken.put(None)

    reading = cluster.background.start(read())
    try:
        while (line := taken.get()) is not None:
            yield line
    except GeneratorExit:
        reading.cancel()
        raise
    reading.result()  # raises what reading raised


async def _lines(cluster: Cluster, query: LogQuery) -> AsyncIterator[LogLine]:
    namespace = await cluster.namespace_of(query.key.namespace)
    identity = Identity(namespace, query.key.name, query.uid, query.step, query.hook, query.attempt)
    looks = 0
    last = ""
    while not query.stopped.is_set():
        pod = await _pod(cluster, identity)
        looks += 1
        if pod is None or pod.tombstone:
            if pod is not None or not query.follow or last or looks > PATIENCE:
                return
        elif pod.over or pod.status.phase == "Running":
            async for stamp, text in _stream(cluster, pod, query.follow, last):
                last = stamp
                at = datetime.fromisoformat(stamp).timestamp()
                yield LogLine(query.step, query.hook, query.attempt, at, text, STREAM)
            if pod.over or not query.follow:
                return
        elif not query.follow:
            return
        await asyncio.sleep(PAUSE)


async def _pod(cluster: Cluster, identity: Identity) -> Pod | None:
    body = await read_one(cluster.session, PODS.path(identity.namespace), identity.name)
    return None if body is None else read_pod(body)


async def _stream(
    cluster: Cluster, pod: Pod, follow: bool, last: str
) -> AsyncIterator[tuple[str, str]]:
    """Stamp and text of each line after the one stamped `last`. Ends where the stream breaks off:
    whoever follows comes back."""
    path = PODS.path(pod.metadata.namespace, pod.name, "log")
    params = {"container": pod.main, "timestamps": "true"}
    if follow:
        params["follow"] = "true"
    if last:
        params["sinceTime"] = last
    split = Lines()
    try:
        async with cluster.session.stream(path, params, silence=SILENCE) as pieces:
            async for piece in pieces:
                for line in split.feed(piece):
                    stamp, _, text = line.decode("utf-8", "replace").partition(" ")
                    if stamp > last:
                        yield stamp, text
    except NoAnswerError:
        if not follow:
            raise
    except RefusedError as error:
        if error.code != 404:  # it went meanwhile
            raise
