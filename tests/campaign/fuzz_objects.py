"""`make fuzz-objects`: objects of any shape that a real API server accepted, while a controller
leads. None of them may stop it, hold up another workflow, or be in the way of its own deletion."""

import argparse
import asyncio
import itertools
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import attrs
from tests.campaign.hostile_objects import Hostile, Hostiles
from tests.cluster.binaries import CONTROL_PLANE, AssetMissingError, UnavailableError, find
from tests.cluster.connection import Cluster, own
from tests.cluster.control_plane import running
from tests.cluster.kubectl import Kubectl
from tests.k8s.controller_process import ControllerProcess, Controllers
from tests.k8s.crd_objects import define
from tests.patience import PATIENCE

from wf_k8s.client.access import Access
from wf_k8s.client.errors import RefusedError
from wf_k8s.client.listing import read_all
from wf_k8s.client.resources import CRON_WORKFLOWS, TASKS, WORKFLOWS, Resource
from wf_k8s.client.session import JSON_PATCH, Session
from wf_k8s.store import remains
from wf_k8s.store.remains import Remains

RESOURCES: dict[str, Resource] = {each.plural: each for each in (WORKFLOWS, CRON_WORKFLOWS, TASKS)}
BATCH = 250
AT_ONCE = 8
CONFIG = {"throttleQPS": 2000}
OTHER = "somebody"
"""An owner that no controller is: `wf run` on somebody's machine, for all that it can tell."""
ENDED = ("Success", "RollBacked", "Failed")
ORPHAN = b'[{"op":"add","path":"/spec/deletionPolicy","value":"Orphan"}]'
PROBE = (
    '{"apiVersion": "workflow.example.com/v1alpha1", "kind": "Workflow", "metadata": {"name": '
    '"%s"}, "spec": {"steps": [{"name": "a", "stepTemplate": {"type": "random", "parameters": '
    '{"sleepSeconds": 0}}}]}}'
)


class StuckError(Exception):
    """Something did not come; str() says what. Nothing after it would be worth waiting for."""


@attrs.define
class Report:
    """What came of it. `waits` are the seconds from a probe's creation to its success."""

    seed: int
    accepted: int = 0
    pasted: int = 0
    refused: Counter[int] = attrs.field(factory=Counter)
    left_alone: int = 0
    released: int = 0
    waits: list[float] = attrs.field(factory=list)
    memory: str = ""
    faults: list[str] = attrs.field(factory=list)

    def __str__(self) -> str:
        waits = sorted(self.waits) or [0.0]
        return (
            f"seed {self.seed}: {self.accepted} objects accepted, {self.pasted} statuses pasted, "
            f"refused {dict(self.refused)}; {self.left_alone} left alone and said so, "
            f"{self.released} let go by a person; {len(self.waits)} probes succeeded within "
            f"{waits[-1]:.1f} s (median {waits[len(waits) // 2]:.1f}); "
            f"the controller's memory at most {self.memory}; faults: {self.faults or 'none'}"
        )


