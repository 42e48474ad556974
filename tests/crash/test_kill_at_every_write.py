"""`kill -9` before and after every system call that changes a file of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.crash_site import Site, goes_on_well
from tests.crash.file_calls import Mode, built, recorded
from tests.crash.fork_server import Server

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(built(tmp_path_factory.mktemp("shim"))) as running:
        yield running


def fresh(folder: Path, *, fails: bool) -> Site:
    site = Site(folder, fails)
    site.prepare()
    return site


def killed_from_call(
    server: Server, folder: Path, first: int, stride: int, *, fails: bool
) -> int:
    """Kill a run at every `stride`-th call until one ends by itself; gives how many were killed."""
    n, killed = first, 0
    while True:
        for mode in (Mode.KILL_BEFORE, Mode.KILL_AFTER):
            site = fresh(folder / f"{n}-{mode.name}", fails=fails)
            if not server.perform(site, mode, n):
                assert site.said.read_text() == site.ends_in
                return killed
            killed += 1
            try:
                goes_on_well(site)
            except BaseException as error:
                error.add_note(f"killed at call {n}, {mode.name}, {recorded(site.records)[-1:]}")
                raise
        n += stride


@pytest.mark.parametrize("fails", [False, True])
def test_killed_at_some_calls_all_or_nothing_is_left(
    server: Server, tmp_path: Path, fails: bool
) -> None:
    assert killed_from_call(server, tmp_path, 1, 19, fails=fails) > 10


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fails", [False, True])
def test_killed_at_every_call_all_or_nothing_is_left(
    server: Server, tmp_path: Path, fails: bool
) -> None:
    killed = killed_from_call(server, tmp_path, 1, 1, fails=fails)
    print(f"killed {killed} times")
    assert killed > 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_again_while_it_goes_on(server: Server, tmp_path: Path) -> None:
    """The second kill comes at every third call of the resumption."""
    for first in range(40, 400, 31):
        n = 1
        while True:
            site = fresh(tmp_path / f"{first}-{n}", fails=True)
            if not server.perform(site, Mode.KILL_BEFORE, first):
                return
            action = "run" if site.saved() is None else "resume"
            again = server.perform(site, Mode.KILL_AFTER, n, action)
            goes_on_well(site)
            if not again:
                break
            n += 3
