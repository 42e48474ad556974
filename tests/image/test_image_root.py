"""What goes into the controller's image."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from image import python_root
from image.python_root import IncompleteError, closure


def test_what_is_needed_is_followed_to_its_end_and_no_further() -> None:
    found = closure(["wf-core", "wf-k8s"])
    # h11 is needed by httpcore, that by httpx, and that by the core.
    assert {"wf-core", "httpx", "h11", "aiohttp"} <= found.keys()
    assert not {"pytest", "mypy", "hatchling"} & found.keys()


def test_what_another_python_would_need_is_not_asked_for() -> None:
    assert "async-timeout" not in closure(["aiohttp"])


def test_a_distribution_that_is_not_installed_is_named() -> None:
    with pytest.raises(IncompleteError, match="wf-nowhere is not installed"):
        closure(["wf-nowhere"])


def test_names_that_differ_in_form_are_one() -> None:
    assert python_root.normal("Typing_Extensions") == python_root.normal("typing.extensions")


def test_what_only_tests_and_windows_need_is_left_out() -> None:
    names = ["json", "test", "tkinter", "_tkinter.cpython-311.so", "config-3.11-x", "__pycache__"]
    assert python_root.left_out("", names) == set(names) - {"json"}


def test_the_libraries_of_a_program_are_found() -> None:
    assert any(each.name.startswith("libc.so") for each in python_root.linked(Path(sys.executable)))


def test_a_wheel_brings_its_commands_which_need_no_shell(tmp_path: Path) -> None:
    wheel = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("x_module.py", "def main() -> int:\n    return 7\n")
        made.writestr("x-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 1\n")
        made.writestr("x-1.dist-info/entry_points.txt", "[console_scripts]\nx = x_module:main\n")
    root = tmp_path / "root"
    python_root.wheels(root, [wheel])
    script = root / "usr/local/bin/x"
    assert script.read_text().startswith(f"#!/usr/local/bin/{python_root.VERSION}\n")
    assert script.stat().st_mode & 0o111
    packages = {"PYTHONPATH": str(root / python_root.PACKAGES)}
    assert subprocess.run([sys.executable, script], env=packages, check=False).returncode == 7
    assert list((root / python_root.PACKAGES / "__pycache__").iterdir())
