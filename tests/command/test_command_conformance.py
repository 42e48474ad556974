"""The kind `command` keeps the promises of a kind, where the commands keep theirs."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from wf_command.kind import Command
from wf_core.model.spec import Json
from wf_core.testing.conformance import Conformance, World

pytestmark = pytest.mark.slow

OPEN = "[ ! -e closed ] || exit 75; "
MADE = "made-$WF_RUN_KEY"


class Files(World):
    """A folder in which commands make files."""

    kind = Command

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.place = folder / "place"
        self.place.mkdir()

    def parameters(self) -> Mapping[str, Json]:
        return self._with(f"touch {MADE}")

    def long_parameters(self) -> Mapping[str, Json] | None:
        return self._with(f"touch {MADE}; sleep 600")

    def bad_parameters(self) -> Iterable[Mapping[str, Json]]:
        return [{"run": ""}, {"run": ["/nowhere/at/all"], "rollback": ["true"]}]

    def effects(self) -> Collection[object]:
        return list(self.place.glob("made-*"))

    @contextmanager
    def away(self) -> Iterator[None]:
        closed = self.place / "closed"
        closed.touch()
        yield
        closed.unlink()

    def _with(self, run: str) -> Mapping[str, Json]:
        return {
            "run": OPEN + run,
            "rollback": f"{OPEN}rm -f {MADE}",
            "check": f"test -e {MADE}",
            "cwd": str(self.place),
            "grace": 0.5,
        }


class TestCommand(Conformance):
    world_class = Files
