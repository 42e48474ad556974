"""What died controllers had open, as the Lease tells it to whoever leads next (semantics B3)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from wf_core.ports import LeftOpen, Open
from wf_k8s.leadership.suspects import ANNOTATION, MOST_BYTES, LeaseRecord

A, B, TAKING = Open("uid-a", "pay"), Open("uid-b", "ship"), Open("uid-a")
DIES = """
import os, sys
from pathlib import Path
from wf_core.ports import Open
from wf_k8s.leadership.suspects import LeaseRecord

record = LeaseRecord(Path(sys.argv[1]), "1")
for each in sys.argv[2:]:
    record.opened(Open(*each.split()))
os.abort()
"""


@attrs.define
class Stored:
    """The Lease as the API server has it."""

    document: dict[str, Any] = attrs.field(
        factory=lambda: {"metadata": {"annotations": {"team": "orders"}}}
    )
    readers: list[LeaseRecord] = attrs.field(factory=list)

    def read(self, record: LeaseRecord) -> LeaseRecord:
        self.readers.append(record)
        record.saw(json.loads(json.dumps(self.document)))
        return record

    def write(self, record: LeaseRecord, *, answered: bool = True) -> None:
        document = json.loads(json.dumps(self.document))
        stored = record.put_into(document)
        self.document = document
        if answered:
            stored()

    @property
    def noted(self) -> str | None:
        found: str | None = self.document["metadata"]["annotations"].get(ANNOTATION)
        return found


@pytest.fixture
def lease() -> Iterator[Stored]:
    stored = Stored()
    yield stored
    for record in stored.readers:
        record.close()


def died(folder: Path, *opened: str) -> None:
    """A process of that pod died, with that open."""
    subprocess.run([sys.executable, "-c", DIES, str(folder), *opened], check=False)


def test_what_one_pod_found_is_known_in_another(lease: Stored, tmp_path: Path) -> None:
    died(tmp_path / "one", "uid-a pay")
    here = lease.read(LeaseRecord(tmp_path / "one", "1"))
    assert here.has_news()
    lease.write(here)
    assert not here.has_news()
    assert not list((tmp_path / "one").glob("*.open"))
    there = lease.read(LeaseRecord(tmp_path / "two", "1"))
    assert there.left() == LeftOpen({A: True}, 1)


def test_deaths_in_several_pods_add_up(lease: Stored, tmp_path: Path) -> None:
    for pod in ("one", "two", "one"):
        died(tmp_path / pod, "uid-a")
        lease.write(lease.read(LeaseRecord(tmp_path / pod, "1")))
    assert lease.read(LeaseRecord(tmp_path / "three", "1")).left().taking_up == {"uid-a": 3}
    assert lease.read(LeaseRecord(tmp_path / "three", "2")).left().taking_up == {}


def test_a_write_that_was_not_answered_counts_no_death_twice(lease: Stored, tmp_path: Path) -> None:
    died(tmp_path, "uid-a")
    record = lease.read(LeaseRecord(tmp_path, "1"))
    lease.write(record, answered=False)
    assert record.has_news()
    lease.read(record)
    assert not record.has_news()
    lease.write(record)
    # As if it had died before it could take the file away.
    assert lease.read(LeaseRecord(tmp_path, "1")).left().taking_up == {"uid-a": 1}


def test_what_turned_out_innocent_is_taken_off_with_the_next_write(
    lease: Stored, tmp_path: Path
) -> None:
    died(tmp_path, "uid-a pay", "uid-b ship")
    died(tmp_path, "uid-a")
    record = lease.read(LeaseRecord(tmp_path, "1"))
    lease.write(record)
    record.told("uid-b")
    record.lift("uid-a")
    record.calm()
    assert record.left() == LeftOpen()
    lease.write(record)
    assert lease.noted is None
    assert lease.document["metadata"]["annotations"] == {"team": "orders"}


def test_what_was_found_meanwhile_is_kept_beside_what_this_life_has_shown(
    lease: Stored, tmp_path: Path
) -> None:
    died(tmp_path / "one", "uid-a")
    leader = lease.read(LeaseRecord(tmp_path / "one", "1"))
    lease.write(leader)
    leader.lift("uid-a")
    died(tmp_path / "two", "uid-b")
    standby = lease.read(LeaseRecord(tmp_path / "two", "1"))
    lease.write(standby)
    lease.read(leader)  # since its own write was refused: another was faster
    lease.write(leader)
    assert lease.read(standby).left().taking_up == {"uid-b": 1}


def test_a_death_that_is_told_late_is_over_once_its_call_is(lease: Stored, tmp_path: Path) -> None:
    leader = lease.read(LeaseRecord(tmp_path / "one", "1"))
    leader.opened(A)
    died(tmp_path / "two", "uid-a pay")
    lease.write(lease.read(LeaseRecord(tmp_path / "two", "1")))
    lease.read(leader)
    assert leader.left() == LeftOpen({A: True}, 1)
    leader.closed(A)
    lease.write(leader)
    assert lease.noted is None


def test_nothing_is_written_where_nobody_died(lease: Stored, tmp_path: Path) -> None:
    record = lease.read(LeaseRecord(tmp_path, "1"))
    record.opened(A)
    record.told("uid-a")
    record.lift("uid-a")
    record.calm()
    lease.write(record)
    assert lease.noted is None
    assert not record.has_news()


def test_what_is_written_is_bounded_and_says_first_what_was_open_alone(
    lease: Stored, tmp_path: Path
) -> None:
    beside = {f"{i:036}": {"step" * 10: False} for i in range(5_000)}
    noted = {"version": "1", "open": {**beside, "z": {"alone": True}}, "taking_up": {"a": 2}}
    lease.document["metadata"]["annotations"][ANNOTATION] = json.dumps(noted)
    record = lease.read(LeaseRecord(tmp_path, "1"))
    assert record.left() == LeftOpen(), "longer than any of ours"
    noted["open"] = {**dict(list(beside.items())[:2_000]), "z": {"alone": True}}
    lease.document["metadata"]["annotations"][ANNOTATION] = json.dumps(noted)
    lease.write(lease.read(record))
    assert len(lease.noted or "") <= MOST_BYTES
    left = record.left()
    assert left.open[Open("z", "alone")]
    assert left.taking_up == {"a": 2}
    assert len(left.open) > 100


@pytest.mark.parametrize("junk", ["", "{", "[1]", '{"open": 3}', '{"deaths": "many"}', "[" * 9_000])
def test_junk_on_the_lease_is_begun_anew(lease: Stored, tmp_path: Path, junk: str) -> None:
    lease.document["metadata"]["annotations"][ANNOTATION] = junk
    record = lease.read(LeaseRecord(tmp_path, "1"))
    assert record.left() == LeftOpen()
    lease.write(record)
    assert lease.noted is None
