"""For kinds that write to a database: each run and each undo takes effect once, in its order.

    with barrier(call, connection) as passage:
        if passage.first:
            ...                                   # on this connection
            passage.answer = Success(attributes={"balance": 20})
    return passage.answer

A row in the author's own database is written in the author's own transaction, so that a run that
is called again, an undo of a run that never took effect and a run that comes after its undo are
told from what is new. The idea is that of DTM's sub-transaction barrier. Any DB-API 2.0 connection
(PEP 249) will do; nothing of a driver is imported. docs/barrier.md says the rest.
"""

from wf_core.barrier.gate import Passage, barrier
from wf_core.barrier.table import CREATE_TABLE, create_table, prune

__all__ = ["CREATE_TABLE", "Passage", "barrier", "create_table", "prune"]
