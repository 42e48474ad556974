"""What the documents tell people to type exists."""

import re
import subprocess
from pathlib import Path

import pytest

PHONY = re.compile(r"^\.PHONY: (.+)$", re.MULTILINE)
TARGET = re.compile(r"^([a-z][a-z0-9-]*):", re.MULTILINE)
# `make lint` in running text, or at the start of a line in a block.
MENTION = re.compile(r"(?:`|^\s*(?:\$ )?)make ([a-z][a-z0-9-]*)", re.MULTILINE)
CHORES = {
    *("demo", "test", "test-fast", "test-all", "test-rest", "test-pythons"),
    *("lint", "types", "bench", "docs", "clean", "help"),
}


@pytest.fixture(scope="module")
def makefile(root: Path) -> str:
    return (root / "Makefile").read_text()


def test_every_chore_is_a_phony_target(makefile: str) -> None:
    phony = PHONY.search(makefile)
    assert phony
    assert set(phony[1].split()) >= CHORES
    assert set(TARGET.findall(makefile)) >= CHORES


def test_help_has_a_line_for_every_phony_target(makefile: str) -> None:
    phony = PHONY.search(makefile)
    assert phony
    explained = set(re.findall(r"^([a-z0-9-]+):.*## \S", makefile, re.MULTILINE))
    assert explained == set(phony[1].split())


def test_documents_name_only_targets_that_exist(makefile: str, tracked: list[Path]) -> None:
    targets = set(TARGET.findall(makefile))
    unknown = {
        f"{page.name}: make {word}"
        for page in tracked
        if page.suffix == ".md" or page.parts[-2:] == (".ci", "run")
        for word in MENTION.findall(page.read_text())
        if word not in targets
    }
    assert not unknown


def test_the_readme_names_the_two_commands_of_a_fresh_machine(root: Path) -> None:
    named = MENTION.findall((root / "README.md").read_text())
    assert {"demo", "test"} <= set(named)


def test_what_lands_is_linted_typed_and_tested(root: Path) -> None:
    script = (root / ".ci/run").read_text()
    assert "set -euo pipefail" in script
    chores = ["lint", "types", "test", "test-pythons", "test-rest"]
    assert re.findall(r"^(?:nice -n \d+ )?make (\S+)", script, re.MULTILINE) == chores
    assert script.endswith('exit "$status"\n')
    assert (root / ".ci/run").stat().st_mode & 0o100, ".ci/run can't be executed"


def test_links_between_documents_lead_somewhere(tracked: list[Path]) -> None:
    link = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
    dead = {
        f"{page.name}: {target}"
        for page in tracked
        if page.suffix == ".md"
        for target in link.findall(page.read_text())
        if not (page.parent / target).exists()
    }
    assert not dead


def test_test_all_is_what_test_and_test_rest_run_and_no_test_is_in_both(makefile: str) -> None:
    """`.ci/run` runs the two one after the other."""
    anywhere = re.search(r"^ANYWHERE := (.+)$", makefile, re.MULTILINE)
    assert anywhere
    assert anywhere[1] == "not long and not cluster and not e2e and not full"
    assert '$(PYTEST) -m "$(ANYWHERE)"' in recipe(makefile, "test")
    rest = '$(PYTEST) -m "not e2e and not full and not ($(ANYWHERE))"'
    assert rest in recipe(makefile, "test-rest")
    assert "$(PYTEST) -m full" in recipe(makefile, "prove-all")
    called = re.findall(r"MAKE\) --no-print-directory (\S+)", recipe(makefile, "test-all"))
    assert called == ["test", "test-rest"]
    assert "$(MAKE) --no-print-directory e2e" in recipe(makefile, "test-rest")


def test_what_make_test_leaves_out_is_said_with_the_command_that_runs_it(root: Path) -> None:
    """However the tests end: here pytest is a program that fails."""
    told = subprocess.run(
        ["make", "--no-print-directory", "--old-file=.venv/.ready", "test", "PYTEST=false"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode != 0, "a failure stays one"
    assert "need a Kubernetes API server or a node" in told.stdout
    assert "`make test-rest` runs these; `make test-all` runs everything" in told.stdout


def recipe(makefile: str, target: str) -> str:
    """The lines of a target."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found
    return found[1]
