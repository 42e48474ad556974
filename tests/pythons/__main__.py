"""`make test-pythons`: the fast tests on every Python that we name and this machine has."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
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
    results: dict[str, str] = {}
    for version in options.versions:
        if version in options.tested.split():
            results[version] = "not run again: this is the Python of `make test`"
        elif (interpreter := find(version, os.environ)) is None:
            results[version] = "not run: it is not on this machine"
        else:
            print(f"== Python {version}: {interpreter}", flush=True)
            results[version] = "passed" if tests_pass(version, interpreter) else "FAILED"
    print(summary(results.items()))
    return int("FAILED" in results.values())


def tests_pass(version: str, interpreter: Path) -> bool:
    """Run the fast tests in an environment that only this version uses."""
    command = ["make", "--no-print-directory", f"VENV=.venv-{version}", f"PYTHON={interpreter}"]
    return subprocess.run([*command, "test-fast"], cwd=ROOT, check=False).returncode == 0


def summary(results: Iterable[tuple[str, str]]) -> str:
    """One line for each version."""
    return "\n".join(
        ["\nFast tests:", *(f"  Python {version}: {result}" for version, result in results)]
    )


if __name__ == "__main__":
    sys.exit(main())
