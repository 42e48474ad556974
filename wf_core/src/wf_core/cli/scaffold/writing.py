"""Filling in the templates and writing them down."""

import string
from collections.abc import Iterator, Mapping
from importlib import metadata, resources
from pathlib import Path, PurePosixPath

from wf_core.cli.scaffold.names import Names

FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "example.yaml": "example.yaml",
    ".gitignore": "gitignore",
    ".github/workflows/ci.yml": "ci.yml",
    "src/%%{package}/__init__.py": "__init__.py",
    "src/%%{package}/py.typed": "py.typed",
    "src/%%{package}/kind.py": "kind.py",
    "src/%%{package}/plugin.py": "plugin.py",
    "tests/test_%%{package}.py": "test_kind.py",
    "tests/test_conformance.py": "test_conformance.py",
}
"""Each file of a new plugin and the template of it; both take the names in."""


class _Template(string.Template):
    """Its mark is none of Python, YAML or workflow documents, where `$` and `@` mean something."""

    delimiter = "%%"


def files(names: Names) -> Iterator[tuple[PurePosixPath, str]]:
    """The files of a new plugin, by their path in it."""
    templates = resources.files("wf_core.cli.scaffold").joinpath("template")
    values = _values(names)
    for path, name in FILES.items():
        text = templates.joinpath(f"{name}.tmpl").read_text(encoding="utf-8")
        yield PurePosixPath(_filled(path, values)), _filled(text, values)


def write(names: Names, folder: Path) -> None:
    """Write a new plugin. Raises FileExistsError where `folder` has something in it, and OSError
    where it can't be written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there and not empty")
    for path, text in files(names):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _values(names: Names) -> Mapping[str, str]:
    major, minor, *_ = metadata.version("wf-core").split(".")
    return {
        "distribution": names.distribution,
        "package": names.package,
        "kind": names.kind,
        "camel": names.camel,
        "core": f"{major}.{minor}",
    }


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _Template(text).substitute(values)
