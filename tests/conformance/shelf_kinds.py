"""Kinds that keep every promise: they put an item on a shelf, which is a folder.

The shelf is away while a file `closed` lies on it. An item is named after the run's key; a mark
beside it says that this run was undone.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import attrs

from wf_core.kinds import Answer, Fatal, InProgress, Retryable, StepCall, StepKind, Success
from wf_core.model.phases import Purpose


@attrs.frozen(kw_only=True)
class PutParameters:
    """Parameters of the kinds here."""

    shelf: Path = attrs.field(metadata={"description": "The folder that is the shelf."})
    seconds: float = attrs.field(default=0.0, metadata={"description": "How long it takes."})
    label: str = attrs.field(default="", metadata={"description": "What stands on the item."})


class Put(StepKind):
    """Puts an item on a shelf."""

    name: ClassVar[str] = "put"
    description: ClassVar[str] = "Puts an item on a shelf; the undo takes it away."
    Parameters: ClassVar[type] = PutParameters

    def faults(self, parameters: Any, *, undoable: bool) -> Iterable[str]:  # noqa: ARG002
        if parameters.seconds < 0:
            yield "seconds: give 0 or more"

    def run(self, call: StepCall) -> Answer:
        self.require_open(call)
        if undone(call).exists():
            raise Fatal("this run came after its undo, and was refused")
        if call.cancelled.wait(call.parameters.seconds):
            raise Retryable("stopped")
        item(call).write_text(call.parameters.label)
        return Success(attributes={"item": str(item(call))})

    def rollback(self, call: StepCall) -> Answer:
        if call.parameters.shelf.is_dir():
            self.require_open(call)
            undone(call).touch()
            self.take_away(call)
        return None

    def sync(self, call: StepCall) -> Answer:
        if call.purpose is not Purpose.WATCH:
            raise Retryable("nothing is in progress")
        return None

    def take_away(self, call: StepCall) -> None:
        """The undo proper."""
        item(call).unlink(missing_ok=True)

    def require_open(self, call: StepCall) -> None:
        shelf: Path = call.parameters.shelf
        if not shelf.is_dir():
            raise Fatal(f"there is no shelf {shelf}; make it first")
        if (shelf / "closed").exists():
            raise Retryable(f"{shelf} is closed")


class Order(Put):
    """Orders an item, which somebody else puts on the shelf some time later."""

    name: ClassVar[str] = "order"

    def run(self, call: StepCall) -> Answer:
        self.require_open(call)
        if undone(call).exists():
            raise Fatal("this run came after its undo, and was refused")
        if not item(call).exists():
            ordered(call).touch()
        return InProgress(poll_after=0.01)

    def take_away(self, call: StepCall) -> None:
        ordered(call).unlink(missing_ok=True)
        super().take_away(call)

    def sync(self, call: StepCall) -> Answer:
        if call.purpose is Purpose.WATCH:
            return None
        return Success() if item(call).exists() else InProgress(poll_after=0.01)


def item(call: StepCall) -> Path:
    """Where a run's item lies."""
    shelf: Path = call.parameters.shelf
    return shelf / f"{call.run_key}.item"


def ordered(call: StepCall) -> Path:
    """What says that the item is ordered."""
    return item(call).with_suffix(".ordered")


def undone(call: StepCall) -> Path:
    """The mark that a run was undone."""
    return item(call).with_suffix(".undone")
