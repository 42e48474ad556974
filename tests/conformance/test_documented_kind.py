"""The kind in docs/plugins.md keeps the promises, by the checks that stand beside it there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conformance.shelf_worlds import CHECKS
from tests.docs.pages import blocks

from wf_core.testing.conformance import World

PAGE = (Path(__file__).parents[2] / "docs/plugins.md").read_text()
BLOCKS = [each.text for each in blocks(PAGE) if each.language == "python"]


def block(part: str) -> str:
    (found,) = [each for each in BLOCKS if part in each]
    return str(found)


@pytest.mark.slow
def test_the_documented_kind_passes_the_documented_checks(tmp_path: Path) -> None:
    (tmp_path / "wf_folder").mkdir()
    (tmp_path / "wf_folder/plugin.py").write_text(block("class Folder("))
    (tmp_path / "test_conformance.py").write_text(block("class FolderWorld("))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "15 passed, 6 skipped" in ran.stdout


def test_every_check_is_documented() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) >= {
        name.removeprefix("test_") for name in CHECKS
    }


def test_everything_a_world_may_say_is_documented() -> None:
    said = {name for name in (*vars(World), *World.__annotations__) if not name.startswith("_")}
    table = PAGE[PAGE.index("| a world's | says |") :].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()]
    assert said == set(re.findall(r"`(\w+)(?:\(\))?`", " ".join(cells)))
