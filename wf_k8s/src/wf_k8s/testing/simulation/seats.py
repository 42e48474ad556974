"""A process at the API server: one that leads by the Lease, or one on a machine of its own."""

import asyncio
from random import Random
from typing import TYPE_CHECKING

import attrs

from wf_core.engine import Engine
from wf_k8s.client.pace import Throttle
from wf_k8s.client.session import Session
from wf_k8s.controller.tenure import Tenure
from wf_k8s.leadership.fence import FencedSession
from wf_k8s.leadership.leadership import Leadership, Timing
from wf_k8s.leadership.lease import Lease
from wf_k8s.leadership.owners import LeaseOwners
from wf_k8s.testing.simulation.door import LineAccess
from wf_k8s.testing.simulation.line import ProcessLine
from wf_k8s.testing.simulation.owners import SimulatedOwners
from wf_k8s.testing.simulation.store import BookedStore

if TYPE_CHECKING:
    from wf_core.testing.simulation.observer import Observer
    from wf_core.testing.simulation.process import Process
    from wf_core.testing.simulation.stage import Stage
    from wf_k8s.testing.simulation.storage import KubernetesStorage

LEASE_NAMESPACE, LEASE = "wf-system", "wf-controller"
TIMEOUT = 5.0


@attrs.define
class Signs:
    """What probes would be told."""

    ailing: str = ""
    unready: str = ""


class MachineSeat:
    """`wf run` with a store in a cluster. Implements `storage.Seat`."""

    def __init__(
        self, stage: "Stage", storage: "KubernetesStorage", process: "Process", observer: "Observer"
    ) -> None:
        chance = Random(stage.world.seed * 1000 + process.number)
        self.line = ProcessLine(stage, storage, process, chance)
        self._owners = SimulatedOwners(f"machine.{process.number}", storage.live)
        session = Session(LineAccess(self.line), timeout=TIMEOUT, chance=chance)
        self.store = BookedStore(
            session, self._owners, process.clock.now, stage, process, observer, storage.book
        )

    @property
    def owner(self) -> str:
        """As `Seat.owner`."""
        return self._owners.id

    async def serve(self, engine: Engine) -> None:
        """As `Seat.serve`."""
        await engine.serve()

    async def stop(self, engine: Engine) -> None:
        """As `Seat.stop`."""
        await engine.stop()
        if not engine.busy:
            await self.store.close()

    def die(self) -> None:
        """As `Seat.die`: the locks go with the process."""
        self._owners.drop()


class LeaseSeat:
    """A controller: stands by, leads, ends, by the shipped leadership and tenure. Implements
    `storage.Seat`. `stood_still`: seconds that its clock left out."""

    def __init__(
        self, stage: "Stage", storage: "KubernetesStorage", process: "Process", observer: "Observer"
    ) -> None:
        chance = Random(stage.world.seed * 1000 + process.number)
        self.line = ProcessLine(stage, storage, process, chance)
        self.stood_still = 0.0
        self.identity = f"p{process.number}"
        self._loop = stage.loop
        self._process = process
        self._asked = asyncio.Event()
        self._ended = asyncio.Event()
        access = LineAccess(self.line)
        timing = Timing()
        lease_session = Session(access, timeout=min(TIMEOUT, timing.deadline / 2), chance=chance)
        self.leadership = Leadership(
            Lease(lease_session, LEASE_NAMESPACE, LEASE),
            self.identity,
            timing,
            wall=process.clock.now,
            monotonic=self._monotonic,
        )
        session = FencedSession(
            access,
            lambda: self.leadership.leads,
            throttle=Throttle(None),
            timeout=TIMEOUT,
            observer=None,
            chance=chance,
        )
        owners = LeaseOwners(self.leadership, f"{LEASE_NAMESPACE}/{LEASE}")
        self._owner = owners.id
        self.store = BookedStore(
            session, owners, process.clock.now, stage, process, observer, storage.book
        )

    def _monotonic(self) -> float:
        # Rounded: a wait for what is less than a digit of the loop's time would never end.
        return round(self._loop.time() - self.stood_still, 9)

    @property
    def owner(self) -> str:
        """As `Seat.owner`."""
        return self._owner

    async def serve(self, engine: Engine) -> None:
        """As `Seat.serve`."""
        try:
            acquiring = asyncio.ensure_future(self.leadership.acquire())
            asking = asyncio.ensure_future(self._asked.wait())
            await asyncio.wait((acquiring, asking), return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
            if not acquiring.done():
                acquiring.cancel()
                return
            acquiring.result()
            tenure = Tenure(
                self.leadership,
                self.store,
                engine,
                Signs(),
                serving=lambda: None,
                die=self._process.kill,
            )
            await tenure.lead(self._asked)
        finally:
            self._ended.set()

    async def stop(self, engine: Engine) -> None:  # noqa: ARG002
        """As `Seat.stop`."""
        self._asked.set()
        await self._ended.wait()

    def die(self) -> None:
        """As `Seat.die`: its Lease is left to expire."""
