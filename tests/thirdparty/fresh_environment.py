"""A virtual environment that sees nothing of the one that the tests run in."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import attrs
from tests.patience import PATIENCE


@attrs.frozen
class Environment:
    """A virtual environment of its own: it sees nothing of the one that the tests run in."""

    folder: Path

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program of its `bin`."""
        program, *rest = arguments
        outer = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "WF_"))}
        return subprocess.run(
            [str(self.folder / "bin" / program), *rest],
            env={**outer, "HOME": str(self.folder), **(env or {})},
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def pip(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run("python", "-m", "pip", "install", "--quiet", *arguments)
