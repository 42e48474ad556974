"""Power is lost at any moment: a save that was acknowledged is there, whatever else is torn."""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest
from tests.crash import disk_model as model
from tests.crash.crash_site import Site, goes_on_well
from tests.crash.file_calls import Call, recorded
from tests.crash.fork_server import Server
from tests.crash.noted_workflow import fingerprint

pytestmark = pytest.mark.crash

OFTEN = ("wal_autocheckpoint = 5",)
"""The log is copied back into the database, and written anew from its start, all the time."""

FATES = {
    "nothing": model.nothing,
    "everything": model.everything,
    "the last alone": model.the_last_alone,
    "only the size": model.only_the_size,
    "torn early": model.torn_at(0.01),
    "torn in the middle": model.torn_at(0.5),
    "torn late": model.torn_at(0.999),
    "sectors 1": model.sectors(1),
    "sectors 2": model.sectors(2),
}


@attrs.frozen
class Story:
    """A whole run, as it was recorded."""

    site: Site
    calls: tuple[Call, ...]
    sent: dict[int, str]

    @classmethod
    def of(
        cls, server: Server, folder: Path, *, fails: bool, pragmas: Sequence[str] = ()
    ) -> "Story":
        site = Site(folder, fails)
        site.prepare()
        assert not server.perform(site, pragmas=tuple(pragmas))
        assert site.said.read_text() == site.ends_in
        calls = tuple(recorded(site.records))
        notes = [call.path.split() for call in calls if call.what == "n"]
        return cls(site, calls, {int(n[1]): n[2] for n in notes if n[0] == "sent"})

    def until(self, moment: int) -> "Moment":
        disk = model.Disk(self.site.disk)
        happened, acknowledged = [], -1
        for call in self.calls[:moment]:
            disk.take(call)
            match call.path.split() if call.what == "n" else ():
                case ["effect", hook, step]:
                    happened.append(f"{hook} {step}\n")
                case ["acknowledged", revision]:
                    acknowledged = int(revision)
        return Moment(self, disk, "".join(happened), acknowledged)


@attrs.frozen
class Moment:
    """When the power goes: what may be on the disk, and what the process was promised."""

    story: Story
    disk: model.Disk
    happened: str
    acknowledged: int

    def check(self, folder: Path, image: model.Image, *, whole: bool) -> None:
        """What is left holds what was acknowledged; `whole`: and going on ends well."""
        site = Site(folder, self.story.site.fails)
        folder.mkdir()
        site.effects.write_text(self.happened)
        model.put(image, site.disk)
        stored = site.saved()
        if stored is None:
            assert self.acknowledged < 0, "the workflow is gone"
        else:
            revision = stored.head.revision
            assert revision >= self.acknowledged, f"lost revision {self.acknowledged}"
            assert fingerprint(stored.head, stored.steps) == self.story.sent[revision]
        if whole:
            goes_on_well(site)
        shutil.rmtree(folder)


def check_all(story: Story, folder: Path, moments: Sequence[int], fates: Sequence[str]) -> int:
    """Check each moment with each fate; gives how many disks were different from all others."""
    known: set[tuple[model.Image, str, int]] = set()
    for moment in moments:
        at = story.until(moment)
        for fate, names in itertools.product(fates, (False, True)):
            image = at.disk.left(FATES[fate], names=names)
            if (case := (image, at.happened, at.acknowledged)) in known:
                continue
            known.add(case)
            whole = fate in ("nothing", "sectors 1")
            try:
                at.check(folder / f"{moment}-{fate}-{names}", image, whole=whole)
            except BaseException as error:
                last = [(call.what, Path(call.path).name) for call in story.calls[:moment][-2:]]
                error.add_note(f"power lost after call {moment} {last}; {fate}, {names=}")
                raise
    return len(known)


def promises(story: Story) -> list[int]:
    """The moments just after something was promised, or had an effect."""
    return [i + 1 for i, call in enumerate(story.calls) if call.what == "n"]


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_acknowledged_is_there_after_a_loss_of_power(
    server: Server, place: Path, fails: bool
) -> None:
    story = Story.of(server, place / "whole", fails=fails)
    check_all(story, place, promises(story)[:: 2 if fails else 4], ["nothing"])


@pytest.mark.parametrize("pragmas", [(), OFTEN], ids=["one log", "many logs"])
def test_a_torn_end_of_the_log_is_left_out(
    server: Server, place: Path, pragmas: tuple[str, ...]
) -> None:
    story = Story.of(server, place / "whole", fails=True, pragmas=pragmas)
    fates = ["the last alone", "only the size", "torn in the middle", "sectors 2"]
    check_all(story, place, range(3, len(story.calls), 31), fates)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("pragmas", [(), OFTEN], ids=["one log", "many logs"])
def test_power_lost_after_every_call_with_every_tear(
    server: Server, place: Path, fails: bool, pragmas: tuple[str, ...]
) -> None:
    story = Story.of(server, place / "whole", fails=fails, pragmas=pragmas)
    different = check_all(story, place, range(len(story.calls) + 1), list(FATES))
    print(f"{len(story.calls)} moments, {different} disks")
    assert different > 500


def test_every_acknowledged_save_was_synced_before(server: Server, place: Path) -> None:
    """`synchronous = FULL` is real: between a write of the log and the promise lies a sync."""
    story = Story.of(server, place / "whole", fails=True)
    assert unsynced_promises(story) == []


def test_the_model_knows_a_store_that_does_not_sync(server: Server, place: Path) -> None:
    story = Story.of(server, place / "whole", fails=True, pragmas=("synchronous = NORMAL",))
    assert len(unsynced_promises(story)) > 5
    with pytest.raises(AssertionError):
        check_all(story, place, promises(story), ["nothing"])


def unsynced_promises(story: Story) -> list[str]:
    found, dirty = [], False
    for call in story.calls:
        if call.path.endswith("-wal"):
            dirty = call.what == "w" or (dirty and call.what != "s")
        elif call.what == "n" and call.path.startswith("acknowledged") and dirty:
            found.append(call.path)
    return found
