"""`make test-pythons`: the fast tests on every Python that we name and this machine has."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.pythons.interpreters import find

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the tests of one version after another; 1 if any of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.pythons", description=__doc__)
    parser.add_argument("versions", nargs="+", metavar="3.N")
    parser.add_argument(
        "--tested", default="", metavar="VERSIONS", help="those that need not run again"
    )
    options = parser.parse_args()
    tested = options.tested.split()
    untested = [version for version in options.versions if version not in tested]
    found = {version: find(version, os.environ) for version in untested}
    there = {version: each for version, each in found.items() if each is not None}
    # pip keeps one core busy: all environments are made at once.
    with ThreadPoolExecutor() as pool:
        made = dict(zip(there, pool.map(environment_made, there, there.values()), strict=True))
    results: dict[str, str] = {}
    for version in options.versions:
        if version in tested:
            results[version] = "not run again: this is the Python of `make test`"
        elif version not in there:
            results[version] = "not run: it is not on this machine"
        elif not made[version]:
            results[version] = "FAILED: its environment could not be made"
        else:
            print(f"== Python {version}: {there[version]}", flush=True)
            results[version] = "passed" if tests_pass(version, there[version]) else "FAILED"
    print(summary(results.items()))
    return int(any(result.startswith("FAILED") for result in results.values()))


def environment_made(version: str, interpreter: Path) -> bool:
    """Make the environment that only this version uses."""
    return _make(version, interpreter, f".venv-{version}/.ready")


def tests_pass(version: str, interpreter: Path) -> bool:
    """Run the fast tests in it."""
    return _make(version, interpreter, "test-fast")


def _make(version: str, interpreter: Path, target: str) -> bool:
    command = ["make", "--no-print-directory", f"VENV=.venv-{version}", f"PYTHON={interpreter}"]
    return subprocess.run([*command, target], cwd=ROOT, check=False).returncode == 0


def summary(results: Iterable[tuple[str, str]]) -> str:
    """One line for each version."""
    return "\n".join(
        ["\nFast tests:", *(f"  Python {version}: {result}" for version, result in results)]
    )


if __name__ == "__main__":
    sys.exit(main())
