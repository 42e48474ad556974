"""What the entry point names: the kind `greet`, and an observer that keeps a guest book."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import attrs

from wf_core.hookspecs import hookimpl
from wf_core.kinds import Answer, StepCall, StepKind, Success
from wf_core.ports import Event


@attrs.frozen(kw_only=True)
class Greeting:
    """Parameters of `greet`."""

    who: str = attrs.field(metadata={"description": "Who is greeted."})
    card: str = attrs.field(metadata={"description": "The file that the greeting is written to."})
    word: str = attrs.field(default="hello", metadata={"description": "How one begins."})
    times: int = attrs.field(default=1, metadata={"description": "How often it is said."})
    loudness: float = attrs.field(default=0.5, metadata={"description": "From 0 to 1."})
    all_caps: bool = attrs.field(default=False, metadata={"description": "In capital letters."})
    also: list[str] = attrs.field(factory=list, metadata={"description": "Who is greeted too."})


class Greet(StepKind):
    """Writes a greeting on a card; undone, the card is gone."""

    name: ClassVar[str] = "greet"
    description: ClassVar[str] = "Greets somebody on a card."
    Parameters: ClassVar[type] = Greeting

    def run(self, call: StepCall) -> Answer:
        """Write the card: the same one however often it is called."""
        wanted: Greeting = call.parameters
        line = f"{wanted.word} {' and '.join([wanted.who, *wanted.also])}"
        said = "\n".join([line.upper() if wanted.all_caps else line] * wanted.times)
        Path(wanted.card).write_text(f"{said}\n", encoding="utf-8")
        return Success(attributes={"said": said})

    def rollback(self, call: StepCall) -> Answer:
        """Take the card away, also where it was never written."""
        Path(call.parameters.card).unlink(missing_ok=True)
        return None


@hookimpl
def wf_step_kinds() -> Iterable[StepKind]:
    """One kind: `greet`."""
    return [Greet()]


@hookimpl
def wf_step_succeeded(event: Event) -> None:
    """Note every success in the guest book, where there is one."""
    book = os.environ.get("GREETING_BOOK")
    if book is not None:
        with Path(book).open("a", encoding="utf-8") as file:
            file.write(f"{event.key} {event.step} {event.phase}\n")
