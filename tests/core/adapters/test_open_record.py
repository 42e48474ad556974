"""What a process has open, as the one after it finds it (semantics B3)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wf_core.adapters import open_record
from wf_core.adapters.open_record import FolderRecord
from wf_core.ports import LeftOpen, Open

A, B = Open("uid-a", "pay"), Open("uid-b", "ship")
TAKING = Open("default/order")
DIES = """
import os, sys
from pathlib import Path
from wf_core.adapters.open_record import FolderRecord
from wf_core.ports import Open

record = FolderRecord(Path(sys.argv[1]), "1")
for line in sys.argv[2:]:
    what, _, name = line.partition(" ")
    if what == "follows":
        record.follows(int(name))
        continue
    workflow, _, step = name.partition(" ")
    getattr(record, what)(Open(workflow, step))
os.abort()
"""


def died(folder: Path, *said: str) -> None:
    """A process said that, and died of it."""
    ended = subprocess.run([sys.executable, "-c", DIES, str(folder), *said], check=False)
    assert ended.returncode == -signal.SIGABRT


def test_who_was_alone_is_told_from_who_was_not(tmp_path: Path) -> None:
    died(tmp_path, "opened uid-a pay", "opened uid-b ship", "closed uid-b ship")
    assert FolderRecord(tmp_path, "1").left() == LeftOpen({A: True}, 1)
    died(tmp_path, "follows 1", "opened uid-a pay", "opened uid-b ship")
    assert FolderRecord(tmp_path, "1").left() == LeftOpen({A: False, B: False}, 2)
    died(tmp_path, "opened uid-a pay", "follows 2", "outlived uid-a pay", "opened uid-b ship")
    assert FolderRecord(tmp_path, "1").left() == LeftOpen({A: False, B: True}, 3)


def test_engines_that_share_the_folder_die_each_for_itself(tmp_path: Path) -> None:
    for number in range(5):
        died(tmp_path, f"opened uid-{number} pay")
    assert FolderRecord(tmp_path, "1").left().deaths == 1
    died(tmp_path, "follows 1", "opened uid-a pay", "closed uid-a pay", "opened uid-a pay")
    assert FolderRecord(tmp_path, "1").left().deaths == 2
    died(tmp_path, "follows 2", "opened uid-a pay", "follows 0")
    assert FolderRecord(tmp_path, "1").left().deaths == 2


def test_a_death_is_told_until_the_state_has_it(tmp_path: Path) -> None:
    died(tmp_path, "opened uid-a pay")
    assert FolderRecord(tmp_path, "1").left().open == {A: True}
    record = FolderRecord(tmp_path, "1")
    assert record.left().open == {A: True}
    record.told("uid-a")
    assert FolderRecord(tmp_path, "1").left() == LeftOpen({}, 1)
    record.calm()
    assert FolderRecord(tmp_path, "1").left() == LeftOpen()


def test_a_death_that_another_engine_does_not_know_of_outlasts_its_calm(tmp_path: Path) -> None:
    """`wf serve` and `wf run` share the folder."""
    died(tmp_path, "opened uid-a pay")
    serves = FolderRecord(tmp_path, "1")
    assert serves.left() == LeftOpen({A: True}, 1)
    died(tmp_path, "opened uid-b ship")
    assert FolderRecord(tmp_path, "1").left() == LeftOpen({A: True, B: True}, 1)
    serves.calm()
    serves.calm()
    assert FolderRecord(tmp_path, "1").left() == LeftOpen({B: True}, 1)


def test_deaths_while_taking_up_are_counted_until_another_version_tries(tmp_path: Path) -> None:
    for _ in range(3):
        died(tmp_path, "opened default/order ")
        FolderRecord(tmp_path, "1").left()
    assert FolderRecord(tmp_path, "1").left().taking_up == {"default/order": 3}
    assert FolderRecord(tmp_path, "2").left().taking_up == {}
    died(tmp_path, "opened default/order ")
    record = FolderRecord(tmp_path, "1")
    assert record.left().taking_up == {"default/order": 1}
    record.lift("default/order")
    assert record.left().taking_up == {}


def test_who_lives_has_left_nothing(tmp_path: Path) -> None:
    living = FolderRecord(tmp_path, "1")
    living.opened(A)
    assert FolderRecord(tmp_path, "1").left() == LeftOpen()
    living.close()
    assert FolderRecord(tmp_path, "1").left() == LeftOpen()
    living.opened(B)
    assert not list(tmp_path.glob("*.open"))


def test_a_machine_that_went_down_is_nobodys_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died(tmp_path, "opened uid-a pay")
    monkeypatch.setattr(open_record, "_boot", lambda: "another")
    assert FolderRecord(tmp_path, "1").left() == LeftOpen()


def test_reading_makes_nothing(tmp_path: Path) -> None:
    assert FolderRecord(tmp_path / "none", "1").left() == LeftOpen()
    assert not (tmp_path / "none").exists()


def test_a_file_that_grows_is_begun_anew_with_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_record, "LONGEST", 500)
    record = FolderRecord(tmp_path, "1")
    record.opened(A)
    for _ in range(200):
        record.opened(B)
        record.closed(B)
    (file,) = tmp_path.glob("*.open")
    assert file.stat().st_size < 600
    os.close(record._file or -1)
    assert FolderRecord(tmp_path, "1").left() == LeftOpen({A: True}, 1)


@pytest.mark.parametrize("junk", [b"", b"{", b"[1]", bytes(range(256))])
def test_junk_in_the_folder_is_begun_anew(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "state.json").write_bytes(junk)
    (tmp_path / "old.open").write_bytes(junk)
    assert FolderRecord(tmp_path, "1").left() == LeftOpen()


def test_a_folder_that_can_t_be_written_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    record = FolderRecord(tmp_path / "file", "1")
    record.opened(A)
    record.opened(B)
    record.closed(A)
    assert caplog.text.count("what is open can't be noted") == 1
