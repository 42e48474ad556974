"""What is written to the Lease."""

import json

import pytest

from wf_core.errors import StoreForeign
from wf_k8s.leadership.leadership import Timing
from wf_k8s.leadership.record import Document, Record, created, micro_time, released, renewed, taken

NOW = 1_800_000_000.25


def held(**spec: object) -> Record:
    """A Lease that 'a' holds."""
    document = created("lease", "a", 15, NOW, 3)
    document["metadata"]["resourceVersion"] = "7"
    document["metadata"]["labels"] = {"team": "orders"}
    document["spec"].update(spec)
    return stored(document)


def stored(document: Document) -> Record:
    """That Lease, as it is read again."""
    return Record.read(json.dumps(document).encode())


def test_a_lease_is_read_as_it_was_written() -> None:
    record = held()
    assert (record.holder, record.duration, record.transitions) == ("a", 15.0, 3)


def test_times_are_written_with_microseconds() -> None:
    assert micro_time(NOW) == "2027-01-15T08:00:00.250000Z"


def test_taking_counts_and_renewing_and_releasing_do_not() -> None:
    record = held()
    read = {
        "taken": stored(taken(record, "b", 15, NOW)),
        "renewed": stored(renewed(record, NOW)),
        "released": stored(released(record, NOW)),
    }
    assert {name: each.transitions for name, each in read.items()} == {
        "taken": 4,
        "renewed": 3,
        "released": 3,
    }
    assert {name: each.holder for name, each in read.items()} == {
        "taken": "b",
        "renewed": "a",
        "released": "",
    }


@pytest.mark.parametrize("change", [renewed, released])
def test_every_write_names_the_version_it_builds_on_and_keeps_the_rest(change: object) -> None:
    assert callable(change)
    document = change(held(strategy="OldestEmulationVersion"), NOW + 1)
    assert document["metadata"]["resourceVersion"] == "7"
    assert document["metadata"]["labels"] == {"team": "orders"}
    assert document["spec"]["strategy"] == "OldestEmulationVersion"
    assert document["spec"]["acquireTime"] == micro_time(NOW)
    assert document["spec"]["renewTime"] == micro_time(NOW + 1)


def test_a_lease_of_fields_that_are_not_set_is_held_by_nobody() -> None:
    record = Record.read(b'{"metadata": {"resourceVersion": "1"}, "spec": {}}')
    assert (record.holder, record.transitions) == ("", 0)


def test_a_garbled_lease_is_said_to_be_one() -> None:
    with pytest.raises(StoreForeign, match="can't be read"):
        Record.read(b'{"spec": {"leaseTransitions": "many"}}')


@pytest.mark.parametrize("times", [(10, 10, 1), (15, 1, 1), (15, 10, 0)])
def test_times_that_leave_no_room_are_refused(times: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="duration > deadline > period"):
        Timing(*times)
