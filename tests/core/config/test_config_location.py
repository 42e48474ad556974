"""Where the configuration is looked for."""

from pathlib import Path

import pytest

from wf_core.config import find


@pytest.fixture
def standard(tmp_path: Path) -> Path:
    file = tmp_path / "wf" / "config.yaml"
    file.parent.mkdir()
    file.touch()
    return file


def test_the_file_that_was_named_comes_first(standard: Path) -> None:
    env = {"WF_CONFIG": "other.yaml", "XDG_CONFIG_HOME": str(standard.parents[1])}
    assert find(Path("given.yaml"), env) == Path("given.yaml")


def test_then_the_variable_even_where_no_such_file_exists(standard: Path) -> None:
    env = {"WF_CONFIG": "other.yaml", "XDG_CONFIG_HOME": str(standard.parents[1])}
    assert find(None, env) == Path("other.yaml")


def test_then_the_folder_of_settings(standard: Path) -> None:
    assert find(None, {"WF_CONFIG": "", "XDG_CONFIG_HOME": str(standard.parents[1])}) == standard


def test_then_dot_config_at_home(tmp_path: Path) -> None:
    file = tmp_path / ".config" / "wf" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.touch()
    for ignored in ("", "relative"):
        assert find(None, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": ignored}) == file


def test_without_home_in_the_environment_the_system_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".config" / "wf" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.touch()
    assert find(None, {}) == file


def test_no_file_anywhere_is_none(tmp_path: Path) -> None:
    assert find(None, {"HOME": str(tmp_path)}) is None
