"""A fault of ours in following the API server: a watch that fails as a whole, again and again, ends
the controller, and another one goes on."""

import asyncio
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from tests.k8s.controller_process import ControllerProcess, Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Sagas, workflow
from tests.k8s.test_watch_idle import Quiet

from wf_core.errors import StoreUnavailable
from wf_core.testing.virtual_time import run
from wf_k8s.client.follow import FAULTS, QUIET_SECONDS, Change, Follow, Restarted
from wf_k8s.client.session import Session

BROKEN = """
import os
from wf_k8s.store.mirror import Mirror

take = Mirror._take

def broken(self, part, change):
    if os.path.exists({file!r}):
        raise RuntimeError("the mirror is broken")
    take(self, part, change)

Mirror._take = broken
"""


def supervised(every: float, faults: int) -> list[str]:
    """What is told of as broken where so many faults come, each so long after the one before."""

    async def main() -> list[str]:
        told: list[str] = []
        met = 0

        async def pause(_failures: int, at_least: float | None = None) -> None:  # noqa: ARG001
            await asyncio.sleep(every)

        def take(change: Change) -> None:
            nonlocal met
            if isinstance(change, Restarted) and met < faults:
                met += 1
                raise RuntimeError(f"fault {met}")

        def broke(error: StoreUnavailable) -> None:
            told.append(str(error))

        session = Quiet()
        session.pause = pause  # type: ignore[method-assign]
        try:
            async with asyncio.timeout(every * (faults + 3)):
                await Follow(cast(Session, session), "/apis/x").supervise(take, broke)
        except TimeoutError:
            pass
        return told

    return run(main())


@pytest.mark.parametrize("faults", [1, FAULTS - 1])
def test_faults_that_pass_are_listed_over(faults: int) -> None:
    assert supervised(1.0, faults) == []


def test_a_fault_that_comes_again_and_again_is_told_with_its_cause() -> None:
    (said,) = supervised(1.0, FAULTS)
    assert said.startswith("following /apis/x fails again and again: RuntimeError: fault 5")


def test_faults_that_come_now_and_then_are_none_in_a_row() -> None:
    assert supervised(QUIET_SECONDS + 1.0, 5 * FAULTS) == []


def unhealthy(controller: ControllerProcess) -> str | None:
    """What its /healthz says where it fails."""
    try:
        controller.page("/healthz")
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()
    return None


def test_a_watch_that_is_broken_fails_the_probe_gives_the_lease_up_and_another_goes_on(
    sagas: Sagas, controllers: Controllers, notes: Notes, tmp_path: Path
) -> None:
    file = tmp_path / "broken"
    (tmp_path / "sitecustomize.py").write_text(BROKEN.format(file=str(file)))
    ours: Mapping[str, str] = controllers.environment
    controllers.environment = {**ours, "PYTHONPATH": str(tmp_path)}
    # Long enough to find it unhealthy while it waits for the hook, and far longer than the test
    # waits for the second: that one leads since the Lease was given up.
    lasting: dict[str, Any] = {"lease_seconds": 3600, "controllerConfig": {"grace": 10}}
    first = controllers.leader(**lasting)
    step = notes.step("a", then="trap '' TERM\nuntil [ -e release ]; do sleep 0.1; done")
    step["stepTemplate"]["parameters"]["grace"] = 60
    step["stepTemplate"]["retryPolicy"] = {"runRetryLimit": 2, "runRetryPeriodSeconds": 0.1}
    sagas.create(workflow(step))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    controllers.environment = ours
    second = controllers.start(**lasting)
    second.await_said("standing by")
    file.touch()
    sagas.create(workflow(notes.step("b"), name="other"))  # something for the watch to tell
    said = until(lambda: unhealthy(first), "the probe fails")
    assert "fails again and again: RuntimeError: the mirror is broken" in said
    (tmp_path / "release").touch()
    assert first.process.wait(120) != 0
    second.await_said("leading as")
    await_phase(sagas, "Success", "other")
    await_phase(sagas, "Success")
    assert second.page("/healthz") == "ok\n"
