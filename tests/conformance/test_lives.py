"""Processes that call one hook: where they may die, and what is known of them afterwards."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from wf_core.kinds import Answer, Previous, StepCall, StepKind, Success
from wf_core.model.outcomes import Severity
from wf_core.model.phases import Ended, Hook, Purpose
from wf_core.model.state import Resource
from wf_core.testing.lives.calling import Life, LifeFailed, nursery
from wf_core.testing.lives.orders import Failed, Known, Order, Succeeded


@attrs.frozen(kw_only=True)
class CopyParameters:
    """A folder to copy, and where to."""

    source: Path
    target: Path
    seconds: float = 0.0


class Copy(StepKind):
    """Does much in one line, and saves what it knows around that."""

    name: ClassVar[str] = "copy"
    Parameters: ClassVar[type] = CopyParameters

    def run(self, call: StepCall) -> Answer:
        call.checkpoint(Resource(id="begun"))
        shutil.copytree(call.parameters.source, call.parameters.target, dirs_exist_ok=True)
        call.cancelled.wait(call.parameters.seconds)
        return Success(attributes={"seen": _seen(call.previous), "is_set": call.cancelled.is_set()})

    def rollback(self, call: StepCall) -> Answer:
        raise LookupError(f"nobody knows how to undo {call.step}")


class NotHere(Copy):
    """Can be imported in the process of the tests alone."""

    __qualname__ = "Gone"


def _seen(previous: Previous) -> list[Any]:
    found = previous.resource
    return [previous.outcome, found.id if found else None, dict(previous.attributes)]


@attrs.define
class Place:
    """Orders calls of the kind."""

    folder: Path
    made: int = 0

    def call(self, kind: type[StepKind] = Copy, hook: Hook = Hook.RUN, **options: Any) -> Life:
        self.made += 1
        given: dict[str, Any] = {"die_at": 0, "stop_after": None, "patience": 20.0, **options}
        parameters = {
            "source": str(self.folder / "source"),
            "target": str(self.folder / "target"),
            **given.pop("parameters", {}),
        }
        order = Order(
            kind=f"{kind.__module__}:{kind.__qualname__}",
            env={**os.environ, **given.pop("env", {})},
            said=str(self.folder / f"said-{self.made}"),
            folder=str(self.folder / "step"),
            store="memory:",
            namespace="default",
            uid="u1",
            hook=hook,
            purpose=Purpose.ROLLBACK if hook is Hook.ROLLBACK else Purpose.RUN,
            attempt=1,
            run_attempt=1,
            interruptions=0,
            epoch=1,
            known=given.pop("known", Known()),
            parameters=parameters,
            signals={},
            **given,
        )
        return nursery().life(order)

    def deaths(self) -> Iterator[tuple[Life, int]]:
        """Every way to die in a run, with the files that were copied by then."""
        whole = self.call().answer
        assert isinstance(whole, Succeeded)
        for point in range(1, whole.boundaries + 1):
            shutil.rmtree(self.folder / "target", ignore_errors=True)
            life = self.call(die_at=point)
            yield life, len(list((self.folder / "target").glob("*")))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "source").mkdir()
    for name in ("one", "two", "three"):
        (tmp_path / "source" / name).write_text(name)
    return Place(tmp_path)


def test_a_hook_is_given_what_was_saved(place: Place) -> None:
    known = Known(Ended.UNKNOWN, Resource(id="r1"), {"a": 1})
    answer = place.call(known=known).answer
    assert isinstance(answer, Succeeded)
    assert answer.attributes == {"seen": ["Unknown", "r1", {"a": 1}], "is_set": False}


def test_it_dies_at_every_boundary_and_says_where(place: Place) -> None:
    deaths = [life for life, _ in place.deaths()]
    assert all(life.answer is None for life in deaths)
    places = [life.killed for life in deaths]
    assert places[0].startswith("before line ")
    assert places[0].endswith("of test_lives.py")
    assert places[-1] == "after it had answered, before that was saved"
    assert {"before its checkpoint was saved", "after its checkpoint was saved"} < set(places)


def test_what_a_checkpoint_saved_is_known_after_the_death(place: Place) -> None:
    saved = {life.killed: len(life.checkpoints) for life, _ in place.deaths()}
    assert saved["before its checkpoint was saved"] == 0
    assert saved["after its checkpoint was saved"] == 1
    assert saved["after it had answered, before that was saved"] == 1


def test_what_a_library_does_in_one_line_is_cut_in_two(place: Place) -> None:
    assert {copied for _, copied in place.deaths()} == {0, 1, 2, 3}


def test_a_hook_that_is_told_to_stop_hears_it(place: Place) -> None:
    answer = place.call(parameters={"seconds": 600}, stop_after=0.05).answer
    assert isinstance(answer, Succeeded)
    assert answer.attributes is not None
    assert answer.attributes["is_set"] is True


def test_a_hook_that_does_not_return_is_ended(place: Place) -> None:
    with pytest.raises(LifeFailed, match=r"`run` did not return within 0.2 s"):
        place.call(parameters={"seconds": 600}, patience=0.2)


def test_an_exception_of_no_class_of_ours_is_told_apart(place: Place) -> None:
    answer = place.call(hook=Hook.ROLLBACK).answer
    assert isinstance(answer, Failed)
    assert (answer.severity, answer.expected) == (Severity.RETRYABLE, False)
    assert answer.message == "LookupError: nobody knows how to undo step1"


def test_parameters_that_do_not_decode_fail_for_good_without_a_call(place: Place) -> None:
    answer = place.call(parameters={"seconds": "soon"}).answer
    assert isinstance(answer, Failed)
    assert answer.severity is Severity.FATAL
    assert not (place.folder / "target").exists()


def test_a_kind_that_another_process_can_not_import_is_named(place: Place) -> None:
    with pytest.raises(LifeFailed, match=r"has no attribute 'Gone'"):
        place.call(NotHere)
