"""The finalizer of step pods, and how it comes off.

It keeps a pod that was deleted until the outcome is saved, as that of Jobs does: without it a pod
that succeeded and was deleted while no controller ran would be started a second time.
"""

import logging
from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from wf_core.errors import StoreUnavailable
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.listing import pages
from wf_k8s.client.resources import PODS
from wf_k8s.client.session import STRATEGIC_MERGE_PATCH, Session

log = logging.getLogger("wf.pods")
POD_FINALIZER = "workflow.example.com/pod-outcome"

_encode = msgspec.json.Encoder().encode


class _Meta(msgspec.Struct, rename="camel"):
    name: str
    namespace: str
    uid: str
    finalizers: list[str] = []


class _Pod(msgspec.Struct):
    metadata: _Meta


_decode = msgspec.json.Decoder(_Pod).decode


async def release(session: Session, namespace: str, name: str, uid: str) -> None:
    """Take the finalizer off that very pod; fine where it is gone, or another by now."""
    patch = {"metadata": {"uid": uid, "$deleteFromPrimitiveList/finalizers": [POD_FINALIZER]}}
    try:
        await session.request(
            "PATCH",
            PODS.path(namespace, name),
            body=_encode(patch),
            content_type=STRATEGIC_MERGE_PATCH,
        )
    except RefusedError as error:
        if error.code not in (404, 409):
            raise


async def release_all(session: Session, namespaces: Sequence[str]) -> int:
    """Take the finalizer off every pod of these namespaces (none: of all); gives of how many.

    They are found by the finalizer alone, since somebody may have removed their labels. All are
    tried. Raises what the first that failed raised.
    """
    released, failed = 0, None
    for namespace in namespaces or (None,):
        async with aclosing(pages(session, PODS.path(namespace), {})) as told:
            async for page in told:
                for item in page.items or ():
                    pod = _decode(item).metadata
                    if POD_FINALIZER not in pod.finalizers:
                        continue
                    try:
                        await release(session, pod.namespace, pod.name, pod.uid)
                    except StoreUnavailable as error:
                        log.warning("%s/%s keeps its finalizer: %s", pod.namespace, pod.name, error)
                        failed = failed or error
                    else:
                        released += 1
    if failed is not None:
        raise failed
    return released
