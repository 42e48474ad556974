"""No room from any write on, or a disk that fails to sync: the error says what to do, nothing that
was saved is lost, and once there is room going on ends with all or none."""

import shutil
from operator import attrgetter
from pathlib import Path

import pytest
from tests.crash.crash_site import Site, goes_on_well
from tests.crash.file_calls import Mode, recorded
from tests.crash.fork_server import SAVES, Server

pytestmark = pytest.mark.crash

REFUSALS = (Mode.FULL, Mode.FULL_AFTER_HALF, Mode.SYNC_FAILS)


def judge(site: Site) -> bool:
    """Whether a run in which a call was refused failed for that. It goes on well in any case."""
    said = site.said.read_text()
    if said != site.ends_in:  # what is refused while it ends is left to whoever opens it next
        kind, _, sentence = said.partition(": ")
        assert kind == "StoreUnavailable", said
        assert "free" in sentence, said
        assert "`wf resume`" in sentence or "--store" in sentence, said
    goes_on_well(site)
    return said != site.ends_in


def refused_from_call(server: Server, folder: Path, mode: Mode, stride: int, *, fails: bool) -> int:
    """Refuse from every `stride`-th call on until none is made; gives how many runs failed."""
    n, failed = 1, 0
    while True:
        site = Site(folder / f"{n}", fails)
        site.prepare()
        assert not server.perform(site, mode, n)
        if site.refused.read_text() == "0":
            assert site.said.read_text() == site.ends_in
            return failed
        try:
            failed += judge(site)
        except BaseException as error:
            error.add_note(f"refused at {n}, {mode.name}, after {recorded(site.records)[-1:]}")
            raise
        shutil.rmtree(site.folder)
        n += stride


@pytest.mark.parametrize("fails", [False, True])
def test_no_room_from_some_write_on(server: Server, place: Path, fails: bool) -> None:
    assert refused_from_call(server, place, Mode.FULL_AFTER_HALF, 29, fails=fails) > 4


def test_a_failing_disk_at_some_syncs(server: Server, place: Path) -> None:
    assert refused_from_call(server, place, Mode.SYNC_FAILS, 4, fails=True) > 3


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("mode", REFUSALS, ids=attrgetter("name"))
def test_refused_from_every_call_on(server: Server, place: Path, mode: Mode, fails: bool) -> None:
    failed = refused_from_call(server, place, mode, 1, fails=fails)
    print(f"failed {failed} times")
    assert failed > (10 if mode is Mode.SYNC_FAILS else 100)


@pytest.mark.parametrize("mode", REFUSALS, ids=attrgetter("name"))
def test_an_open_store_goes_on_once_there_is_room(server: Server, place: Path, mode: Mode) -> None:
    """`wf serve` need not be started again: the save that failed can be made again."""
    calls = range(10, 10 + SAVES, 3) if mode is Mode.SYNC_FAILS else range(70, 120, 7)
    failed = 0
    for n in calls:
        site = Site(place / str(n), fails=False)
        site.prepare()
        assert not server.perform(site, mode, n, "outlast")
        failed += site.said.read_text() == "1 failed"
    assert failed == len(calls)
