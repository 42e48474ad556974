"""Distributions to install, and kinds to play with."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes a distribution with a metadata folder as pip would, in a folder on the path.

    `install("dist", "1.0", {"entry": "module"}, module="source")`; its modules are forgotten
    afterwards.
    """
    made: set[str] = set()
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(dist: str, version: str, entries: dict[str, str], **modules: str) -> None:
        folder = tmp_path / f"{dist.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        head = f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n"
        (folder / "METADATA").write_text(head)
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (folder / "entry_points.txt").write_text(f"[wf.plugins]\n{lines}")
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(source)
            made.add(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


KIND = """
from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind

class Kind(StepKind):
    name = "{name}"
    def run(self, call): return None
    def rollback(self, call): return None

@hookimpl
def wf_step_kinds():
    return [Kind()]
"""


@pytest.fixture
def kind_source() -> Callable[[str], str]:
    """Source of a plugin that brings one kind of that name."""
    return lambda name: KIND.format(name=name)
