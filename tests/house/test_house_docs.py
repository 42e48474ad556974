"""The pages that are made from the code say what the code says."""

import subprocess
import sys
from pathlib import Path


def test_no_page_made_from_the_code_is_stale(root: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
