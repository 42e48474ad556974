"""Candidates for one Lease of a real API server, on clocks that the tests move."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import attrs
from tests.cluster.kubectl import Kubectl
from tests.k8s.crd_objects import Json

from wf_core.adapters.clock import SystemClock
from wf_k8s.client.access import Access
from wf_k8s.client.session import Session
from wf_k8s.leadership.leadership import Leadership, Timing
from wf_k8s.leadership.lease import Lease

NAME = "wf-controller"
TIMING = Timing(duration=15, deadline=10, period=2)


@attrs.define
class Clocks:
    """Seconds: `wall` may be wrong, `monotonic` never goes back."""

    wall: float = 1_800_000_000.0
    monotonic: float = 0.0

    def pass_by(self, seconds: float) -> None:
        """Time goes on."""
        self.wall += seconds
        self.monotonic += seconds


@attrs.define
class Candidates:
    """Makes candidates, each with a session of its own."""

    kubeconfig: Path
    namespace: str
    kubectl: Kubectl
    clocks: Clocks
    stack: AsyncExitStack

    def lease(self) -> Lease:
        """The Lease, as one process sees it."""
        session = Session(Access(f"/{self.namespace}", str(self.kubeconfig)))
        self.stack.push_async_callback(session.close)
        return Lease(session, self.namespace, NAME)

    def candidate(self, identity: str, clocks: Clocks | None = None) -> Leadership:
        """One candidate, on the common clocks or on its own."""
        own = clocks or self.clocks
        return Leadership(
            self.lease(),
            identity,
            TIMING,
            wall=lambda: own.wall,
            monotonic=lambda: own.monotonic,
        )

    def waiting(self, identity: str, timing: Timing) -> Leadership:
        """One on the real clocks, for what waits."""
        loop = asyncio.get_running_loop()
        return Leadership(
            self.lease(), identity, timing, wall=SystemClock().now, monotonic=loop.time
        )

    def stored(self) -> Json:
        """The Lease's spec as it is stored."""
        found: Json = self.kubectl.json("-n", self.namespace, "get", "lease", NAME)
        spec: Json = found["spec"]
        return spec

    def delete(self) -> None:
        """Somebody deletes the Lease."""
        self.kubectl("-n", self.namespace, "delete", "lease", NAME)


@asynccontextmanager
async def candidates(kubectl: Kubectl, namespace: str) -> AsyncIterator[Candidates]:
    """For one test; all sessions are closed at the end."""
    async with AsyncExitStack() as stack:
        yield Candidates(kubectl.kubeconfig, namespace, kubectl, Clocks(), stack)
