"""The shell around the machine: collect events, advance, save, perform (semantics C)."""

from wf_core.engine.engine import Engine

__all__ = ["Engine"]
