"""Measure, print each figure beside its budget, write them as JSON. Exit code 1: one was missed."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import admitting, durable, memory, saves, scale, startup
from benchmarks.figures import Figure, table, write

PARTS = {
    "saves": saves.measure,
    "durable": durable.measure,
    "scale": scale.measure,
    "admission": admitting.measure,
    "startup": startup.measure,
    "memory": memory.measure,
}
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--folder", type=Path, help="measure on the disk of this folder")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures go")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part '{unknown[0]}'; there are {', '.join(PARTS)}")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="wf-bench-", dir=options.folder) as folder:
        for part in options.parts or PARTS:
            print(f"measuring {part} ...", file=sys.stderr, flush=True)
            figures += PARTS[part](Path(folder))
    print(table(figures))
    write(figures, options.json)
    return 1 if any(each.verdict == "MISSED" for each in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
