"""What plugins may implement is documented, and the examples in the documents work."""

import inspect
import re
from pathlib import Path
from typing import Any

import pluggy
import pytest
from tests.docs.pages import blocks

from wf_core import hookspecs
from wf_core.kinds import StepKind

ROW = re.compile(r"^\| `(wf_\w+)\(([\w, ]*)\)` \|", re.MULTILINE)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/plugins.md").read_text()


def test_every_hook_is_documented_with_its_arguments(page: str) -> None:
    specified = {
        name: ", ".join(inspect.signature(getattr(hookspecs, name)).parameters)
        for name in hookspecs.SPECIFIED
    }
    assert dict(ROW.findall(page)) == specified


def test_every_hook_has_a_docstring() -> None:
    assert not [name for name in hookspecs.SPECIFIED if not getattr(hookspecs, name).__doc__]


def test_the_documented_examples_fit_the_specification(page: str) -> None:
    manager = pluggy.PluginManager("wf")
    manager.add_hookspecs(hookspecs)
    examples = [block.text for block in blocks(page) if "@hookimpl" in block.text]
    assert len(examples) == 2
    for number, example in enumerate(examples):
        manager.register(Example(example), name=f"example {number}")
    manager.check_pending()
    kinds = [kind for brought in manager.hook.wf_step_kinds() for kind in brought]
    assert [kind.name for kind in kinds] == ["folder"]
    assert all(isinstance(kind, StepKind) for kind in kinds)


class Example:
    """A block of a document, as the plugin module it would be."""

    def __init__(self, source: str) -> None:
        names: dict[str, Any] = {"__name__": "documented_example"}
        exec(compile(source, "docs/plugins.md", "exec"), names)
        vars(self).update(names)
