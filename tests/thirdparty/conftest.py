"""A fresh environment with wf_core and the plugins of this folder, installed by pip."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.thirdparty.fresh_environment import Environment

HERE = Path(__file__).parent
CORE = HERE.parents[1] / "wf_core"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment; skips where what wf_core depends on can't be fetched."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    environment = Environment(folder)
    project = tomllib.loads((CORE / "pyproject.toml").read_text())
    needed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    fetched = environment.pip("--retries", "1", *needed)
    if fetched.returncode:
        pytest.skip(f"what wf_core depends on can't be fetched: {fetched.stderr.strip()[-500:]}")
    # From here on nothing is fetched, so whatever fails is a fault of ours.
    ours = [str(CORE), str(HERE / "wf_greeting"), str(HERE / "wf_broken")]
    installed = environment.pip("--no-index", "--no-build-isolation", *ours)
    assert installed.returncode == 0, installed.stderr
    return environment
