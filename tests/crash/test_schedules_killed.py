"""`wf serve` is killed around the times at which a schedule is due: one run a slot all the same."""

import asyncio
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

from wf_core.adapters.sqlite.store import SqliteStore
from wf_core.cli.app import run
from wf_core.model.schedule import StoredSchedule
from wf_core.model.spec import Key

STORES = 5
ROUNDS = 20
"""Kills on each of the stores: a hundred in all."""

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
            over = False
            while not over:
                over = self._ended.wait(0.01)
                rows = connection.execute("SELECT name, created_at FROM workflows").fetchall()
                for name, created_at in rows:
                    self._seen.saw(float(name.rpartition("-")[2]), repr(created_at))
                # Those that came and went while nobody got to look.
                for (name,) in connection.execute("SELECT name FROM gone").fetchall():
                    slot = float(name.rpartition("-")[2])
                    if slot not in self._seen.made:
                        self._seen.saw(slot, "gone")

    def close(self) -> None:
        self._ended.set()
        self._thread.join()


def killed(nursery: Nursery, folder: Path, seen: SlotsSeen) -> None:
    """A `wf serve` that starts what was due, is killed around the next time, and begins anew."""
    chance = random.Random(folder.name)
    url = f"sqlite:{folder / 'wf.db'}"
    for life in range(ROUNDS):
        log = folder / f"log-{life}"
        process = nursery.start(["--store", url, "serve"], log, {"XDG_STATE_HOME": str(folder)})
        process.await_said("serving")
        seen.await_what_is_due()
        due = seen.next_due()
        # Half of them while the run is made and saved, which takes a few milliseconds.
        moment = chance.uniform(*((-0.002, 0.012) if life % 2 else (-0.02, 0.15)))
        time.sleep(max(0.0, due + moment - time.time()))
        seen.lives += 1
        assert process.kill(), log.read_text()


def played(nursery: Nursery, folder: Path) -> tuple[SlotsSeen, StoredSchedule]:
    """One of them on a store of its own, since a second one would say that the first serves it; the
    slots that were seen, and the schedule as it is at the end."""
    folder.mkdir()
    document = folder / "tick.yaml"
    document.write_text(json.dumps(DOCUMENT))
    assert run(["--store", f"sqlite:{folder / 'wf.db'}", "submit", str(document)]) == 0
    seen = SlotsSeen(PERIOD)
    onlooker = Onlooker(folder / "wf.db", seen)
    try:
        killed(nursery, folder, seen)
    finally:
        onlooker.close()
    return seen, asyncio.run(stored(folder / "wf.db"))


async def stored(path: Path) -> StoredSchedule:
    store = SqliteStore.open(path)
    try:
        return await store.schedules.load(Key("default", "tick"))
    finally:
        await store.close()


@pytest.mark.crash
@pytest.mark.long
def test_wf_serve_killed_a_hundred_times_around_a_due_time_makes_one_run_a_slot(
    place: Path,
) -> None:
    with (
        nursery("wf_core.adapters.sqlite.store", "wf_core.engine.local") as made,
        ThreadPoolExecutor() as pool,
    ):
        found = list(pool.map(lambda n: played(made, place / str(n)), range(STORES)))
    for seen, schedule in found:
        assert seen.lives == ROUNDS
        assert len(seen.made) > ROUNDS / 2
        assert seen.twice() == {}
        decided = schedule.status.decided_time
        assert decided is not None
        left_out = seen.left_out(schedule.created_at, decided)
        assert len(left_out) == schedule.status.missed, left_out
        assert schedule.status.skipped == 0
