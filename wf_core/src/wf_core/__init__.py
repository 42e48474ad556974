"""wf: a saga workflow engine. Whatever crashes, all of a workflow has happened in the end, or none.

Names are imported when they are first used, so that `wf --version` starts in no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wf_core.hookspecs import hookimpl
    from wf_core.kinds import (
        CannotLook,
        Fatal,
        InProgress,
        Previous,
        Retryable,
        StepCall,
        StepKind,
        Success,
        Throttled,
    )
    from wf_core.library import aresume, arun, resume, run
    from wf_core.model.phases import Hook, Phase, Purpose
    from wf_core.model.spec import Workflow
    from wf_core.model.state import Resource, Stored

_HOME = {
    "hookimpl": "wf_core.hookspecs",
    **dict.fromkeys(
        (
            "CannotLook",
            "Fatal",
            "InProgress",
            "Previous",
            "Retryable",
            "StepCall",
            "StepKind",
            "Success",
            "Throttled",
        ),
        "wf_core.kinds",
    ),
    **dict.fromkeys(("aresume", "arun", "resume", "run"), "wf_core.library"),
    **dict.fromkeys(("Hook", "Phase", "Purpose"), "wf_core.model.phases"),
    "Workflow": "wf_core.model.spec",
    **dict.fromkeys(("Resource", "Stored"), "wf_core.model.state"),
}

__all__ = [
    "CannotLook",
    "Fatal",
    "Hook",
    "InProgress",
    "Phase",
    "Previous",
    "Purpose",
    "Resource",
    "Retryable",
    "StepCall",
    "StepKind",
    "Stored",
    "Success",
    "Throttled",
    "Workflow",
    "aresume",
    "arun",
    "hookimpl",
    "resume",
    "run",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'wf_core' has no attribute '{name}'")
    return getattr(import_module(home), name)
