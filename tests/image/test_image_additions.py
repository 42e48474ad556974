"""What the image has beside packages."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from image import additions, sitecustomize

HERE = Path(__file__)


def a_package(folder: Path, name: str, text: str, version: str = "1.0") -> Path:
    """A package as pip leaves it."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


def python(start: Path, plugins: Path, code: str) -> str:
    """What code says in a Python that starts as that of the image does."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(start), "WF_PLUGINS": str(plugins)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_plugins_are_found_however_they_were_installed(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    a_package(plugins / "mail", "mail", "word = 'by target'")
    a_package(plugins / "pip/lib/python3.11/site-packages", "chat", "word = 'by prefix'")
    start = Path(sitecustomize.__file__).parent
    assert python(start, plugins, "import mail, chat; print(mail.word, chat.word)") == (
        "by target by prefix"
    )


def test_a_plugin_can_t_take_the_place_of_what_the_engine_needs(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    a_package(plugins / "mail", "attrs", "raise SystemExit('another one')", version="0.1")
    start = Path(sitecustomize.__file__).parent
    said = python(
        start,
        plugins,
        "import attrs; from importlib import metadata; print(metadata.version('attrs'))",
    )
    assert said == metadata.version("attrs")


def test_without_plugins_nothing_happens(tmp_path: Path) -> None:
    before = list(sys.path)
    sitecustomize.add_plugins(tmp_path / "nothing")
    assert sys.path == before


def test_the_constraints_hold_every_distribution_at_its_version(tmp_path: Path) -> None:
    installed = a_package(tmp_path / "a", "mail", "", version="1.2")
    a_package(tmp_path / "b", "Chat", "", version="0.3")
    additions.put(tmp_path / "root", Path("usr/lib"), [installed, tmp_path / "b"])
    constraints = tmp_path / "root" / additions.CONSTRAINTS
    assert constraints.read_text() == "Chat==0.3\nmail==1.2\n"
    assert (tmp_path / "root" / additions.PLUGINS).is_dir()
    assert (tmp_path / "root/usr/lib/sitecustomize.py").is_file()