@attrs.define
class Fuzz:
    """One run in one namespace."""

    session: Session
    namespace: str
    leader: ControllerProcess
    report: Report

    async def run(self, count: int) -> None:
        """Until `count` objects were accepted, handled and deleted."""
        made = Hostiles(self.report.seed)
        try:
            for batch in itertools.count():
                left = count - self.report.accepted
                if left <= 0 or self.report.faults:
                    break
                await self._batch(made, batch, min(BATCH, left))
        except StuckError as error:
            self.report.faults.append(str(error))
        self._look_at_the_leader()

    async def _batch(self, made: Hostiles, number: int, count: int) -> None:
        wanted = iter(range(count))
        await asyncio.gather(*(self._create(made, wanted) for _ in range(AT_ONCE)))
        await self._probe(f"probe-{number}")
        await self._until("all say how they stand", self._unhandled)
        for resource in RESOURCES.values():
            await self.session.request("DELETE", resource.path(self.namespace))
        await self._until("all that may go are gone", self._in_the_way)
        for left in await self._workflows():
            await self._release(left.name)
        await self._until("all are gone", self._workflows)
        self._look_at_the_leader()
        print(f"{self.report.accepted} accepted", flush=True)

    async def _release(self, name: str) -> None:
        path = WORKFLOWS.path(self.namespace, name)
        try:
            await self.session.request("PATCH", path, body=ORPHAN, content_type=JSON_PATCH)
            self.report.released += 1
        except RefusedError as error:
            if error.code != 404:  # it may have gone by itself since it was listed
                raise

    async def _create(self, made: Hostiles, wanted: Iterator[int]) -> None:
        for _ in wanted:
            while not await self._accepted(made.next()):
                pass

    async def _accepted(self, each: Hostile) -> bool:
        path = RESOURCES[each.plural].path(self.namespace)
        try:
            await self.session.request("POST", path, body=each.document.encode())
        except RefusedError as error:
            self.report.refused[error.code] += 1
            return False
        self.report.accepted += 1
        path = RESOURCES[each.plural].path(self.namespace, each.name, "status")
        for field, value in each.status.items():
            op = f'[{{"op": "add", "path": "/status/{field}", "value": {value}}}]'
            try:
                body = op.encode()
                await self.session.request("PATCH", path, body=body, content_type=JSON_PATCH)
                self.report.pasted += 1
            except RefusedError as error:
                self.report.refused[error.code] += 1
        return True

    async def _probe(self, name: str) -> None:
        """Somebody else's workflow, which must not notice."""
        begun = time.monotonic()
        body = (PROBE % name).encode()
        await self.session.request("POST", WORKFLOWS.path(self.namespace), body=body)

        async def unfinished() -> list[Remains]:
            found = await self._workflows(name)
            return [each for each in found if each.status.get("phase") != "Success"]

        await self._until(f"'{name}' succeeds", unfinished)
        self.report.waits.append(time.monotonic() - begun)

    async def _workflows(self, name: str = "") -> list[Remains]:
        only = {"fieldSelector": f"metadata.name={name}"} if name else {}
        raws = await read_all(self.session, WORKFLOWS.path(self.namespace), only)
        return [remains.read(raw) for raw in raws]

    async def _unhandled(self) -> list[Remains]:
        """Those of which nobody can tell why they do not go on."""
        found = await self._workflows()
        left = [each for each in found if not _handled(each)]
        if not left:
            self.report.left_alone += sum(_says(each, remains.LEFT_ALONE) for each in found)
        return left

    async def _in_the_way(self) -> list[Remains]:
        """Those that are neither gone nor say what a person can do."""
        found = await self._workflows()
        return [each for each in found if not (_stalled(each) or each.status.get("owner") == OTHER)]

    async def _until(self, what: str, left: Callable[[], Awaitable[list[Remains]]]) -> None:
        end = time.monotonic() + PATIENCE
        while found := await left():
            if time.monotonic() > end:
                shown = [(each.name, str(dict(each.status))[:300]) for each in found[:3]]
                raise StuckError(f"not within {PATIENCE:g} s: {what}: {shown}")
            await asyncio.sleep(0.3)

    def _look_at_the_leader(self) -> None:
        if self.leader.process.poll() is not None:
            self.report.faults.append(f"the controller ended: {self.leader.log}")
            return
        status = Path(f"/proc/{self.leader.process.pid}/status").read_text()
        self.report.memory = next(iter(re.findall(r"VmHWM:\s*(.*)", status)), "unknown")
        if self.leader.page("/healthz") != "ok\n":
            self.report.faults.append("/healthz fails")


def _says(left: Remains, reason: str) -> bool:
    return any(each.get("reason") == reason for each in _conditions(left))


def _conditions(left: Remains) -> list[dict[str, object]]:
    found = left.status.get("conditions")
    return found if isinstance(found, list) else []


def _stalled(left: Remains) -> bool:
    return any((c.get("type"), c.get("status")) == ("Stalled", "True") for c in _conditions(left))


def _handled(left: Remains) -> bool:
    """Whether it says why it is where it is. One that is to wait does, though a status that was
    pasted over its own says another thing."""
    status = left.status
    waits = status.get("suspended") or left.spec.get("suspend") or status.get("owner") == OTHER
    return bool(_stalled(left) or status.get("phase") in ENDED or waits)


def fuzz(cluster: Cluster, namespace: str, folder: Path, seed: int, count: int) -> Report:
    """One run on a cluster that knows our resources."""
    controllers = Controllers(cluster, namespace, folder)
    report = Report(seed)

    async def play() -> None:
        session = Session(Access(f"/{namespace}", str(cluster.kubeconfig)), timeout=60)
        try:
            leader = await asyncio.to_thread(lambda: controllers.leader(**CONFIG))
            await Fuzz(session, namespace, leader, report).run(count)
        finally:
            await session.close()

    try:
        asyncio.run(play())
    finally:
        controllers.close()
    return report


def main() -> int:
    """One run on a control plane of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.fuzz_objects")
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    try:
        programs = find(CONTROL_PLANE, lambda text: print(text, file=sys.stderr, flush=True))
    except (UnavailableError, AssetMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="wf-fuzz-"))
    print(f"its logs: {folder}; seed {options.seed}", flush=True)
    with running(programs, folder / "plane") as plane:
        define(Kubectl(programs["kubectl"], plane.kubeconfig(), folder / "kubectl"))
        report = fuzz(own(plane), "default", folder, options.seed, options.objects)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
