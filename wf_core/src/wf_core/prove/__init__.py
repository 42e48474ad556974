"""Explicit-state search over a saga: every failure, every failure of an undo, every crash point.

`world` says what can happen, `search` follows all of it on the shipped machine, `rules` are what
must hold in every state, `findings` says in words where a saga can end.
"""

from wf_core.prove.findings import Report, examine
from wf_core.prove.search import Bound, Found, search
from wf_core.prove.world import EVERYTHING, Outcomes

__all__ = ["EVERYTHING", "Bound", "Found", "Outcomes", "Report", "examine", "search"]
