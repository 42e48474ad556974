"""The part of the lock that goes into the image."""

import re
import subprocess
import sys
from pathlib import Path

from image.lock import needed, read

ROOT = Path(__file__).parents[2]
LOCK = """\
# This file was compiled.
a==1 \\
    --hash=sha256:00
    # via
    #   wf-core (wf_core/pyproject.toml)
    #   c
b[extra]==2 ; sys_platform == 'win32' \\
    --hash=sha256:11
    # via a
c==3 \\
    --hash=sha256:22
    # via -r requirements-dev.in
"""


def test_what_is_needed_of_what_is_needed_comes_too() -> None:
    assert needed(read(LOCK), ["wf-core"]) == ["a", "b"]


def test_what_is_named_itself_comes_with_what_it_needs() -> None:
    assert needed(read(LOCK), ["c"]) == ["a", "b", "c"]


def test_entries_keep_their_hashes_and_markers() -> None:
    lock = read(LOCK)
    assert lock["b"].text.startswith("b[extra]==2 ; sys_platform == 'win32'")
    assert "--hash=sha256:11" in lock["b"].text


def test_the_image_s_part_has_all_that_it_imports_and_no_tools() -> None:
    """Run as the Dockerfile does: by a Python that has nothing else."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN, "wf-core", "wf-k8s"],
        input=(ROOT / "requirements-dev.txt").read_text(),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    names = set(re.findall(r"^([\w.-]+)==", done.stdout, re.MULTILINE))
    assert {"aiohttp", "attrs", "kubernetes", "msgspec", "pluggy", "pyyaml"} <= names
    assert not names & {"pytest", "mypy", "ruff", "hatchling", "hypothesis"}
    pinned = re.findall(
        r"^\S+==[^\n]*\\\n(?: +--hash=sha256:[0-9a-f]{64}[ \\]*\n)+", done.stdout, re.M
    )
    assert len(pinned) == len(names)


PLAIN = """
import sys
sys.path[:] = [each for each in sys.path if "site-packages" not in each] + ["."]
from image.lock import main
main()
"""
