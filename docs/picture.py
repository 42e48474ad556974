"""Writes docs/live-tree.svg: the live tree of a real run of examples/undone.yaml."""

import asyncio
import io
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from wf_core.adapters.clock import SystemClock
from wf_core.cli.tree import render
from wf_core.codec import read
from wf_core.engine.local import open_engine
from wf_core.model.phases import Phase
from wf_core.model.spec import Key
from wf_core.model.state import Stored, Transition
from wf_core.plugins import load

HERE = Path(__file__).parent


def _running(stored: Stored) -> bool:
    at_once = sum(step.phase is Phase.RUNNING for step in stored.steps)
    return stored.head.phase is Phase.RUNNING and at_once > 1


def _being_undone(stored: Stored) -> bool:
    return sum(step.phase is Phase.ROLLING_BACK for step in stored.steps) > 1


def _undone(stored: Stored) -> bool:
    return stored.head.phase is Phase.ROLL_BACKED


MOMENTS: dict[str, Callable[[Stored], bool]] = {
    "running": _running,
    "being undone": _being_undone,
    "undone": _undone,
}


async def moments() -> list[tuple[str, Stored, float]]:
    """The first snapshot of each moment, with its time."""
    document = HERE.parent / "examples" / "undone.yaml"
    registry, clock = load(), SystemClock()
    seen: dict[str, tuple[Stored, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with open_engine(f"sqlite:{folder}/wf.db", registry=registry) as engine:

            def look(key: Key, _: tuple[Transition, ...]) -> None:
                snapshot = engine.view(key)
                for name, is_it in MOMENTS.items():
                    if name not in seen and is_it(snapshot):
                        seen[name] = snapshot, clock.now()

            engine.subscribe(look)
            workflow = read(document.read_text(), document.name, registry)
            stored = await engine.create(workflow)
            key = Key(stored.workflow.metadata.namespace, stored.workflow.metadata.name)
            await engine.adopt(key)
            await engine.wait(key)
    return [(name, *seen[name]) for name in MOMENTS if name in seen]


def main() -> None:
    """Run, draw, write."""
    console = Console(record=True, width=84, file=io.StringIO())
    for name, stored, now in asyncio.run(moments()):
        console.print(Text(f"$ wf run examples/undone.yaml   ({name})", style="bold"))
        console.print(render(stored, now))
        console.print()
    picture = console.export_svg(title="wf")
    # The fonts would be fetched from elsewhere; the reader's own monospace does.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (HERE / "live-tree.svg").write_text(picture, encoding="utf-8")
    print("wrote docs/live-tree.svg")


if __name__ == "__main__":
    main()
