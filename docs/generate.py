"""Writes the pages that are made from the code; `--check` only says which are stale.

`python -m docs.generate`, from the root of the project.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.reference import (
    commands,
    configuration,
    document,
    drawing,
    exits,
    hooks,
    kinds,
    metrics,
    python_names,
    transitions,
)

from wf_core.saga import table

HERE = Path(__file__).parent
NOTE = "<!-- Made from the code by `make docs`; edit that instead. -->\n"
PAGES: Mapping[str, Callable[[], str]] = {
    "transitions.md": transitions.page,
    "cli.md": commands.page,
    "configuration.md": configuration.page,
    "document.md": document.page,
    "exit-codes.md": exits.page,
    "hooks.md": hooks.page,
    "kinds.md": kinds.page,
    "metrics.md": metrics.page,
    "python.md": python_names.page,
    "transitions-workflow.svg": lambda: drawing.phases_in_a_row(table.WORKFLOW),
    "transitions-step.svg": lambda: drawing.phases_in_a_row(table.STEP),
}


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
