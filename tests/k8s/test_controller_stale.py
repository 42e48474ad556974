"""Two controllers at once: the lease is taken away from one that is stopped, and what it had sent
before reaches the API server afterwards. What was accepted is read from etcd."""

import asyncio
import json
import signal
from itertools import pairwise
from pathlib import Path

import pytest
from tests.campaign.records import PREFIX
from tests.cluster import connection
from tests.cluster.accepted import Write, accepted
from tests.cluster.aside import aside
from tests.cluster.control_plane import ControlPlane
from tests.cluster.proxy import Fault, disturbing
from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Json, Sagas, workflow
from tests.patience import PATIENCE

LEASE_SECONDS = 4
SAVE = "/workflows/order/status?"


@pytest.mark.slow
def test_i5_a_save_that_arrives_after_the_takeover_is_refused(
    plane: ControlPlane,
    plane_sagas: Sagas,
    plane_controllers: Controllers,
    notes: Notes,
    tmp_path: Path,
) -> None:
    writes: list[Write] = []
    with aside() as world:
        world.enter(accepted(plane.etcd_url, PREFIX, writes.append))
        proxy = world.enter(disturbing(plane.url, plane.ca))
        through = connection.proxied(plane, proxy.port)
        behind = Controllers(through, plane_sagas.namespace, _folder(tmp_path / "behind"))
        try:
            first = behind.leader(lease_seconds=LEASE_SECONDS)
            second = plane_controllers.start(lease_seconds=LEASE_SECONDS)
            second.await_said("standing by")
            release = tmp_path / "release"
            step = notes.step("a", then=f"until [ -e {release} ]; do sleep 0.05; done")
            step["stepTemplate"]["retryPolicy"] = {
                "runRetryLimit": 2,
                "runRetryPeriodSeconds": 0.1,
            }
            plane_sagas.create(workflow(step, notes.step("b", "a")))
            until(lambda: "run-a" in notes.lines() or None, "a runs")

            late = asyncio.Event()
            proxy.add(Fault(SAVE, hold=late))
            release.touch()
            held = until(
                lambda: next((each for each in proxy.seen if each.startswith("!")), None),
                "the success of a is on its way",
            )
            first.send(signal.SIGSTOP)
            second.await_said("leading as")
            until(lambda: _statuses(writes)[-1]["epoch"] > 1 or None, "the second saved")
            answered = len(proxy.answered)  # the first sends nothing more
            world.loop.call_soon_threadsafe(late.set)
            until(lambda: len(proxy.answered) > answered or None, "the late save is answered")
            line, code = proxy.answered[answered]
            done = await_phase(plane_sagas, "Success")
            first.send(signal.SIGCONT)
            assert first.process.wait(PATIENCE) == 1
        finally:
            behind.close()
        seen = _statuses(writes)
    assert first.said("the lease was lost")
    assert ("!" + line, code) == (held, 422)
    assert notes.lines().count("run-b") == 1
    assert done["status"]["epoch"] == done["status"]["writer"]["epoch"] == 2
    # Everything that was ever accepted: in order, each in the epoch that owned the workflow then.
    for before, after in pairwise(seen):
        assert after["revision"] in (before["revision"], before["revision"] + 1)
        assert after["epoch"] in (before["epoch"], before["epoch"] + 1)
        assert after["writer"]["epoch"] == after["epoch"]


def _statuses(writes: list[Write]) -> list[Json]:
    """The statuses that somebody saved, in order."""
    made = [json.loads(each.value) for each in list(writes) if each.value is not None]
    # What was only created is stored without its defaults.
    return [each["status"] for each in made if each.get("status", {}).get("revision")]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
