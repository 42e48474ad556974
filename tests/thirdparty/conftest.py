"""Fresh environments with wf_core and the plugins of this folder, installed by pip."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.thirdparty.fresh_environment import Environment

HERE = Path(__file__).parent
CORE = HERE.parents[1] / "wf_core"


def made(folder: Path, *ours: Path, extra: str | None = None) -> Environment:
    """An environment with wf_core and `ours`; skips where what they depend on can't be fetched.

    `extra` is one of wf_core's: what it needs is there too.
    """
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    environment = Environment(folder)
    project = tomllib.loads((CORE / "pyproject.toml").read_text())
    needed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    if extra is not None:
        needed += project["project"]["optional-dependencies"][extra]
    fetched = environment.pip("--retries", "1", *needed)
    if fetched.returncode:
        pytest.skip(f"what wf_core depends on can't be fetched: {fetched.stderr.strip()[-500:]}")
    # From here on nothing is fetched, so whatever fails is a fault of ours.
    installed = environment.pip("--no-index", "--no-build-isolation", *map(str, (CORE, *ours)))
    assert installed.returncode == 0, installed.stderr
    return environment


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment with the plugins of this folder."""
    folder = tmp_path_factory.mktemp("fresh")
    return made(folder, HERE / "wf_greeting", HERE / "wf_broken")


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment of somebody who begins to write a plugin."""
    return made(tmp_path_factory.mktemp("author"), extra="testing")
