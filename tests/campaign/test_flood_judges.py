"""What a flood judges by: each fault is seen, and what is drawn from a seed is what was meant."""

import asyncio
import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.campaign.confined import confined
from tests.campaign.flood_attacks import ATTACKS, HUGE_STEPS, VARIED, Json, document, variations
from tests.campaign.flood_kubelet import Asked, Kubelet
from tests.campaign.flood_report import Bounds, Report, Turn
from tests.campaign.flood_victims import percentile
from tests.cluster.connection import Cluster
from tests.k8s.controller_process import Controllers, until

LARGEST = 1_500_000
"""Bytes of a request that etcd takes."""


def turn(run: int, p99: float, *, flooded: bool, **more: Any) -> Turn:
    known: Json = {"seconds": 1.0, "ordered": 1, "took": (p99,), "p50": p99, "cpu": {}}
    known |= {"machine": 1.0, "peak": 100.0, "resident": 1.0, "restarts": 0, "killed": 0}
    known |= {"pages": {}, "holds": (), "logged": 0, "stored": 1.0, "hostile": None}
    known |= {"cleaned_up_in": 0.0, "faults": (), **more}
    return Turn(run=run, flooded=flooded, p99=p99, **known)


def report(*turns: Turn) -> Report:
    return Report({}, Bounds(2.0, 800_000_000), turns)


def test_twice_the_time_alone_is_within_the_bound_and_more_is_not() -> None:
    good = report(turn(1, 1.0, flooded=False), turn(1, 2.0, flooded=True))
    assert good.faults() == []
    bad = report(turn(1, 1.0, flooded=False), turn(1, 2.01, flooded=True))
    assert ["2.01 times" in each for each in bad.faults()] == [True]


def test_a_turn_in_which_nothing_ended_is_never_within_the_bound() -> None:
    nothing = turn(1, math.inf, flooded=True)
    assert report(turn(1, 1.0, flooded=False), nothing).faults()
    assert report(turn(1, math.inf, flooded=False), nothing).faults()


def test_the_limit_of_memory_and_faults_of_turns_are_bounds_too() -> None:
    found = report(
        turn(1, 1.0, flooded=False, faults=("it ended",)), turn(1, 1.0, flooded=True, peak=800.0)
    ).faults()
    assert found[0] == "run 1: it ended"
    assert "VmHWM was 800 MB" in found[1]


def test_what_is_reported_is_json_and_a_table() -> None:
    done: Json = {"requests": 3, "accepted": 2, "fuzzed": 1, "unanswered": 0, "began": {"a": 2}}
    done |= {"asked_of_servers": 4, "varied": 2}
    flooded = turn(1, 2.0, flooded=True, hostile={**done, "codes": {"403": 1}})
    made = report(turn(1, 1.0, flooded=False), flooded)
    assert json.loads(json.dumps(made.document()))["ratios"][0]["ratio"] == 2.0
    assert "1 x 403" in str(flooded)
    assert "    1         1.00           2.00     2.00" in str(made)


@pytest.mark.parametrize(("share", "value"), [(0.5, 100), (0.99, 198), (1.0, 200)])
def test_percentiles(share: float, value: int) -> None:
    assert percentile(range(1, 201), share) == value


def keeping(folder: Path, script: str) -> Kubelet:
    """One that keeps a shell script for a controller."""
    nowhere = Cluster("", folder, {}, {})
    before = ("sh", "-c", script, "sh")
    config = folder / "kubeconfig"
    return Kubelet(Controllers(nowhere, "a", folder, kubeconfig=config, before=before), (), {})


SAYS = (
    """echo '{"message": "metrics and health at port 1"}'; echo '{"message": "leading as a"}'; """
)


def test_a_controller_that_ends_is_started_again_and_that_is_a_fault(tmp_path: Path) -> None:
    marker = tmp_path / "second"
    once = f"[ -e {marker} ] && exec sleep 1000; touch {marker}; exit 7"
    kubelet = keeping(tmp_path, SAYS + once)
    try:
        kubelet.start()
        until(lambda: kubelet.restarts or None, "it is started again")
        assert kubelet.controllers.started[-1].process.poll() is None
        (fault,) = kubelet.take_faults()
        assert "ended with 7" in fault
    finally:
        kubelet.close()


def test_what_no_controller_should_say_and_holds_of_the_loop_are_read_in_its_log(
    tmp_path: Path,
) -> None:
    held = {"time": "2026-01-01T00:00:10.000Z", "message": "the loop goes on, after 4.0 s"}
    fault = {"time": "2026-01-01T00:00:11.000Z", "message": "a fault of the engine"}
    lines = "".join(f"echo '{json.dumps(each)}'; " for each in (held, fault))
    kubelet = keeping(tmp_path, f"{lines}{SAYS}exec sleep 1000")
    try:
        kubelet.start()
        assert ["a fault of the engine" in each for each in kubelet.take_faults()] == [True]
        ((began, ended),) = kubelet.holds
        assert ended - began == pytest.approx(4.0)
        for asked, answered, wrong in ((1, 2, True), (-1, 2, False), (1, 5, False)):
            green = Asked(green=[(began + asked, began + answered)])
            kubelet.asked = {"/healthz": green}
            assert bool(kubelet.take_faults()) is wrong
    finally:
        kubelet.close()


def test_what_takes_more_memory_than_its_limit_is_killed_and_counted() -> None:
    with confined(50 * 2**20, "wf-flood-test") as confinement:
        if confinement.folder is None:
            pytest.skip(f"memory can't be limited here: {confinement.how}")
        for megabytes, code in ((10, 0), (200, -9)):
            text = f"bytearray({megabytes} * 2**20)"
            done = subprocess.run([*confinement.before, sys.executable, "-c", text], check=False)
            assert done.returncode == code
        assert confinement.killed() >= 1


def test_variations_are_the_same_for_a_seed_and_of_every_kind_that_is_not_left_out() -> None:
    drawn = variations(1, 100)
    assert drawn == variations(1, 100) != variations(2, 100)
    assert {name for name, _ in drawn} == set(VARIED)
    assert set(ATTACKS.values()) <= set(VARIED.values())
    assert HUGE_STEPS in VARIED
    without = variations(1, 100, frozenset({HUGE_STEPS}))
    assert {name for name, _ in without} == set(VARIED) - {HUGE_STEPS}


@attrs.define
class Recorder:
    """An author whose objects go nowhere."""

    url: str = "http://127.0.0.1:1"
    names: list[str] = attrs.field(factory=list)
    sizes: list[int] = attrs.field(factory=list)
    _made: int = 0

    def name(self) -> str:
        self._made += 1
        return f"n{self._made}"

    async def create(self, kind: str, name: str, spec: str | Json, **metadata: Any) -> bool:
        self.names.append(name)
        self.sizes.append(len(document(kind, name, spec, metadata)))
        return True

    async def patch(self, kind: str, name: str, *operations: Json) -> bool:
        assert kind == "Workflow"
        assert name in self.names
        json.dumps(operations)
        return True

    async def delete(self, kind: str, name: str = "") -> bool:
        assert kind
        assert not name or name in self.names
        return True

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds * 0)


@pytest.mark.parametrize("act", VARIED.values(), ids=VARIED)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_attack_makes_objects_that_fit_into_a_request(act: Any, seed: int) -> None:
    author = Recorder()
    asyncio.run(act(author, random.Random(seed)))
    assert author.names
    assert len(set(author.names)) == len(author.names)
    assert max(author.sizes) < LARGEST
