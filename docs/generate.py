"""Writes the pages that are made from the code; `--check` only says which are stale."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from wf_core.saga import table

HERE = Path(__file__).parent
NOTE = "<!-- Made from the code by `make docs`; edit that instead. -->\n"


def transitions() -> str:
    """The table of the machine, as lists and as diagrams."""
    return "\n".join(
        [
            "# Transitions",
            "",
            "All moves that there are. Anything not listed is impossible: the machine refuses it.",
            "",
            *_moves("A workflow", table.WORKFLOW),
            *_moves("A step", table.STEP),
            "A run that fails for good leaves its step in Running and moves only the workflow:",
            "it is the undo that moves steps to RollingBack. Only RollBacked absorbs.",
            "",
        ]
    )


def _moves(title: str, moves: Iterable[table.Move]) -> Iterator[str]:
    yield from (f"## {title}", "", "```mermaid", "stateDiagram-v2")
    yield from (f"  {move.before} --> {move.after}" for move in moves)
    yield from ("```", "", "| from | to | when |", "|---|---|---|")
    yield from (f"| {move.before} | {move.after} | {move.when} |" for move in moves)
    yield ""


PAGES: Mapping[str, Callable[[], str]] = {"transitions.md": transitions}


def stale() -> dict[Path, str]:
    """The pages whose file is not what the code says, with what it should hold."""
    made = {HERE / name: NOTE + make() for name, make in PAGES.items()}
    return {
        path: text
        for path, text in made.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Writes what is stale, or with `--check` fails where something is."""
    check = arguments == ["--check"]
    pages = stale()
    for path, text in pages.items():
        if check:
            print(f"docs/{path.name} is stale; run `make docs`", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{path.name}")
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
