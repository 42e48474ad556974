"""A controller is killed around the times at which a schedule is due: one run a slot."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

import attrs
import pytest
import yaml
from tests.cluster.connection import Cluster
from tests.crash.forked_wf import Forked, Nursery, nursery
from tests.crash.slots_seen import SlotsSeen
from tests.k8s.controller_fixtures import CONTROLLER_IMPORTS
from tests.k8s.controller_process import until
from tests.k8s.crd_objects import SUSPENDED, Json, Sagas, cron, step
from tests.k8s.store_fixtures import Stores

from wf_k8s.client.access import Access
from wf_k8s.client.follow import Follow, Put
from wf_k8s.client.resources import WORKFLOWS
from wf_k8s.client.session import Session
from wf_k8s.store.rows import identity

SITES = 4
PERIOD = 2.0


@attrs.frozen
class Site:
    """A namespace with a schedule whose controller is killed again and again."""

    cluster: Cluster
    sagas: Sagas
    folder: Path

    def killed(self, nursery: Nursery, seed: int, seen: SlotsSeen, kills: int) -> None:
        """Each leads, starts what was due, and is killed around the next time that is due. What
        they left is then settled by one that is not."""
        chance = random.Random(seed)
        for _ in range(kills):
            process = self.leader(nursery, seen)
            seen.await_what_is_due()
            due = seen.next_due()
            time.sleep(max(0.0, due + chance.uniform(-0.02, 0.15) - time.time()))
            self.kill(process)
        self.sagas.kubectl("-n", self.sagas.namespace, "patch", "cronsaga", "tick", *SUSPENDED)
        last = self.leader(nursery, seen)
        until(self.settled, "every run that was made is known, and all but the last removed")
        self.kill(last)

    def leader(self, nursery: Nursery, seen: SlotsSeen) -> Forked:
        """One more controller, which leads when this returns."""
        config = self.folder / "config.yaml"
        config.write_text(yaml.safe_dump({"namespace": self.sagas.namespace}))
        arguments = [
            *("controller", "--config", str(config), "--kubeconfig", str(self.cluster.kubeconfig)),
            *("--namespace", self.sagas.namespace, "--metrics-port", "0", "--lease-seconds", "15"),
        ]
        log = self.folder / f"log-{seen.lives}"
        process = nursery.start(arguments, log, {"XDG_STATE_HOME": str(self.folder)})
        process.await_said("leading as")
        seen.lives += 1
        return process

    def kill(self, process: Forked) -> None:
        """It is dead for sure then: nobody has to wait until its lease is over."""
        assert process.kill(), process.log.read_text()
        lease = f"wf-controller.{self.sagas.namespace}"
        self.sagas.kubectl("-n", self.sagas.namespace, "delete", "lease", lease)

    def settled(self) -> Json | None:
        """The suspended schedule, once its status knows each run that is there, which is one."""
        schedule = self.sagas.cron()
        status = schedule["status"]
        known = [each["name"] for each in status.get("finished", ())]
        ended = not status.get("active") and len(known) == 1
        return schedule if ended and self.sagas.names() == known else None

    def judge(self, seen: SlotsSeen) -> None:
        """Each slot that was decided had one run, or is counted as missed."""
        assert seen.twice() == {}
        schedule = self.sagas.cron()
        status = schedule["status"]
        created_at = datetime.fromisoformat(schedule["metadata"]["creationTimestamp"])
        decided = datetime.fromisoformat(status["decidedTime"])
        left_out = seen.left_out(created_at.timestamp(), decided.timestamp())
        assert len(left_out) == status.get("missed", 0), left_out
        assert status.get("skipped", 0) == 0
        assert max(seen.made) <= decided.timestamp()


class Onlooker:
    """Is told by the API server of every workflow that is ever made in some namespaces."""

    def __init__(self, cluster: Cluster, seen: dict[str, SlotsSeen]) -> None:
        self._cluster = cluster
        self._seen = seen
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_until_complete(self._follow_all())
        self._loop.close()

    async def _follow_all(self) -> None:
        session = Session(Access("/*", str(self._cluster.kubeconfig)))
        self._following = [
            asyncio.ensure_future(self._follow(session, namespace)) for namespace in self._seen
        ]
        await asyncio.gather(*self._following, return_exceptions=True)
        await session.close()

    async def _follow(self, session: Session, namespace: str) -> None:
        follow = Follow(session, WORKFLOWS.path(namespace))
        async with aclosing(follow.changes()) as changes:
            async for change in changes:
                if isinstance(change, Put):
                    meta = identity(change.body)
                    slot = float(meta.name.rpartition("-")[2])
                    self._seen[namespace].saw(slot, meta.uid)

    def close(self) -> None:
        for each in self._following:
            self._loop.call_soon_threadsafe(each.cancel)
        self._thread.join()


def play(sites: Sequence[Site], cluster: Cluster, kills: int) -> dict[str, SlotsSeen]:
    """Kill the controllers of all sites, at the same time."""
    seen = {site.sagas.namespace: SlotsSeen(PERIOD) for site in sites}
    onlooker = Onlooker(cluster, seen)
    try:
        with nursery(*CONTROLLER_IMPORTS) as made, ThreadPoolExecutor() as pool:
            list(
                pool.map(
                    lambda n: sites[n].killed(made, n, seen[sites[n].sagas.namespace], kills),
                    range(len(sites)),
                )
            )
    finally:
        onlooker.close()
    return seen


@pytest.mark.crash
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [5, pytest.param(25, marks=pytest.mark.full)])
def test_controllers_that_are_killed_around_a_due_time_make_one_run_a_slot(
    cluster: Cluster, stores: Stores, sagas: Sagas, tmp_path: Path, kills: int
) -> None:
    sites = []
    for n in range(SITES):
        folder = tmp_path / str(n)
        folder.mkdir()
        there = attrs.evolve(sagas, namespace=stores.another_namespace())
        sites.append(Site(cluster, there, folder))
        tick = step("a")
        tick["stepTemplate"]["parameters"] = {"sleepSeconds": 0}
        # Runs are removed all the time: one that was made again would be seen as another.
        there.create(cron(tick, schedule="*/2 * * * * *", successfulRunsHistoryLimit=1))
    played = play(sites, cluster, kills)
    for site in sites:
        seen = played[site.sagas.namespace]
        assert seen.lives == kills + 1
        assert len(seen.made) > kills / 2
        site.judge(seen)
