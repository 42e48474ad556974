"""`kill -9` before and after every system call that changes a file of the store."""

import itertools
import shutil
from pathlib import Path

import pytest
from tests.crash.crash_site import Site, goes_on_well
from tests.crash.file_calls import Mode, recorded
from tests.crash.fork_server import Server

pytestmark = pytest.mark.crash

BEFORE_AND_AFTER = (Mode.KILL_BEFORE, Mode.KILL_AFTER)
MAKING = 14
"""So many calls make an empty store."""


def fresh(folder: Path, *, fails: bool) -> Site:
    site = Site(folder, fails)
    site.prepare()
    return site


def killed_at(server: Server, folder: Path, mode: Mode, n: int, *, fails: bool) -> bool:
    """Kill a run at its `n`-th call, then have it go on; False where it ended before that."""
    site = fresh(folder / f"{n}-{mode.name}", fails=fails)
    if not server.perform(site, mode, n):
        assert site.said.read_text() == site.ends_in
        return False
    try:
        goes_on_well(site)
    except BaseException as error:
        error.add_note(f"killed at call {n}, {mode.name}, {recorded(site.records)[-1:]}")
        raise
    shutil.rmtree(site.folder)
    return True


def killed_from_call(server: Server, folder: Path, stride: int, *, fails: bool) -> int:
    """Kill a run at every `stride`-th call until one ends by itself; gives how many were killed."""
    for n in itertools.count(1, stride):
        for i, mode in enumerate(BEFORE_AND_AFTER):
            if not killed_at(server, folder, mode, n, fails=fails):
                return 2 * (n // stride) + i
    raise AssertionError("it never ended by itself")


def test_killed_while_the_store_is_made(server: Server, place: Path) -> None:
    for n in range(2, MAKING + 1):
        assert killed_at(server, place, Mode.KILL_AFTER, n, fails=False)


@pytest.mark.parametrize("fails", [False, True])
def test_killed_at_some_calls_all_or_nothing_is_left(
    server: Server, place: Path, fails: bool
) -> None:
    assert killed_from_call(server, place, 29, fails=fails) > 8


@pytest.mark.parametrize("fault", ["run c", "undo a", "", "lost"])
def test_what_judges_them_sees_a_fault(server: Server, place: Path, fault: str) -> None:
    """An effect without an intent, one that is missing, a save that is lost."""
    whole = fresh(place / "whole", fails=True)
    server.perform(whole)
    calls = recorded(whole.records)
    (effect,) = [i for i, call in enumerate(calls) if call.path == "effect run b"]
    made = sum(call.what != "n" for call in calls[:effect])
    site = fresh(place / "site", fails=True)
    assert server.perform(site, Mode.KILL_BEFORE, made + 4)
    assert site.happened() == ["run a", "run b"]
    if fault == "lost":
        site.store.with_name("wf.db-wal").unlink()
    else:
        site.effects.write_text(f"run a\nrun b\n{fault}\n" if fault else "run b\n")
    with pytest.raises(AssertionError):
        goes_on_well(site)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fails", [False, True])
def test_killed_at_every_call_all_or_nothing_is_left(
    server: Server, place: Path, fails: bool
) -> None:
    killed = killed_from_call(server, place, 1, fails=fails)
    print(f"killed {killed} times")
    assert killed > 200


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_again_while_it_goes_on(server: Server, place: Path) -> None:
    """The first kill comes at some calls of the run, the second at each fifth of going on."""
    for first in itertools.count(40, 31):
        for n in itertools.count(1, 5):
            site = fresh(place / f"{first}-{n}", fails=True)
            if not server.perform(site, Mode.KILL_BEFORE, first):
                assert first > 100
                return
            action = "run" if site.saved() is None else "resume"
            again = server.perform(site, Mode.KILL_AFTER, n, action)
            goes_on_well(site, crashes=2)
            shutil.rmtree(site.folder)
            if not again:
                break
