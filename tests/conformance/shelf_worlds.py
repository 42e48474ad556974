"""The world of a shelf, and running every check in one."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conformance.shelf_kinds import Order, Put

from wf_core.kinds import StepKind
from wf_core.model.spec import Json
from wf_core.testing.conformance import Conformance, World


class ShelfWorld(World):
    """A shelf."""

    kind = Put
    grace = 1.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.shelf = folder / "shelf"
        self.shelf.mkdir()

    def parameters(self) -> Mapping[str, Json]:
        return {"shelf": str(self.shelf)}

    def effects(self) -> Collection[object]:
        return [each.name for each in self.shelf.glob("*.item")]

    def bad_parameters(self) -> Iterable[Mapping[str, Json]]:
        return [
            {"shelf": str(self.folder / "nowhere")},
            {"shelf": str(self.shelf), "seconds": -1},
        ]

    def long_parameters(self) -> Mapping[str, Json] | None:
        return {**self.parameters(), "seconds": 600}

    @contextmanager
    def away(self) -> Iterator[None]:
        closed = self.shelf / "closed"
        closed.touch()
        yield
        closed.unlink()


class OrderWorld(ShelfWorld):
    """A shelf with somebody who puts there what was ordered."""

    kind = Order

    def finish(self) -> None:
        for each in self.shelf.glob("*.ordered"):
            each.rename(each.with_suffix(".item"))


def world_of(cls: type[StepKind]) -> type[ShelfWorld]:
    """The world for a kind that is like one of ours."""
    base = OrderWorld if issubclass(cls, Order) else ShelfWorld
    return type("World", (base,), {"kind": cls})


CHECKS = tuple(name for name in dir(Conformance) if name.startswith("test_"))


def outcomes(
    world_class: type[World], folder: Path, checks: Iterable[str] = CHECKS
) -> tuple[dict[str, str], dict[str, str]]:
    """What each check that failed said, and each that was skipped, by its name."""
    failed, skipped = {}, {}
    for number, name in enumerate(checks):
        place = folder / str(number)
        place.mkdir()
        world = world_class(place)
        try:
            getattr(Conformance(), name)(world)
        except pytest.fail.Exception as error:
            failed[name] = str(error)
        except pytest.skip.Exception as error:
            skipped[name] = str(error)
        world.close()
    return failed, skipped
