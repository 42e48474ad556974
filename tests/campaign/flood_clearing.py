"""Takes everything away that a turn left: what is not gone after that is in the way."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from tests.campaign.flood_attacks import FOREIGN
from tests.cluster.connection import Cluster

from wf_core.errors import WfError
from wf_k8s.client.access import Access
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.listing import read_all
from wf_k8s.client.resources import CRON_WORKFLOWS, TASKS, WORKFLOWS
from wf_k8s.client.session import JSON_PATCH, Session
from wf_k8s.store import remains
from wf_k8s.store.remains import Remains

CLEARING = b'[{"op":"add","path":"/spec/deletionPolicy","value":"Orphan"}]'
UNHELD = b'[{"op":"add","path":"/metadata/finalizers","value":[]}]'


async def clear(cluster: Cluster, namespaces: Sequence[str], patience: float) -> list[str]:
    """Delete all that is in the namespaces; what is still there after so many seconds."""
    session = Session(Access("/", str(cluster.kubeconfig)), timeout=60)
    end, left = time.monotonic() + patience, ["?"]
    try:
        while left and time.monotonic() < end:
            found = await asyncio.gather(*(_clear(session, each) for each in namespaces))
            left = [each for some in found for each in some]
            await asyncio.sleep(2.0 if left else 0.0)
    finally:
        await session.close()
    return left


async def _clear(session: Session, namespace: str) -> list[str]:
    """Ask once more for all of a namespace to go, without an undo; what is still there."""
    try:
        for kind in (CRON_WORKFLOWS, TASKS):
            await session.request("DELETE", kind.path(namespace))
        left = [remains.read(raw) for raw in await read_all(session, WORKFLOWS.path(namespace))]
        if left:
            await asyncio.gather(*(_let_go(session, each) for each in left))
            await session.request("DELETE", WORKFLOWS.path(namespace))
    except WfError as error:
        return [f"{namespace}: {error}"]
    return [f"{namespace}/{each.name} {dict(each.status)}"[:200] for each in left]


async def _let_go(session: Session, left: Remains) -> None:
    path = WORKFLOWS.path(left.namespace, left.name)
    patches = [UNHELD] if FOREIGN in left.finalizers else []
    if left.spec.get("deletionPolicy") != "Orphan":
        patches.append(CLEARING)
    # It may have gone meanwhile, and whatever else was refused is tried again.
    with suppress(RefusedError):
        for patch in patches:
            await session.request("PATCH", path, body=patch, content_type=JSON_PATCH)
