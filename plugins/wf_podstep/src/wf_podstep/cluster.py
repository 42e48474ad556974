"""One cluster: its session, the watch of our pods, and what is asked of its API server."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

import attrs
import msgspec

from wf_core.errors import StoreUnavailable
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_k8s.client.follow import Change, Follow, Gone, Put, Restarted, Synced, Trouble
from wf_k8s.client.listing import read_one
from wf_k8s.client.resources import PODS
from wf_k8s.client.session import STRATEGIC_MERGE_PATCH
from wf_k8s.client.shared import session_of
from wf_k8s.releasing import release
from wf_k8s.store.rows import identity
from wf_podstep import names
from wf_podstep.background import Background
from wf_podstep.cache import Cache
from wf_podstep.cleaning import settle, settle_all, sweep_for_ever
from wf_podstep.seen import Pod, read_pod
from wf_podstep.strays import labelled, recover

log = logging.getLogger("wf.pods")
PATIENCE = 20.0
"""Seconds that the first list of pods may take."""

_encode = msgspec.json.Encoder().encode


class Cluster:
    """Where pods of one store's workflows run. `in_cluster`: the workflows are objects there.

    One watch for all namespaces where the store's workflows may be in any, else one a namespace.
    """

    def __init__(self, background: Background, address: str, *, in_cluster: bool) -> None:
        self.background = background
        self.in_cluster = in_cluster
        self.session = session_of(address)
        self._caches: dict[str | None, Cache] = {}
        background.at_end(self.session.close)

    @property
    def caches(self) -> list[Cache]:
        """What is watched."""
        return list(self._caches.values())

    def at(self, namespace: str) -> "Place":
        """The namespace of a workflow. Raises StoreUnavailable where the pods can't be listed."""
        place = self.background.run(self._place(namespace))
        place.cache.await_synced(PATIENCE)
        return place

    async def namespace_of(self, namespace: str) -> str:
        """Where the pods of a workflow are: one of a local store that names no namespace has its
        pods in the context's."""
        if self.in_cluster or namespace != "default":
            return namespace
        return (await self.session.door()).namespaces[0]

    async def _place(self, namespace: str) -> "Place":
        door = await self.session.door()
        namespace = await self.namespace_of(namespace)
        scope = None if self.in_cluster and not door.namespaces else namespace
        cache = self._caches.get(scope)
        if cache is None:
            cache = self._caches[scope] = Cache()
            self.background.start(self._watch(scope, cache))
            if self.in_cluster:
                self.background.start(sweep_for_ever(self, cache))
        return Place(self, namespace, cache)

    async def _watch(self, scope: str | None, cache: Cache) -> None:
        follow = Follow(self.session, PODS.path(scope), {"labelSelector": names.OURS})
        said = ""

        def take(change: Change) -> None:
            nonlocal said
            match change:
                case Restarted():
                    cache.restart()
                case Put(body):
                    self._put(cache, body)
                case Gone(body):
                    pod = read_pod(body)
                    if pod.deleting:
                        cache.gone(pod)
                    else:  # deleted at once, or merely out of the watch's sight
                        self.recover(cache, cache.known(pod) or pod)
                case Synced():
                    cache.complete()
                    self._aside(settle_all(self, cache))
                case Trouble(error):
                    cache.failed(error)
                    if str(error) != said:
                        said = str(error)
                        log.warning("watching pods: %s", error)

        # Nobody awaits this task: whoever waits for pods must hear of what is wrong with it.
        await follow.supervise(take, cache.broke)

    def recover(self, cache: Cache, pod: Pod) -> None:
        """Look after a pod that lacks its labels: `pod` is how it is with them."""
        self._aside(recover(self, cache, pod))

    def _put(self, cache: Cache, body: bytes) -> None:
        """A pod as it is now. One that can't be read stays as it was seen last: it is not gone."""
        try:
            pod = read_pod(body)
            known = cache.known(pod)
            if known is not None and not pod.labelled_as(known):
                cache.unread(pod.key)
                self.recover(cache, known)
                return
            cache.put(pod)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            meta = identity(body)
            cache.unread((meta.namespace, meta.name))
            log.error("pod %s/%s: left as it was: %s", meta.namespace, meta.name, error)
            return
        if pod.held and pod.deleting and (pod.lost or not cache.attended(pod)):
            self._aside(settle(self, cache, pod))

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Have `work` done beside the watch; what fails is tried again at the next sweep."""

        async def guarded() -> None:
            try:
                await work
            except StoreUnavailable as error:
                log.warning("looking after pods: %s", error)
            except Exception:
                log.exception("looking after pods: a fault of wf-podstep")

        self.background.start(guarded())

    async def release(self, pods: Iterable[Pod]) -> None:
        """Let these go once they are deleted: what became of them is saved, or of no use."""
        for pod in pods:
            if pod.held:
                await release(self.session, pod.metadata.namespace, pod.name, pod.uid)

    def release_aside(self, pods: Iterable[Pod]) -> None:
        """As `release`, for those who can't wait for it."""
        self._aside(self.release(pods))

    async def label(self, pod: Pod, labels: Mapping[str, str]) -> Pod:
        """Put labels back; gives the pod as it is then. Raises RefusedError."""
        patch = {"metadata": {"uid": pod.uid, "labels": dict(labels)}}
        body = await self.session.request(
            "PATCH",
            PODS.path(pod.metadata.namespace, pod.name),
            body=_encode(patch),
            content_type=STRATEGIC_MERGE_PATCH,
        )
        return read_pod(body)

    async def ask_end(self, pod: Pod) -> None:
        """Ask for the deletion of that very pod; fine where it is gone, or another by now."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": pod.uid},
            "propagationPolicy": "Background",
        }
        path = PODS.path(pod.metadata.namespace, pod.name)
        try:
            await self.session.request("DELETE", path, body=_encode(options))
        except RefusedError as error:
            if error.code not in (404, 409):
                raise

    async def delete(self, pod: Pod) -> None:
        """Have that very pod go, whatever becomes of it."""
        if not pod.deleting:
            await self.ask_end(pod)
        await self.release([pod])

    async def delete_all(self, pods: list[Pod], at_once: int = 8) -> None:
        """Delete several; raises what the first that failed raised, once all were tried."""
        turns = asyncio.Semaphore(at_once)

        async def one(pod: Pod) -> None:
            async with turns:
                await self.delete(pod)

        done = await asyncio.gather(*(one(pod) for pod in pods), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error


@attrs.frozen
class Place:
    """A namespace of a cluster, for the hooks of a workflow in it."""

    cluster: Cluster
    namespace: str
    cache: Cache

    def create(self, document: dict[str, Any]) -> Pod | None:
        """Create a pod; None where one of that name may be there. Raises RefusedError, and
        NoAnswerError where nothing was sent.

        Strict: what Kubernetes does not know is refused, not dropped.
        """
        session = self.cluster.session
        path = PODS.path(self.namespace)
        strict = {"fieldValidation": "Strict"}
        try:
            body = self.cluster.background.run(
                session.request("POST", path, params=strict, body=_encode(document))
            )
        except RefusedError as error:
            if error.reason == "AlreadyExists":
                return None
            raise
        except NoAnswerError as error:
            if error.unsent:
                raise
            return None
        pod = read_pod(body)
        self.cache.put(pod)
        return pod

    def find(self, name: str) -> Pod | None:
        """A pod, asked for now."""
        body = self.cluster.background.run(
            read_one(self.cluster.session, PODS.path(self.namespace), name)
        )
        return None if body is None else read_pod(body)

    def adopt(self, pod: Pod) -> None:
        """A pod that was found is this step's."""
        self.cache.put(pod)

    def end(self, pods: list[Pod]) -> None:
        """Have these go, whatever becomes of them."""
        self.cluster.background.run(self.cluster.delete_all(pods))

    def ask_end(self, pod: Pod) -> None:
        """Have this one go once what became of it is saved."""
        if not pod.deleting:
            self.cluster.background.run(self.cluster.ask_end(pod))

    def release(self, pods: list[Pod]) -> None:
        """Let these go once they are deleted: what became of them is saved."""
        self.cluster.background.run(self.cluster.release(pods))

    def adopt_unlabelled(self, pod: Pod, labels: Mapping[str, str]) -> None:
        """A pod that was found is this step's, and lacks its labels: they are put back."""
        known = labelled(pod, labels)
        self.cache.put(known)
        self.cluster.recover(self.cache, known)

    def log_of(self, pod: Pod, lines: int) -> str:
        """The last lines of its container's log."""
        params = {"container": pod.main, "tailLines": str(lines), "limitBytes": str(4 << 20)}
        path = PODS.path(self.namespace, pod.name, "log")
        body = self.cluster.background.run(self.cluster.session.request("GET", path, params=params))
        return body.decode("utf-8", "replace")
