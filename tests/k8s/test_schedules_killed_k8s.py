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
from tests.crash.forked_wf import Nursery, nursery
from tests.crash.slots_seen import SlotsSeen
from tests.k8s.crd_objects import Sagas, cron, step
from tests.k8s.store_fixtures import Stores

from wf_k8s.client.access import Access
from wf_k8s.client.follow import Follow, Put
from wf_k8s.client.resources import WORKFLOWS
from wf_k8s.client.session import Session
from wf_k8s.store.rows import identity

SITES = 4
KILLS = 25
PERIOD = 2.0
IMPORTS = ("wf_k8s.controller.controller", "kubernetes.aio.config", "kubernetes.aio.client.rest")


@attrs.frozen
class Site:
    """A namespace with a schedule whose controller is killed again and again."""

    cluster: Cluster
    sagas: Sagas
    folder: Path

    def killed(self, nursery: Nursery, seed: int, seen: SlotsSeen) -> None:
        """Each leads, starts what was due, and is killed around the next time that is due."""
        chance = random.Random(seed)
        config = self.folder / "config.yaml"
        config.write_text(yaml.safe_dump({"namespace": self.sagas.namespace}))
        arguments = [
            *("controller", "--config", str(config), "--kubeconfig", str(self.cluster.kubeconfig)),
            *("--namespace", self.sagas.namespace, "--metrics-port", "0", "--lease-seconds", "15"),
        ]
        for life in range(KILLS):
            log = self.folder / f"log-{life}"
            process = nursery.start(arguments, log, {"XDG_STATE_HOME": str(self.folder)})
            process.await_said("leading as")
            seen.await_what_is_due()
            due = seen.next_due()
            time.sleep(max(0.0, due + chance.uniform(-0.02, 0.15) - time.time()))
            seen.lives += 1
            assert process.kill(), log.read_text()
            # It is dead for sure: nobody has to wait until its lease is over.
            lease = f"wf-controller.{self.sagas.namespace}"
            self.sagas.kubectl("-n", self.sagas.namespace, "delete", "lease", lease)

    def lost(self, seen: SlotsSeen) -> list[float]:
        """The slots that were neither started nor counted as missed."""
        schedule = self.sagas.cron()
        status = schedule["status"]
        created_at = datetime.fromisoformat(schedule["metadata"]["creationTimestamp"])
        decided = datetime.fromisoformat(status["decidedTime"])
        return seen.lost(created_at.timestamp(), decided.timestamp(), status.get("missed", 0))


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


def play(sites: Sequence[Site], cluster: Cluster) -> dict[str, SlotsSeen]:
    """Kill the controllers of all sites, at the same time."""
    seen = {site.sagas.namespace: SlotsSeen(PERIOD) for site in sites}
    onlooker = Onlooker(cluster, seen)
    try:
        with nursery(*IMPORTS) as made, ThreadPoolExecutor() as pool:
            list(
                pool.map(
                    lambda n: sites[n].killed(made, n, seen[sites[n].sagas.namespace]),
                    range(len(sites)),
                )
            )
    finally:
        onlooker.close()
    return seen


@pytest.mark.crash
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_controller_killed_a_hundred_times_around_a_due_time_makes_one_run_a_slot(
    cluster: Cluster, stores: Stores, sagas: Sagas, tmp_path: Path
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
    played = play(sites, cluster)
    for site in sites:
        seen = played[site.sagas.namespace]
        assert seen.lives == KILLS
        assert len(seen.made) > KILLS / 2
        assert seen.twice() == {}
        assert site.lost(seen) == []
