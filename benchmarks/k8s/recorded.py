"""What the saves of a workflow write, recorded from the shipped engine and store."""

import asyncio
from collections.abc import Mapping

import attrs

from benchmarks.k8s.stage import Stage
from wf_core.engine.local import open_engine, registry_of
from wf_core.hookspecs import hookimpl
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_k8s.client.access import Access
from wf_k8s.client.session import JSON, Session
from wf_k8s.store.opening import store_of
from wf_k8s.store.owners import MachineOwners
from wf_k8s.store.store import K8sStore
from wf_random.kind import Random


class RecordingSession(Session):
    """The shipped session, writing down the patches that it sends."""

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self.patches: list[bytes] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        timeout: float | None = None,
        cost: int = 1,
    ) -> bytes:
        """As `Session.request`."""
        if method == "PATCH" and path.endswith("/status") and body is not None:
            self.patches.append(body)
        return await super().request(
            method,
            path,
            params=params,
            body=body,
            content_type=content_type,
            timeout=timeout,
            cost=cost,
        )


@attrs.frozen
class Recorder:
    """The plugin that opens `recording:NAMESPACE`."""

    stage: Stage
    sessions: list[RecordingSession] = attrs.field(factory=list)

    @hookimpl
    def wf_open_store(self, url: str) -> K8sStore | None:
        """A store whose session records."""
        scheme, _, namespace = url.partition(":")
        if scheme != "recording":
            return None
        access = Access(f"/{namespace}", str(self.stage.cluster.kubeconfig))
        self.sessions.append(RecordingSession(access))
        return store_of(self.sessions[-1], MachineOwners(self.stage.folder))


@attrs.frozen
class Saves:
    """The patches of one workflow's saves, for another of the same spec."""

    patches: tuple[bytes, ...]
    uid: str

    def of(self, uid: str) -> list[bytes]:
        """The same for the workflow with that uid."""
        return [patch.replace(self.uid.encode(), uid.encode()) for patch in self.patches]


def record(stage: Stage, namespace: str, name: str, saves: int) -> Saves:
    """Run the workflow of that name, which must make so many saves."""
    return asyncio.run(_record(stage, namespace, name, saves))


async def _record(stage: Stage, namespace: str, name: str, saves: int) -> Saves:
    recorder = Recorder(stage)
    registry = registry_of([Random(), recorder])
    key = Key(namespace, name)
    async with open_engine(f"recording:{namespace}", None, registry) as engine:
        await engine.adopt(key)
        done = await engine.wait(key)
        assert done.head.phase is Phase.SUCCESS, done.head.error
        patches = tuple(recorder.sessions[0].patches)
    assert len(patches) == saves, f"{len(patches)} saves"
    return Saves(patches, done.workflow.metadata.uid)
