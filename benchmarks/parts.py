"""The parts of a benchmark as a command: run those asked for, print, write, say what was missed."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.figures import Figure, table, write

Part = Callable[[Path], list[Figure]]
"""Measures in a folder of its own choosing below the given one."""


def run(program: str, text: str | None, parts: Mapping[str, Part], results: Path) -> int:
    """The exit code: 1 where a budget was missed. `text` says what the command does."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=text)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(parts)}")
    parser.add_argument("--folder", type=Path, help="measure on the disk of this folder")
    parser.add_argument("--json", type=Path, default=results, help="where the figures go")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in parts]
    if unknown:
        parser.error(f"no part '{unknown[0]}'; there are {', '.join(parts)}")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="wf-bench-", dir=options.folder) as folder:
        for part in options.parts or parts:
            print(f"measuring {part} ...", file=sys.stderr, flush=True)
            figures += parts[part](Path(folder))
    print(table(figures))
    write(figures, options.json)
    return 1 if any(each.verdict == "MISSED" for each in figures) else 0
