"""`wf serve` is killed around the times at which a schedule is due: one run a slot all the same."""

import contextlib
import json
import random
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.crash.forked_wf import Nursery, nursery
from tests.crash.slots_seen import SlotsSeen

from wf_core.cli.app import run

ROUNDS = 50
"""Kills on each of two stores."""

PERIOD = 1.0
DOCUMENT = {
    "apiVersion": "workflow.example.com/v1alpha1",
    "kind": "CronWorkflow",
    "metadata": {"name": "tick"},
    "spec": {
        "schedule": "* * * * * *",
        # Runs are removed all the time: one that was made again would be seen as another.
        "successfulRunsHistoryLimit": 1,
        "workflowTemplate": {
            "spec": {
                "steps": [
                    {
                        "name": "a",
                        "stepTemplate": {"type": "random", "parameters": {"sleepSeconds": 0}},
                    }
                ]
            }
        },
    },
}


class Onlooker:
    """Reads which workflows are in a store, again and again."""

    def __init__(self, path: Path, seen: SlotsSeen) -> None:
        self._path = path
        self._seen = seen
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            while not self._ended.wait(0.01):
                rows = connection.execute("SELECT name, created_at FROM workflows").fetchall()
                for name, created_at in rows:
                    self._seen.saw(float(name.rpartition("-")[2]), repr(created_at))

    def close(self) -> None:
        self._ended.set()
        self._thread.join()


def killed(nursery: Nursery, folder: Path) -> list[tuple[float, float]]:
    """A `wf serve` that is killed around each time that is due, and begins anew; when it lived."""
    chance = random.Random(folder.name)
    url = f"sqlite:{folder / 'wf.db'}"
    lived = []
    for life in range(ROUNDS):
        log = folder / f"log-{life}"
        process = nursery.start(["--store", url, "serve"], log, {"XDG_STATE_HOME": str(folder)})
        while not process.said("serving"):
            time.sleep(0.005)
        began = time.time()
        due = (began // PERIOD + 1) * PERIOD
        # Half of them while the run is made and saved, which takes a few milliseconds.
        moment = chance.uniform(*((-0.002, 0.012) if life % 2 else (-0.02, 0.15)))
        time.sleep(max(0.0, due + moment - time.time()))
        lived.append((began, time.time()))
        assert process.kill(), log.read_text()
    return lived


def played(nursery: Nursery, folder: Path) -> SlotsSeen:
    """One of them on a store of its own: a second one would say that the first serves it."""
    folder.mkdir()
    document = folder / "tick.yaml"
    document.write_text(json.dumps(DOCUMENT))
    assert run(["--store", f"sqlite:{folder / 'wf.db'}", "submit", str(document)]) == 0
    seen = SlotsSeen(PERIOD)
    onlooker = Onlooker(folder / "wf.db", seen)
    try:
        seen.lived += killed(nursery, folder)
    finally:
        onlooker.close()
    return seen


@pytest.mark.crash
@pytest.mark.slow
def test_wf_serve_killed_a_hundred_times_around_a_due_time_makes_one_run_a_slot(
    place: Path,
) -> None:
    with (
        nursery("wf_core.adapters.sqlite.store", "wf_core.engine.local") as made,
        ThreadPoolExecutor() as pool,
    ):
        found = list(pool.map(lambda n: played(made, place / str(n)), range(2)))
    for seen in found:
        assert len(seen.lived) == ROUNDS
        assert len(seen.made) > ROUNDS / 4
        assert seen.twice() == {}
        assert seen.left_out(0.5) == []
