"""Programs in the pages have the types that they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, every_page


@pytest.mark.slow
def test_every_program_has_its_types(tmp_path: Path) -> None:
    """As strictly as our own. What a page shows as a file is found under that name."""
    for page in every_page():
        folder = tmp_path / re.sub(r"\W", "_", page.name)
        for number, block in enumerate(page.blocks):
            if block.language == "python":
                file = folder / (block.title or f"block_{number}.py")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
    faults = []
    for folder in sorted(tmp_path.iterdir()):
        checked = subprocess.run(
            [
                *(sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases"),
                *("--config-file", "", "--cache-dir", str(ROOT / ".mypy_cache/docs"), "."),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            faults.append(f"{folder.name}: {checked.stdout}{checked.stderr}")
    assert not faults, "\n".join(faults)
