"""What `wf_core` offers to programs."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from docs.reference.markdown import code, docstring, signature, table

import wf_core
from wf_core import errors, library

EXAMPLE = Path(__file__).parents[2] / "examples/library.py"
TESTING = {
    "wf_core.testing.calls": "a `StepCall` for a unit test of one kind: no engine, no store",
    "wf_core.testing.virtual_time": "an event loop in which waiting takes no time",
    "wf_core.testing.bench": "the shipped engine on virtual time, with crashes at will",
    "wf_core.testing.store_contract": "what every store must pass",
}

HEAD = """\
# Python

A workflow can be run from a program, without the command line and without anything installed
but `wf-core`:
"""


def page() -> str:
    """The functions, the names of `wf_core`, the errors."""
    functions = [name for name in wf_core.__all__ if inspect.isfunction(getattr(library, name, 0))]
    classes = [name for name in wf_core.__all__ if name not in functions and name != "hookimpl"]
    tree = (errors.__doc__ or "").split("\n\n")[1]
    return "\n".join(
        [
            HEAD,
            "```python",
            EXAMPLE.read_text(encoding="utf-8").rstrip(),
            "```",
            "",
            "Names are imported from `wf_core`. What is not on this page, nor under",
            "[hooks](hooks.md), is not meant for other programs and may change.",
            "",
            "## Functions",
            "",
            *(line for name in functions for line in _function(name)),
            "## Values",
            "",
            "What kinds of step are given and answer stands under [hooks](hooks.md).",
            "",
            *table(("name", "meaning"), ((code(n), _summary(n)) for n in classes)),
            "## Errors",
            "",
            "All are in `wf_core.errors`; `str(error)` says what is wrong and what to do next.",
            "",
            "```text",
            tree,
            "```",
            "",
            "## For tests",
            "",
            *table(("module", "meaning"), ((code(m), text) for m, text in TESTING.items())),
        ]
    )


def _function(name: str) -> Iterator[str]:
    function = getattr(library, name)
    prefix = "async " if inspect.iscoroutinefunction(function) else ""
    yield from (f"### {name}", "", "```text", f"{prefix}{signature(function, name)}", "```", "")
    yield from (docstring(function), "")


def _summary(name: str) -> str:
    return docstring(getattr(wf_core, name)).split("\n\n")[0]
