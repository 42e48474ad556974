"""Whatever moment `wf` is killed at, a workflow ends as if all of it had happened or none of it."""

import random
import signal
import time
from pathlib import Path

import attrs
import pytest
from tests.crash.killed_runs import (
    STEPS,
    Shape,
    Site,
    Watcher,
    await_line,
    ended,
    is_alive,
    kill,
    moments,
)
from tests.patience import PATIENCE

from wf_core.saga.deaths import MAX_DEATHS

pytestmark = pytest.mark.crash

KILLS = MAX_DEATHS - 1
"""One more, and a call that was open alone at each of them is held to kill its process (B3)."""
FEW = (1, 2)
MORE = (10, 11, 12, 13)
MANY = tuple(range(14, 20))
"""Seeds of workflows; those that are odd fail at a step. Ten of them, five moments each, are 50."""


@attrs.frozen
class Pace:
    """Seconds of an uninterrupted `wf run`: until its first call, and from there to its end."""

    start_up: float
    calls: float


def measured(folder: Path, shape: Shape) -> Pace:
    """Run it once without a kill."""
    site = Site(folder, shape)
    site.prepare()
    began = time.monotonic()
    process = site.run()
    await_line(site, "run", process)
    first = time.monotonic()
    code, said = ended(process)
    over = time.monotonic()
    watcher = Watcher(site)
    assert watcher.look()
    watcher.judge(code, said)
    return Pace(first - began, over - first)


def killed(site: Site, pace: Pace, moment: float, *, while_starting: bool) -> bool:
    """`wf run`, killed at a moment of its start or of its calls; False where that came too late."""
    site.prepare()
    process = site.run()
    if while_starting:
        time.sleep(moment * pace.start_up)
    else:
        await_line(site, "run", process)
        time.sleep(moment * pace.calls)
    return kill(process)


def hit(folder: Path, shape: Shape, pace: Pace, moment: float, *, while_starting: bool) -> Site:
    """A site whose `wf run` was killed. A machine that got faster since `pace` was measured makes
    a kill come too late; then an earlier moment is tried."""
    for attempt in range(8):
        site = Site(folder / str(attempt), shape)
        if killed(site, pace, moment * 0.7**attempt, while_starting=while_starting):
            return site
    raise AssertionError(f"no kill came before the end, from moment {moment} on")


def brought_to_its_end(site: Site, chance: random.Random, pace: Pace, kills: int) -> None:
    """`wf resume` until it ends by itself, killed some more times before; then judge."""
    watcher = Watcher(site)
    stored = watcher.look()
    for _ in range(kills):
        process = site.resume() if stored else site.run()
        time.sleep(chance.random() * (pace.start_up + pace.calls))
        kill(process)
        stored = watcher.look()
    # What was never stored never began: there is nothing to resume.
    code, said = ended(site.resume() if stored else site.run())
    assert watcher.look()
    watcher.judge(code, said)


@pytest.mark.parametrize(
    ("seed", "count"),
    [
        *((seed, 2) for seed in FEW),
        *(pytest.param(seed, 5, marks=pytest.mark.long) for seed in MORE),
        *(pytest.param(seed, 5, marks=pytest.mark.full) for seed in MANY),
    ],
)
def test_killed_at_random_moments_all_or_nothing_is_left(
    tmp_path: Path, seed: int, count: int
) -> None:
    chance = random.Random(seed)
    shape = Shape.made(chance, fails=seed % 2 == 1)
    pace = measured(tmp_path / "whole", shape)
    for number, moment in enumerate(moments(chance, count - 1)):
        site = hit(tmp_path / str(number), shape, pace, moment, while_starting=False)
        brought_to_its_end(site, chance, pace, kills=KILLS - 1 if number == 1 else 0)
    site = hit(tmp_path / "start", shape, pace, chance.random(), while_starting=True)
    brought_to_its_end(site, chance, pace, kills=0)


@pytest.mark.parametrize(
    "seed", [21, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (23, 25, 27))]
)
def test_killed_while_it_undoes_the_undo_goes_on(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    shape = attrs.evolve(Shape.made(chance, fails=True), fails=STEPS - 1 - chance.randrange(3))
    site = Site(tmp_path, shape)
    site.prepare()
    process = site.run()
    watcher = Watcher(site)
    for _ in range(KILLS):
        await_line(site, "undo", process)
        time.sleep(chance.random() * 0.05)
        kill(process)
        assert watcher.look()
        process = site.resume()
    code, said = ended(process)
    assert watcher.look()
    watcher.judge(code, said)


def test_c6_a_command_that_outlives_the_killed_engine_is_ended_before_it_is_called_again(
    tmp_path: Path,
) -> None:
    """The first call sleeps for an hour, deaf to SIGTERM; the one after the crash does not."""
    site = Site(tmp_path, Shape(tuple((i - 1,) if i else () for i in range(STEPS)), fails=None))
    site.prepare()
    slow = "[ -e again ] || { > again; trap '' TERM; sleep 3600; }; "
    document = tmp_path / "order.yaml"
    text = document.read_text()
    assert "> files/s1; " in text
    document.write_text(
        text.replace("> files/s1; ", f"> files/s1; {slow}").replace(
            '"rollback": "printf', '"grace": 0.2, "rollback": "printf'
        )
    )
    process = site.run()
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "again").exists():
        assert time.monotonic() < until
        time.sleep(0.005)
    assert kill(process)
    (outliving,) = [line.pid for line in site.calls() if line.step == "s1"]
    assert is_alive(outliving), "the command should outlive the engine that is killed"

    watcher = Watcher(site)
    assert watcher.look()
    code, said = ended(site.resume())

    assert not is_alive(outliving)
    watcher.judge(code, said)
    runs = [line.pid for line in site.calls() if line.step == "s1" and line.what == "begin"]
    assert len(runs) == 2


def test_a_store_that_was_killed_is_not_owned_by_anybody(tmp_path: Path) -> None:
    """`wf resume` does not wait for a dead process: its lock died with it."""
    site = Site(tmp_path, attrs.evolve(Shape.made(random.Random(2), fails=False), pause=0.05))
    site.prepare()
    process = site.run()
    await_line(site, "run", process)
    process.send_signal(signal.SIGSTOP)
    refused, said = ended(site.resume())
    assert refused == 1
    assert f"process {process.pid} on this machine" in said
    assert kill(process)

    code, said = ended(site.resume())

    assert code == 0, said
