"""The part of the lock that a few distributions need, with its hashes: one lock serves the tests
and the image. Plain Python: it runs where nothing is installed yet.

    python -m image.lock wf-core wf-k8s < requirements-dev.txt
"""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==", re.MULTILINE)
NEEDED_BY = re.compile(r"^ +#(?: via)? +(?P<name>[A-Za-z0-9][\w.-]*)", re.MULTILINE)


class Entry(NamedTuple):
    """One locked distribution: its lines, and who needs it."""

    text: str
    needed_by: frozenset[str]


def read(text: str) -> dict[str, Entry]:
    """The entries of a lock, by name."""
    starts = [*ENTRY.finditer(text)]
    ends = [*(match.start() for match in starts[1:]), len(text)]
    found = {}
    for match, end in zip(starts, ends, strict=True):
        lines = text[match.start() : end]
        by = frozenset(each["name"] for each in NEEDED_BY.finditer(lines))
        found[match["name"]] = Entry(lines, by)
    return found


def needed(lock: Mapping[str, Entry], names: Iterable[str]) -> list[str]:
    """Those of the lock that `names` need, directly or not, and themselves where they are in it."""
    wanted = set(names)
    while more := {
        name for name, each in lock.items() if name not in wanted and each.needed_by & wanted
    }:
        wanted |= more
    return [name for name in lock if name in wanted]


def main() -> None:
    lock = read(sys.stdin.read())
    for name in needed(lock, sys.argv[1:]):
        sys.stdout.write(lock[name].text)


if __name__ == "__main__":
    main()
