"""Plugins that come to an image that is there: they are found, and can't harm the engine."""

from pathlib import Path

import pytest
from image import additions, sitecustomize
from tests.thirdparty import late_plugin, tiny_wheel
from tests.thirdparty.fresh_environment import Environment

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels: a plugin, one that wants an attrs of long ago, and that attrs."""
    folder = tmp_path_factory.mktemp("index")
    late_plugin.write(folder)
    tiny_wheel.write(folder, "wf_greedy", "1.0", requires=("attrs<20",))
    tiny_wheel.write(folder, "attrs", "19.0")
    return folder


@pytest.fixture(scope="module")
def constraints(fresh: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As they are shipped in the image, for what is installed here."""
    (packages,) = fresh.folder.glob("lib/python*/site-packages")
    root = tmp_path_factory.mktemp("root")
    additions.put(root, Path("lib"), [packages])
    return root / additions.CONSTRAINTS


def test_a_plugin_that_wants_another_version_of_a_dependency_is_refused(
    fresh: Environment, index: Path, constraints: Path
) -> None:
    wanted = ("--no-index", "--find-links", str(index), "wf-greedy")
    free = fresh.pip("--dry-run", *wanted)
    assert free.returncode == 0, free.stderr
    held = fresh.pip("--constraint", str(constraints), *wanted)
    assert held.returncode == 1
    assert "conflicting dependencies" in held.stderr


def test_a_plugin_that_pip_installed_beside_the_image_is_found(
    fresh: Environment, index: Path, constraints: Path, tmp_path: Path
) -> None:
    """With the options of the chart's init container."""
    plugins = tmp_path / "plugins"
    installed = fresh.pip(
        *("--no-index", "--find-links", str(index), "--no-input", "--no-cache-dir"),
        *(f"--prefix={plugins}/pip", f"--constraint={constraints}", "wf-late==1.0"),
    )
    assert installed.returncode == 0, installed.stderr
    left = [each.name for each in plugins.rglob("*.dist-info")]
    assert left == ["wf_late-1.0.dist-info"], "what the image has is not installed again"
    start = {"PYTHONPATH": str(Path(sitecustomize.__file__).parent), "WF_PLUGINS": str(plugins)}
    assert "wf_late 1.0" in fresh.run("wf", "kinds", env=start).stdout
    assert "late" not in fresh.run("wf", "kinds").stdout
