"""`wf plugin new` writes a distribution that linters and types have nothing against."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from tests.core.cli.made import Shell

from wf_core.cli.scaffold.names import BadName, Names, names
from wf_core.cli.scaffold.writing import files


@pytest.mark.parametrize(
    ("given", "kind", "made"),
    [
        ("wf-folder", None, ("wf-folder", "wf_folder", "folder", "Folder")),
        ("Acme.Steps", "volume", ("acme-steps", "acme_steps", "volume", "Volume")),
        (
            "wf__make_folder",
            None,
            ("wf-make-folder", "wf_make_folder", "make-folder", "MakeFolder"),
        ),
        ("shelf", None, ("shelf", "shelf", "shelf", "Shelf")),
    ],
)
def test_all_names_follow_from_two(
    given: str, kind: str | None, made: tuple[str, str, str, str]
) -> None:
    found = names(given, kind)
    assert (found.distribution, found.package, found.kind, found.camel) == made


@pytest.mark.parametrize(
    ("given", "kind", "why"),
    [
        ("Foo Bar!", None, "takes letters, digits, and - _ . between them; `foo-bar` would do"),
        ("-x", None, "is no name of a distribution"),
        ("", None, "is no name of a distribution"),
        ("../up", None, "is no name of a distribution.*`up` would do"),
        ("json", None, "a module 'json' is part of Python; `wf-json` would do"),
        ("class", None, "can't be imported; `wf-class` would do"),
        ("3d", None, "can't be imported; `wf-3d` would do"),
        ("wf", None, "is wf's own"),
        ("wf-core", None, "is wf's own"),
        ("wf-3d", None, "'3d' is no name of a kind.*; `d` would do; give one with --kind"),
        ("wf-x", "My Kind", "'My Kind' is no name of a kind.*; `my-kind` would do"),
        ("wf-x", "é", "'é' is no name of a kind: small letters first"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_one_that_would(
    given: str, kind: str | None, why: str
) -> None:
    with pytest.raises(BadName, match=why):
        names(given, kind)


def test_it_writes_a_distribution_and_says_what_is_next(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "made here" / "wf-note"
    result = shell.wf("plugin", "new", "wf-note", "--directory", str(folder))
    assert result.code == 0, result.err
    assert result.lines[1] == f"  cd '{folder}'"
    assert "  .venv/bin/pytest" in result.lines
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {str(path) for path, _ in files(Names("wf-note", "note"))}
    assert {"tests/test_conformance.py", "src/wf_note/py.typed", ".gitignore"} <= found


def test_nothing_that_is_there_is_written_over(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for place in (tmp_path, tmp_path / "mine"):
        result = shell.wf("plugin", "new", "wf-note", "--directory", str(place))
        assert result.code == 2
    assert (
        "is there and not empty: nothing was written"
        in shell.wf("plugin", "new", "wf-note", "--directory", str(tmp_path)).err
    )
    assert {each.name for each in tmp_path.iterdir()} - {"wf.db"} == {"mine"}


def test_a_kind_that_another_plugin_brings_is_refused(shell: Shell, tmp_path: Path) -> None:
    result = shell.wf("plugin", "new", "wf-dice", "--kind", "random", "--directory", str(tmp_path))
    assert result.code == 2
    assert "wf-random 0.1.0 brings a kind 'random' already" in result.err
    assert [each.name for each in tmp_path.iterdir()] == ["wf.db"]


def test_a_folder_that_can_not_be_written_is_the_surroundings_fault(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file" / "below")
    result = shell.wf("plugin", "new", "wf-note", "--directory", place)
    assert result.code == 1
    assert f"{place} can't be written: Not a directory" in result.err


def test_wf_plugin_alone_shows_its_help_and_names_wf_plugins(shell: Shell) -> None:
    result = shell.wf("plugin")
    assert result.code == 2
    assert "new  Write a distribution with a kind of step." in result.err
    assert "`wf plugins` lists those that are installed." in result.err


@pytest.fixture(scope="module", params=[("wf-note", None), ("a-b.C", "make-a-thing")])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new plugin, with names short and long."""
    folder = tmp_path_factory.mktemp("new")
    for path, text in files(names(*request.param)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_its_data_can_be_read(written: Path) -> None:
    project = tomllib.loads((written / "pyproject.toml").read_text())["project"]
    (entry,) = project["entry-points"]["wf.plugins"].values()
    assert (written / "src" / entry.replace(".", "/")).with_suffix(".py").exists()
    workflow = yaml.safe_load((written / ".github/workflows/ci.yml").read_text())
    assert {"run": "pytest"} in workflow["jobs"]["test"]["steps"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", "--strict", "src", "tests"),
    ],
    ids=["lint", "format", "types"],
)
def test_linters_and_types_have_nothing_against_it(written: Path, command: tuple[str, ...]) -> None:

    checked = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=written,
        env={"MYPYPATH": "src", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
