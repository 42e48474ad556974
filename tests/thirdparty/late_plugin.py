"""A plugin that comes to an engine that is there already, as a wheel."""

from pathlib import Path

from tests.thirdparty import tiny_wheel

MODULE = """
from wf_core.hookspecs import hookimpl
from wf_core.kinds import StepKind

class Late(StepKind):
    name = "late"
    def run(self, call): pass
    def rollback(self, call): pass

@hookimpl
def wf_step_kinds():
    return [Late()]
"""


def write(folder: Path) -> Path:
    """The wheel of wf-late 1.0, which brings the kind `late`; returns its path."""
    return tiny_wheel.write(
        folder,
        "wf_late",
        "1.0",
        requires=("wf-core", "attrs>=20"),
        modules={"wf_late.py": MODULE},
        entry_points="[wf.plugins]\nlate = wf_late\n",
    )
