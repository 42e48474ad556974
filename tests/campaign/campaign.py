"""Many workflows, while controllers are killed, the API server restarts, the network between them
breaks, and the receiver of callbacks is unkind. Everything is judged at the end."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import attrs
from tests.campaign import judge_calls, judge_stored
from tests.campaign.herd import Herd
from tests.campaign.judge_lives import lived_right
from tests.campaign.noted_kind import installed
from tests.campaign.orders import Order, orders
from tests.campaign.people import People
from tests.campaign.receiver import Delivery, Receiver, receiving
from tests.campaign.records import PREFIX, Line, Stored, lines
from tests.campaign.report import Report
from tests.campaign.weather import Weather
from tests.cluster import connection
from tests.cluster.accepted import accepted
from tests.cluster.aside import Aside, aside
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.kubectl import Kubectl
from tests.cluster.proxy import Proxy, disturbing
from tests.k8s.controller_process import Controllers
from tests.k8s.crd_objects import define

RUNNING = 40
QUEUE_LIMITS = {"queue-1": 8}
CALLS = 16
CONFIG: Mapping[str, object] = {
    "throttleQPS": 2000,
    "rpcTimeoutMillSeconds": 3000,
    "controllerConfig": {
        "concurrency": 24,
        "grace": 1,
        "queue": {
            "strategy": "FAIR",
            "maxRunningCount": RUNNING,
            "queues": {
                "queue-0": {"weight": 3},
                **{name: {"maxRunningCount": n} for name, n in QUEUE_LIMITS.items()},
            },
        },
        "steps": [{"kind": "noted", "concurrency": CALLS}],
    },
}
TICK = 0.1


@attrs.frozen
class Plan:
    """Controllers are killed after `leading` (least and most seconds) of leading, until the share
    `killing` of all workflows is over, or `strikes` times; the share `pausing` of them is stopped
    instead, and goes on once another has led for a while. The API server is killed and started
    again at each of the shares `restarts`. All connections through the proxy are cut every
    `cutting` seconds. After `patience` seconds it counts as hung."""

    workflows: int
    seed: int
    lease_seconds: int = 5
    leading: tuple[float, float] = (3.0, 10.0)
    killing: float = 0.9
    strikes: int = 1000
    pausing: float = 0.25
    restarts: tuple[float, ...] = (0.3, 0.6)
    cutting: tuple[float, float] = (2.0, 8.0)
    patience: float = 3600.0


@attrs.define
class Campaign:
    """One campaign under way."""

    plan: Plan
    plane: ControlPlane
    herd: Herd
    proxy: Proxy
    world: Aside
    stored: Stored
    orders: list[Order]
    chance: random.Random
    strikes: int = 0
    pauses: int = 0
    cuts: int = 0
    restarts: int = 0
    _strike_at: float | None = None
    _cut_at: float = 0.0

    def go_on(self, ordering: "Future[None]") -> None:
        """Let things happen until every workflow is over."""
        end = time.monotonic() + self.plan.patience
        while (share := self._share_over()) < 1 or not ordering.done():
            if ordering.done():
                ordering.result()
            assert time.monotonic() < end, f"hung: {self._left()}"
            self.herd.tend()
            if self.restarts < len(self.plan.restarts) and share >= self._next_restart:
                self._restart()
            if share < self.plan.killing and self.strikes < self.plan.strikes:
                self._perhaps_strike()
                self._perhaps_cut()
            elif self.herd.leader() is not None:
                self.herd.resume()
            time.sleep(TICK)

    def _share_over(self) -> float:
        return sum(life.over for life in list(self.stored.lives.values())) / len(self.orders)

    def _left(self) -> list[str]:
        """What is not over, for whoever looks for the reason."""
        lives = self.stored.lives
        return [
            f"{each.name}: {lives[each.name].last if each.name in lives else 'not there'}"
            for each in self.orders
            if each.name not in lives or not lives[each.name].over
        ][:5]

    @property
    def _next_restart(self) -> float:
        return self.plan.restarts[self.restarts]

    def _restart(self) -> None:
        self.restarts += 1
        self.plane.api_server.kill()
        time.sleep(self.chance.uniform(0.0, 1.0))
        self.plane.start_api_server()

    def _perhaps_strike(self) -> None:
        """Kill or stop the leader, once it has led long enough; wake one that was stopped before,
        which believes that it leads still."""
        leader = self.herd.leader()
        now = time.monotonic()
        if leader is None:
            self._strike_at = None
        elif self._strike_at is None:
            self._strike_at = now + self.chance.uniform(*self.plan.leading)
        elif now >= self._strike_at:
            self._strike_at = None
            self.herd.resume()
            self.strikes += 1
            if self.chance.random() < self.plan.pausing:
                self.pauses += 1
                self.herd.pause(leader)
            else:
                self.herd.kill(leader)

    def _perhaps_cut(self) -> None:
        now = time.monotonic()
        if now >= self._cut_at:
            self.cuts += bool(self._cut_at)
            self._cut_at = now + self.chance.uniform(*self.plan.cutting)
            self.world.loop.call_soon_threadsafe(self.proxy.cut)


def run(plan: Plan, programs: Mapping[str, Path], folder: Path) -> Report:
    """One campaign, with the `programs` of a control plane. Everything is left below `folder`."""
    chance = random.Random(plan.seed)
    made = orders(plan.workflows, chance)
    stored, weather, calls = Stored(), Weather(random.Random(plan.seed)), folder / "calls"
    calls.touch()
    with (
        running(programs, folder / "plane", durable=True) as plane,
        aside() as world,
        ThreadPoolExecutor(1) as pool,
    ):
        kubectl = Kubectl(programs["kubectl"], plane.kubeconfig(), folder / "kubectl")
        define(kubectl)
        world.enter(accepted(plane.etcd_url, PREFIX, stored.tell))
        receiver = world.enter(receiving(random.Random(plan.seed)))
        proxy = world.enter(disturbing(plane.url, plane.ca))
        proxy.weather = weather
        behind = connection.proxied(plane, proxy.port)
        controllers = Controllers(behind, "default", folder, installed(folder / "site", calls))
        herd = Herd(controllers, {"lease_seconds": plan.lease_seconds, **CONFIG})
        campaign = Campaign(plan, plane, herd, proxy, world, stored, made, chance)
        began = time.monotonic()
        try:
            ordering = pool.submit(People(kubectl, stored, receiver.url).order, made)
            campaign.go_on(ordering)
            seconds = time.monotonic() - began
        finally:
            controllers.close()
    return _report(campaign, weather, receiver, lines(calls), seconds)


def _report(
    campaign: Campaign, weather: Weather, receiver: Receiver, calls: list[Line], seconds: float
) -> Report:
    begun = [line for line in calls if line.begins]
    delivered = {(each.uid, each.seq) for each in receiver.came}
    lives = campaign.stored.lives
    endings = Counter(
        f"{order.fate}: {lives[order.name].last.status.phase}" for order in campaign.orders
    )
    return Report(
        faults=[*_faults(campaign, receiver.came, calls), *campaign.herd.faults()],
        seconds=seconds,
        workflows=len(campaign.orders),
        endings=endings,
        kills=campaign.herd.kills,
        pauses=campaign.pauses,
        lost_leases=campaign.herd.lost,
        restarts=campaign.restarts,
        cuts=campaign.cuts,
        requests=len(campaign.proxy.seen),
        befell=weather.happened,
        refused_writes=sum(
            code == 422 and line.startswith("PATCH") for line, code in campaign.proxy.answered
        ),
        writes=campaign.stored.writes,
        calls=len(begun),
        repeated_calls=sum(line.interruptions > 0 for line in begun),
        late_calls=sum(_late(campaign.herd, line) for line in begun),
        callbacks=len(receiver.came),
        repeated_callbacks=len(receiver.came) - len(delivered),
        refused_callbacks=receiver.refused,
    )


def _late(herd: Herd, line: Line) -> bool:
    """Whether a controller wrote it that had been stopped and replaced: it may still end what it
    had begun, and call what it had saved the intent of (docs/reliability.md says so)."""
    return line.at >= herd.resumed.get(line.pid, line.at + 1)


def _faults(campaign: Campaign, came: list[Delivery], calls: list[Line]) -> list[str]:
    """Everything that is wrong."""
    lives = campaign.stored.lives
    by_uid: dict[str, list[Line]] = defaultdict(list)
    told: dict[str, list[Delivery]] = defaultdict(list)
    for line in calls:
        by_uid[line.uid].append(line)
    for each in came:
        told[each.uid].append(each)
    queues = {order.name: order.queue for order in campaign.orders}
    found = [
        *judge_stored.limits_held(lives.values(), queues, RUNNING, QUEUE_LIMITS),
        *judge_calls.concurrency_held(calls, CALLS),
    ]
    for order in campaign.orders:
        life = lives[order.name]
        every = by_uid[life.uid]
        own = [line for line in every if not _late(campaign.herd, line)]
        found += (
            f"{order.name} ({order.fate}): {fault}"
            for faults in (
                lived_right(order, life, every, own),
                judge_calls.called_back(life, told[life.uid]),
            )
            for fault in faults
        )
    return found
